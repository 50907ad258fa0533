"""Commands that were sent and not yet answered: which ack belongs to which, and what the answer said."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from engine.sequencer.events import Accepted, Event, Rejected

PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The venue's answer to one command, with the rule and the number when it was refused."""

    client_id: str
    accepted: bool
    words: str
    field: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A command on its way: what it was, and when it left (wall seconds)."""

    client_id: str
    words: str
    since: float


def new_client_id() -> str:
    """An id no other command of any run carries."""
    return f"desk-{uuid.uuid4().hex[:16]}"


class AckTracker:
    """Commands in flight, in the order they were sent."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, client_id: str) -> bool:
        return client_id in self._waiting

    def sent(self, client_id: str, words: str, now: float) -> None:
        """Remember a command that was handed to the engine at wall time ``now``."""
        self._waiting[client_id] = Waiting(client_id, words, now)

    def read(self, events: Iterable[Event]) -> list[Answer]:
        """Answers among ``events`` to commands that wait; each command is answered once."""
        answers = []
        for event in events:
            if not isinstance(event, Accepted | Rejected) or event.client_id not in self._waiting:
                continue
            waiting = self._waiting.pop(event.client_id)
            if isinstance(event, Accepted):
                answers.append(Answer(event.client_id, accepted=True, words=f"{waiting.words}: accepted"))
            else:
                answers.append(Answer(event.client_id, False, event.message, event.field, event.limit))
        return answers

    def overdue(self, now: float) -> list[Waiting]:
        """Commands unanswered for too long; they are dropped here, though the venue may still answer them."""
        late = [waiting for waiting in self._waiting.values() if now - waiting.since > PATIENCE_SECONDS]
        for waiting in late:
            del self._waiting[waiting.client_id]
        return late
