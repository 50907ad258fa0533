"""The traces of all four tables, filled from the witness of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.exchange.leaf import ADDRESS_LIMBS, BLOCK, HEADER_WORDS, KEY_WORDS, LIMBS, POSITION_WORDS, to_limbs
from engine.field.koalabear import P
from engine.proving.shape import BUS_RANGE, StatementShape
from engine.proving.tables.leaf_columns import LeafColumns
from engine.proving.tables.path import PathColumns, path_columns
from engine.proving.tables.range import range_columns
from engine.proving.tables.update import CARRIES, FlowColumns, UpdateColumns, update_columns, update_table
from engine.proving.witness import (
    Leaves,
    Paths,
    PermutationLog,
    Words,
    climb_paths,
    encode_leaves,
    hash_leaves,
    padded_height,
)
from engine.sequencer.batch import Batch, ExternalFlow
from engine.stark.air.expression import Column
from engine.stark.air.program import Program, flatten, run
from engine.stark.runtime.workers import ALONE, Workers

Signed = NDArray[np.int64]
LEAST_UPDATES = 8
"""A smaller batch gets the tables of one of eight. The range table is far taller anyway, and of lower tables a query
opens more than the verifier contract has room for (a test has the heights)."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Canonical uint32 arrays [columns, rows]."""

    poseidon: Words
    path: Words
    update: Words
    range: Words

    def by_name(self) -> dict[str, Words]:
        """The traces as the proof system takes them."""
        return {"poseidon": self.poseidon, "path": self.path, "update": self.update, "range": self.range}


def build_traces(batch: Batch, shape: StatementShape, workers: Workers = ALONE) -> Traces:
    """Traces of a batch, honest if the batch is; nothing is checked here (see ``engine.proving.checks``)."""
    old = encode_leaves([u.old for u in batch.updates], shape)
    workers.pause()
    new = encode_leaves([u.new for u in batch.updates], shape)
    return traces_from_words(batch, old, new, shape, workers)


def traces_from_words(
    batch: Batch, old_words: Words, new_words: Words, shape: StatementShape, workers: Workers = ALONE
) -> Traces:
    """The same for leaves given as words [n, words]; the batch gives ids, siblings, flows and the old root."""
    log = PermutationLog(workers)
    updates = batch.updates
    old, new = (hash_leaves(words, shape, log) for words in (old_words, new_words))
    paths = climb_paths(updates, old.digests, new.digests, shape, log)
    poseidon = log.trace(padded_height(max(len(updates), LEAST_UPDATES) * shape.tree_height))
    workers.pause()
    rows = poseidon.shape[1]
    accounts = np.array([u.account for u in updates], dtype=np.uint32)
    update = _update_trace(batch, shape, old, new, paths, update_rows(len(updates), rows, shape))
    workers.pause()
    return Traces(poseidon, _path_trace(accounts, paths, rows), update, range_trace(update, shape))


def update_rows(count: int, hash_rows: int, shape: StatementShape) -> int:
    """Height of the update table for ``count`` updates beside Poseidon and path tables of ``hash_rows`` rows.

    FRI stops at every height that occurs. So path and Poseidon table share one, and the update table is an eighth of
    it, one fold below: fewer layers make a shorter proof, and the extra rows are cheap.
    """
    return max(padded_height(count), min(hash_rows >> 3, 1 << shape.max_log_updates))


def _fill(trace: Words, columns: Sequence[Column], values: NDArray, rows: int) -> None:
    """``values`` is [rows, columns]."""
    if columns:
        trace[columns[0].index : columns[0].index + len(columns), :rows] = values.T


def _path_trace(accounts: Words, paths: Paths, rows: int) -> Words:
    """Rows in order (update, level)."""
    c: PathColumns = path_columns()
    height, count = paths.siblings.shape[:2]
    used = height * count
    trace = np.zeros((len(c.names), rows), dtype=np.uint32)
    levels = np.tile(np.arange(height, dtype=np.uint32), count)
    ids = np.repeat(accounts, height)
    one = np.uint32(1)
    trace[c.real.index, :used] = 1
    trace[c.start.index, :used] = levels == 0
    trace[c.end.index, :used] = levels == height - 1
    trace[c.level.index, :used] = levels
    trace[c.weight.index, :used] = one << levels
    trace[c.update.index, :used] = np.repeat(np.arange(count, dtype=np.uint32), height)
    trace[c.bit.index, :used] = (ids >> levels) & one
    trace[c.position.index, :used] = ids & ((one << (levels + one)) - one)
    for columns, nodes in (
        (c.old, paths.old[:-1]),
        (c.new, paths.new[:-1]),
        (c.sibling, paths.siblings),
        (c.old_parent, paths.old[1:]),
        (c.new_parent, paths.new[1:]),
    ):
        _fill(trace, columns, nodes.transpose(1, 0, 2).reshape(used, BLOCK), used)
    return trace


def _update_trace(batch: Batch, shape: StatementShape, old: Leaves, new: Leaves, paths: Paths, rows: int) -> Words:
    c = update_columns(shape)
    count = len(batch.updates)
    trace = np.zeros((len(c.names), rows), dtype=np.uint32)
    accounts = np.array([u.account for u in batch.updates], dtype=np.int64)
    trace[c.index.index] = np.arange(trace.shape[1])
    if count:
        trace[c.real.index, :count] = 1
        trace[c.account.index, :count] = accounts
        trace[c.gap.index, 1:count] = (np.diff(accounts) - 1) % P
        trace[c.old_present.index, :count] = old.words.any(axis=1)
        owner = new.words[:, 2 : 2 + KEY_WORDS + ADDRESS_LIMBS]
        _fill(trace, (*c.key, *c.address), owner, count)
        _fill_leaf(trace, c.old, old, shape)
        _fill_leaf(trace, c.new, new, shape)
        _fill_inverses(trace, c, count)
        _fill(trace, c.old_root, paths.old[-1], count)
    _fill_roots(trace, c, batch, paths, count)
    for flow_columns, flows in ((c.deposit, batch.deposits), (c.withdrawal, batch.withdrawals)):
        _fill_flows(trace, flow_columns, flows, accounts, shape)
    fill_sums(trace, c, shape)
    return trace


def _fill_leaf(trace: Words, c: LeafColumns, leaves: Leaves, shape: StatementShape) -> None:
    count = len(leaves.words)
    words = leaves.words
    _fill(trace, c.signature_index, words[:, HEADER_WORDS - 2 * LIMBS : HEADER_WORDS - LIMBS], count)
    _fill(trace, c.collateral, words[:, HEADER_WORDS - LIMBS : HEADER_WORDS], count)
    trace[c.sign.index, :count] = words[:, HEADER_WORDS - 1] >> (shape.limb_bits - 1)
    used = (words[:, 0].astype(np.int64) - (HEADER_WORDS - 1)) // POSITION_WORDS
    for k, slot in enumerate(c.slots):
        start = HEADER_WORDS + POSITION_WORDS * k
        trace[slot.used.index, :count] = used > k
        _fill(trace, slot.words, words[:, start : start + POSITION_WORDS], count)
    for columns, values in zip(c.capacities, leaves.capacities.transpose(1, 0, 2), strict=True):
        _fill(trace, columns, values, count)
    _fill(trace, c.digest, leaves.digests, count)


def _fill_inverses(trace: Words, c: UpdateColumns, count: int) -> None:
    for slot, inverse in zip(c.new.slots, c.inverses, strict=True):
        limbs = trace[slot.size[0].index : slot.size[0].index + LIMBS, :count]
        sums = limbs.astype(np.int64).sum(axis=0).tolist()
        trace[inverse.index, :count] = [pow(value, -1, P) if value % P else 0 for value in sums]


def _fill_roots(trace: Words, c: UpdateColumns, batch: Batch, paths: Paths, count: int) -> None:
    """Padding rows keep the last root on both sides."""
    last = paths.new[-1, -1] if count else np.array(batch.old_root, dtype=np.uint32)
    _fill(trace, c.new_root, paths.new[-1], count)
    for columns in (c.old_root, c.new_root):
        trace[columns[0].index : columns[0].index + BLOCK, count:] = last[:, None]


def _fill_flows(
    trace: Words, c: FlowColumns, flows: Sequence[ExternalFlow], accounts: Signed, shape: StatementShape
) -> None:
    rows = {int(account): row for row, account in enumerate(accounts)}
    for flow in flows:
        row = rows[flow.account]
        trace[c.flag.index, row] = 1
        limbs = to_limbs("amount", flow.amount, signed=False, limb_bits=shape.limb_bits)
        for column, limb in zip(c.amount, limbs, strict=True):
            trace[column.index, row] = limb


def fill_sums(trace: Words, c: UpdateColumns, shape: StatementShape) -> None:
    """Running sums from the rows' limbs, and the carries of the last row."""

    def values(columns: Sequence[Column]) -> Signed:
        return trace[[column.index for column in columns]].astype(np.int64)

    changes = values(c.new.collateral) - values(c.old.collateral)
    sums = np.cumsum(changes - values(c.deposit.amount) + values(c.withdrawal.amount), axis=1)
    signs = np.cumsum(values([c.new.sign]) - values([c.old.sign]), axis=1)
    trace[[column.index for column in c.sums]] = sums % P
    trace[c.sign_sum.index] = signs[0] % P
    carry = 0
    for i in range(CARRIES):
        carry = (int(sums[i, -1]) + carry) >> shape.limb_bits
        trace[c.carries[i].index, -1] = carry % P


@lru_cache(maxsize=8)
def _range_program(shape: StatementShape) -> Program:
    """Multiplicity and value of each range check of the update table, in turn."""
    checks = [item for item in update_table(shape).interactions if item.bus == BUS_RANGE]
    return flatten(part for item in checks for part in (item.multiplicity, *item.values))


def range_trace(update: Words, shape: StatementShape) -> Words:
    """Counts how often the update table looks up each limb; values that are no limbs are left out."""
    rows = update.shape[1]
    modulus = np.uint64(P)
    wide = update.astype(np.uint64)
    results = run(
        _range_program(shape),
        constant=lambda value: np.full(rows, value, dtype=np.uint64),
        column=lambda index, offset: np.roll(wide[index], -offset),
        public=lambda index: np.zeros(rows, dtype=np.uint64),
        operations=(
            lambda a, b: (a + b) % modulus,
            lambda a, b: (a + modulus - b) % modulus,
            lambda a, b: a * b % modulus,
        ),
    )
    counts = np.zeros(shape.limb_size, dtype=np.int64)
    for multiplicity, value in zip(results[::2], results[1::2], strict=True):
        inside = value < shape.limb_size
        np.add.at(counts, value[inside].astype(np.int64), multiplicity[inside].astype(np.int64))
    c = range_columns()
    trace = np.zeros((len(c.names), shape.limb_size), dtype=np.uint32)
    trace[c.value.index] = np.arange(shape.limb_size)
    trace[c.multiplicity.index] = counts % P
    return trace
