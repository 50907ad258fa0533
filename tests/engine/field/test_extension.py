"""The challenge field: its modulus is irreducible and its operations are those of the quotient ring."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.field import extension as ext
from engine.field.koalabear import NotInvertible, P

coordinates = st.one_of(st.integers(0, P - 1), st.sampled_from([0, 1, P - 1]))
elements = st.tuples(*[coordinates] * ext.DEGREE)


def test_modulus_is_irreducible() -> None:
    assert ext.MODULUS_POLY == (P - 1, 0, 1, 0, 0, 1)
    assert ext.is_irreducible(ext.MODULUS_POLY)


@pytest.mark.parametrize(
    "modulus",
    [
        (P - 3, 0, 0, 0, 0, 1),  # X^5 - 3: cannot be irreducible, 5 does not divide p - 1
        (P - 1, 0, 0, 0, 0, 1),  # root 1
        ext.multiply_modulo((1, 1, 1, 0, 0, 0), (P - 3, 0, 0, 1, 0, 0), (0,) * 6 + (1,)),  # degrees 2 and 3
    ],
)
def test_reducible_moduli_are_recognised(modulus: tuple[int, ...]) -> None:
    assert not ext.is_irreducible(modulus)


@settings(deadline=None)
@given(elements, elements)
def test_product_is_the_product_modulo_the_modulus(a: ext.Extension, b: ext.Extension) -> None:
    assert ext.mul(a, b) == ext.multiply_modulo(a, b, ext.MODULUS_POLY)


@settings(deadline=None)
@given(elements, elements, elements)
def test_ring_laws(a: ext.Extension, b: ext.Extension, c: ext.Extension) -> None:
    assert ext.mul(a, ext.mul(b, c)) == ext.mul(ext.mul(a, b), c)
    assert ext.mul(a, ext.add(b, c)) == ext.add(ext.mul(a, b), ext.mul(a, c))
    assert ext.add(ext.sub(a, b), b) == a
    assert ext.scale(a, b[0]) == ext.mul(a, ext.embed(b[0]))


@settings(deadline=None)
@given(elements.filter(any))
def test_inverse(a: ext.Extension) -> None:
    assert ext.mul(a, ext.inverse(a)) == ext.ONE


def test_zero_has_no_inverse() -> None:
    with pytest.raises(NotInvertible):
        ext.inverse(ext.ZERO)


def test_power() -> None:
    a = (5, 4, 3, 2, 1)
    assert ext.power(a, 0) == ext.ONE
    assert ext.power(a, 5) == ext.mul(a, ext.mul(ext.mul(a, a), ext.mul(a, a)))
    assert ext.power(a, P**5 - 1) == ext.ONE
