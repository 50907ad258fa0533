"""Proof of work, on all threads of a proof.

A round gives each thread the next block of nonces. The least nonce of a round that has one is the least of all, so that
it does not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np

from engine.field.lanes import aligned_empty
from engine.hashing.keccak_kernels import NOT_FOUND, grind_kernel
from engine.stark.runtime.workers import Workers

BLOCK = 1 << 15
"""Nonces in one kernel call: a few milliseconds."""


def least_nonce(prefix: bytes, bits: int, workers: Workers) -> int:
    """The least nonce that passes the test of ``engine.hashing.keccak.grind``; ``prefix`` is 32 bytes."""
    words, start = np.frombuffer(prefix, dtype="<u8").astype(np.uint64), 0
    found: list[int] = []

    def part(first: int, last: int) -> None:
        state = aligned_empty(400, np.uint64)
        for block in range(first, last):
            nonce = int(grind_kernel(words, start + block * BLOCK, BLOCK, (1 << bits) - 1, state))
            if nonce != int(NOT_FOUND):
                found.append(nonce)
                return

    while not found:
        workers.pause()
        workers.spread(workers.threads, part)
        start += workers.threads * BLOCK
    return min(found)
