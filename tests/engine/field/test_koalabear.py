"""KoalaBear reference: parameters and field laws."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange
from engine.field import koalabear as field

elements = st.one_of(st.integers(0, field.P - 1), st.sampled_from([0, 1, 2, field.P - 2, field.P - 1]))


def test_modulus_is_prime_and_generator_generates() -> None:
    assert field.P == 2130706433
    assert all(field.P % d for d in range(2, 46160))
    assert field.P - 1 == (1 << field.TWO_ADICITY) * 127
    for prime in (2, 127):
        assert pow(field.GENERATOR, (field.P - 1) // prime, field.P) != 1


def test_two_adic_generators_have_their_order() -> None:
    for bits in range(1, field.TWO_ADICITY + 1):
        w = field.two_adic_generator(bits)
        assert pow(w, 1 << (bits - 1), field.P) == field.P - 1
        assert field.mul(w, w) == field.two_adic_generator(bits - 1)
    assert field.two_adic_generator(24) == 0x6AC49F88


@pytest.mark.parametrize("bits", [-1, 25])
def test_two_adic_generator_refuses_other_orders(bits: int) -> None:
    with pytest.raises(OutOfRange) as refused:
        field.two_adic_generator(bits)
    assert refused.value.field == "bits"


@settings(deadline=None)
@given(elements, elements)
def test_operations_agree_with_integers(a: int, b: int) -> None:
    assert field.add(a, b) == (a + b) % field.P
    assert field.add(field.sub(a, b), b) == a
    assert field.mul(a, b) == a * b % field.P
    assert field.from_montgomery(field.to_montgomery(a)) == a
    assert 0 <= field.to_montgomery(a) < field.P


@settings(deadline=None)
@given(elements.filter(bool))
def test_inverse(a: int) -> None:
    assert field.mul(a, field.inverse(a)) == 1


def test_zero_has_no_inverse() -> None:
    with pytest.raises(field.NotInvertible):
        field.inverse(0)
    with pytest.raises(field.NotInvertible):
        field.inverse(field.P)
