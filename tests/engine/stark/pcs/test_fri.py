"""Folding against its definition, the compiled twin, schedules, placing, and the final polynomial."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.field import extension
from engine.field.extension import Extension
from engine.field.kernels import from_montgomery_array, to_montgomery_array
from engine.field.koalabear import P, two_adic_generator
from engine.stark.air.rings import ArrayRing
from engine.stark.domain import bit_reverse, domain_points, point, shift
from engine.stark.pcs.folding import blocks, fold, mix
from engine.stark.pcs.fri import (
    evaluate_final,
    fold_blocks,
    fold_layer,
    interpolate_final,
    inverse_points,
    place,
    reverse_bits,
)
from engine.stark.pcs.schedule import fold_schedule

CHALLENGE: Extension = (3, 1, 4, 1, 5)


def _evaluate(coefficients: list[Extension], x: int) -> Extension:
    total = extension.ZERO
    for coefficient in reversed(coefficients):
        total = extension.add(extension.scale(total, x), coefficient)
    return total


def _random_polynomial(size: int, seed: int) -> list[Extension]:
    rng = np.random.default_rng(seed)
    return [tuple(int(word) for word in row) for row in rng.integers(0, P, (size, 5))]


def _layer(coefficients: list[Extension], log_domain: int, log_largest: int) -> np.ndarray:
    points = domain_points(log_domain, log_largest).tolist()
    return np.array([_evaluate(coefficients, x) for x in points], dtype=np.uint64).T.copy()


@pytest.mark.parametrize("log_arity", [1, 2, 3])
@pytest.mark.parametrize("log_largest", [6, 9])
def test_a_fold_combines_the_parts_of_the_polynomial(log_arity: int, log_largest: int) -> None:
    arity, log_domain = 1 << log_arity, 6
    coefficients = _random_polynomial(16, 2)
    folded = fold_layer(_layer(coefficients, log_domain, log_largest), log_arity, CHALLENGE, log_domain, log_largest)
    expected = []
    for start in range(0, 16, arity):
        total, power = extension.ZERO, extension.ONE
        for coefficient in coefficients[start : start + arity]:
            total = extension.add(total, extension.mul(power, coefficient))
            power = extension.mul(power, CHALLENGE)
        expected.append(total)
    assert np.array_equal(folded, _layer(expected, log_domain - log_arity, log_largest))


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), st.integers(4, 9), st.integers(0, 3), st.integers(0, 2**30))
def test_the_compiled_fold_is_the_plain_one(log_arity: int, log_domain: int, extra: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, P, (5, 1 << log_domain)).astype(np.uint64)
    words = to_montgomery_array(values.astype(np.uint32).reshape(-1))
    largest = log_domain + extra
    fast = from_montgomery_array(fold(words, log_arity, CHALLENGE, log_domain, largest)).reshape(5, -1)
    assert np.array_equal(fast, fold_layer(values, log_arity, CHALLENGE, log_domain, largest))


def test_mixing_adds_a_multiple() -> None:
    rng = np.random.default_rng(1)
    for size in (8, 32):
        a, b = (rng.integers(0, P, (5, size)).astype(np.uint64) for _ in range(2))
        words = [to_montgomery_array(x.astype(np.uint32).reshape(-1)) for x in (a, b)]
        ring = ArrayRing(size)
        expected = ring.add(a, ring.mul(ring.embed(CHALLENGE), b))
        assert np.array_equal(from_montgomery_array(mix(words[0], words[1], CHALLENGE)).reshape(5, -1), expected)


def test_blocks_are_neighbours_in_rows() -> None:
    values = np.arange(5 * 32, dtype=np.uint32)
    matrix = blocks(values, 2)
    rows = matrix.values.reshape(matrix.width, -1)
    assert (matrix.width, matrix.log_rows) == (20, 3)
    assert [rows[5 * j + k, 6] for j in range(4) for k in range(5)] == [
        32 * k + 24 + j for j in range(4) for k in range(5)
    ]


def test_queried_blocks_fold_like_the_layer() -> None:
    values = np.random.default_rng(3).integers(0, P, (5, 64)).astype(np.uint64)
    positions = np.array([0, 5, 7, 5])
    picked = values.reshape(5, 8, 8)[:, positions].transpose(0, 2, 1)
    whole = fold_layer(values, 3, CHALLENGE, 6, 8)
    assert np.array_equal(fold_blocks(picked, positions, CHALLENGE, (3, 6, 8)), whole[:, positions])


def test_own_values_are_put_in_their_slots() -> None:
    siblings = np.arange(2 * 15, dtype=np.uint32).reshape(2, 15)
    own = np.array([[100, 101], [102, 103], [104, 105], [106, 107], [108, 109]], dtype=np.uint64)
    full = place(siblings, own, np.array([0, 2]))
    assert full[:, 0, 0].tolist() == [100, 102, 104, 106, 108]
    assert full[:, 1, 0].tolist() == [0, 1, 2, 3, 4]
    assert full[:, 2, 1].tolist() == [101, 103, 105, 107, 109]
    assert full[:, 3, 1].tolist() == [25, 26, 27, 28, 29]


@pytest.mark.parametrize("log_final", [0, 1, 3])
def test_the_final_polynomial_is_found_and_evaluated(log_final: int) -> None:
    coefficients = _random_polynomial(1 << log_final, 4)
    layer = _layer(coefficients, log_final + 2, 8)
    assert interpolate_final(layer, log_final, log_final + 2, 8) == coefficients
    positions = np.arange(layer.shape[1])
    assert np.array_equal(evaluate_final(coefficients, inverse_points(positions, log_final + 2, 8)), layer)


def test_points_of_a_domain() -> None:
    for log_domain, log_largest in ((3, 3), (5, 8)):
        points = domain_points(log_domain, log_largest)
        root, own = two_adic_generator(log_domain), shift(log_domain, log_largest)
        for index in range(1 << log_domain):
            x = point(index, log_domain, log_largest)
            assert x == own * pow(root, bit_reverse(index, log_domain), P) % P == points[index]
        inverses = inverse_points(np.arange(1 << log_domain), log_domain, log_largest)
        assert all(int(a) * int(b) % P == 1 for a, b in zip(points, inverses, strict=True))


@given(st.integers(1, 20), st.integers(0, 2**20 - 1))
def test_bits_are_reversed(bits: int, value: int) -> None:
    value &= (1 << bits) - 1
    assert reverse_bits(np.array([value]), bits)[0] == bit_reverse(value, bits)


def test_squaring_a_point_is_halving_its_index() -> None:
    for index in (0, 5, 63, 100, 255):
        assert pow(point(index, 8, 10), 2, P) == point(index >> 1, 7, 10)
        assert point(index ^ 1, 8, 10) == P - point(index, 8, 10)


@settings(max_examples=200)
@given(st.sets(st.integers(3, 20), min_size=1), st.integers(1, 4), st.integers(0, 6))
def test_schedules_stop_at_every_height(heights: set[int], log_arity: int, log_final: int) -> None:
    present = tuple(sorted(heights, reverse=True))
    last = min(log_final, present[-1])
    steps = fold_schedule(present, log_arity, last)
    stops = [present[0]]
    for step in steps:
        assert 1 <= step <= log_arity
        stops.append(stops[-1] - step)
    assert stops[-1] == last
    assert set(present) <= set(stops)
