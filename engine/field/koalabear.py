"""KoalaBear, the prime field of p = 2^31 - 2^24 + 1: the readable reference over Python integers.

Elements are canonical integers in [0, p). p - 1 = 2^24 * 127, so cubing is a permutation and transforms reach 2^24.
Montgomery form of x is x * 2^32 mod p, always reduced to [0, p) (P. Montgomery, Math. Comp. 44, 1985).
"""

from __future__ import annotations

from engine.errors import ProtocolError, check_range

P = (1 << 31) - (1 << 24) + 1
TWO_ADICITY = 24
GENERATOR = 3
"""Smallest generator of the multiplicative group; also the usual shift of an evaluation coset."""
R = 1 << 32
R_INVERSE = pow(R, -1, P)


class NotInvertible(ProtocolError):
    """The inverse of zero was asked for."""

    def __init__(self) -> None:
        super().__init__("zero has no inverse", field="element", value=0, limit="a non-zero element")


def add(a: int, b: int) -> int:
    """a + b mod p."""
    return (a + b) % P


def sub(a: int, b: int) -> int:
    """a - b mod p."""
    return (a - b) % P


def mul(a: int, b: int) -> int:
    """a * b mod p."""
    return a * b % P


def power(a: int, exponent: int) -> int:
    """a ** exponent mod p for exponent >= 0; 0 ** 0 is 1."""
    check_range("exponent", exponent, 0, 1 << 256)
    return pow(a, exponent, P)


def inverse(a: int) -> int:
    """1 / a mod p; raises :class:`NotInvertible` for zero."""
    if a % P == 0:
        raise NotInvertible
    return pow(a, -1, P)


def two_adic_generator(bits: int) -> int:
    """Generator of the subgroup of order 2 ** bits, 0 <= bits <= 24; squaring it gives the one for bits - 1."""
    check_range("bits", bits, 0, TWO_ADICITY)
    return pow(GENERATOR, (P - 1) >> bits, P)


def to_montgomery(a: int) -> int:
    """a * 2^32 mod p."""
    return a * R % P


def from_montgomery(a: int) -> int:
    """a / 2^32 mod p."""
    return a * R_INVERSE % P
