"""One piece of work at a time on a thread of its own. The window asks for the outcome; the thread never calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import ProtocolError

NO_OUTCOME = "it stopped unexpectedly; the log has the details"


@dataclass(slots=True)
class _Run:
    kind: str
    thread: threading.Thread | None = None
    value: Any = None
    error: str = NO_OUTCOME


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a piece of work of this ``kind``: its value, or the words of an expected failure ("" when there is none)."""

    kind: str
    value: Any
    error: str


class Job:
    """Starts, takes the outcome, or forgets it. A forgotten thread ends by itself and is heard by nobody."""

    def __init__(self) -> None:
        self._run: _Run | None = None

    @property
    def kind(self) -> str:
        """What runs, or whose outcome was not taken yet; "" when nothing does."""
        return self._run.kind if self._run is not None else ""

    def start(self, kind: str, work: Callable[[], Any]) -> bool:
        """Begin; False while something else runs."""
        if self._run is not None:
            return False
        run = self._run = _Run(kind)
        run.thread = threading.Thread(target=_work, args=(run, work), name=f"inspector {kind}", daemon=True)
        run.thread.start()
        return True

    def take(self) -> Outcome | None:
        """The outcome of what ended since the last call."""
        run = self._run
        if run is None or run.thread is None or run.thread.is_alive():
            return None
        run.thread.join()
        self._run = None
        return Outcome(run.kind, run.value, run.error)

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self._run = None


def _work(run: _Run, work: Callable[[], Any]) -> None:
    """An unexpected exception ends the thread and is logged by the window's hook."""
    try:
        run.value = work()
        run.error = ""
    except ProtocolError as error:
        run.error = error.message
