"""The prover's evaluations at z and z*w, and DEEP quotients on the trace domain.

Everything happens on the N points of H rather than on the extension: f(z) is the barycentric sum

    f(z) = (z^N - 1)/N * sum_i f(w^i) w^i / (z - w^i),

and the DEEP quotient, of degree below N, is determined by its values on H (z lies outside), so it is computed there and
extended like any column: a quarter of the work at blowup 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.kernels import from_montgomery_array
from engine.field.koalabear import P, two_adic_generator
from engine.stark.deep import Batch, next_point
from engine.stark.domain import powers
from engine.stark.rings import ArrayRing

Words = NDArray[np.uint64]
_P = np.uint64(P)


def barycentric_weights(height: int, z: Extension) -> Words:
    """(5, N): the value that weights f(w^i) in f(z)."""
    rows = 1 << height
    ring = ArrayRing(rows)
    points = powers(two_adic_generator(height), rows)
    inverses = ring.inverse(ring.sub(ring.embed(z), ring.lift(points)))
    vanishing = extension.sub(extension.power(z, rows), extension.ONE)
    factor = extension.scale(vanishing, pow(rows, -1, P))
    return ring.mul(inverses * points % _P, ring.embed(factor))


def evaluate_columns(columns: NDArray[np.uint32], weights: Words) -> tuple[Extension, ...]:
    """Values at the weights' point of columns given on H (Montgomery, flat)."""
    rows = weights.shape[1]
    values = from_montgomery_array(columns).reshape(-1, rows).astype(np.uint64)
    return tuple(tuple(int(x) for x in (column * weights % _P).sum(axis=1) % _P) for column in values)


def join_coordinates(values: Sequence[Extension]) -> tuple[Extension, ...]:
    """Values of extension columns from those of their five base columns: sum_k X^k f_k(z)."""
    out = []
    for at in range(0, len(values), DEGREE):
        total, power = extension.ZERO, extension.ONE
        for value in values[at : at + DEGREE]:
            total = extension.add(total, extension.mul(power, value))
            power = extension.mul(power, (0, 1, 0, 0, 0))
        out.append(total)
    return tuple(out)


def combine_columns(columns: Sequence[NDArray[np.uint32]], weights: Sequence[Words], rows: int) -> Words:
    """(5, N): sum of base columns (Montgomery, flat, one array per phase) times their coefficients."""
    total = np.zeros((DEGREE, rows), dtype=np.uint64)
    for words, coefficients in zip(columns, weights):
        values = from_montgomery_array(words).reshape(-1, rows).astype(np.uint64)
        for column, weight in zip(values, coefficients):
            total = (total + column * weight[:, None]) % _P
    return total


def deep_quotient(now: Words, following: Words, batch: Batch, z: Extension, height: int) -> Words:
    """G on H (5, N), from the combined columns at z and at z*w."""
    ring = ArrayRing(1 << height)
    points = powers(two_adic_generator(height), 1 << height)
    x = ring.lift(points)
    parts = []
    for values, claimed, at in ((now, batch.claimed, z), (following, batch.claimed_next, next_point(z, height))):
        inverse = ring.inverse(ring.sub(x, ring.embed(at)))
        parts.append(ring.mul(ring.sub(values, ring.embed(claimed)), inverse))
    factor = ring.add(ring.embed(extension.ONE), ring.embed(batch.correction) * points % _P)
    return ring.mul(ring.add(*parts), factor)
