"""The Poseidon table: one permutation per row.

Columns as :func:`engine.hashing.poseidon.witness_row` lays them out: input, state after each of the four first full
rounds, the cube of each partial round, state after each of the four last full rounds. The words between partial rounds
are linear in those, so they need no columns. Users take half of the output at a time (tag 0: words 0..7, tag 1: words
8..15), because the sponge needs only its capacity between blocks and only its rate at the end.

    columns  0 .. 15  16 .. 79              80 .. 99          100 .. 163            164          165
    row      input    state after each of   cube of each of   state after each of   lookups of   lookups of
                      4 full rounds,        20 partial        4 full rounds; the    words 0..7   words 8..15
                      16 words each         rounds            last is the output

Rows are independent of each other; a padding row is some permutation that nobody looks up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.hashing.poseidon import CUBES_COLUMN, MDS, WITNESS_COLUMNS, partial_round_forms
from engine.hashing.poseidon_constants import HALF_FULL_ROUNDS, PARTIAL_ROUNDS, ROUND_CONSTANTS, WIDTH
from engine.proving.shape import BUS_POSEIDON
from engine.proving.tables.columns import ColumnList, total
from engine.stark.air.expression import Column, Expression, as_expression
from engine.stark.air.table import Constraint, Interaction, Table

RATE_HALF = 0
CAPACITY_HALF = 1


@dataclass(frozen=True, slots=True)
class PoseidonColumns:
    """One permutation.

    ``permutation``           the 164 witness columns, in the order of the picture
    ``rate_multiplicity``     how many lookups take output words 0..7, the sponge's rate (and a node's digest)
    ``capacity_multiplicity`` how many take words 8..15, the sponge's capacity
    ``names``                 of all columns, in order
    """

    permutation: tuple[Column, ...]
    rate_multiplicity: Column
    capacity_multiplicity: Column
    names: tuple[str, ...]

    @property
    def input(self) -> tuple[Column, ...]:
        return self.permutation[:WIDTH]

    @property
    def output(self) -> tuple[Column, ...]:
        return self.permutation[-WIDTH:]


def poseidon_columns() -> PoseidonColumns:
    """Layout of the table."""
    columns = ColumnList()
    permutation = columns.many("input", WIDTH)
    for r in range(HALF_FULL_ROUNDS):
        permutation += columns.many(f"first_round_{r}", WIDTH)
    permutation += columns.many("cube", PARTIAL_ROUNDS)
    for r in range(HALF_FULL_ROUNDS):
        permutation += columns.many(f"last_round_{r}", WIDTH)
    rate, capacity = columns.one("rate_multiplicity"), columns.one("capacity_multiplicity")
    return PoseidonColumns(permutation, rate, capacity, tuple(columns.names))


def poseidon_table() -> Table:
    """148 constraints of degree 3, two receiving interactions."""
    c = poseidon_columns()
    return Table(
        name="poseidon",
        columns=c.names,
        constraints=tuple(round_constraints(c.permutation)),
        interactions=(
            Interaction(BUS_POSEIDON, -c.rate_multiplicity, poseidon_tuple(RATE_HALF, c.input, c.output[:8])),
            Interaction(BUS_POSEIDON, -c.capacity_multiplicity, poseidon_tuple(CAPACITY_HALF, c.input, c.output[8:])),
        ),
    )


def poseidon_tuple(
    half: int, inputs: Sequence[Expression | int], outputs: Sequence[Expression]
) -> tuple[Expression, ...]:
    """What travels on the Poseidon bus: tag, 16 inputs, 8 outputs."""
    return (as_expression(half), *(as_expression(x) for x in inputs), *outputs)


def round_constraints(permutation: Sequence[Column]) -> list[Constraint]:
    """The 148 constraints that make the 164 columns one permutation."""
    constraints = []
    state: Sequence[Expression] = permutation[:WIDTH]
    for r in range(HALF_FULL_ROUNDS):
        after = permutation[WIDTH * (r + 1) : WIDTH * (r + 2)]
        constraints += _full_round(f"first round {r}", state, ROUND_CONSTANTS[r], after)
        state = after
    cubes = permutation[CUBES_COLUMN : CUBES_COLUMN + PARTIAL_ROUNDS]
    variables = (*state, *cubes)
    cubed, leaving = partial_round_forms()
    for r, form in enumerate(cubed):
        word = _affine(form, variables)
        constraints.append(Constraint(f"partial round {r}", word * word * word - cubes[r]))
    state = [_affine(form, variables) for form in leaving]
    for r in range(HALF_FULL_ROUNDS):
        start = CUBES_COLUMN + PARTIAL_ROUNDS + WIDTH * r
        after = permutation[start : start + WIDTH]
        constants = ROUND_CONSTANTS[HALF_FULL_ROUNDS + PARTIAL_ROUNDS + r]
        constraints += _full_round(f"last round {r}", state, constants, after)
        state = after
    assert len(permutation) == WITNESS_COLUMNS
    return constraints


def _full_round(
    name: str, state: Sequence[Expression], constants: Sequence[int], after: Sequence[Column]
) -> list[Constraint]:
    """after = matrix * (state + constants)^3, word by word."""
    shifted = [x + k for x, k in zip(state, constants, strict=True)]
    cubes = [x * x * x for x in shifted]
    return [
        Constraint(f"{name} word {i}", total([cube * m for cube, m in zip(cubes, MDS[i], strict=True)]) - after[i])
        for i in range(WIDTH)
    ]


def _affine(form: Sequence[int], variables: Sequence[Expression]) -> Expression:
    """Coefficients times variables plus the constant; zero coefficients vanish."""
    terms = [x * k for x, k in zip(variables[: len(form) - 1], form[:-1], strict=True) if k]
    return total(terms) + form[-1]
