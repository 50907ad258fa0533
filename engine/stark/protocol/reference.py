"""The prover's arithmetic written plainly in numpy: auxiliary columns, quotient, checks of a witness.

Canonical uint64 arrays, a whole domain at a time, by the same code as the verifier (``stark.air.constraints``). The
compiled evaluator (``engine.stark.runtime.evaluator``) must give the same bytes; tests compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.field.extension import DEGREE, Extension
from engine.field.koalabear import P, two_adic_generator
from engine.stark.air.constraints import Row, combine, constraint_values
from engine.stark.air.layout import TableLayout
from engine.stark.air.lookup import LookupChallenges, fractions, step_of
from engine.stark.air.program import run
from engine.stark.air.rings import ArrayRing, Ring
from engine.stark.domain import domain_points, next_index

Words = NDArray[np.uint64]
_P = np.uint64(P)


def inverses(values: Words) -> Words:
    """1 / x of base-field elements, none zero, by x^(p-2)."""
    result, base, exponent = np.ones_like(values), values, P - 2
    while exponent:
        if exponent & 1:
            result = result * base % _P
        base = base * base % _P
        exponent >>= 1
    return result


def _columns(
    matrix: NDArray[np.unsignedinteger], following: NDArray[np.int64], ring: ArrayRing
) -> Callable[[int, int], Words]:
    def column(index: int, offset: int) -> Words:
        values = matrix[index].astype(np.uint64)
        return values[following] if offset else values

    return column


def _public(public_inputs: Sequence[int], ring: ArrayRing) -> Callable[[int], Words]:
    return lambda index: ring.constant(public_inputs[index])


def group_fractions(
    table: TableLayout, trace: NDArray[np.unsignedinteger], public_inputs: Sequence[int], challenges: LookupChallenges
) -> list[tuple[Words, Words]]:
    """Numerator and denominator (5, rows) of each LogUp group on the trace."""
    rows = trace.shape[1]
    ring = ArrayRing(rows)
    typed: Ring[Words, Words] = ring
    column = _columns(trace, (np.arange(rows) + 1) % rows, ring)
    operations = (ring.base_add, ring.base_sub, ring.base_mul)
    terms = run(table.lookups, ring.constant, column, _public(public_inputs, ring), operations)
    return fractions(typed, table, terms, challenges)


def auxiliary_columns(
    table: TableLayout, trace: NDArray[np.unsignedinteger], public_inputs: Sequence[int], challenges: LookupChallenges
) -> tuple[Words, Extension]:
    """(auxiliary, 5, rows) helper columns and running sum, and the table's total C. The sum starts from zero."""
    rows = trace.shape[1]
    ring = ArrayRing(rows)
    quotients = [
        ring.mul(numerator, ring.inverse(denominator))
        for numerator, denominator in group_fractions(table, trace, public_inputs, challenges)
    ]
    per_row = sum(quotients) % _P
    total: Extension = tuple(int(value) for value in per_row.sum(axis=1) % _P)
    step = np.array(step_of(total, rows.bit_length() - 1), dtype=np.uint64)
    change = (per_row + (_P - step)[:, None]) % _P
    running = np.zeros((DEGREE, rows), dtype=np.uint64)
    running[:, 1:] = np.cumsum(change, axis=1)[:, :-1] % _P
    return np.stack([*quotients[:-1], running]), total


def quotient_values(
    table: TableLayout,
    logs: tuple[int, int, int],
    matrices: tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]],
    public_inputs: Sequence[int],
    challenges: LookupChallenges | None,
    constraint_challenge: Extension,
    total: Extension,
) -> Words:
    """Q on the first 2N points of the table's domain in memory order, (5, 2N).

    ``logs``: log2 of N, of the table's domain, of the largest domain.
    ``matrices``: main (columns, >= 2N) and auxiliary (5 * auxiliary, >= 2N) extensions, canonical, in memory order. The
    first 2N points are the coset of order 2N with the same shift.
    """
    log_height, log_domain, log_largest = logs
    log_size = log_height + 1
    size = 1 << log_size
    ring = ArrayRing(size)
    typed: Ring[Words, Words] = ring
    main, auxiliary = (matrix[:, :size] for matrix in matrices)
    following = next_index(log_height, log_size)
    extended = [auxiliary[DEGREE * k : DEGREE * (k + 1)].astype(np.uint64) for k in range(table.auxiliary)]
    row: Row[Words, Words] = Row(
        _columns(main, following, ring),
        _public(public_inputs, ring),
        extended,
        extended[-1][:, following] if extended else None,
    )
    values = constraint_values(typed, table, row, challenges, step_of(total, log_height))
    sums = combine(typed, table, values, constraint_challenge)
    points = domain_points(log_domain, log_largest, size)
    last = np.uint64(pow(two_adic_generator(log_height), -1, P))
    from_last = (points + _P - last) % _P
    vanishing = np.array([pow(int(x), 1 << log_height, P) - 1 for x in points[[0, size // 2]]], dtype=np.uint64)
    factors = np.repeat(inverses(vanishing % _P), size // 2)
    inner = ring.add(sums["every"], sums["transition"] * from_last % _P)
    total_value = inner * factors % _P
    total_value = ring.add(total_value, sums["first"] * inverses((points + _P - np.uint64(1)) % _P) % _P)
    return ring.add(total_value, sums["last"] * inverses(from_last) % _P)
