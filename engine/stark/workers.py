"""Threads of one proof. Kernels run without the interpreter's lock, so parts of a stage run side by side.

Parts write to disjoint places and every value is exact, so proof bytes do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

Part = Callable[[int, int], None]


def split(count: int, parts: int, multiple: int = 1) -> Iterator[tuple[int, int]]:
    """At most ``parts`` consecutive ranges that cover 0..count; inner bounds are multiples of ``multiple``."""
    size = -(-count // (parts * multiple)) * multiple
    for start in range(0, count, max(size, 1)):
        yield start, min(start + size, count)


class Workers:
    """Runs the parts of a stage on ``threads`` threads, the caller's being one of them. A context manager."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, "prover") if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def spread(self, count: int, part: Part, multiple: int = 1) -> None:
        """Call part(start, stop) for ranges that cover 0..count; returns, or raises, when all of them have ended."""
        first, *others = [*split(count, self.threads, multiple)] or [(0, 0)]
        if self._pool is None:
            part(*first)
            return
        waiting = [self._pool.submit(part, *bounds) for bounds in others]
        try:
            part(*first)
        finally:
            wait(waiting)
        for ended in waiting:
            ended.result()


ALONE = Workers()
"""Everything on the caller's thread."""
