"""Vector values: every operation on 16 lanes is the scalar operation in each lane."""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.field import koalabear as field
from engine.field import lanes
from engine.field.kernels import m_add, m_mul, m_sub
from engine.field.koalabear import P

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


@njit
def apply_all(a, b, out):
    x, y = lanes.load(a, 0), lanes.load(b, 0)
    lanes.store(out, 0, m_add(x, y))
    lanes.store(out, 16, m_sub(x, y))
    lanes.store(out, 32, m_mul(x, y))
    lanes.store(out, 48, lanes.where_zero(x, y, x))
    lanes.store(out, 64, lanes.bits_or(x, y, x, y, x))
    lanes.store(out, 80, lanes.splat(a[3]))
    for i in range(16):
        out[96 + i] = lanes.extract(x, i)
        out[112 + i] = m_mul(a[i], b[i])
        out[128 + i] = m_add(a[i], b[i])
        out[144 + i] = m_sub(a[i], b[i])


@njit
def sum_of_products(a, b, count):
    total, wide = lanes.wide_product(a[0], b[0]), lanes.wide_product(lanes.load(a, 0), lanes.load(b, 0))
    for i in range(1, count):
        total = lanes.wide_mul_add(total, a[16 * i], b[16 * i])
        wide = lanes.wide_mul_add(wide, lanes.load(a, 16 * i), lanes.load(b, 16 * i))
    return (
        lanes.wide_reduce(total),
        lanes.extract(lanes.wide_reduce(wide), 0),
        lanes.extract(lanes.wide_reduce(wide), 9),
    )


@njit
def sum_of_pairs(a, b, count):
    """Once with factors of their own per lane, once with one factor for all lanes."""
    zero = lanes.splat(np.uint32(0))
    own = same = lanes.wide_product(zero, zero)
    for i in range(0, 16 * count, 32):
        x, y = lanes.load(a, i), lanes.load(a, i + 16)
        own = lanes.wide_mul_add_pair(own, x, lanes.load(b, i), y, lanes.load(b, i + 16))
        same = lanes.wide_mul_add_pair(same, x, b[i], y, b[i + 16])
    out = np.empty(32, dtype=np.uint32)
    lanes.store(out, 0, lanes.wide_reduce(own))
    lanes.store(out, 16, lanes.wide_reduce(same))
    return out


@njit
def split_in_two(a, out):
    low, high = lanes.load(a, 0), lanes.load(a, 16)
    lanes.store(out, 0, lanes.every_other(low, high, 0))
    lanes.store(out, 16, lanes.every_other(low, high, 1))


def test_every_pair_of_edge_values() -> None:
    a = np.array(EDGES, dtype=np.uint32)
    for turn in range(16):
        b = np.roll(a, turn)
        out = np.zeros(160, dtype=np.uint32)
        apply_all(a, b, out)
        pairs = list(zip(a.tolist(), b.tolist(), strict=True))
        sums = [(x + y) % P for x, y in pairs]
        differences = [(x - y) % P for x, y in pairs]
        products = [field.from_montgomery(x * y) for x, y in pairs]
        assert out[:48].tolist() == sums + differences + products
        assert out[48:64].tolist() == [x or y for x, y in pairs]
        assert out[64:80].tolist() == [x | y for x, y in pairs]
        assert out[80:96].tolist() == [a[3]] * 16
        assert out[96:112].tolist() == a.tolist()
        assert out[112:].tolist() == products + sums + differences


def test_long_sums_of_the_largest_products() -> None:
    count = 40
    a = np.full(16 * count, P - 1, dtype=np.uint32)
    expected = field.from_montgomery(count * (P - 1) ** 2)
    assert sum_of_products(a, a, count) == (expected, expected, expected)


def test_sums_of_pairs_are_exact_up_to_the_largest_products() -> None:
    count = 40
    largest = np.full(16 * count, P - 1, dtype=np.uint32)
    random = np.random.default_rng(3).integers(0, P, size=16 * count, dtype=np.uint32)
    for a, b in ((largest, largest), (largest, random), (random, random[::-1].copy())):
        x, y = a.reshape(count, 16).astype(object), b.reshape(count, 16).astype(object)
        expected = [*(x * y).sum(axis=0), *(x * y[:, :1]).sum(axis=0)]
        assert sum_of_pairs(a, b, count).tolist() == [field.from_montgomery(int(total)) for total in expected]


def test_every_other_splits_two_vectors() -> None:
    a, out = np.arange(32, dtype=np.uint32), np.zeros(32, dtype=np.uint32)
    split_in_two(a, out)
    assert out.tolist() == [*range(0, 32, 2), *range(1, 32, 2)]


def test_aligned_empty() -> None:
    for size in (1, 15, 1000):
        array = lanes.aligned_empty(size, np.uint64)
        assert (array.size, array.dtype) == (size, np.uint64)
        assert array.ctypes.data % 64 == 0
