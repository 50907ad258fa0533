"""The prover's evaluations at zeta and zeta*w, and DEEP quotients, on the trace domain. Flat Montgomery words.

Everything happens on the N points of H rather than on the extension: f(zeta) is the barycentric sum

    f(zeta) = (zeta^N - 1)/N * sum_i f(w^i) w^i / (zeta - w^i),

zeta being the out-of-domain point, and the DEEP quotient, of degree below N, is determined by its values on H (zeta
lies outside), so it is computed there and extended like any column: a quarter of the work at blowup 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.extension_kernels import extension_batch_inverse
from engine.field.kernels import from_montgomery_array
from engine.field.koalabear import P, two_adic_generator
from engine.field.lanes import aligned_empty
from engine.field.ntt import powers, weighted_sums
from engine.stark.pcs.deep import Batch
from engine.stark.runtime.evaluator import montgomery, multiply_arrays
from engine.stark.runtime.evaluator_kernels import combine_kernel, deep_kernel
from engine.stark.runtime.workers import ALONE, Workers

Words = NDArray[np.uint32]
_P = np.uint64(P)
_WORK = 1 << 22
_CALL = 1 << 17
_COPIED = 256
"""Rows of all columns side by side in the second-level cache."""
X = (0, 1, 0, 0, 0)


@lru_cache(maxsize=32)
def trace_points(height: int) -> Words:
    """w^i, Montgomery (read-only)."""
    points = powers(two_adic_generator(height), 1 << height)
    points.setflags(write=False)
    return points


def _splat(value: Extension, rows: int) -> Words:
    return np.repeat(montgomery(value), rows)


def inverse_distances(height: int, point: Extension) -> Words:
    """1 / (w^i - point)."""
    rows = 1 << height
    distances = _splat(extension.sub(extension.ZERO, point), rows)
    distances[:rows] = (distances[:rows].astype(np.uint64) + trace_points(height)) % _P
    return extension_batch_inverse(distances)


def _scale_rows(values: Words, height: int, factor: Extension) -> Words:
    """factor * w^i * values_i."""
    rows = 1 << height
    factors = np.zeros(DEGREE * rows, dtype=np.uint32)
    factors[:rows] = trace_points(height)
    return multiply_arrays(values, multiply_arrays(factors, _splat(factor, rows)))


def barycentric_weights(height: int, point: Extension, inverses: Words) -> Words:
    """What weights f(w^i) in f(point), from 1 / (w^i - point)."""
    rows = 1 << height
    vanishing = extension.sub(extension.ONE, extension.power(point, rows))
    return _scale_rows(inverses, height, extension.scale(vanishing, pow(rows, -1, P)))


def evaluate_columns(columns: Words, weights: Words) -> tuple[Extension, ...]:
    """Values at the weights' point of columns given on H."""
    rows = weights.size // DEGREE
    count = columns.size // rows
    words = from_montgomery_array(weighted_sums(columns, count, rows, weights)).tolist()
    return tuple(tuple(words[at : at + DEGREE]) for at in range(0, DEGREE * count, DEGREE))


def join_coordinates(values: Sequence[Extension]) -> tuple[Extension, ...]:
    """Values of extension columns from those of their five base columns: sum_k X^k f_k(zeta)."""
    out = []
    for at in range(0, len(values), DEGREE):
        total = extension.ZERO
        for value in reversed(values[at : at + DEGREE]):
            total = extension.add(extension.mul(total, X), value)
        out.append(total)
    return tuple(out)


def combine_columns(
    columns: Sequence[Words],
    weights: Sequence[NDArray[np.uint64]],
    rows: int,
    pause: Callable[[], None],
    workers: Workers = ALONE,
) -> Words:
    """sum of base columns (one flat array per phase) times their canonical coefficients (columns, 5)."""
    total = np.zeros(DEGREE * rows, dtype=np.uint32)
    for words, coefficients in zip(columns, weights, strict=True):
        used = np.flatnonzero(coefficients.any(axis=1))
        if not len(used):
            continue
        first, last = int(used[0]), int(used[-1]) + 1
        if rows < 16:
            part = _combine_small(words.reshape(-1, rows)[first:last], coefficients[first:last])
            total = ((total + part) % _P).astype(np.uint32)
            continue
        _combine_rows(words, first, coefficients[first:last], total, pause, workers)
    return total


def _combine_rows(
    words: Words,
    first: int,
    coefficients: NDArray[np.uint64],
    total: Words,
    pause: Callable[[], None],
    workers: Workers,
) -> None:
    """Add the columns from ``first`` on, times their coefficients, to ``total``."""
    count, rows = len(coefficients), total.size // DEGREE
    factors, order = montgomery(coefficients.reshape(-1).tolist()), np.arange(count, dtype=np.uint64)
    width = min(_COPIED, rows)
    step = max(_WORK // count // width * width, width)

    def part(begin: int, end: int) -> None:
        scratch = aligned_empty(width * count)
        for start in range(begin, end, step):
            at, stop = np.uint64(start), np.uint64(min(start + step, end))
            combine_kernel(
                words, np.uint64(rows), np.uint64(first), order, factors, at, stop, np.uint64(width), scratch, total
            )
            pause()

    workers.spread(rows, part, width)


def _combine_small(columns: Words, coefficients: NDArray[np.uint64]) -> NDArray[np.uint64]:
    products = columns.astype(np.uint64)[:, None, :] * coefficients[:, :, None] % _P
    return (products.sum(axis=0) % _P).reshape(-1)


def deep_quotient(sums: tuple[Words, Words], inverses: tuple[Words, Words], batch: Batch, height: int) -> Words:
    """G on H, from the combined columns and 1 / (w^i - point) for zeta and zeta*w."""
    rows = 1 << height
    if rows < 16:
        return _deep_small(sums, inverses, batch, height)
    claims, out = montgomery((*batch.claimed, *batch.claimed_next)), aligned_empty(DEGREE * rows)
    points, correction = trace_points(height), montgomery(batch.correction)
    for start in range(0, rows, _CALL):
        at, stop = np.uint64(start), np.uint64(min(start + _CALL, rows))
        deep_kernel(*sums, *inverses, claims, correction, points, np.uint64(rows), at, stop, out)
    return out


def _deep_small(sums: tuple[Words, Words], inverses: tuple[Words, Words], batch: Batch, height: int) -> Words:
    rows = 1 << height
    total = np.zeros(DEGREE * rows, dtype=np.uint64)
    for values, claimed, inverse in zip(sums, (batch.claimed, batch.claimed_next), inverses, strict=True):
        difference = values + (_P - _splat(claimed, rows).astype(np.uint64))
        total += multiply_arrays((difference % _P).astype(np.uint32), inverse)
    plain = (total % _P).astype(np.uint32)
    return ((plain + _scale_rows(plain, height, batch.correction).astype(np.uint64)) % _P).astype(np.uint32)
