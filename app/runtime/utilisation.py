"""What share of the last minute somebody was at work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

SPAN = 60.0
"""Seconds looked back."""


class BusyShare:
    """Spells of work of the last minute. One thread begins and ends them, any thread may read the share."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._born = clock()
        self._since: float | None = None
        self._spells: deque[tuple[float, float]] = deque(maxlen=4096)

    def begin(self) -> None:
        """Work starts."""
        self._since = self._clock()

    def end(self) -> None:
        """Work ends; without a beginning nothing happens."""
        if (since := self._since) is None:
            return
        self._since = None
        self._spells.append((since, self._clock()))
        while self._spells[0][1] < self._clock() - SPAN:
            self._spells.popleft()

    def share(self) -> float:
        """In 0..1; of a shorter time when there has not been a minute yet."""
        now = self._clock()
        start = max(now - SPAN, self._born)
        if now <= start:
            return 0.0
        running = self._since
        spells = [*tuple(self._spells), (now if running is None else running, now)]
        spent = sum(max(0.0, ended - max(began, start)) for began, ended in spells)
        return min(1.0, spent / (now - start))
