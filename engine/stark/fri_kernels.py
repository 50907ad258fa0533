"""The prover's FRI fold, compiled; ``engine.stark.fri.fold_layer`` is its definition."""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.field.extension_kernels import e_mul
from engine.field.kernels import m_add, m_mul, m_sub


@njit(nogil=True, cache=True)
def fold_kernel(values, size, roots, scale, half, challenge, start, stop, out):  # type: ignore[no-untyped-def]
    """Fold by two: element i of ``out`` from elements 2i, 2i + 1 of ``values`` (5 * size), for start <= i < stop.

    ``roots[i] * scale`` is 1 / (2 x_{2i}), Montgomery, as are ``half`` = 1/2 and ``challenge`` (five words).
    """
    rows = size >> np.uint64(1)
    two = np.uint64(2)
    b0, b1, b2, b3, b4 = challenge[0], challenge[1], challenge[2], challenge[3], challenge[4]
    for i in range(start, stop):
        at = two * i
        factor = m_mul(roots[i], scale)
        s0, d0 = m_add(values[at], values[at + 1]), m_sub(values[at], values[at + 1])
        at += size
        s1, d1 = m_add(values[at], values[at + 1]), m_sub(values[at], values[at + 1])
        at += size
        s2, d2 = m_add(values[at], values[at + 1]), m_sub(values[at], values[at + 1])
        at += size
        s3, d3 = m_add(values[at], values[at + 1]), m_sub(values[at], values[at + 1])
        at += size
        s4, d4 = m_add(values[at], values[at + 1]), m_sub(values[at], values[at + 1])
        d0, d1, d2 = m_mul(d0, factor), m_mul(d1, factor), m_mul(d2, factor)
        d0, d1, d2, d3, d4 = e_mul(d0, d1, d2, m_mul(d3, factor), m_mul(d4, factor), b0, b1, b2, b3, b4)
        out[i] = m_add(m_mul(s0, half), d0)
        out[i + rows] = m_add(m_mul(s1, half), d1)
        out[i + two * rows] = m_add(m_mul(s2, half), d2)
        out[i + np.uint64(3) * rows] = m_add(m_mul(s3, half), d3)
        out[i + np.uint64(4) * rows] = m_add(m_mul(s4, half), d4)


@njit(nogil=True, cache=True)
def blocks_kernel(values, size, arity, out):  # type: ignore[no-untyped-def]
    """A layer (5 * size) as committed: column 5 j + k, row b holds coordinate k of element b * arity + j."""
    rows = size // arity
    for k in range(np.uint64(5)):
        for j in range(arity):
            column = (np.uint64(5) * j + k) * rows
            for b in range(rows):
                out[column + b] = values[k * size + b * arity + j]
