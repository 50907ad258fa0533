"""What is wrong with a witness: a debugging aid, and the oracle that tests hold dishonest traces against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.field.koalabear import P
from engine.stark.air.layout import TableLayout, layout_of
from engine.stark.air.program import Program, run
from engine.stark.air.rings import ArrayRing
from engine.stark.air.table import PublicTerm, Statement
from engine.stark.parameters import Parameters
from engine.stark.protocol.inputs import check_publics, check_traces

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that fails on ``rows`` rows, the first being ``first``; or a bus (``table`` empty) that does not
    balance: ``rows`` tuples too many or too few, ``detail`` naming one of them.
    """

    table: str
    name: str
    rows: int
    first: int
    detail: str = ""


_CHUNK = 1 << 12
"""Rows evaluated at a time: a program's every step keeps an array."""


def _evaluate(program: Program, trace: NDArray[np.uint32], public_inputs: Sequence[int]) -> list[Words]:
    rows = trace.shape[1]
    parts = [_evaluate_rows(program, trace, public_inputs, start) for start in range(0, rows, _CHUNK)]
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def _evaluate_rows(
    program: Program, trace: NDArray[np.uint32], public_inputs: Sequence[int], start: int
) -> list[Words]:
    rows = trace.shape[1]
    at = np.arange(start, min(start + _CHUNK, rows))
    ring = ArrayRing(len(at))

    def column(index: int, offset: int) -> Words:
        return trace[index, (at + offset) % rows].astype(np.uint64)

    def public(index: int) -> Words:
        return ring.constant(public_inputs[index])

    return run(program, ring.constant, column, public, (ring.base_add, ring.base_sub, ring.base_mul))


def _broken_constraints(table: TableLayout, trace: NDArray[np.uint32], public_inputs: Sequence[int]) -> list[Violation]:
    rows = trace.shape[1]
    where = {"every": slice(0, rows), "transition": slice(0, rows - 1), "first": slice(0, 1), "last": slice(-1, None)}
    broken = []
    for constraint, values in zip(
        table.table.constraints, _evaluate(table.constraints, trace, public_inputs), strict=True
    ):
        bad = np.flatnonzero(values[where[constraint.rows]])
        if len(bad):
            first = rows - 1 if constraint.rows == "last" else int(bad[0])
            broken.append(Violation(table.table.name, constraint.name, len(bad), first))
    return broken


def _count_tuples(
    table: TableLayout, trace: NDArray[np.uint32], public_inputs: Sequence[int], tally: dict[int, Counter]
) -> None:
    values = _evaluate(table.lookups, trace, public_inputs)
    at = 0
    for item in table.table.interactions:
        multiplicity, words = values[at], values[at + 1 : at + 1 + len(item.values)]
        at += 1 + len(item.values)
        for weight, entry in zip(
            multiplicity.tolist(), zip(*(word.tolist() for word in words), strict=True), strict=True
        ):
            if weight:
                tally[item.bus][entry] += weight


def check_witness(
    statement: Statement,
    traces: dict[str, NDArray[np.uint32]],
    public_inputs: Sequence[int],
    public_terms: Sequence[PublicTerm],
) -> list[Violation]:
    """Every violated constraint and unbalanced bus; empty if a proof of these traces will be accepted.

    Raises :class:`StatementError` for traces or public inputs of the wrong shape, as ``prove`` does.
    """
    layout = layout_of(statement)
    check_traces(layout, traces, Parameters(queries=1))
    problem = check_publics(layout, public_inputs, public_terms)
    broken = [Violation("", "public inputs", 0, 0, problem)] if problem else []
    tally: dict[int, Counter] = {bus: Counter() for bus in statement.buses}
    for table in layout.tables:
        trace = traces[table.table.name]
        broken += _broken_constraints(table, trace, public_inputs)
        _count_tuples(table, trace, public_inputs, tally)
    for term in public_terms:
        tally[term.bus][tuple(term.values)] += term.multiplicity
    for bus, counts in tally.items():
        open_tuples = [(entry, weight % P) for entry, weight in counts.items() if weight % P]
        if open_tuples:
            entry, weight = open_tuples[0]
            signed = weight if weight < P // 2 else weight - P
            broken.append(Violation("", statement.buses[bus], len(open_tuples), 0, f"{entry} is off by {signed}"))
    return broken
