"""The prover's transforms: Montgomery words, flat and column-major, in the orders of ``engine.stark.domain``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.field.koalabear import P, two_adic_generator
from engine.stark.domain import bit_reversal, powers

Words = NDArray[np.uint32]
_P = np.uint64(P)


def _transform(values: NDArray[np.uint64], root: int) -> NDArray[np.uint64]:
    """sum_j values[j] root^(i j) along the last axis, natural order in and out."""
    size = values.shape[-1]
    if size == 1:
        return values
    even, odd = (_transform(values[..., side::2], root * root % P) for side in (0, 1))
    twisted = odd * powers(root, size // 2) % _P
    return np.concatenate([(even + twisted) % _P, (even + _P - twisted) % _P], axis=-1)


def interpolate(values: Words, columns: int, log_height: int, shift: int = 1) -> Words:
    """Coefficients of the columns with these values on shift * H, natural order."""
    size = 1 << log_height
    root = pow(two_adic_generator(log_height), -1, P)
    out = _transform(values.reshape(columns, size).astype(np.uint64), root)
    scale = powers(pow(shift, -1, P), size) * np.uint64(pow(size, -1, P)) % _P
    return (out * scale % _P).astype(np.uint32).reshape(-1)


def evaluate(coefficients: Words, columns: int, log_height: int, log_domain: int, shift: int) -> Words:
    """Values on shift * <g>, g of order 2**log_domain, in bit-reversed order."""
    size = 1 << log_height
    padded = np.zeros((columns, 1 << log_domain), dtype=np.uint64)
    padded[:, :size] = coefficients.reshape(columns, size).astype(np.uint64) * powers(shift, size) % _P
    natural = _transform(padded, two_adic_generator(log_domain))
    return natural[:, bit_reversal(log_domain)].astype(np.uint32).reshape(-1)


def extend(values: Words, columns: int, log_height: int, log_blowup: int, shift: int) -> Words:
    """Low-degree extension of columns given on H to the coset domain, bit-reversed order."""
    return evaluate(interpolate(values, columns, log_height), columns, log_height, log_height + log_blowup, shift)


def quotient_chunks(values: Words, log_height: int, shift: int, chunks: int) -> Words:
    """Split Q, given by its 5 coordinates on the first ``chunks`` * N points of the coset in memory order, into chunks
    of N coefficients: their values on H, (chunks * 5 * N) natural order. Q = q_0 + x^N q_1 + ..."""
    log_size = log_height + chunks.bit_length() - 1
    natural = np.empty_like(values)
    order = bit_reversal(log_size)
    natural.reshape(5, -1)[:, order] = values.reshape(5, -1)
    coefficients = interpolate(natural, 5, log_size, shift)
    split = coefficients.reshape(5, chunks, 1 << log_height).transpose(1, 0, 2).astype(np.uint64)
    return _transform(split, two_adic_generator(log_height)).astype(np.uint32).reshape(-1)
