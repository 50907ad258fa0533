"""Batches for the benches: many accounts that pay one another, a few deposits and withdrawals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.exchange.accounts import Account, Position
from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.sequencer.batch import Batch, ExternalFlow
from engine.units import MarketId

SEED = 7
LOTS, INDEX, RICH, PAID = 1 << 20, 1 << 30, 1 << 50, 1 << 38
"""Bounds of the random numbers: position, funding index, collateral, payment."""


def venue_batch(updates: int, deposits: int, withdrawals: int) -> Batch:
    """A batch that updates as many existing accounts, scattered over the tree, from a fixed seed.

    ``deposits`` and ``withdrawals`` of the accounts have such a flow; the others pay each other in pairs, one that is
    left over changes its signature index alone.
    """
    numbers = np.random.default_rng(SEED)
    tree = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets))
    ids = sorted(numbers.choice(1 << DEFAULT_CONFIG.tree_height, size=updates, replace=False).tolist())
    before = {
        i: Account(
            version=1,
            l1_address=numbers.bytes(20),
            collateral=int(numbers.integers(RICH >> 1, RICH)),
            positions=(Position(MarketId(0), int(numbers.integers(1, LOTS)), int(numbers.integers(1, INDEX))),),
        )
        for i in ids
    }
    tree.apply_batch(before)
    old_root = tree.root
    shuffled = numbers.permutation(ids).tolist()
    groups = (shuffled[:deposits], shuffled[deposits : deposits + withdrawals], shuffled[deposits + withdrawals :])
    flows, after = [], dict(before)
    for sign, members in zip((1, -1), groups[:2], strict=True):
        amounts = {i: int(numbers.integers(1, PAID)) for i in sorted(members)}
        flows.append(tuple(ExternalFlow(i, before[i].l1_address, amount) for i, amount in amounts.items()))
        after |= {i: _paid(before[i], sign * amount) for i, amount in amounts.items()}
    rest = groups[2]
    for payer, payee in zip(rest[0::2], rest[1::2], strict=False):
        amount = int(numbers.integers(1, PAID))
        after |= {payer: _paid(before[payer], -amount), payee: _paid(before[payee], amount)}
    if len(rest) % 2:
        after[rest[-1]] = replace(before[rest[-1]], next_signature_index=1)
    done, new_root = tree.apply_batch(after)
    return Batch(
        number=1,
        old_root=old_root,
        new_root=new_root,
        updates=done,
        deposits=flows[0],
        withdrawals=flows[1],
        transactions=updates,
        first_sequence=1,
        last_sequence=updates,
        opened_at=0,
        closed_at=1,
    )


def _paid(account: Account, amount: int) -> Account:
    return replace(account, collateral=account.collateral + amount)
