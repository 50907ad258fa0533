"""Threads of one proof. Kernels run without the interpreter's lock, so parts of a stage run side by side.

Each thread does its part in pieces of some ten milliseconds at most and asks between them whether to go on.

Parts write to disjoint places and every value is exact, so proof bytes do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from engine.stark.errors import ProvingCancelled

Part = Callable[[int, int], None]
Cancelled = Callable[[], bool]


def split(count: int, parts: int, multiple: int = 1) -> Iterator[tuple[int, int]]:
    """At most ``parts`` consecutive ranges that cover 0..count; inner bounds are multiples of ``multiple``."""
    size = -(-count // (parts * multiple)) * multiple
    for start in range(0, count, max(size, 1)):
        yield start, min(start + size, count)


class Workers:
    """Runs the parts of a stage on ``threads`` threads, the caller's being one of them. A context manager.

    ``cancelled`` is asked on any of them, by :meth:`pause`.
    """

    def __init__(self, threads: int = 1, cancelled: Cancelled | None = None) -> None:
        self.threads = threads
        self._cancelled = cancelled
        self._pool = ThreadPoolExecutor(threads - 1, "prover") if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def pause(self) -> None:
        """Stop here, by :class:`ProvingCancelled`, if somebody wants to."""
        if self._cancelled is not None and self._cancelled():
            raise ProvingCancelled("proving was cancelled", field="cancelled")

    def spread(self, count: int, part: Part, multiple: int = 1, most: int | None = None) -> None:
        """Call part(start, stop) for ranges that cover 0..count; returns, or raises, when all of them have ended.

        With ``most``, a multiple of ``multiple``, no range is longer, and there is a pause before each.
        """
        first, *others = [*split(count, self.threads, multiple)] or [(0, 0)]
        if self._pool is None:
            self._in_pieces(part, first, most)
            return
        waiting = [self._pool.submit(self._in_pieces, part, bounds, most) for bounds in others]
        try:
            self._in_pieces(part, first, most)
        finally:
            wait(waiting)
        for ended in waiting:
            ended.result()

    def _in_pieces(self, part: Part, bounds: tuple[int, int], most: int | None) -> None:
        if most is None:
            part(*bounds)
            return
        for start in range(*bounds, most):
            self.pause()
            part(start, min(start + most, bounds[1]))


ALONE = Workers()
"""Everything on the caller's thread."""
