"""The compiled evaluator against the plain one on random tables; openings and DEEP quotients; working memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.kernels import from_montgomery_array, to_montgomery_array
from engine.field.koalabear import P, two_adic_generator
from engine.stark.air.expression import Column, Constant, Expression, Public
from engine.stark.air.layout import Layout, build_layout
from engine.stark.air.lookup import make_challenges
from engine.stark.air.table import Constraint, Interaction, Statement, Table
from engine.stark.domain import domain_points, shift
from engine.stark.pcs.deep import Batch, evaluate_queries, next_point
from engine.stark.pcs.opening import (
    barycentric_weights,
    combine_columns,
    deep_quotient,
    evaluate_columns,
    inverse_distances,
    join_coordinates,
)
from engine.stark.pcs.transforms import extend, quotient_chunks
from engine.stark.protocol import reference
from engine.stark.runtime import evaluator
from engine.stark.runtime.memory import SMALLEST, Lease, Pool

WIDTH, PUBLICS = 4, (5, 77)
DENOMINATOR, TUPLE, CONSTRAINT, TOTAL = (1, 2, 3, 4, 5), (6, 7, 8, 9, 10), (5, 4, 3, 2, 1), (9, 8, 7, 6, 5)


def _nothing() -> None:
    return None


def _lease() -> Lease:
    return Lease(Pool())


def linear() -> st.SearchStrategy[Expression]:
    leaf = st.one_of(
        st.tuples(st.integers(0, WIDTH - 1), st.integers(0, 1)).map(lambda at: Column(*at)),
        st.integers(0, P - 1).map(Constant),
        st.integers(0, 1).map(Public),
    )
    terms = st.lists(st.tuples(leaf, st.integers(0, P - 1)), min_size=1, max_size=6)
    return terms.map(lambda parts: sum((leaf * weight for leaf, weight in parts), Constant(0)))


def product(most: int) -> st.SearchStrategy[Expression]:
    def multiply(factors: list[Expression]) -> Expression:
        result = factors[0]
        for factor in factors[1:]:
            result = result * factor
        return result

    return st.lists(linear(), min_size=1, max_size=most).map(multiply)


def polynomial(most: int) -> st.SearchStrategy[Expression]:
    return st.lists(product(most), min_size=1, max_size=3).map(lambda parts: sum(parts, Constant(0)))


constraints = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["every", "transition"]), polynomial(3)),
        st.tuples(st.sampled_from(["first", "last"]), polynomial(2)),
    ),
    min_size=1,
    max_size=5,
)
interactions = st.lists(
    st.tuples(st.integers(1, 3), st.one_of(linear(), polynomial(2)), st.lists(linear(), min_size=3, max_size=3)),
    max_size=5,
)


def _layout(rules: list, lookups: list) -> Layout:
    table = Table(
        "t",
        tuple(f"c{i}" for i in range(WIDTH)),
        tuple(Constraint(f"rule {i}", rule, rows) for i, (rows, rule) in enumerate(rules)),
        tuple(Interaction(bus, multiplicity, tuple(values)) for bus, multiplicity, values in lookups),
    )
    return build_layout(Statement(b"random", (table,), {1: "a", 2: "b", 3: "c"}, len(PUBLICS)))


@settings(max_examples=25, deadline=None)
@given(constraints, interactions, st.integers(4, 7), st.integers(0, 2**30))
def test_the_compiled_evaluator_is_the_plain_one(rules: list, lookups: list, height: int, seed: int) -> None:
    layout = _layout(rules, lookups)
    table = layout.tables[0]
    trace = np.random.default_rng(seed).integers(0, P, (WIDTH, 1 << height), dtype=np.uint32)
    words, machine = to_montgomery_array(trace.reshape(-1)), evaluator.make_machine(table)
    logs, challenges, total = (height, height + 2, height + 3), None, TOTAL
    auxiliary = np.zeros(0, dtype=np.uint32)
    if table.groups:
        challenges = make_challenges(layout, DENOMINATOR, TUPLE)
        auxiliary, total = evaluator.auxiliary_columns(machine, words, height, PUBLICS, challenges, _nothing)
        plain, plain_total = reference.auxiliary_columns(table, trace, PUBLICS, challenges)
        assert total == plain_total
        assert np.array_equal(from_montgomery_array(auxiliary), plain.reshape(-1))
    own = shift(logs[1], logs[2])
    extended = [extend(columns, columns.size >> height, height, 2, own, _lease()) for columns in (words, auxiliary)]
    given_matrices = (extended[0], extended[1])
    fast = evaluator.quotient_values(machine, logs, given_matrices, PUBLICS, challenges, CONSTRAINT, total, _nothing)
    main, helper = (from_montgomery_array(words).reshape(-1, 1 << logs[1]) for words in extended)
    slow = reference.quotient_values(table, logs, (main, helper), PUBLICS, challenges, CONSTRAINT, total)
    assert np.array_equal(from_montgomery_array(fast).reshape(DEGREE, -1), slow)


def _horner(coefficients: np.ndarray, ood_point: Extension) -> Extension:
    total = extension.ZERO
    for value in coefficients[::-1].tolist():
        total = extension.add(extension.mul(total, ood_point), extension.embed(int(value)))
    return total


def _on_subgroup(coefficients: np.ndarray, height: int) -> np.ndarray:
    """Values of columns of coefficients (columns, N) on H, by definition."""
    rows = 1 << height
    root = two_adic_generator(height)
    points = np.array([[pow(root, i * j % rows, P) for j in range(rows)] for i in range(rows)], dtype=np.uint64)
    return (coefficients.astype(np.uint64)[:, None, :] * points[None] % np.uint64(P)).sum(axis=2) % np.uint64(P)


@pytest.mark.parametrize("height", [3, 5])
def test_columns_are_opened_to_their_values(height: int) -> None:
    ood_point = (3, 1, 4, 1, 5)
    coefficients = np.random.default_rng(2).integers(0, P, (6, 1 << height)).astype(np.uint64)
    words = to_montgomery_array(_on_subgroup(coefficients, height).astype(np.uint32).reshape(-1))
    for at in (ood_point, next_point(ood_point, height)):
        weights = barycentric_weights(height, at, inverse_distances(height, at))
        assert evaluate_columns(words, weights) == tuple(_horner(column, at) for column in coefficients)


def test_coordinates_are_joined() -> None:
    values = tuple((i, 0, 0, 0, 0) for i in range(1, 11))
    assert join_coordinates(values) == ((1, 2, 3, 4, 5), (6, 7, 8, 9, 10))


@pytest.mark.parametrize("height", [3, 5])
def test_the_quotient_is_split_into_its_chunks(height: int) -> None:
    rows, own = 1 << height, shift(height + 2, height + 4)
    coefficients = np.random.default_rng(4).integers(0, P, (5, 2 * rows)).astype(np.uint64)
    low = to_montgomery_array(_on_subgroup(coefficients[:, :rows], height).astype(np.uint32).reshape(-1))
    high = to_montgomery_array(_on_subgroup(coefficients[:, rows:], height).astype(np.uint32).reshape(-1))
    whole = (
        extend(low, 5, height, 2, own, _lease()).reshape(5, -1),
        extend(high, 5, height, 2, own, _lease()).reshape(5, -1),
    )
    points = domain_points(height + 2, height + 4, 2 * rows)
    to_the_n = np.array([pow(int(x), rows, P) for x in points], dtype=np.uint64)
    values = (whole[0][:, : 2 * rows] + whole[1][:, : 2 * rows] * to_the_n % np.uint64(P)) % np.uint64(P)
    chunks = quotient_chunks(values.astype(np.uint32).reshape(-1), height, own, 2)
    assert np.array_equal(chunks, np.concatenate([low, high]))


@pytest.mark.parametrize("height", [3, 6])
def test_the_verifiers_deep_value_is_the_provers(height: int) -> None:
    """G extended from H equals what the verifier computes from opened rows, for honestly claimed values."""
    rng, rows, width = np.random.default_rng(height), 1 << height, 11
    ood_point, logs = (3, 1, 4, 1, 5), (height + 2, height + 3)
    words = rng.integers(0, P, width * rows, dtype=np.uint32)
    coefficients = tuple(rng.integers(0, P, (width, DEGREE)).astype(np.uint64) for _ in range(2))
    inverses, claims, sums = [], [], []
    for weights, at in zip(coefficients, (ood_point, next_point(ood_point, height)), strict=True):
        inverse = inverse_distances(height, at)
        opened = evaluate_columns(words, barycentric_weights(height, at, inverse))
        claim = extension.ZERO
        for weight, value in zip(weights.tolist(), opened, strict=True):
            claim = extension.add(claim, extension.mul(tuple(weight), value))
        inverses.append(inverse)
        claims.append(claim)
        sums.append(combine_columns([words], [weights], rows, _nothing))
    none = np.zeros((0, DEGREE), dtype=np.uint64)
    batch = Batch((coefficients[0], none, none), (coefficients[1], none, none), claims[0], claims[1], (7, 7, 7, 7, 7))
    deep = deep_quotient((sums[0], sums[1]), (inverses[0], inverses[1]), batch, height)
    own = shift(*logs)
    expected = from_montgomery_array(extend(deep, DEGREE, height, 2, own, _lease())).reshape(DEGREE, -1)
    extended = from_montgomery_array(extend(words, width, height, 2, own, _lease())).reshape(width, -1)
    positions = np.arange(4 * rows)
    nothing = np.zeros((4 * rows, 0), dtype=np.uint32)
    values = evaluate_queries(batch, (extended.T, None, nothing), positions, ood_point, height, logs)
    assert np.array_equal(values, expected)


def test_buffers_are_used_again_but_never_shared() -> None:
    pool = Pool(limit=3 * SMALLEST)
    lease = Lease(pool)
    first, second = lease.take(SMALLEST), lease.take(SMALLEST)
    assert not np.may_share_memory(first, second)
    lease.close()
    assert pool.kept == 2 * SMALLEST
    again = Lease(pool).take(SMALLEST)
    assert np.may_share_memory(again, first) or np.may_share_memory(again, second)
    assert pool.kept == SMALLEST
    other = Lease(pool)
    digests = other.digests(SMALLEST)
    assert (digests.size, digests.dtype) == (4 * SMALLEST, np.uint64)
    other.close()
    assert pool.kept <= pool.limit
    assert Lease(pool).take(8).size == 8
