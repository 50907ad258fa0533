"""The challenge field F_p[X] / (X^5 + X^2 - 1) over KoalaBear: the readable reference over Python integers.

An element is its tuple of canonical coordinates, constant term first. X^5 - a is reducible for every a because 5 does
not divide p - 1, hence the trinomial. ``multiply_modulo`` and ``is_irreducible`` work for any monic modulus; ``mul``
is the same product written out for this one.
"""

from __future__ import annotations

from engine.errors import check_range
from engine.field.koalabear import NotInvertible, P

Extension = tuple[int, ...]

MODULUS_POLY: tuple[int, ...] = (P - 1, 0, 1, 0, 0, 1)
"""Coefficients of the modulus, constant term first, monic."""
DEGREE = len(MODULUS_POLY) - 1
ZERO: Extension = (0,) * DEGREE
ONE: Extension = (1,) + (0,) * (DEGREE - 1)


def embed(a: int) -> Extension:
    """The base-field element ``a`` (any integer, reduced) as an extension element."""
    return (a % P,) + (0,) * (DEGREE - 1)


def add(a: Extension, b: Extension) -> Extension:
    """a + b."""
    return tuple((x + y) % P for x, y in zip(a, b, strict=True))


def sub(a: Extension, b: Extension) -> Extension:
    """a - b."""
    return tuple((x - y) % P for x, y in zip(a, b, strict=True))


def scale(a: Extension, factor: int) -> Extension:
    """a times a base-field element."""
    return tuple(x * factor % P for x in a)


def mul(a: Extension, b: Extension) -> Extension:
    """a * b: the 9 coefficients of the product, folded by X^5 = 1 - X^2 (X^6 = X - X^3, X^7 = X^2 - X^4,
    X^8 = X^2 + X^3 - 1).
    """
    a0, a1, a2, a3, a4 = a
    b0, b1, b2, b3, b4 = b
    d5 = a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1
    d6 = a2 * b4 + a3 * b3 + a4 * b2
    d7 = a3 * b4 + a4 * b3
    d8 = a4 * b4
    return (
        (a0 * b0 + d5 - d8) % P,
        (a0 * b1 + a1 * b0 + d6) % P,
        (a0 * b2 + a1 * b1 + a2 * b0 - d5 + d7 + d8) % P,
        (a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 - d6 + d8) % P,
        (a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 - d7) % P,
    )


def power(a: Extension, exponent: int) -> Extension:
    """a ** exponent for exponent >= 0; 0 ** 0 is 1."""
    check_range("exponent", exponent, 0, 1 << 256)
    result, base = ONE, a
    while exponent:
        if exponent & 1:
            result = mul(result, base)
        base = mul(base, base)
        exponent >>= 1
    return result


def inverse(a: Extension) -> Extension:
    """1 / a by the extended Euclidean algorithm on polynomials; raises :class:`NotInvertible` for zero."""
    if not any(a):
        raise NotInvertible
    low, high = _trim(list(a)), list(MODULUS_POLY)
    low_factor, high_factor = [1], [0]
    while len(low) > 1:
        quotient, remainder = _divide(high, low)
        high, low = low, remainder
        high_factor, low_factor = low_factor, _subtract_product(high_factor, quotient, low_factor)
    unit = pow(low[0], -1, P)
    padded = low_factor + [0] * (DEGREE - len(low_factor))
    return tuple(x * unit % P for x in padded)


def multiply_modulo(a: Extension, b: Extension, modulus: tuple[int, ...]) -> Extension:
    """a * b in F_p[X] / modulus for a monic ``modulus`` (constant term first): schoolbook, any degree."""
    degree = len(modulus) - 1
    product = [0] * (2 * degree - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    for top in range(2 * degree - 2, degree - 1, -1):
        lead = product.pop()
        for k in range(degree):
            product[top - degree + k] -= lead * modulus[k]
    return tuple(x % P for x in product)


def is_irreducible(modulus: tuple[int, ...]) -> bool:
    """Whether a monic modulus of prime degree d is irreducible over F_p.

    Rabin's test (M. Rabin, SIAM J. Comput. 9, 1980) for prime d: X^(p^d) = X and gcd(X^p - X, modulus) = 1.
    """
    degree = len(modulus) - 1
    x = (0, 1) + (0,) * (degree - 2)
    image = first = _frobenius(x, modulus)
    for _ in range(degree - 1):
        image = _frobenius(image, modulus)
    if image != x:
        return False
    low, high = _trim([(a - b) % P for a, b in zip(first, x, strict=True)]), list(modulus)
    while any(low):
        high, low = low, _divide(high, low)[1]
    return len(high) == 1


def _frobenius(a: Extension, modulus: tuple[int, ...]) -> Extension:
    """a ** p in F_p[X] / modulus."""
    result, base, exponent = (1,) + (0,) * (len(modulus) - 2), a, P
    while exponent:
        if exponent & 1:
            result = multiply_modulo(result, base, modulus)
        base = multiply_modulo(base, base, modulus)
        exponent >>= 1
    return result


def _trim(poly: list[int]) -> list[int]:
    """Drop leading zeros; the zero polynomial stays [0]."""
    while len(poly) > 1 and poly[-1] == 0:
        poly.pop()
    return poly


def _divide(numerator: list[int], denominator: list[int]) -> tuple[list[int], list[int]]:
    """Quotient and remainder of polynomials over F_p; the denominator is trimmed and not zero."""
    rest = list(numerator)
    unit = pow(denominator[-1], -1, P)
    shift = len(rest) - len(denominator)
    quotient = [0] * max(shift + 1, 1)
    for offset in range(shift, -1, -1):
        factor = rest[offset + len(denominator) - 1] * unit % P
        quotient[offset] = factor
        for k, coefficient in enumerate(denominator):
            rest[offset + k] = (rest[offset + k] - factor * coefficient) % P
    return _trim(quotient), _trim(rest[: max(len(denominator) - 1, 1)])


def _subtract_product(a: list[int], b: list[int], c: list[int]) -> list[int]:
    """a - b * c, trimmed."""
    result = a + [0] * max(len(b) + len(c) - 1 - len(a), 0)
    for i, x in enumerate(b):
        for j, y in enumerate(c):
            result[i + j] = (result[i + j] - x * y) % P
    return _trim(result)
