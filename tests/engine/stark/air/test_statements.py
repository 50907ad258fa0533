"""Expressions, programs, lowering, layouts, LogUp grouping and counts."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.field.koalabear import P
from engine.stark.air.expression import Add, Binary, Column, Constant, Expression, Multiply, Public
from engine.stark.air.layout import build_layout, group_interactions, layout_of
from engine.stark.air.lookup import check_counts
from engine.stark.air.lowering import Linear, LoadKind, Lowered, Product, lower
from engine.stark.air.program import flatten, run
from engine.stark.air.table import Constraint, Interaction, PublicTerm, Statement, Table
from engine.stark.errors import StatementError
from engine.stark.protocol.witness import check_witness
from tests.support.stark_toys import CUBES, RANGE, cubes, cubes_witness, fibonacci

PUBLICS = (11, 12)
CELLS = {(c, o): 100 * c + 7 * o + 3 for c in range(3) for o in range(2)}


def expressions(depth: int) -> st.SearchStrategy[Expression]:
    leaves: st.SearchStrategy[Expression] = st.one_of(
        st.integers(-3, P + 3).map(lambda v: Constant(v % P)),
        st.tuples(st.integers(0, 2), st.integers(0, 1)).map(lambda at: Column(*at)),
        st.integers(0, 1).map(Public),
    )
    if not depth:
        return leaves
    below = expressions(depth - 1)
    binary = st.tuples(st.sampled_from("+-*"), below, below).map(
        lambda t: t[1] + t[2] if t[0] == "+" else t[1] - t[2] if t[0] == "-" else t[1] * t[2]
    )
    return st.one_of(leaves, binary)


def value_of(expression: Expression) -> int:
    """Straight recursion: the meaning of an expression."""
    if isinstance(expression, Constant):
        return expression.value
    if isinstance(expression, Column):
        return CELLS[expression.index, expression.offset]
    if isinstance(expression, Public):
        return PUBLICS[expression.index]
    assert isinstance(expression, Binary)
    left, right = value_of(expression.left), value_of(expression.right)
    if isinstance(expression, Multiply):
        return left * right % P
    return (left + right if isinstance(expression, Add) else left - right) % P


@settings(max_examples=150)
@given(st.lists(expressions(4), min_size=1, max_size=4))
def test_flattened_programs_compute_the_expressions(roots: list[Expression]) -> None:
    program = flatten(roots)
    operations = (lambda a, b: (a + b) % P, lambda a, b: (a - b) % P, lambda a, b: a * b % P)
    values = run(program, int, lambda c, o: CELLS[c, o], PUBLICS.__getitem__, operations)
    assert values == [value_of(root) for root in roots]


def evaluate_lowered(lowered: Lowered) -> list[int]:
    slots: list[int] = []
    for load in lowered.loads:
        if load.kind is LoadKind.ONE:
            slots.append(1)
        elif load.kind is LoadKind.PUBLIC:
            slots.append(PUBLICS[load.a])
        else:
            slots.append(CELLS[load.a, 1 if load.kind is LoadKind.NEXT else 0])
    for operation in lowered.operations:
        if isinstance(operation, Product):
            slots.append(slots[operation.a] * slots[operation.b] % P)
        else:
            slots.append(sum(slots[slot] * weight for slot, weight in operation.terms) % P)
    return [sum(slots[slot] * weight for slot, weight in form) % P for form in lowered.constraints]


@settings(max_examples=150)
@given(st.lists(expressions(4).filter(lambda e: e.degree <= 2), min_size=1, max_size=4))
def test_lowered_programs_compute_the_constraints(roots: list[Expression]) -> None:
    constraints = tuple(Constraint(f"c{i}", root) for i, root in enumerate(roots))
    statement = Statement(b"lowered", (Table("t", ("a", "b", "c"), constraints, ()),), {}, 2)
    lowered = lower(build_layout(statement).tables[0])
    assert evaluate_lowered(lowered) == [value_of(root) for root in roots]


def test_linear_work_leaves_no_operations() -> None:
    """A matrix after cubes: only the cubes are computed per row."""
    cubed = [(Column(i) + 1) * (Column(i) + 1) * (Column(i) + 1) for i in range(3)]
    rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    mixed = [sum((cube * m for cube, m in zip(cubed, row, strict=True)), Constant(0)) for row in rows]
    constraints = tuple(Constraint(f"c{i}", mixed[i] - Column(i).next) for i in range(3))
    statement = Statement(b"mix", (Table("t", ("a", "b", "c"), constraints, ()),), {}, 0)
    operations = lower(build_layout(statement).tables[0]).operations
    assert sum(isinstance(item, Linear) for item in operations) == 3
    assert sum(isinstance(item, Product) for item in operations) == 6


def test_degrees_are_known_without_walking_the_graph() -> None:
    node: Expression = Column(0)
    for _ in range(5000):
        node = node + node
    assert node.degree == 1
    assert (node * node * 3).degree == 2
    assert len(flatten([node]).nodes) == 5001


def _table(**changes: object) -> Statement:
    table = Table("t", ("a", "b"), (Constraint("c", Column(0) - Column(1)),), ())
    return Statement(b"x", (dataclasses.replace(table, **changes),), {1: "bus"}, 1)


A = Column(0)
BAD = {
    "degree 4": {"constraints": (Constraint("c", A * A * A * A),)},
    "degree 3 on the first row": {"constraints": (Constraint("c", A * A * A, "first"),)},
    "no such column": {"constraints": (Constraint("c", Column(2)),)},
    "two rows ahead": {"constraints": (Constraint("c", Column(0, 2)),)},
    "no such public input": {"constraints": (Constraint("c", A - Public(1)),)},
    "no columns": {"columns": ()},
    "same names": {"columns": ("a", "a")},
    "too low": {"min_log_height": 2},
    "too high": {"max_log_height": 23},
    "unknown bus": {"interactions": (Interaction(2, Constant(1), (A,)),)},
    "tuples of two lengths": {"interactions": (Interaction(1, Constant(1), (A,)), Interaction(1, A, (A, A)))},
    "value of degree 3": {"interactions": (Interaction(1, Constant(1), (A * A * A,)),)},
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_statements_are_refused(name: str) -> None:
    build_layout(_table())
    with pytest.raises(StatementError):
        build_layout(_table(**BAD[name]))


def test_interactions_share_columns_as_far_as_the_degree_allows() -> None:
    one, two = Interaction(1, A, (A,)), Interaction(1, A, (A * A,))
    assert group_interactions((one,) * 5) == ((0, 1), (2, 3), (4,))
    assert group_interactions((two, one, one, two)) == ((0,), (1, 2), (3,))
    constant = Interaction(1, A, (Constant(5),))
    assert group_interactions((constant, one, one)) == ((0, 1, 2),)
    assert group_interactions(()) == ()
    assert group_interactions((Interaction(1, A * A, (A,)), one)) == ((0, 1),)
    assert group_interactions((Interaction(1, A * A * A, (A,)), one)) == ((0,), (1,))


def test_the_digest_binds_everything() -> None:
    base = cubes()
    seen = {layout_of(base).digest}
    caller = base.tables[0]
    variants = [
        dataclasses.replace(base, identity=b"y"),
        dataclasses.replace(base, buses={CUBES: "cubes", RANGE: "ranges"}),
        dataclasses.replace(base, public_count=2),
        dataclasses.replace(base, tables=(*base.tables[1:], caller)),
    ]
    changes: list[dict[str, object]] = [
        {"name": "other"},
        {"columns": ("x", "y", "flag", "sum")},
        {"max_log_height": 21},
        {"constraints": caller.constraints[:-1]},
        {"constraints": (dataclasses.replace(caller.constraints[0], rows="transition"), *caller.constraints[1:])},
        {"constraints": (Constraint("flag is boolean", Column(2) * (Column(2) - 2)), *caller.constraints[1:])},
        {"interactions": caller.interactions[:-1]},
        {"interactions": caller.interactions[::-1]},
    ]
    variants += [
        dataclasses.replace(base, tables=(dataclasses.replace(caller, **change), *base.tables[1:]))
        for change in changes
    ]
    for variant in variants:
        seen.add(layout_of(variant).digest)
    assert len(seen) == 1 + len(variants)
    assert layout_of(cubes()).digest in seen


def test_lookups_are_counted_against_p() -> None:
    layout = layout_of(cubes())
    assert check_counts(layout, (5, 5, 5), ()) is None
    assert check_counts(layout, (5, 5, 5), (PublicTerm(CUBES, P - 65, (1, 1)),)) is None
    assert check_counts(layout, (5, 5, 5), (PublicTerm(CUBES, 64 - P, (1, 1)),)) == CUBES


def test_the_witness_checker_names_what_is_wrong() -> None:
    statement = cubes()
    traces, publics, terms = cubes_witness()
    assert check_witness(statement, traces, publics, terms) == []
    traces["caller"][2, 5] = 3
    names = {(found.table, found.name, found.first) for found in check_witness(statement, traces, publics, terms)}
    assert ("caller", "flag is boolean", 5) in names
    assert any(name == "cubes" for _, name, _ in names)


def test_layout_of_fibonacci() -> None:
    (table,) = layout_of(fibonacci()).tables
    assert (table.width, table.auxiliary, table.next_columns, table.opened) == (2, 0, (0, 1), 6)
    caller = layout_of(cubes()).tables[0]
    assert caller.groups == ((0, 1), (2,))
    assert caller.opened == 4 + 2 + 2 + 3 + 1
    assert (caller.auxiliary, caller.helpers) == (2, 1)
