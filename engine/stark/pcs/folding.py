"""The prover's side of FRI's layers: fold, mix, lay out for commitment. Flat Montgomery words, (5 * size)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.koalabear import P
from engine.field.lanes import BLOCK, aligned_empty
from engine.field.ntt import tree_roots
from engine.stark.domain import shift
from engine.stark.pcs.commitment import Matrix
from engine.stark.pcs.fri_kernels import blocks_kernel, fold_kernel
from engine.stark.runtime.evaluator import montgomery, multiply_arrays

Words = NDArray[np.uint32]
_P = np.uint64(P)
_CALL = 1 << 17
_HALF = pow(2, -1, P)


def fold(values: Words, log_arity: int, challenge: Extension, log_domain: int, log_largest: int) -> Words:
    """Fold a layer by 2**log_arity; same values as ``engine.stark.pcs.fri.fold_layer``."""
    half = montgomery([_HALF])[0]
    for level in range(log_arity):
        log_size = log_domain - level
        size = 1 << log_size
        scale = montgomery([pow(2 * shift(log_size, log_largest), -1, P)])[0]
        roots, words = tree_roots(log_size, inverse=True), montgomery(challenge)
        if size < 2 * BLOCK:
            values, roots, size = _padded(values.reshape(DEGREE, -1)), _padded(roots[None]), 2 * BLOCK
        out = aligned_empty(DEGREE * size // 2)
        for start in range(0, size // 2, _CALL):
            stop = np.uint64(min(start + _CALL, size // 2))
            fold_kernel(values, np.uint64(size), roots, scale, half, words, np.uint64(start), stop, out)
        values, challenge = out, extension.mul(challenge, challenge)
    size = 1 << (log_domain - log_arity)
    if values.size > DEGREE * size:
        values = np.ascontiguousarray(values.reshape(DEGREE, -1)[:, :size]).reshape(-1)
    return values


def _padded(rows: Words) -> Words:
    """Flat rows of 32, with anything beyond what is given: a kernel folds 16 pairs at a time."""
    return np.pad(rows, ((0, 0), (0, 2 * BLOCK - rows.shape[1]))).reshape(-1)


def mix(values: Words, joining: Words, mixing: Extension) -> Words:
    """values + mixing * joining."""
    factor = np.repeat(montgomery(mixing), joining.size // DEGREE)
    product = multiply_arrays(joining, factor)
    total = values.astype(np.uint64) + product
    return (total % _P).astype(np.uint32)


def blocks(values: Words, log_arity: int) -> Matrix:
    """A layer as the matrix that is committed: one row per block of 2**log_arity neighbours."""
    size = values.size // DEGREE
    out = aligned_empty(values.size)
    blocks_kernel(values, np.uint64(size), np.uint64(1 << log_arity), out)
    return Matrix(out, DEGREE << log_arity, size.bit_length() - 1 - log_arity)
