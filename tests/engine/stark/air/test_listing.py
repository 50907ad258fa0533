"""Programs in words: operands have names, and digests see what the words leave out."""

from __future__ import annotations

import dataclasses

from engine.field.koalabear import P
from engine.stark.air.expression import Column, Public
from engine.stark.air.layout import build_layout, layout_of
from engine.stark.air.listing import operations, program_digest, summary, table_digest
from engine.stark.air.lowering import Linear, LoadKind, Lowered, Product, lower
from engine.stark.air.table import Constraint, Interaction, Statement, Table
from tests.support.stark_toys import cubes

OLD, PRESENT, SUM = (Column(i) for i in range(3))
TABLE = Table(
    "toy",
    ("old", "present", "sum"),
    (
        Constraint("old is absent", OLD * (1 - PRESENT)),
        Constraint("sum goes on", SUM.next - SUM - 3 * OLD, "transition"),
        Constraint("sum starts", SUM - Public(0) + 7, "first"),
    ),
    (Interaction(1, -PRESENT, (OLD * PRESENT, SUM)),),
)


def _layout(table: Table = TABLE):  # type: ignore[no-untyped-def]
    return build_layout(Statement(b"test listing", (table,), {1: "bus"}, 1)).tables[0]


def test_operations_name_their_operands() -> None:
    assert list(operations(_layout())) == [
        "s6 = old * present",
        "s7 = 1 - present",
        "s8 = old * (1 - present)",
    ]


def test_a_summary_says_what_a_table_demands() -> None:
    layout = _layout()
    assert summary(layout) == [
        "table toy",
        f"  definition {table_digest(layout)}",
        f"  program    {program_digest(lower(layout))}",
        "  3 columns, 6 slots loaded, 2 products, 1 sums, 1 operations for lookups",
        "  3 constraints, 1 lookups in 1 auxiliary columns",
        "  old is absent: old * (1 - present)",
        "  sum goes on [transition]: -3 old - sum + sum'",
        "  sum starts [first]: 7 + sum - public 0",
        "  bus 1: -present times (old * present, sum)",
    ]


def test_digests_see_every_constraint_and_coefficient() -> None:
    layout = _layout()
    found = {(table_digest(layout), program_digest(lower(layout)))}
    for number, expression in enumerate((OLD * (2 - PRESENT), SUM.next - SUM - 4 * OLD, SUM - Public(0) + 8)):
        constraints = list(TABLE.constraints)
        constraints[number] = dataclasses.replace(constraints[number], expression=expression)
        changed = _layout(dataclasses.replace(TABLE, constraints=tuple(constraints)))
        found.add((table_digest(changed), program_digest(lower(changed))))
    assert len({definition for definition, _ in found}) == len({program for _, program in found}) == 4


def test_a_program_s_digest_sees_every_word_of_it() -> None:
    program = lower(layout_of(cubes()).tables[0])
    loads, steps = program.loads, program.operations
    product = next(at for at, step in enumerate(steps) if isinstance(step, Product))
    changed: list[Lowered] = [
        dataclasses.replace(program, loads=(*loads[:-1], dataclasses.replace(loads[-1], kind=LoadKind.NEXT))),
        dataclasses.replace(program, loads=(*loads[:-1], dataclasses.replace(loads[-1], a=loads[-1].a + 1))),
        dataclasses.replace(program, operations=(*steps[:product], Product(0, 1), *steps[product + 1 :])),
        dataclasses.replace(program, operations=(*steps[:product], Linear(((0, 1),)), *steps[product + 1 :])),
        dataclasses.replace(program, constraints=(((0, P - 1),), *program.constraints[1:])),
        dataclasses.replace(program, lookups=(((0, 2),), *program.lookups[1:])),
        dataclasses.replace(program, lookup_operations=program.lookup_operations + 1),
    ]
    assert len({program_digest(item) for item in (program, *changed)}) == 1 + len(changed)


def test_long_formulas_are_cut_in_a_summary_only() -> None:
    wide = sum((Column(i) * (i + 2) for i in range(40)), OLD)
    names = tuple(f"a_column_{i}" for i in range(40))
    table = Table("wide", names, (Constraint("sum", wide), Constraint("product", wide * OLD)), ())
    layout = build_layout(Statement(b"test wide", (table,), {}, 0)).tables[0]
    cut, short = summary(layout)[5:]
    assert len(cut) == 110
    assert (cut.endswith(" ..."), short) == (True, "  product: a_column_0 * s41")
    assert "41 a_column_39" in next(operations(layout))
