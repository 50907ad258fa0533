"""A headless journey: steps with a name and an outcome, on a session whose clock is stepped synchronously."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.venue.session import Session
from engine.errors import ProtocolError
from engine.sequencer.events import AnyEvent, Rejected
from engine.sequencer.inputs import Input
from engine.units import SECOND

Say = Callable[[str, bool, str], None]


class StepFailed(ProtocolError):
    """A step of the journey did not do what it must; the journey ends here."""


class Journey:
    """Steps over a session. ``say(name, passed, detail)`` is told of each step as it ends."""

    def __init__(self, session: Session, say: Say) -> None:
        self.session = session
        self.loop = session.loop
        self.venue = session.loop.venue
        self.account = session.chain.user_account
        self.steps: list[dict[str, Any]] = []
        self._say = say
        self.loop.set_hold(True)

    def passed(self, name: str, detail: str) -> None:
        """Record a step that did what it must."""
        self.steps.append({"name": name, "passed": True, "detail": detail, "time": self.venue.time})
        self._say(name, True, detail)

    def check(self, name: str, good: bool, detail: str) -> None:
        """Record a step; raise :class:`StepFailed` when it is not good."""
        if not good:
            self.failed(name, detail)
            raise StepFailed(f"{name}: {detail}")
        self.passed(name, detail)

    def failed(self, name: str, detail: str) -> None:
        """Record a step that failed."""
        self.steps.append({"name": name, "passed": False, "detail": detail, "time": self.venue.time})
        self._say(name, False, detail)

    def send(self, command: Input) -> list[AnyEvent]:
        """Apply a user's command; a refusal by the venue fails the journey."""
        events = self.loop.apply([command])
        for event in events:
            if isinstance(event, Rejected):
                raise StepFailed(f"{type(command).__name__} was refused: {event.message}", field=event.field)
        return events

    def play(self, seconds: float, *, step: int = SECOND // 10) -> None:
        """Let recorded flow play."""
        self.loop.run_to(self.venue.time + int(seconds * SECOND), step=step)

    def skip_to(self, time: int, *, step: int = 2 * SECOND) -> None:
        """Advance with quotes only."""
        self.loop.run_to(time, step=step, quotes_only=True)

    def wait_until(self, what: str, condition: Callable[[], bool], limit_seconds: int = 600) -> None:
        """Advance until the condition holds, at most ``limit_seconds`` of venue time."""
        end = self.venue.time + limit_seconds * SECOND
        while not condition():
            if self.venue.time >= end:
                raise StepFailed(f"{what} did not happen within {limit_seconds} s of venue time")
            self.loop.serve()
            self.skip_to(self.venue.time + 2 * SECOND)
