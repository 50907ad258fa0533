"""Can a closed batch be proved and posted? Asked of the rooms that do it, counted from scratch."""

from __future__ import annotations

import numpy as np

from engine.exchange.config import VenueConfig, config_hash
from engine.proving.checks import check_batch
from engine.proving.parameters import LARGEST_HEIGHTS, PROFILES
from engine.proving.shape import venue_shape
from engine.proving.statement import build_statement, claim_of, claim_outputs
from engine.proving.traces import LEAST_UPDATES, update_rows
from engine.proving.witness import PermutationLog, climb_paths, encode_leaves, hash_leaves, padded_height
from engine.sequencer.batch import Batch, root_bytes
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, MAX_TRANSACTION_BYTES
from engine.settlement.relay.client import MAX_ENTRIES, StateUpdate
from engine.stark.air.layout import layout_of
from engine.stark.protocol.security import assess


def distinct_permutations(batch: Batch, config: VenueConfig) -> int:
    """Permutations that the Poseidon table needs rows for."""
    shape, log = venue_shape(config), PermutationLog()
    old, new = (
        hash_leaves(encode_leaves([getattr(u, side) for u in batch.updates], shape), shape, log)
        for side in ("old", "new")
    )
    climb_paths(batch.updates, old.digests, new.digests, shape, log)
    if not batch.updates:
        return 0
    rows = np.concatenate([part for parts in log._inputs.values() for part in parts])
    return len(np.unique(rows, axis=0))


def judge_batch(batch: Batch, config: VenueConfig) -> int:
    """Raise for a batch that cannot be proved or posted; its distinct permutations."""
    shape = venue_shape(config)
    claim = claim_of(batch, config_hash(config))
    check_batch(batch, claim, shape)
    permutations = distinct_permutations(batch, config)
    rows = padded_height(max(permutations, max(len(batch.updates), LEAST_UPDATES) * shape.tree_height))
    heights = [rows, rows, update_rows(len(batch.updates), rows, shape), shape.limb_size]
    logs = tuple(height.bit_length() - 1 for height in heights)
    assert all(height <= most for height, most in zip(logs, LARGEST_HEIGHTS, strict=True)), logs
    entries = len(batch.deposits) + len(batch.withdrawals)
    assert entries <= MAX_ENTRIES
    layout = layout_of(build_statement(shape))
    for profile in PROFILES.values():
        assert assess(layout, logs, profile.parameters, entries).proven_bits >= profile.parameters.target_bits
    update = StateUpdate(1, batch.number, root_bytes(batch.old_root), root_bytes(batch.new_root), claim_outputs(claim))
    assert len(update.data()) < MAX_TRANSACTION_BYTES - 200
    assert update.gas() <= MAX_GAS_LIMIT
    return permutations
