"""The way in: a bounded queue of commands, and an unbounded one of facts that must not be dropped.

A full command queue is an immediate typed refusal; the window never waits. Facts (proof outcomes, L1 requests) come
from our own threads, a few a second at most.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.errors import CorruptData, ProtocolError
from engine.sequencer.events import AnyEvent
from engine.sequencer.inputs import Input, decode_input, encode_input

QUEUE_LIMIT = 4096

Acknowledge = Callable[[int, list[AnyEvent]], None]


class IngressFull(ProtocolError):
    """The venue takes no more commands right now."""


class BadCommand(ProtocolError):
    """A command whose fields are not of their types: the journal could not give it back."""


@dataclass(slots=True, kw_only=True)
class Command:
    """A command on its way. ``acknowledge(sequence, events)`` is called on the sequencer's thread after the input is
    durable and applied. ``submitted`` is wall time (perf_counter seconds), ``data`` what the journal will store.

    Raises :class:`BadCommand` on the caller's thread for an input that would not come back from the journal as it is.
    """

    input: Input
    acknowledge: Acknowledge | None = None
    submitted: float = field(default_factory=time.perf_counter)
    data: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.data = checked_encoding(self.input)


def checked_encoding(value: Input) -> bytes:
    """Canonical bytes of an input that decode to the same input; :class:`BadCommand` names the field that does not.

    A row that cannot be decoded would keep the venue from ever starting again, so it must not get into the journal.
    """
    try:
        data = encode_input(value)
        same = decode_input(data) == value
    except CorruptData as error:
        raise BadCommand(f"{type(value).__name__}: {error.__cause__}", field=type(value).__name__) from error
    except (OverflowError, TypeError, ValueError) as error:
        raise BadCommand(f"{type(value).__name__} cannot be encoded: {error}", field=type(value).__name__) from error
    if not same:
        raise BadCommand(f"{type(value).__name__} has fields of other types", field=type(value).__name__)
    return data


class Ingress:
    """Thread-safe; one consumer."""

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self.limit = limit
        self._commands: deque[Command] = deque()
        self._facts: deque[object] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()

    def submit(self, command: Command) -> None:
        """Queue a command, or raise :class:`IngressFull` at once."""
        with self._lock:
            if len(self._commands) >= self.limit:
                raise IngressFull("the sequencer's queue is full", field="queue", limit=self.limit)
            self._commands.append(command)
        self._wake.set()

    def deliver(self, fact: object) -> None:
        """Queue a fact from one of our own threads."""
        self._facts.append(fact)
        self._wake.set()

    def take(self, most: int) -> list[Command]:
        """Up to ``most`` commands in order of arrival."""
        with self._lock:
            count = min(most, len(self._commands))
            return [self._commands.popleft() for _ in range(count)]

    def take_facts(self) -> list[object]:
        """All queued facts."""
        facts = []
        while self._facts:
            facts.append(self._facts.popleft())
        return facts

    def wait(self, timeout: float) -> None:
        """Sleep until something arrives or ``timeout`` seconds pass."""
        self._wake.wait(timeout)
        self._wake.clear()

    def wake(self) -> None:
        """Make the consumer look round."""
        self._wake.set()

    def depth(self) -> int:
        """Commands waiting."""
        return len(self._commands)
