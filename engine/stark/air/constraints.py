"""The constraint identity and the quotient polynomial, written once for both rings.

With alpha the constraint challenge, a table's constraints c_i (its own, then LogUp's) are combined by the kind of rows
on which they hold:

    Q(x) = [sum over every alpha^i c_i(x) + (x - w^-1) sum over transition alpha^i c_i(x)] / (x^N - 1)
         + [sum over first alpha^i c_i(x)] / (x - 1) + [sum over last alpha^i c_i(x)] / (x - w^-1)

where w generates the trace domain. All c_i vanish where they should exactly when Q is a polynomial (but for the error
``constraints`` of ``stark.protocol.security``). Degrees: 3(N-1) + 1 - N < 2N, and 2(N-1) - 1 < 2N for first and last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.field import extension
from engine.field.extension import Extension
from engine.field.koalabear import P, two_adic_generator
from engine.stark.air.layout import TableLayout
from engine.stark.air.lookup import LookupChallenges, fractions, lookup_constraints
from engine.stark.air.program import run
from engine.stark.air.rings import Ring
from engine.stark.air.table import Rows

B = TypeVar("B")
E = TypeVar("E")
KINDS = ("every", "transition", "first", "last")


@dataclass(frozen=True, slots=True)
class Row(Generic[B, E]):
    """Where constraints are evaluated: main columns, public inputs, auxiliary columns and the next running sum."""

    column: Callable[[int, int], B]
    public: Callable[[int], B]
    auxiliary: Sequence[E]
    sum_next: E | None


def constraint_values(
    ring: Ring[B, E], table: TableLayout, row: Row[B, E], challenges: LookupChallenges | None, step: Extension
) -> list[E]:
    """Values of all constraints in the order of the challenge's powers. ``step``: LogUp's C / N."""
    operations = (ring.base_add, ring.base_sub, ring.base_mul)
    own = run(table.constraints, ring.constant, row.column, row.public, operations)
    values = [ring.lift(value) for value in own]
    if table.groups and challenges is not None and row.sum_next is not None:
        terms = run(table.lookups, ring.constant, row.column, row.public, operations)
        groups = fractions(ring, table, terms, challenges)
        values += lookup_constraints(ring, groups, row.auxiliary, row.sum_next, step)
    return values


def kinds_of(table: TableLayout) -> list[Rows]:
    """Rows on which each constraint holds; LogUp's hold on every row."""
    every: list[Rows] = ["every"] * len(table.groups)
    return [*(item.rows for item in table.table.constraints), *every]


def combine(ring: Ring[B, E], table: TableLayout, values: Sequence[E], constraint_challenge: Extension) -> dict[str, E]:
    """sum of alpha^i c_i for each kind of rows."""
    sums = {kind: ring.embed(extension.ZERO) for kind in KINDS}
    power = extension.ONE
    for kind, value in zip(kinds_of(table), values, strict=True):
        sums[kind] = ring.add(sums[kind], ring.mul(ring.embed(power), value))
        power = extension.mul(power, constraint_challenge)
    return sums


def identity_holds(
    sums: dict[str, Extension], quotient: Sequence[Extension], point: Extension, log_height: int
) -> bool:
    """The identity at a point outside the domain, cleared of x^N - 1; ``quotient``: the chunks q_0 + x^N q_1 + ..."""
    mul, add, sub = extension.mul, extension.add, extension.sub
    last = extension.embed(pow(two_adic_generator(log_height), -1, P))
    to_the_n = extension.power(point, 1 << log_height)
    vanishing = sub(to_the_n, extension.ONE)
    total = extension.ZERO
    for chunk in reversed(quotient):
        total = add(mul(total, to_the_n), chunk)
    boundary = add(
        mul(sums["first"], extension.inverse(sub(point, extension.ONE))),
        mul(sums["last"], extension.inverse(sub(point, last))),
    )
    inner = add(sums["every"], mul(sub(point, last), sums["transition"]))
    return add(inner, mul(vanishing, boundary)) == mul(vanishing, total)
