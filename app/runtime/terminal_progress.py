"""Progress on the terminal."""

from __future__ import annotations

import time
from typing import TextIO

EVERY_SECONDS = 3.0


class TerminalProgress:
    """Lines on a stream: each new stage, and how far a long one is every few seconds. A count follows a colon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stage = ""
        self._next = 0.0

    def __call__(self, words: str, fraction: float) -> None:
        stage, now = words.split(": ")[0], time.monotonic()
        if stage != self._stage or now >= self._next:
            self._stage, self._next = stage, now + EVERY_SECONDS
            self._stream.write(f"{fraction:4.0%} {words}\n")
            self._stream.flush()
