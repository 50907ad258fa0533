"""Array kernels of the base field and the extension against the references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from engine.errors import ProtocolError
from engine.field import extension as ext
from engine.field import extension_kernels as ek
from engine.field import koalabear as field
from engine.field.kernels import batch_inverse, from_montgomery_array, m_inv, to_montgomery_array
from engine.field.koalabear import P
from engine.field.lanes import LANES

SIZES = [0, 1, 15, 16, 17, 31, 32, 100]
words = st.one_of(st.integers(0, P - 1), st.sampled_from([0, 1, P - 2, P - 1]))


def sample(size: int, seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).integers(0, P, size).astype(np.uint32)
    values[: min(size, 3)] = [P - 1, 0, 1][: min(size, 3)]
    return values


@pytest.mark.parametrize("size", SIZES)
def test_conversion(size: int) -> None:
    values = sample(size)
    converted = to_montgomery_array(values)
    assert converted.tolist() == [field.to_montgomery(x) for x in values.tolist()]
    assert from_montgomery_array(converted).tolist() == values.tolist()
    assert to_montgomery_array(values, out=values) is values
    assert values.tolist() == converted.tolist()


def test_conversion_reduces_any_word() -> None:
    values = np.array([P, P + 1, (1 << 32) - 1], dtype=np.uint32)
    assert from_montgomery_array(to_montgomery_array(values)).tolist() == [0, 1, (1 << 32) - 1 - 2 * P]


def test_inverse_of_zero_is_zero() -> None:
    assert m_inv(np.uint32(0)) == 0
    assert batch_inverse(np.zeros(40, dtype=np.uint32)).tolist() == [0] * 40


@pytest.mark.parametrize("value", [1, 2, P - 1, P // 2, 12345])
def test_single_inverse(value: int) -> None:
    assert field.from_montgomery(m_inv(np.uint32(field.to_montgomery(value)))) == field.inverse(value)


@pytest.mark.parametrize("size", SIZES)
def test_batch_inverse_skips_zeros(size: int) -> None:
    values = sample(size)
    values[5::7] = 0
    inverses = from_montgomery_array(batch_inverse(to_montgomery_array(values)))
    assert inverses.tolist() == [field.inverse(x) if x else 0 for x in values.tolist()]


def test_batch_inverse_refuses_overlap_and_wrong_arrays() -> None:
    values = sample(32)
    with pytest.raises(ProtocolError, match="overlaps"):
        batch_inverse(values, out=values)
    with pytest.raises(ProtocolError, match="32"):
        batch_inverse(values, out=np.empty(31, dtype=np.uint32))
    with pytest.raises(ProtocolError, match="uint32"):
        batch_inverse(values.astype(np.int64))
    with pytest.raises(ProtocolError, match="contiguous"):
        batch_inverse(values[::2])
    values.setflags(write=False)
    with pytest.raises(ProtocolError, match="writable"):
        batch_inverse(values)


@njit
def scalar_operations(a, b):
    return ek.e_mul(*a, *b), ek.e_add(*a, *b), ek.e_sub(*a, *b), ek.e_scale(*a, b[0]), ek.e_inv(*a)


def montgomery(element: ext.Extension) -> tuple[np.uint32, ...]:
    return tuple(np.uint32(field.to_montgomery(c)) for c in element)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[words] * 5), st.tuples(*[words] * 5))
def test_scalar_extension_operations(a: ext.Extension, b: ext.Extension) -> None:
    expected = (ext.mul(a, b), ext.add(a, b), ext.sub(a, b), ext.scale(a, b[0]), ext.inverse(a) if any(a) else ext.ZERO)
    results = scalar_operations(montgomery(a), montgomery(b))
    assert tuple(tuple(field.from_montgomery(int(c)) for c in result) for result in results) == expected


@njit
def lane_products(a, b, out, n):
    for i in range(np.uint64(0), n, np.uint64(LANES)):
        product = ek.e_mul(*ek.e_load(a, i, n), *ek.e_load(b, i, n))
        ek.e_store(out, i, n, *product)


def elements(flat: np.ndarray) -> list[ext.Extension]:
    """Canonical elements of a flat Montgomery array."""
    return [tuple(c) for c in from_montgomery_array(flat).reshape(5, -1).T.tolist()]


def test_lane_products() -> None:
    n = 64
    a, b = sample(5 * n, 2), sample(5 * n, 3)
    a.reshape(5, n)[:, 20] = b.reshape(5, n)[:, 20] = P - 1  # every partial sum at its bound
    a.reshape(5, n)[:, 21] = 0
    out = np.empty(5 * n, dtype=np.uint32)
    ma, mb = to_montgomery_array(a), to_montgomery_array(b)
    lane_products(ma, mb, out, n)
    assert elements(out) == [ext.mul(x, y) for x, y in zip(elements(ma), elements(mb), strict=True)]
    # Words of the largest value in Montgomery form, not only as canonical numbers.
    top = np.full(5 * n, P - 1, dtype=np.uint32)
    lane_products(top, top, out, n)
    assert set(elements(out)) == {ext.mul(elements(top)[0], elements(top)[0])}


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 48, 100])
def test_extension_batch_inverse(count: int) -> None:
    values = sample(5 * count, 4)
    values.reshape(5, count)[:, ::3] = 0
    values.reshape(5, count)[:4, count // 2] = 0  # only the last coordinate is left
    flat = to_montgomery_array(values)
    inverses = elements(ek.extension_batch_inverse(flat))
    assert inverses == [ext.inverse(x) if any(x) else ext.ZERO for x in elements(flat)]


def test_extension_batch_inverse_refuses_other_sizes() -> None:
    with pytest.raises(ProtocolError, match="5 n"):
        ek.extension_batch_inverse(np.zeros(6, dtype=np.uint32))


@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 80, 100, 256])
def test_extension_powers(count: int) -> None:
    base = (P - 1, 2, 0, 7, P - 3)
    expected = [ext.ONE]
    while len(expected) < count:
        expected.append(ext.mul(expected[-1], base))
    assert elements(ek.extension_powers(base, count)) == expected
