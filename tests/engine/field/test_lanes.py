"""Vector values: at every width an operation on vectors is the scalar operation in each lane."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit

from engine.field import koalabear as field
from engine.field import lanes
from engine.field.kernels import m_add, m_mul, m_sub
from engine.field.koalabear import P
from engine.field.width import WIDTHS

EDGES = [
    0,
    1,
    2,
    P - 1,
    P - 2,
    P // 2,
    P // 2 + 1,
    1 << 16,
    (1 << 16) - 1,
    1 << 24,
    (1 << 24) - 1,
    3,
    5,
    7,
    127,
    1 << 30,
]


COUNTS = [2 * words for words in WIDTHS]
"""Every width, whatever the processor: LLVM splits vectors that it has no register for."""


@cache
def operations(count: int) -> SimpleNamespace:
    """The functions under test at one width."""
    load, splat = lanes.load_of(count), lanes.splat_of(count)

    @njit
    def apply_all(a, b, out):
        x, y = load(a, 0), load(b, 0)
        lanes.store(out, 0, m_add(x, y))
        lanes.store(out, count, m_sub(x, y))
        lanes.store(out, 2 * count, m_mul(x, y))
        lanes.store(out, 3 * count, lanes.where_zero(x, y, x))
        lanes.store(out, 4 * count, lanes.bits_or(x, y, x, y, x))
        lanes.store(out, 5 * count, splat(a[3]))
        for i in range(count):
            out[6 * count + i] = lanes.extract(x, i)
            out[7 * count + i] = m_mul(a[i], b[i])
            out[8 * count + i] = m_add(a[i], b[i])
            out[9 * count + i] = m_sub(a[i], b[i])

    @njit
    def sum_of_products(a, b, terms):
        total, wide = lanes.wide_product(a[0], b[0]), lanes.wide_product(load(a, 0), load(b, 0))
        for i in range(1, terms):
            total = lanes.wide_mul_add(total, a[count * i], b[count * i])
            wide = lanes.wide_mul_add(wide, load(a, count * i), load(b, count * i))
        reduced = lanes.wide_reduce(wide)
        return lanes.wide_reduce(total), lanes.extract(reduced, 0), lanes.extract(reduced, count - 1)

    @njit
    def sum_of_pairs(a, b, terms):
        """Once with factors of their own per lane, once with one factor for all lanes."""
        zero = splat(np.uint32(0))
        own = same = lanes.wide_product(zero, zero)
        for i in range(0, count * terms, 2 * count):
            x, y = load(a, i), load(a, i + count)
            own = lanes.wide_mul_add_pair(own, x, load(b, i), y, load(b, i + count))
            same = lanes.wide_mul_add_pair(same, x, b[i], y, b[i + count])
        out = np.empty(2 * count, dtype=np.uint32)
        lanes.store(out, 0, lanes.wide_reduce(own))
        lanes.store(out, count, lanes.wide_reduce(same))
        return out

    @njit
    def split_in_two(a, out):
        low, high = load(a, 0), load(a, count)
        lanes.store(out, 0, lanes.every_other(low, high, 0))
        lanes.store(out, count, lanes.every_other(low, high, 1))

    return SimpleNamespace(
        apply_all=apply_all, sum_of_products=sum_of_products, sum_of_pairs=sum_of_pairs, split_in_two=split_in_two
    )


@pytest.mark.parametrize("count", COUNTS)
def test_every_pair_of_edge_values(count: int) -> None:
    values = np.array(EDGES, dtype=np.uint32)
    for turn in range(16):
        for start in range(0, 16, count):
            a, b = values[start : start + count].copy(), np.roll(values, turn)[start : start + count].copy()
            out = np.zeros(10 * count, dtype=np.uint32)
            operations(count).apply_all(a, b, out)
            pairs = list(zip(a.tolist(), b.tolist(), strict=True))
            sums = [(x + y) % P for x, y in pairs]
            differences = [(x - y) % P for x, y in pairs]
            products = [field.from_montgomery(x * y) for x, y in pairs]
            chosen, joined = [x or y for x, y in pairs], [x | y for x, y in pairs]
            vectors = [sums, differences, products, chosen, joined, [a[3]] * count]
            assert out.reshape(10, count).tolist() == [*vectors, a.tolist(), products, sums, differences]


@pytest.mark.parametrize("count", COUNTS)
def test_long_sums_of_the_largest_products(count: int) -> None:
    terms = 40
    a = np.full(count * terms, P - 1, dtype=np.uint32)
    expected = field.from_montgomery(terms * (P - 1) ** 2)
    assert operations(count).sum_of_products(a, a, terms) == (expected, expected, expected)


@pytest.mark.parametrize("count", COUNTS)
def test_sums_of_pairs_are_exact_up_to_the_largest_products(count: int) -> None:
    terms = 40
    largest = np.full(count * terms, P - 1, dtype=np.uint32)
    random = np.random.default_rng(3).integers(0, P, size=count * terms, dtype=np.uint32)
    for a, b in ((largest, largest), (largest, random), (random, random[::-1].copy())):
        x, y = a.reshape(terms, count).astype(object), b.reshape(terms, count).astype(object)
        expected = [*(x * y).sum(axis=0), *(x * y[:, :1]).sum(axis=0)]
        sums = operations(count).sum_of_pairs(a, b, terms)
        assert sums.tolist() == [field.from_montgomery(int(total)) for total in expected]


@pytest.mark.parametrize("count", COUNTS)
def test_every_other_splits_two_vectors(count: int) -> None:
    a, out = np.arange(2 * count, dtype=np.uint32), np.zeros(2 * count, dtype=np.uint32)
    operations(count).split_in_two(a, out)
    assert out.tolist() == [*range(0, 2 * count, 2), *range(1, 2 * count, 2)]


def test_aligned_empty() -> None:
    for size in (1, 15, 1000):
        array = lanes.aligned_empty(size, np.uint64)
        assert (array.size, array.dtype) == (size, np.uint64)
        assert array.ctypes.data % 64 == 0
