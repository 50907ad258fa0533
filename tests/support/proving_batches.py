"""Small honest batches, and a slow judge of traces that reads nothing but the statement's expressions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from engine.exchange.accounts import Account, Position
from engine.exchange.tree import AccountTree
from engine.field.koalabear import P
from engine.proving.shape import BUSES, StatementShape
from engine.proving.statement import build_statement
from engine.proving.traces import build_traces
from engine.sequencer.batch import Batch, ExternalFlow
from engine.stark.air.layout import layout_of
from engine.stark.air.program import Program, run
from engine.stark.air.table import PublicTerm, Statement

SMALL = StatementShape(tree_height=4, max_positions=2, limb_bits=8)


def owner(number: int) -> bytes:
    return bytes([0xA0 + number]) * 20


def trader(number: int, collateral: int, *positions: tuple[int, int, int]) -> Account:
    return Account(
        version=1,
        key_digest=tuple(range(number, number + 8)),
        l1_address=owner(number),
        next_signature_index=number,
        collateral=collateral,
        positions=tuple(Position(*p) for p in positions),
    )


def close_batch(
    tree: AccountTree,
    changes: dict[int, Account],
    deposits: dict[int, int] | None = None,
    withdrawals: dict[int, int] | None = None,
    number: int = 1,
) -> Batch:
    """Apply the changes and wrap them up."""
    old_root = tree.root
    updates, new_root = tree.apply_batch(changes)

    def flows(amounts: dict[int, int] | None) -> tuple[ExternalFlow, ...]:
        return tuple(ExternalFlow(a, tree.get(a).l1_address, n) for a, n in sorted((amounts or {}).items()))

    return Batch(
        number=number,
        old_root=old_root,
        new_root=new_root,
        updates=updates,
        deposits=flows(deposits),
        withdrawals=flows(withdrawals),
        transactions=len(changes),
        first_sequence=1,
        last_sequence=9,
        opened_at=0,
        closed_at=1,
    )


def opened_tree(shape: StatementShape = SMALL) -> AccountTree:
    """Accounts 2, 5 and 9 exist; 5 owes collateral, 9 holds two positions."""
    tree = AccountTree(shape.tree_height, shape.max_positions, shape.limb_bits)
    tree.apply_batch(
        {
            2: trader(1, 70_000),
            5: trader(2, -300, (1, 4, -7)),
            9: trader(3, 255, (1, -4, 9), (3, 1000, -(1 << 31))),
        }
    )
    return tree


def sample_batch(shape: StatementShape = SMALL) -> Batch:
    """A new account with a deposit, a deposit and a withdrawal at once, a trade, an unchanged leaf."""
    tree = opened_tree(shape)
    return close_batch(
        tree,
        {
            2: replace(tree.get(2), collateral=70_000 - 500 + 40 - 300, next_signature_index=9),
            5: replace(tree.get(5), collateral=-300 + 500).with_position(1, 0, 0),
            9: replace(tree.get(9), collateral=255 - 70_000).with_position(3, 999, 5),
            12: trader(4, 70_000 + 1234, (2, -1, 0)),
            13: trader(5, 1),
        },
        deposits={2: 40, 12: 1234, 13: 1},
        withdrawals={2: 300},
    )


def sample_traces(batch: Batch, shape: StatementShape = SMALL) -> dict[str, np.ndarray]:
    return build_traces(batch, shape).by_name()


def evaluate(program: Program, trace: np.ndarray, publics: tuple[int, ...]) -> list[np.ndarray]:
    """Values of a program's roots on every row."""
    wide, rows, modulus = trace.astype(np.uint64), trace.shape[1], np.uint64(P)
    return run(
        program,
        constant=lambda value: np.full(rows, value, dtype=np.uint64),
        column=lambda index, offset: np.roll(wide[index], -offset),
        public=lambda index: np.full(rows, publics[index], dtype=np.uint64),
        operations=(
            lambda a, b: (a + b) % modulus,
            lambda a, b: (a + modulus - b) % modulus,
            lambda a, b: a * b % modulus,
        ),
    )


def judge(
    shape: StatementShape, traces: dict[str, np.ndarray], publics: tuple[int, ...], terms: tuple[PublicTerm, ...]
) -> set[str]:
    """Names of the broken constraints and unbalanced buses; empty for a trace that proves its claim."""
    return judge_by(build_statement(shape), traces, publics, terms)


def judge_by(
    statement: Statement, traces: dict[str, np.ndarray], publics: tuple[int, ...], terms: tuple[PublicTerm, ...]
) -> set[str]:
    """The same by another statement than the shape's own."""
    layout = layout_of(statement)
    broken: set[str] = set()
    buses: dict[tuple[int, tuple[int, ...]], int] = Counter()
    for entry in layout.tables:
        trace, table = traces[entry.table.name], entry.table
        if not 1 << table.min_log_height <= trace.shape[1] <= 1 << table.max_log_height:
            broken.add(f"{table.name}: height")
        for constraint, values in zip(table.constraints, evaluate(entry.constraints, trace, publics), strict=True):
            rows = {"every": values, "transition": values[:-1], "first": values[:1], "last": values[-1:]}
            if rows[constraint.rows].any():
                broken.add(f"{table.name}: {constraint.name}")
        results = iter(evaluate(entry.lookups, trace, publics))
        for item in table.interactions:
            multiplicity = next(results)
            tuples = np.stack([next(results) for _ in item.values])
            for row in np.flatnonzero(multiplicity):
                buses[item.bus, tuple(tuples[:, row].tolist())] += int(multiplicity[row])
    for term in terms:
        buses[term.bus, term.values] += term.multiplicity
    names = {bus: "bus " + text.split(" (")[0] for bus, text in BUSES.items()}
    return broken | {names[bus] for (bus, _), count in buses.items() if count % P}
