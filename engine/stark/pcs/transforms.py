"""The prover's transforms: Montgomery words, flat and column-major, in the orders of ``engine.stark.domain``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.field.extension import DEGREE
from engine.field.lanes import aligned_empty
from engine.field.ntt import coset_lde, extend_columns, interpolate_coset
from engine.stark.domain import bit_reversal
from engine.stark.runtime.memory import Lease
from engine.stark.runtime.workers import ALONE, Workers

Words = NDArray[np.uint32]
_COEFFICIENTS = 1 << 20
"""Coefficients kept at a time: columns go from values to extension in groups of so many, some ten milliseconds."""


def extend(
    values: Words,
    columns: int,
    log_height: int,
    log_blowup: int,
    shift: int,
    lease: Lease,
    workers: Workers = ALONE,
) -> Words:
    """Low-degree extension of columns given on H to the coset domain, bit-reversed order."""
    together = max(_COEFFICIENTS >> log_height, 1)
    out = lease.take(values.size << log_blowup)

    def part(first: int, last: int) -> None:
        scratch = lease.take(min(together, last - first) << log_height)
        for start in range(first, last, together):
            workers.pause()
            stop = min(start + together, last)
            own = slice(start << log_height, stop << log_height)
            target = out[own.start << log_blowup : own.stop << log_blowup]
            room = scratch[: own.stop - own.start]
            coset_lde(values[own], stop - start, log_height, log_blowup, shift, out=target, coefficients=room)

    workers.spread(columns, part)
    return out


def quotient_chunks(values: Words, log_height: int, shift: int, chunks: int) -> Words:
    """Split Q, given by its 5 coordinates on the first ``chunks`` * N points of the coset in memory order, into chunks
    of N coefficients: their values on H, (chunks * 5 * N) natural order. Q = q_0 + x^N q_1 + ...
    """
    coefficients = interpolate_coset(values, DEGREE, log_height + chunks.bit_length() - 1, shift)
    split = coefficients.reshape(DEGREE, chunks, 1 << log_height).transpose(1, 0, 2)
    columns = DEGREE * chunks
    mirrored = extend_columns(np.ascontiguousarray(split).reshape(-1), columns, log_height, 0)
    order, out = bit_reversal(log_height), aligned_empty(mirrored.size)
    for source, target in zip(mirrored.reshape(columns, -1), out.reshape(columns, -1), strict=True):
        np.take(source, order, out=target, mode="clip")  # a column at a time: it stays in the cache
    return out
