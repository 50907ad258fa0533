"""Shapes of what prover and verifier are given: traces, public inputs, public terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.field.koalabear import TWO_ADICITY, P
from engine.stark.air.layout import Layout
from engine.stark.air.table import PublicTerm, Table
from engine.stark.errors import StatementError
from engine.stark.parameters import Parameters


def heights_problem(table: Table, log_height: int, parameters: Parameters) -> str | None:
    """What is wrong with a table's height, or None. A subgroup must hold its low-degree extension."""
    low, high = table.min_log_height, min(table.max_log_height, TWO_ADICITY - parameters.log_blowup)
    if low <= log_height <= high:
        return None
    return f"table {table.name} has 2^{log_height} rows, not 2^{low} to 2^{high}"


def _check_trace(table: Table, trace: NDArray[np.uint32], parameters: Parameters) -> int:
    width = len(table.columns)
    if trace.ndim != 2 or trace.dtype != np.uint32 or trace.shape[0] != width or not trace.shape[1]:
        limit = f"uint32[{width}, rows]"
        raise StatementError(f"trace {table.name} has a wrong shape", field=table.name, value=trace.shape, limit=limit)
    rows = trace.shape[1]
    height = rows.bit_length() - 1
    problem = heights_problem(table, height, parameters) if rows == 1 << height else f"{rows} is no power of two"
    if problem:
        raise StatementError(f"trace {table.name}: {problem}", field=table.name, value=rows)
    if int(trace.max()) >= P:
        raise StatementError(f"trace {table.name} is not canonical", field=table.name, value=int(trace.max()), limit=P)
    return height


def check_traces(layout: Layout, traces: dict[str, NDArray[np.uint32]], parameters: Parameters) -> tuple[int, ...]:
    """log2 heights, in statement order; raises :class:`StatementError` for a trace of the wrong shape."""
    names = {table.table.name for table in layout.tables}
    if set(traces) != names:
        raise StatementError(
            "traces do not match the tables", field="traces", value=sorted(traces), limit=sorted(names)
        )
    return tuple(_check_trace(table.table, traces[table.table.name], parameters) for table in layout.tables)


def check_publics(layout: Layout, public_inputs: Sequence[int], public_terms: Sequence[PublicTerm]) -> str | None:
    """What is wrong with public inputs and terms, or None. Shared with the prover."""
    count = layout.statement.public_count
    if len(public_inputs) != count:
        return f"{len(public_inputs)} public inputs, the statement has {count}"
    if not all(0 <= value < P for value in public_inputs):
        return "a public input is not a canonical element"
    for number, term in enumerate(public_terms):
        if layout.bus_arity.get(term.bus) != len(term.values):
            return f"public term {number} does not fit bus {term.bus}"
        if not all(0 <= value < P for value in term.values) or not -P < term.multiplicity < P:
            return f"public term {number} is out of range"
    return None
