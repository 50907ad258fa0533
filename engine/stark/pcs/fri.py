"""FRI: the low-degree test, with tables of different heights joining on the way (eprint 2018/828, folding by 2^k).

Layer 0 is the tallest group's DEEP polynomial G on its domain. A fold by 2^k with challenge beta takes a block of 2^k
neighbours (x, -x, ...) to

    f'(x^(2^k)) = sum_j beta^j f_j(x^(2^k))        where f(x) = sum_j x^j f_j(x^(2^k)),

done as k folds by two, (f(x) + f(-x))/2 + beta (f(x) - f(-x))/(2x), with beta, beta^2, ... If tables have the height
that is reached, their DEEP polynomial joins: f' + lambda G, lambda fresh. Each layer is committed before its beta and
lambda are drawn, one leaf per block, so a query opens one leaf per layer; the value that the query computed from the
layer before is left out of the opening and put in by the verifier, so it is the path that proves the two layers
consistent. The last layer is sent as coefficients. Soundness: ``folding`` and ``query`` of
``engine.stark.protocol.security``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.koalabear import P, two_adic_generator
from engine.stark.air.rings import ArrayRing
from engine.stark.domain import bit_reversal, powers, shift

Words = NDArray[np.uint64]
_P = np.uint64(P)
_HALF = pow(2, -1, P)


def inverse_points(positions: NDArray[np.int64], log_domain: int, log_largest: int) -> Words:
    """1 / x of the points at ``positions`` of a domain, canonical."""
    base = pow(two_adic_generator(log_domain), -1, P)
    low_bits = (log_domain + 1) // 2
    low = powers(base, 1 << low_bits)
    high = powers(pow(base, 1 << low_bits, P), 1 << (log_domain - low_bits))
    exponent = reverse_bits(positions, log_domain)
    values = low[exponent & ((1 << low_bits) - 1)] * high[exponent >> low_bits] % _P
    return values * np.uint64(pow(shift(log_domain, log_largest), -1, P)) % _P


def reverse_bits(values: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Each value with its low ``bits`` bits reversed."""
    out = np.zeros_like(values)
    for bit in range(bits):
        out |= ((values >> bit) & 1) << (bits - 1 - bit)
    return out


def fold_blocks(blocks: Words, positions: NDArray[np.int64], challenge: Extension, logs: tuple[int, int, int]) -> Words:
    """Fold opened blocks: ``blocks`` (5, arity, queries), ``positions`` the block indices; (5, queries) results.

    ``logs``: log2 of the arity, of the layer's domain and of the largest domain.
    """
    log_arity, log_domain, log_largest = logs
    for level in range(log_arity):
        pairs = blocks.shape[1] // 2
        ring = ArrayRing(pairs * blocks.shape[2])
        even, odd = (blocks[:, side::2].reshape(DEGREE, -1) for side in (0, 1))
        at = (positions[None] * pairs + np.arange(pairs)[:, None]).reshape(-1) * 2
        scale = inverse_points(at, log_domain - level, log_largest) * np.uint64(_HALF) % _P
        slope = ring.mul(ring.sub(even, odd) * scale % _P, ring.embed(challenge))
        folded = ring.add(ring.add(even, odd) * np.uint64(_HALF) % _P, slope)
        blocks = folded.reshape(DEGREE, pairs, -1)
        challenge = extension.mul(challenge, challenge)
    return blocks[:, 0]


def place(siblings: NDArray[np.uint32], own: Words, slots: NDArray[np.int64]) -> Words:
    """Full blocks (5, arity, queries) from the sent siblings (queries, 5 (arity - 1)) and the computed values."""
    queries = len(slots)
    arity = siblings.shape[1] // DEGREE + 1
    blocks = np.empty((queries, arity, DEGREE), dtype=np.uint64)
    mask = np.ones((queries, arity), dtype=bool)
    mask[np.arange(queries), slots] = False
    blocks[mask] = siblings.reshape(-1, DEGREE)
    blocks[~mask] = own.T
    return np.ascontiguousarray(blocks.transpose(2, 1, 0))


def rows_as_committed(blocks: Words) -> NDArray[np.uint32]:
    """Blocks (5, arity, queries) as the leaves of the layer's tree have them: (queries, 5 * arity), point by point."""
    return np.ascontiguousarray(blocks.transpose(2, 1, 0).reshape(blocks.shape[2], -1), dtype=np.uint32)


def evaluate_final(coefficients: Sequence[Extension], inverse_x: Words) -> Words:
    """The last polynomial at the points with these inverses, (5, queries)."""
    ring = ArrayRing(len(inverse_x))
    x = np.array([pow(int(value), -1, P) for value in inverse_x], dtype=np.uint64)
    total = ring.embed(extension.ZERO)
    for coefficient in reversed(coefficients):
        total = ring.add(total * x % _P, ring.embed(coefficient))
    return total


def fold_layer(values: Words, log_arity: int, challenge: Extension, log_domain: int, log_largest: int) -> Words:
    """Fold a whole layer (5, n) in memory order; the prover's readable reference."""
    size = values.shape[1] >> log_arity
    blocks = values.reshape(DEGREE, size, 1 << log_arity).transpose(0, 2, 1)
    return fold_blocks(blocks, np.arange(size), challenge, (log_arity, log_domain, log_largest))


def interpolate_final(values: Words, log_final: int, log_domain: int, log_largest: int) -> list[Extension]:
    """Coefficients (constant first) of the polynomial below 2**log_final through a layer's first 2**log_final points.

    Those points are themselves a coset, in bit-reversed order. A layer of higher degree gives some polynomial that the
    other points do not lie on, and the verifier refuses.
    """
    size = 1 << log_final
    natural = np.empty((DEGREE, size), dtype=np.uint64)
    natural[:, bit_reversal(log_final)] = values[:, :size]
    inverse_root = pow(two_adic_generator(log_final), -1, P)
    unshift = powers(pow(shift(log_domain, log_largest), -1, P), size)
    table = powers(inverse_root, size)
    exponents = np.outer(np.arange(size), np.arange(size)) % size
    sums = (natural[:, None, :] * table[exponents][None] % _P).sum(axis=2) % _P
    coefficients = sums * np.uint64(pow(size, -1, P)) % _P * unshift % _P
    return [tuple(row) for row in coefficients.T.tolist()]
