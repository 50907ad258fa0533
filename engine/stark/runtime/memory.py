"""Working memory of the prover, kept from one proof to the next.

Touching fresh pages costs more than computing on them (a first low-degree extension of a large table takes twice the
time of the next), and the batches of a venue have the same heights over and over. So a prover takes its large buffers
from a pool and gives them back when it is done; nothing that leaves the prover lies in them.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.field.lanes import aligned_empty

Words = NDArray[np.uint32]
SMALLEST = 1 << 14
"""Words; smaller buffers are not worth keeping."""
LIMIT = 1 << 29
"""Words kept at most (2 GiB)."""


class Pool:
    """Buffers of uint32 words that nobody uses, by exact size. Safe to share between threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.kept = 0
        self._free: defaultdict[int, list[Words]] = defaultdict(list)
        self._lock = threading.Lock()

    def take(self, size: int) -> Words:
        """A buffer of ``size`` words with anything in it."""
        with self._lock:
            if self._free[size]:
                self.kept -= size
                return self._free[size].pop()
        return aligned_empty(size)

    def give(self, buffers: list[Words]) -> None:
        """Keep buffers for later; what was kept before goes first when there are too many."""
        with self._lock:
            for buffer in buffers:
                self._free[buffer.size].append(buffer)
                self.kept += buffer.size
            for size in list(self._free):
                while self.kept > self.limit and self._free[size]:
                    self._free[size].pop()
                    self.kept -= size


class Lease:
    """Buffers of one proof, given back together by :meth:`close`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._taken: list[Words] = []

    def take(self, size: int) -> Words:
        """uint32[size], uninitialised."""
        if size < SMALLEST:
            return aligned_empty(size)
        buffer = self._pool.take(size)
        self._taken.append(buffer)
        return buffer

    def digests(self, count: int) -> NDArray[np.uint64]:
        """uint64[4 * count], uninitialised."""
        words: NDArray[Any] = self.take(8 * count)
        return words.view(np.uint64)

    def close(self) -> None:
        """Give everything back; no buffer may be used after."""
        self._pool.give(self._taken)
        self._taken = []


SHARED = Pool()
"""The pool that provers use."""
