"""Progress on the terminal."""

from __future__ import annotations

import sys
import time

EVERY_SECONDS = 3.0


class TerminalProgress:
    """Lines on stderr: each new stage, and how far a long one is every few seconds. A stage's count follows a colon."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def __call__(self, words: str, fraction: float) -> None:
        stage, now = words.split(": ")[0], time.monotonic()
        if stage != self._stage or now >= self._next:
            self._stage, self._next = stage, now + EVERY_SECONDS
            print(f"{fraction:4.0%} {words}", file=sys.stderr, flush=True)
