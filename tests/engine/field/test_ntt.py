"""Transforms and low-degree extension against direct evaluation, at every kind of size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange, ProtocolError
from engine.field import extension as ext
from engine.field import koalabear as field
from engine.field import ntt
from engine.field.extension_kernels import extension_powers
from engine.field.kernels import from_montgomery_array, to_montgomery_array
from engine.field.koalabear import P

# 3..7 run layer by layer; 8..12 have each kind of first pass (none, 2, 4, 8, 16 positions); 13 two passes.
LOG_SIZES = [3, 4, 7, 8, 9, 10, 11, 12, 13]
SHIFT = field.GENERATOR


def columns(n_cols: int, log_n: int, seed: int = 1) -> np.ndarray:
    """Canonical values of columns: the first all p - 1, the others random."""
    values = np.random.default_rng(seed).integers(0, P, (n_cols, 1 << log_n)).astype(np.uint32)
    values[0] = P - 1
    values[0, 0] = 0
    return values


def montgomery(values: np.ndarray) -> np.ndarray:
    return to_montgomery_array(np.ascontiguousarray(values).reshape(-1))


def canonical(words: np.ndarray, n_cols: int) -> list[list[int]]:
    return from_montgomery_array(words).reshape(n_cols, -1).tolist()


def some(count: int) -> list[int]:
    return sorted({0, 1, 2, 3, 15 % count, 16 % count, count // 2, count // 3, count - 2, count - 1})


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, P - 1), min_size=8, max_size=8))
def test_reference_transforms_are_inverse(values: list[int]) -> None:
    assert ntt.idft(ntt.dft(values)) == values
    assert ntt.dft(values)[0] == sum(values) % P


@pytest.mark.parametrize("log_n", LOG_SIZES)
def test_interpolation_passes_through_the_values(log_n: int) -> None:
    values = columns(2, log_n)
    coefficients = canonical(ntt.interpolate(montgomery(values), 2, log_n), 2)
    w = field.two_adic_generator(log_n)
    for column, polynomial in enumerate(coefficients):
        for i in some(1 << log_n):
            assert ntt.evaluate(polynomial, pow(w, i, P)) == values[column, i]


def test_interpolation_equals_the_reference() -> None:
    values = columns(2, 8)
    assert canonical(ntt.interpolate(montgomery(values), 2, 8), 2) == [ntt.idft(v) for v in values.tolist()]


@pytest.mark.parametrize("log_n", LOG_SIZES)
@pytest.mark.parametrize("log_blowup", [0, 1, 2, 3])
def test_extension_equals_direct_evaluation(log_n: int, log_blowup: int) -> None:
    words = montgomery(columns(2, log_n))
    polynomials = canonical(ntt.interpolate(words, 2, log_n), 2)
    extended = canonical(ntt.coset_lde(words, 2, log_n, log_blowup, SHIFT), 2)
    bits = log_n + log_blowup
    w = field.two_adic_generator(bits)
    for polynomial, values in zip(polynomials, extended, strict=True):
        assert len(values) == 1 << bits
        for j in some(1 << bits):
            assert ntt.evaluate(polynomial, SHIFT * pow(w, ntt.bit_reverse(j, bits), P) % P) == values[j]


def test_neighbours_are_opposite_points() -> None:
    x = montgomery(np.array([[pow(field.two_adic_generator(8), i, P) for i in range(256)]], dtype=np.uint32))
    points = canonical(ntt.coset_lde(x, 1, 8, 2, SHIFT), 1)[0]
    assert all((a + b) % P == 0 for a, b in zip(points[::2], points[1::2], strict=True))
    assert points[0] == SHIFT


@pytest.mark.parametrize("log_n", [3, 8, 11])
def test_coset_interpolation_is_the_way_back(log_n: int) -> None:
    words = montgomery(columns(3, log_n))
    coefficients = ntt.interpolate(words, 3, log_n)
    extended = ntt.coset_lde(words, 3, log_n, 1, SHIFT)
    back = ntt.interpolate_coset(extended, 3, log_n + 1, SHIFT).reshape(3, -1)
    assert back[:, : 1 << log_n].tolist() == coefficients.reshape(3, -1).tolist()
    assert not back[:, 1 << log_n :].any()


def test_buffers_are_used_and_the_input_is_left_alone() -> None:
    words = montgomery(columns(2, 9))
    before = words.copy()
    out, scratch = np.empty(2 << 11, dtype=np.uint32), np.empty(2 << 9, dtype=np.uint32)
    assert ntt.coset_lde(words, 2, 9, 2, SHIFT, out=out, coefficients=scratch) is out
    assert out.tolist() == ntt.coset_lde(words, 2, 9, 2, SHIFT).tolist()
    assert scratch.tolist() == ntt.interpolate(words, 2, 9, shift=SHIFT).tolist()
    assert words.tolist() == before.tolist()


def test_work_is_split_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    words = montgomery(columns(5, 8))
    whole = (
        ntt.coset_lde(words, 5, 8, 2, SHIFT),
        ntt.weighted_sums(words, 5, 256, extension_powers((1, 2, 3, 4, 5), 256)),
    )
    monkeypatch.setattr(ntt, "_BUTTERFLIES", 1 << 12)
    monkeypatch.setattr(ntt, "_PRODUCTS", 128)
    monkeypatch.setattr(ntt, "_ROWS", 48)
    assert ntt.coset_lde(words, 5, 8, 2, SHIFT).tolist() == whole[0].tolist()
    sums = ntt.weighted_sums(words, 5, 256, extension_powers((1, 2, 3, 4, 5), 256))
    assert sums.tolist() == whole[1].tolist()


@pytest.mark.parametrize("log_n", [3, 4, 8, 11])
@pytest.mark.parametrize("shift", [1, SHIFT])
def test_evaluation_at_an_extension_point(log_n: int, shift: int) -> None:
    words = montgomery(columns(3, log_n))
    point = (5, P - 1, 0, 3, 2)
    expected = []
    for polynomial in canonical(ntt.interpolate(words, 3, log_n), 3):
        value = ext.ZERO
        for coefficient in reversed(polynomial):
            value = ext.add(ext.mul(value, point), ext.embed(coefficient))
        expected.append(value)
    scaled = ntt.interpolate(words, 3, log_n, shift=shift)
    assert ntt.evaluate_at_extension(scaled, 3, log_n, point, shift=shift) == expected


def test_weighted_sums_of_any_row_count() -> None:
    n = 37
    values, weights = columns(2, 6)[:, :n], np.full(5 * n, P - 1, dtype=np.uint32)
    sums = ntt.weighted_sums(montgomery(values), 2, n, to_montgomery_array(weights))
    expected = [-int(values[c].sum(dtype=np.uint64)) % P for c in range(2) for _ in range(5)]
    assert from_montgomery_array(sums).tolist() == expected


def test_powers() -> None:
    words = from_montgomery_array(ntt.powers(P - 2, 37, first=5)).tolist()
    assert words == [5 * pow(P - 2, i, P) % P for i in range(37)]


def test_sizes_out_of_range_are_refused() -> None:
    words = np.zeros(1 << 4, dtype=np.uint32)
    for log_n, log_blowup in ((2, 0), (23, 0), (4, 21), (4, -1)):
        with pytest.raises(OutOfRange):
            ntt.extend_columns(words, 1, log_n, log_blowup)
    with pytest.raises(ProtocolError, match="columns"):
        ntt.interpolate(words, 2, 4)
    with pytest.raises(ProtocolError, match="overlaps"):
        ntt.interpolate(words, 1, 4, out=words)
