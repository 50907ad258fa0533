"""Evaluation domains, and the order in which their points lie in memory.

A table of N rows lives on the subgroup H of order N. Its extension lives on the coset s * <g> of order n, with point
s * g^bitrev(i) at index i: neighbours are x and -x, so FRI folds contiguous blocks, and an index shifted right by k is
the index of x^(2^k) in the domain that FRI has after folding by 2^k. For that to hold across heights, the shift of a
domain 2^k times smaller than the largest is 3^(2^k). Every such coset is disjoint from H: 127 divides p - 1 and the
order of 3, so no power 3^(2^k) has an order that is a power of two.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.field.koalabear import GENERATOR, P, two_adic_generator


def shift(log_domain: int, log_largest: int) -> int:
    """Coset shift of the domain of size 2**log_domain when the largest has size 2**log_largest."""
    return pow(GENERATOR, 1 << (log_largest - log_domain), P)


def bit_reverse(index: int, bits: int) -> int:
    """``index`` with its low ``bits`` bits reversed."""
    return int(format(index, f"0{bits}b")[::-1], 2) if bits else 0


@lru_cache(maxsize=32)
def bit_reversal(bits: int) -> NDArray[np.int64]:
    """The bit-reversal permutation of 2**bits indices (read-only)."""
    order = np.zeros(1, dtype=np.int64)
    for _ in range(bits):
        order = np.concatenate([2 * order, 2 * order + 1])
    order.setflags(write=False)
    return order


def point(index: int, log_domain: int, log_largest: int) -> int:
    """The domain point at ``index``, canonical."""
    power = bit_reverse(index, log_domain)
    return shift(log_domain, log_largest) * pow(two_adic_generator(log_domain), power, P) % P


def powers(base: int, count: int) -> NDArray[np.uint64]:
    """1, base, base^2, ... canonical, by doubling."""
    out = np.ones(1, dtype=np.uint64)
    while len(out) < count:
        step = np.uint64(pow(base, len(out), P))
        out = np.concatenate([out, out * step % np.uint64(P)])
    return out[:count]


def domain_points(log_domain: int, log_largest: int, count: int | None = None) -> NDArray[np.uint64]:
    """The first ``count`` (default: all) points in memory order, canonical."""
    natural = powers(two_adic_generator(log_domain), 1 << log_domain)
    chosen = natural[bit_reversal(log_domain)[:count]]
    return chosen * np.uint64(shift(log_domain, log_largest)) % np.uint64(P)


def next_index(log_height: int, log_domain: int) -> NDArray[np.int64]:
    """Where the next trace row's value lies, for each index of a domain of size 2**log_domain in memory order."""
    order = bit_reversal(log_domain)
    size = 1 << log_domain
    following: NDArray[np.int64] = order[(order + (size >> log_height)) % size]
    return following
