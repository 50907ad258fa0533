"""Sending commands and hearing their answers: one place for ids, the events' cursor and the queue's refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from engine.errors import ProtocolError
from engine.sequencer.events import Event
from engine.sequencer.inputs import Input
from ui.viewmodels.ticket_acks import AckTracker, Answer, new_client_id


class Commands(Protocol):
    """What sending needs of the engine."""

    def submit(self, command: Input) -> None:
        """Queue a command; raises ``ProtocolError`` when the queue is full."""

    def events_since(self, cursor: int) -> tuple[int, Sequence[Event]]:
        """Events after ``cursor``, and the next cursor."""


class CommandSender:
    """Sends commands and matches the venue's answers to them by client id."""

    def __init__(self, engine: Commands) -> None:
        self._engine = engine
        self._tracker = AckTracker()
        self._cursor = 0

    @property
    def waiting(self) -> int:
        """Commands without an answer."""
        return len(self._tracker)

    def waits_for(self, client_id: str) -> bool:
        """Whether this command has no answer yet."""
        return client_id in self._tracker

    def send(self, make: Callable[[str], Input], words: str, now: float) -> tuple[str, Answer | None]:
        """Send the command that ``make`` builds from a fresh client id.

        Returns the id, and an answer at once when the ingress queue refused it. ``now``: wall seconds.
        """
        if not len(self._tracker):
            self._cursor, _ = self._engine.events_since(self._cursor)  # answers can only come after this moment
        client_id = new_client_id()
        try:
            self._engine.submit(make(client_id))
        except ProtocolError as error:
            limit = "" if error.limit is None else str(error.limit)
            return client_id, Answer(client_id, False, error.message, error.field, limit)
        self._tracker.sent(client_id, words, now)
        return client_id, None

    def poll(self, now: float) -> list[Answer]:
        """Answers that arrived, and one for every command that waited too long. ``now``: wall seconds."""
        if not len(self._tracker):
            return []
        self._cursor, events = self._engine.events_since(self._cursor)
        answers = self._tracker.read(events)
        for late in self._tracker.overdue(now):
            words = f"{late.words}: no acknowledgement in {now - late.since:.0f} s; it may still go through"
            answers.append(Answer(late.client_id, False, words, "acknowledgement", f"{now - late.since:.0f} s"))
        return answers
