"""Honest traces satisfy every constraint and balance every bus, for all kinds of batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchange.tree import AccountTree
from engine.hashing.poseidon import compress
from engine.proving.shape import StatementShape
from engine.proving.statement import public_inputs, public_terms
from engine.proving.traces import build_traces
from engine.sequencer.batch import Batch
from tests.support.proving_batches import SMALL, close_batch, judge, opened_tree, sample_batch, sample_traces, trader

HASH = bytes(range(32))


def broken(batch: Batch, shape: StatementShape = SMALL) -> set[str]:
    return judge(shape, sample_traces(batch, shape), public_inputs(batch, HASH), public_terms(batch, shape))


@pytest.mark.parametrize(
    "shape",
    [SMALL, StatementShape(1, 0, 8), StatementShape(8, 1, 9), StatementShape(3, 5, 12), StatementShape(16, 2)],
    ids=str,
)
def test_batches_of_every_shape_satisfy_the_statement(shape: StatementShape):
    tree = AccountTree(shape.tree_height, shape.max_positions, shape.limb_bits)
    top = (1 << shape.tree_height) - 1
    positions = [(k, k - 3 or 9, -k) for k in range(shape.max_positions)]
    opened = {0: trader(0, 77), top: trader(1, 5, *positions)}
    assert broken(close_batch(tree, opened, deposits={0: 80, top: 5}, withdrawals={0: 3}), shape) == set()
    moved = {0: replace(opened[0], collateral=-70), top: replace(opened[top], collateral=152, positions=())}
    assert broken(close_batch(tree, moved, number=2), shape) == set()


def test_the_sample_batch_and_an_empty_batch_hold():
    assert broken(sample_batch()) == set()
    assert broken(close_batch(opened_tree(), {})) == set()


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16])
def test_padding_at_every_boundary(count: int):
    tree = opened_tree()
    changes = {i: replace(tree.get(i), version=1, next_signature_index=i + 1) for i in range(count)}
    assert broken(close_batch(tree, changes)) == set()


LARGEST = (1 << 31) - 1


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_split_of_any_total_is_conserved(data: st.DataObject):
    """Amounts over the whole signed range, so that sums carry and borrow through every limb."""
    amount = st.integers(-LARGEST - 1, LARGEST) | st.sampled_from([-LARGEST - 1, LARGEST, 0, -1, 255, 256])
    tree = AccountTree(3, 0, 8)
    ids = sorted(data.draw(st.sets(st.integers(0, 7), min_size=2)))
    tree.apply_batch({i: trader(i, data.draw(amount)) for i in ids})
    new = {i: data.draw(amount) for i in ids}
    difference = sum(new.values()) - sum(tree.get(i).collateral for i in ids)
    flows, rest = {}, abs(difference)
    for i in ids:
        flows[i] = min(rest, LARGEST)
        rest -= flows[i]
    if rest:  # more than the accounts may deposit at once
        return
    flows = {i: n for i, n in flows.items() if n}
    kind = {"deposits" if difference > 0 else "withdrawals": flows}
    batch = close_batch(tree, {i: replace(tree.get(i), collateral=new[i]) for i in ids}, **kind)
    assert broken(batch, StatementShape(3, 0, 8)) == set()


def test_shared_permutations_take_one_row():
    batch = sample_batch()
    traces = build_traces(batch, SMALL)
    used = traces.poseidon[-2:].astype(np.int64).sum(axis=0)
    per_update = 2 * (SMALL.blocks + SMALL.tree_height)
    assert used.sum() == per_update * len(batch.updates)
    inputs = {tuple(column) for column in traces.poseidon[:16, used > 0].T.tolist()}
    assert len(inputs) == (used > 0).sum() < used.sum()


def test_path_rows_are_the_tree_s_own_nodes():
    batch = sample_batch()
    traces = build_traces(batch, SMALL)
    names = ("real", "start", "end", "level", "weight", "update", "bit", "position")
    for row in range(len(batch.updates) * SMALL.tree_height):
        cells = traces.path[:, row].tolist()
        old, new, sibling, old_parent, new_parent = (tuple(cells[8 * k : 8 * k + 8]) for k in range(1, 6))
        entry = dict(zip(names, cells[: len(names)], strict=True))
        update = batch.updates[entry["update"]]
        assert sibling == update.siblings[entry["level"]]
        pair = (lambda x, s=sibling: (s, x)) if entry["bit"] else (lambda x, s=sibling: (x, s))
        assert (compress(*pair(old)), compress(*pair(new))) == (old_parent, new_parent)
