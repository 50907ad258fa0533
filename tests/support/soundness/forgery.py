"""Tools of a dishonest prover: traces that are consistent everywhere but where they lie.

A forgery recomputes what an honest prover computes (hashes, paths, running sums, range counts) from its lie, so that as
few checks as possible can notice. Each says which constraints and buses it breaks, and it is exactly those: deleting
the only constraint that a forgery breaks would let it pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.exchange.accounts import EMPTY_ACCOUNT, Account
from engine.field.koalabear import P
from engine.proving.shape import BUS_POSEIDON, BUS_RANGE, StatementShape
from engine.proving.statement import build_statement, claim_inputs, claim_of, claim_terms
from engine.proving.tables.update import update_columns
from engine.proving.traces import fill_sums, range_trace, traces_from_words
from engine.proving.witness import PermutationLog, encode_leaves
from engine.sequencer.batch import Batch
from engine.stark.air.layout import layout_of
from engine.stark.air.program import flatten
from engine.stark.air.table import PublicTerm, Statement
from tests.support.proving_batches import SMALL, close_batch, evaluate, judge_by, opened_tree, sample_batch, trader

HASH = bytes(range(32))
Trace = np.ndarray


@dataclass
class Forgery:
    """Traces and the public part that the verifier is told."""

    traces: dict[str, Trace]
    publics: tuple[int, ...]
    terms: tuple[PublicTerm, ...]
    shape: StatementShape = SMALL

    def column(self, table: str, name: str) -> int:
        return self.table(table).column(name)

    def table(self, name: str):
        return next(t for t in build_statement(self.shape).tables if t.name == name)

    def rows(self) -> range:
        """Rows of the update table."""
        return range(self.traces["update"].shape[1])

    def get(self, table: str, name: str, row: int) -> int:
        return int(self.traces[table][self.column(table, name), row])

    def set(self, table: str, name: str, row: int | slice, value: int) -> Forgery:
        self.traces[table][self.column(table, name), row] = value % P
        return self

    def limbs(self, table: str, name: str, row: int, values: list[int]) -> Forgery:
        for i, value in enumerate(values):
            self.set(table, f"{name}_{i}", row, value)
        return self

    def settle(self) -> Forgery:
        """Recompute running sums, carries and range counts from the update table as it now is."""
        fill_sums(self.traces["update"], update_columns(self.shape), self.shape)
        return self.count()

    def count(self) -> Forgery:
        """Recompute range counts only."""
        self.traces["range"] = range_trace(self.traces["update"], self.shape)
        return self

    def settle_signs(self) -> Forgery:
        """Recompute the sum of signs, which need not be bits, and the range counts."""
        trace = self.traces["update"].astype(object)
        new, old = (trace[self.column("update", f"{side}_collateral_sign")] for side in ("new", "old"))
        total = 0
        for row, change in enumerate(new - old):
            total += change
            self.set("update", "sign_sum", row, total)
        return self.count()

    def hash_again(self, statement: Statement | None = None) -> Forgery:
        """Rebuild the Poseidon table so that it serves whatever the other tables now look up (by ``statement``)."""
        log = PermutationLog()
        for name in ("update", "path"):
            for half, inputs in poseidon_inputs(statement or build_statement(self.shape), name, self.traces[name]):
                log.half(inputs, half)
        self.traces["poseidon"] = log.trace()
        return self

    def count_again(self, statement: Statement) -> Forgery:
        """Recompute the range table's counts for another statement's lookups."""
        table = next(t for t in statement.tables if t.name == "update")
        checks = [item for item in table.interactions if item.bus == BUS_RANGE]
        program = flatten(part for item in checks for part in (item.multiplicity, *item.values))
        results = evaluate(program, self.traces["update"], self.publics)
        counts = [0] * self.shape.limb_size
        for weights, values in zip(results[::2], results[1::2], strict=True):
            for weight, value in zip(weights.tolist(), values.tolist(), strict=True):
                if value < self.shape.limb_size:
                    counts[value] += weight
        self.traces["range"][1] = [count % P for count in counts]
        return self

    def path_rows(self, rows: list[dict[str, int | list[int]]], start: int = 0) -> Forgery:
        """Write rows of the path table from their non-zero cells; the other rows become zero."""
        self.traces["path"][:] = 0
        for row, cells in enumerate(rows, start):
            for name, value in cells.items():
                if isinstance(value, list):
                    self.limbs("path", name, row, value)
                else:
                    self.set("path", name, row, value)
        return self

    def path_row(self, row: int) -> dict[str, int | list[int]]:
        """A row of the path table as :meth:`path_rows` takes it."""
        cells: dict[str, int | list[int]] = {}
        for name in ("real", "start", "end", "level", "weight", "update", "bit", "position"):
            cells[name] = self.get("path", name, row)
        for name in ("old", "new", "sibling", "old_parent", "new_parent"):
            cells[name] = [self.get("path", f"{name}_{i}", row) for i in range(8)]
        return cells

    def new_root(self, root: list[int]) -> Forgery:
        """A single update leads to this root, and the verifier is told so."""
        for row in self.rows():
            self.limbs("update", "new_root", row, root)
            if row:
                self.limbs("update", "old_root", row, root)
        return self.claim_roots()

    def claim_roots(self) -> Forgery:
        """Tell the verifier the roots that the update table begins and ends with."""
        c, trace = update_columns(self.shape), self.traces["update"]
        old = trace[[column.index for column in c.old_root], 0].tolist()
        new = trace[[column.index for column in c.new_root], -1].tolist()
        self.publics = (*old, *new, *self.publics[16:])
        return self

    def copy(self) -> Forgery:
        return replace(self, traces={name: trace.copy() for name, trace in self.traces.items()})

    def exactly(self, statement: Statement | None = None) -> set[str]:
        """What the judge finds, by this statement or the shape's own."""
        return judge_by(statement or build_statement(self.shape), self.traces, self.publics, self.terms)

    def broken(self) -> set[str]:
        """The same with numbers of words and limbs left out."""
        return {re.sub(r" \d+\b", "", name) for name in self.exactly()}


def poseidon_inputs(statement: Statement, name: str, trace: Trace) -> list[tuple[int, Trace]]:
    """Half and inputs [n, 16] of each Poseidon lookup; a row comes as often as its multiplicity, at most twice."""
    layout = next(t for t in layout_of(statement).tables if t.table.name == name)
    results = iter(evaluate(layout.lookups, trace, (0,) * 52))
    found = []
    for item in layout.table.interactions:
        multiplicity = next(results)
        used = np.repeat(np.arange(trace.shape[1]), np.minimum(multiplicity, 2).astype(np.int64))
        values = np.stack([next(results) for _ in item.values])
        if item.bus == BUS_POSEIDON and used.size:
            found.append((int(values[0, used[0]]), values[1:17, used].T.astype(np.uint32)))
    return found


def forge(
    batch: Batch,
    *,
    old_words: dict[int, list[int]] | None = None,
    new_words: dict[int, list[int]] | None = None,
    told: Batch | None = None,
    shape: StatementShape = SMALL,
) -> Forgery:
    """Traces of a batch that may lie, some leaves replaced word by word (row -> words).

    The roots that the verifier is told are those that the traces lead to; its flows are those of ``told``.
    """
    old = encode_leaves([u.old for u in batch.updates], shape)
    new = encode_leaves([u.new for u in batch.updates], shape)
    for words, changes in ((old, old_words), (new, new_words)):
        for row, replacement in (changes or {}).items():
            words[row] = replacement
    traces = traces_from_words(batch, old, new, shape).by_name()
    c, count = update_columns(shape), len(batch.updates)
    first, last = c.old_root[0].index, c.new_root[0].index
    if count:
        told = replace(
            told or batch,
            old_root=tuple(traces["update"][first : first + 8, 0].tolist()),
            new_root=tuple(traces["update"][last : last + 8, -1].tolist()),
        )
    claim = claim_of(told or batch, HASH)
    return Forgery(traces, claim_inputs(claim), claim_terms(claim, shape), shape)


def honest(shape: StatementShape = SMALL) -> Forgery:
    return forge(sample_batch(shape), shape=shape)


def one_update(change: Callable[[Account], Account], account: int = 9, **flows: dict[int, int]) -> Batch:
    """A batch that changes one account."""
    tree = opened_tree()
    return close_batch(tree, {account: change(tree.get(account))}, **flows)


def words_of(account: Account, shape: StatementShape = SMALL) -> list[int]:
    return encode_leaves([account], shape)[0].tolist()


__all__ = [
    "EMPTY_ACCOUNT",
    "SMALL",
    "Forgery",
    "close_batch",
    "forge",
    "honest",
    "layout_of",
    "one_update",
    "opened_tree",
    "sample_batch",
    "trader",
    "words_of",
]
