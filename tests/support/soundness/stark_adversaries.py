"""Dishonest provers and bad witnesses. Only here can a prover be made to cheat."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from engine.field.koalabear import P
from engine.stark.air.table import PublicTerm, Statement
from engine.stark.errors import VerificationError
from engine.stark.protocol.prover import Prover
from engine.stark.protocol.verifier import verify
from tests.support.stark_toys import CUBES, FAST, cubes, fibonacci, fibonacci_witness

Witness = tuple[Statement, dict[str, np.ndarray], tuple[int, ...], tuple[PublicTerm, ...]]


def proof_of(witness: Witness, prover: type[Prover] = Prover) -> bytes:
    """Finish the protocol, whatever the traces say."""
    return prover(*witness, FAST).run().bytes


def refusal(witness: Witness, data: bytes) -> VerificationError:
    """The refusal of these bytes; fails the test when they are accepted."""
    statement, _, publics, terms = witness
    with pytest.raises(VerificationError) as caught:
        verify(statement, publics, terms, data, FAST)
    return caught.value


def cubes_from(
    x: np.ndarray, y: np.ndarray, flag: np.ndarray, table_x: np.ndarray, total: np.ndarray | None = None
) -> Witness:
    """The cubes statement's witness from a caller's columns, all else filled in so that the buses balance."""
    limit = 32
    own_total = np.cumsum(flag * y % P) % P if total is None else total
    counts = np.array([int((flag * (x == v)).sum()) % P for v in table_x])
    counts[0] += 1
    uses = np.bincount(x, minlength=limit)
    for value, weight in zip(x * flag, flag, strict=True):
        uses[value] += weight
    traces = {
        "caller": np.array([x, y, flag, own_total], dtype=np.uint32),
        "cuber": np.array([table_x, [pow(int(v), 3, P) for v in table_x], counts], dtype=np.uint32),
        "range": np.array([np.arange(limit), uses], dtype=np.uint32),
    }
    first = int(table_x[0])
    return cubes(), traces, (int(own_total[-1]),), (PublicTerm(CUBES, 1, (first, pow(first, 3, P))),)


def honest_columns() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, y, flag of 16 rows, and the eight distinct keys of the cube table."""
    keys = np.arange(2, 10)
    x = keys[np.arange(16) % 8]
    flag = np.array([1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1])
    return x, x**3, flag, keys


def honest_cubes() -> Witness:
    return cubes_from(*honest_columns())


def honest_fibonacci() -> Witness:
    traces, publics = fibonacci_witness(4)
    return fibonacci(), traces, publics, ()


def _flag_two() -> Witness:
    x, y, flag, keys = honest_columns()
    flag[3] = 2
    return cubes_from(x, y, flag, keys)


def _total_starts_elsewhere() -> Witness:
    x, y, flag, keys = honest_columns()
    return cubes_from(x, y, flag, keys, (np.cumsum(flag * y) + 1) % P)


def _total_jumps() -> Witness:
    x, y, flag, keys = honest_columns()
    total = np.cumsum(flag * y)
    total[9:] += 5
    return cubes_from(x, y, flag, keys, total % P)


def _total_ends_elsewhere() -> Witness:
    statement, traces, publics, terms = honest_cubes()
    return statement, traces, (publics[0] + 1,), terms


def _wrong_cube() -> Witness:
    statement, traces, publics, terms = honest_cubes()
    x, y, flag, keys = honest_columns()
    y[x == 5] += 1
    statement, traces, publics, terms = cubes_from(x, y, flag, keys)
    traces["cuber"][1, 3] += 1
    return statement, traces, publics, terms


def _range_from_one() -> Witness:
    statement, traces, publics, terms = honest_cubes()
    traces["range"][0] = (traces["range"][0] + 1) % P
    traces["range"][1] = np.roll(traces["range"][1], -1)
    return statement, traces, publics, terms


def _range_skips() -> Witness:
    statement, traces, publics, terms = honest_cubes()
    traces["range"][0, 20:] += 7
    return statement, traces, publics, terms


def _fibonacci(change: Callable[[np.ndarray, list[int]], None]) -> Callable[[], Witness]:
    def build() -> Witness:
        statement, traces, publics, terms = honest_fibonacci()
        values = list(publics)
        change(traces["fibonacci"], values)
        return statement, traces, tuple(values), terms

    return build


def _restart(trace: np.ndarray, publics: list[int]) -> None:
    """Rows 8.. follow another sequence that shares b, so that only a' = b or only b' = a + b breaks."""
    a, b = int(trace[0, 8]) + 3, int(trace[1, 8])
    for row in range(8, 16):
        trace[0, row], trace[1, row] = a, b
        a, b = b, (a + b) % P
    publics[2] = int(trace[1, 15])


def _wrong_sum(trace: np.ndarray, publics: list[int]) -> None:
    a, b = int(trace[0, 8]), int(trace[1, 8]) + 3
    for row in range(8, 16):
        trace[0, row], trace[1, row] = a, b
        a, b = b, (a + b) % P
    publics[2] = int(trace[1, 15])


def _public(index: int) -> Callable[[np.ndarray, list[int]], None]:
    def change(trace: np.ndarray, publics: list[int]) -> None:
        publics[index] += 1

    return change


ADVERSARIES: dict[tuple[str, str], Callable[[], Witness]] = {
    ("caller", "flag is boolean"): _flag_two,
    ("caller", "total starts"): _total_starts_elsewhere,
    ("caller", "total adds"): _total_jumps,
    ("caller", "total ends"): _total_ends_elsewhere,
    ("cuber", "cube"): _wrong_cube,
    ("range", "starts at zero"): _range_from_one,
    ("range", "counts"): _range_skips,
    ("fibonacci", "shift"): _fibonacci(_restart),
    ("fibonacci", "sum"): _fibonacci(_wrong_sum),
    ("fibonacci", "first a"): _fibonacci(_public(0)),
    ("fibonacci", "first b"): _fibonacci(_public(1)),
    ("fibonacci", "last b"): _fibonacci(_public(2)),
}
"""(table, constraint) -> a witness that violates this constraint and nothing else."""


def without(statement: Statement, table: str, constraint: str) -> Statement:
    """The statement with one constraint deleted."""
    tables = tuple(
        dataclasses.replace(own, constraints=tuple(c for c in own.constraints if c.name != constraint))
        if own.name == table
        else own
        for own in statement.tables
    )
    return dataclasses.replace(statement, tables=tables)
