"""Keccak-256 of many inputs at once: batches of states side by side in vectors of 64-bit words.

A batch has ``BATCH`` states (``engine.hashing.keccak_emit``). Batches come in pairs: of 2 ``BATCH`` consecutive inputs
the even ones are the first batch, the odd ones the second (:func:`_place`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.field import lanes
from engine.field.kernels import m_mul
from engine.hashing.keccak_emit import WORDS, absorption, permutation

BATCH = np.uint64(lanes.LANES // 2)
LANES = np.uint64(lanes.LANES)
BLOCK = np.uint64(lanes.BLOCK)
ONE, TWO = np.uint64(1), np.uint64(2)
STATES = BATCH * np.uint64(WORDS)
"""64-bit words of a batch."""
AHEAD = np.uint64(12)
"""Columns between a read and the prefetch of a later one: the way from memory, but within a cache's associativity."""
RATE_LANES = np.uint64(17)
LAST_WORD = BATCH * (RATE_LANES - ONE)
LAST_BIT = np.uint64(1 << 63)
NOT_FOUND = np.uint64((1 << 64) - 1)

permute_batch, absorb = permutation(int(BATCH)), absorption(int(BATCH))


@njit(nogil=True, cache=True)
def _place(i):  # type: ignore[no-untyped-def]
    """Where the first word of state i lies; word k follows k * BATCH later."""
    pair, within = i // LANES, i % LANES
    return (TWO * pair + (within & ONE)) * STATES + (within >> ONE)


@njit("void(uint64[::1])", nogil=True, cache=True)
def permute_all(state):  # type: ignore[no-untyped-def]
    """Keccak-f on every batch of states."""
    for offset in range(np.uint64(0), np.uint64(state.size), STATES):
        permute_batch(state, offset)


@njit("void(uint64[::1], uint64, uint64, uint64[::1])", nogil=True, cache=True)
def _squeeze(state, row, count, out):  # type: ignore[no-untyped-def]
    """The first four words of states 0..count - 1 to out[4 row:]."""
    for i in range(count):
        base = _place(i)
        for k in range(np.uint64(4)):
            out[np.uint64(4) * (row + i) + k] = state[base + BATCH * k]


@njit("void(uint32[::1], uint64, uint64, uint64, uint64, uint32, uint64[::1], uint64[::1])", nogil=True, cache=True)
def hash_rows_kernel(columns, n_cols, n_rows, start, stop, factor, state, out):  # type: ignore[no-untyped-def]
    """Digests of rows start..stop, state.size / 25 rows at a time; each word is multiplied by factor / 2^32 first.

    Several vectors of rows go together, so that neighbouring cache lines of a column are read one after the other.
    """
    size = np.uint64(state.size)
    groups = size // (TWO * STATES)
    factors = lanes.splat(factor)
    ones, zeros = lanes.splat(np.uint32(1)), lanes.splat(np.uint32(0))
    for row in range(start, stop, LANES * groups):
        state[:] = np.uint64(0)
        lane = np.uint64(0)
        for column in range(np.uint64(0), n_cols + np.uint64(1), np.uint64(2)):
            for group in range(groups):
                low, high = ones, zeros
                place = column * n_rows + row + LANES * group
                if column < n_cols:
                    low, high = m_mul(lanes.load(columns, place), factors), ones
                    lanes.prefetch(columns, place + AHEAD * n_rows)
                if column + np.uint64(1) < n_cols:
                    high = m_mul(lanes.load(columns, place + n_rows), factors)
                    lanes.prefetch(columns, place + (AHEAD + np.uint64(1)) * n_rows)
                absorb(state, TWO * STATES * group + BATCH * lane, low, high)
            lane += np.uint64(1)
            if lane == RATE_LANES and column + np.uint64(1) < n_cols:
                permute_all(state)
                lane = np.uint64(0)
        for i in range(LAST_WORD, size, STATES):
            for k in range(BATCH):
                state[i + k] ^= LAST_BIT
        permute_all(state)
        _squeeze(state, row, LANES * groups, out)


@njit("void(uint64[::1], uint64, uint64, uint64[::1], uint64[::1])", nogil=True, cache=True)
def hash_pairs_kernel(digests, start, stop, state, out):  # type: ignore[no-untyped-def]
    """Parents start..stop (a multiple of 16) of neighbouring digests."""
    for pair in range(start, stop, BLOCK):
        state[:] = np.uint64(0)
        for i in range(BLOCK):
            base = _place(i)
            for k in range(np.uint64(8)):
                state[base + BATCH * k] = digests[np.uint64(8) * (pair + i) + k]
            state[base + BATCH * np.uint64(8)] = np.uint64(1)
            state[base + LAST_WORD] = LAST_BIT
        permute_all(state)
        _squeeze(state, pair, BLOCK, out)


@njit("uint64(uint64[::1], uint64, uint64, uint64, uint64[::1])", nogil=True, cache=True)
def grind_kernel(prefix, start, count, mask, state):  # type: ignore[no-untyped-def]
    """First of ``count`` (a multiple of 16) nonces whose digest has zero bits under ``mask``, or NOT_FOUND."""
    for nonce in range(start, start + count, BLOCK):
        state[:] = np.uint64(0)
        for i in range(BLOCK):
            base = _place(i)
            for k in range(np.uint64(4)):
                state[base + BATCH * k] = prefix[k]
            state[base + BATCH * np.uint64(4)] = nonce + i
            state[base + BATCH * np.uint64(5)] = np.uint64(1)
            state[base + LAST_WORD] = LAST_BIT
        permute_all(state)
        for i in range(BLOCK):
            if not state[_place(i)] & mask:
                return nonce + i
    return NOT_FOUND
