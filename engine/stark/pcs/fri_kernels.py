"""The prover's FRI fold, compiled; ``engine.stark.pcs.fri.fold_layer`` is its definition."""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.field import lanes
from engine.field.extension_kernels import e_add, e_mul, e_scale, e_store
from engine.field.kernels import m_add, m_mul, m_sub
from engine.stark.runtime.evaluator_kernels import LANES, splat_extension


@njit(nogil=True, cache=True)
def _neighbours(values, at, factor):  # type: ignore[no-untyped-def]
    """Of a vector of pairs of neighbours: sums, and differences times ``factor``."""
    low, high = lanes.load(values, at), lanes.load(values, at + LANES)
    even, odd = lanes.every_other(low, high, 0), lanes.every_other(low, high, 1)
    return m_add(even, odd), m_mul(m_sub(even, odd), factor)


@njit(nogil=True, cache=True)
def fold_kernel(values, size, roots, scale, half, challenge, start, stop, out):  # type: ignore[no-untyped-def]
    """Fold by two: element i of ``out`` from elements 2i, 2i + 1 of ``values`` (5 * size), for start <= i < stop.

    ``roots[i] * scale`` is 1 / (2 x_{2i}), Montgomery, as are ``half`` = 1/2 and ``challenge`` (five words); start and
    stop are multiples of 16.
    """
    rows = size >> np.uint64(1)
    b0, b1, b2, b3, b4 = splat_extension(challenge, np.uint64(0))
    scales, halves = lanes.splat(scale), lanes.splat(half)
    for i in range(start, stop, LANES):
        at = np.uint64(2) * i
        factor = m_mul(lanes.load(roots, i), scales)
        s0, d0 = _neighbours(values, at, factor)
        s1, d1 = _neighbours(values, at + size, factor)
        s2, d2 = _neighbours(values, at + np.uint64(2) * size, factor)
        s3, d3 = _neighbours(values, at + np.uint64(3) * size, factor)
        s4, d4 = _neighbours(values, at + np.uint64(4) * size, factor)
        s0, s1, s2, s3, s4 = e_scale(s0, s1, s2, s3, s4, halves)
        d0, d1, d2, d3, d4 = e_mul(d0, d1, d2, d3, d4, b0, b1, b2, b3, b4)
        s0, s1, s2, s3, s4 = e_add(s0, s1, s2, s3, s4, d0, d1, d2, d3, d4)
        e_store(out, i, rows, s0, s1, s2, s3, s4)


@njit(nogil=True, cache=True)
def blocks_kernel(values, size, arity, out):  # type: ignore[no-untyped-def]
    """A layer (5 * size) as committed: column 5 j + k, row b holds coordinate k of element b * arity + j."""
    rows = size // arity
    for k in range(np.uint64(5)):
        for j in range(arity):
            column = (np.uint64(5) * j + k) * rows
            for b in range(rows):
                out[column + b] = values[k * size + b * arity + j]
