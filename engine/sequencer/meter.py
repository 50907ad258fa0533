"""What a batch may hold so that it can be proved and posted, and how much of that is taken.

A batch of ``n`` updates in a tree of height ``h``, whose leaves have ``b`` sponge blocks, needs at most
``n * (2b + h) + a(n)`` permutations that differ: both leaves of each update, its new path, and of the old paths each
node above the leaves once, because an update's old path is the new one of the update before it from where they meet
upwards. ``a(n)``, the most ancestors that ``n`` leaves can have, is the sum of ``min(n, 2^k)`` over ``k`` from 0 to
``h - 1``. Accounts spread over the tree that open positions need that many, less their equal blocks.

The limits are those of rooms above this one: the update table's rows and the tallest Poseidon table that parameters
are chosen for (proving), entries of an update and the verifier's public terms, gas and bytes of an L1 transaction
(settlement). Tests compare them. A batch's proof has transactions of its own: its size follows from the tables' heights
and the entries, so within these limits it has the room that the contracts were made with.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from operator import gt
from typing import NamedTuple

from engine.exchange.config import VenueConfig
from engine.exchange.leaf import leaf_blocks

MAX_UPDATES = 1 << 12
MAX_PERMUTATIONS = 1 << 17
MAX_ENTRIES = 512
MAX_QUEUE_COUNT = 128
"""Entries of L1's queue; the contract would take 512, for which a batch full of withdrawals has no gas."""
MAX_FLOW = 1 << 62
"""Quanta of one entry: half of what a proof's limbs carry, and all that the layer 2 may hold."""
MAX_CALLDATA = 128 * 1024 - 512
"""Bytes; the rest of the largest transaction is for its envelope."""
MAX_GAS = 1 << 24
MAX_MAKERS = 1 << 12
"""Resting orders that one order looks at, whether they may fill or not: bounds the work, not the batch."""

ENTRY_BYTES = 37
UPDATE_BYTES = 4 + 7 * 32
UPDATE_GAS, ENTRY_GAS, QUEUE_GAS = 150_000, 28_000, 8_000
"""Upper bounds of an update without entries, of an entry (a new owner's first withdrawal takes 25,150) and of an entry
of the queue (6,340)."""
OWN_ACCOUNTS = 3
"""Accounts that an order may touch besides its makers': its own, the fee account, the insurance account."""


class Use(NamedTuple):
    """Account updates, deposits and withdrawals, permutations of the tree; calldata bytes and gas of the update on L1.

    The last three are upper bounds.
    """

    updates: int
    entries: int
    permutations: int
    calldata: int
    gas: int


LIMITS = Use(MAX_UPDATES, MAX_ENTRIES, MAX_PERMUTATIONS, MAX_CALLDATA, MAX_GAS)


class Meter:
    """For one venue: ``tree_height`` levels, ``markets`` positions a leaf; ``limits`` are smaller only in tests.

    ``max_updates``, ``max_entries``: so many fit, whatever they are.
    """

    def __init__(self, tree_height: int, markets: int, limits: Use = LIMITS) -> None:
        self.tree_height, self.blocks, self.limits = tree_height, leaf_blocks(markets), limits
        self.max_updates = self._greatest(limits.updates, lambda n: self.use(n, 0))
        self.max_entries = self._greatest(limits.entries, lambda n: self.use(0, n))

    def use(self, updates: int, entries: int, queue_count: int = MAX_QUEUE_COUNT) -> Use:
        """What a batch of so many updates, entries and entries of the queue takes."""
        ancestors = sum(min(updates, 1 << level) for level in range(self.tree_height))
        return Use(
            updates=updates,
            entries=entries,
            permutations=updates * (2 * self.blocks + self.tree_height) + ancestors,
            calldata=UPDATE_BYTES + -(-ENTRY_BYTES * entries // 32) * 32,
            gas=UPDATE_GAS + ENTRY_GAS * entries + QUEUE_GAS * queue_count,
        )

    def _greatest(self, most: int, use: Callable[[int], Use]) -> int:
        """The greatest number up to ``most`` that stays within all limits; every part grows with the number."""
        return bisect_right(range(1, most + 1), False, key=lambda n: any(map(gt, use(n), self.limits)))

    def fits(self, updates: int, entries: int) -> bool:
        """Whether every part is within its limit."""
        return updates <= self.max_updates and entries <= self.max_entries


def meter_of(config: VenueConfig) -> Meter:
    """The meter of this venue."""
    return _meter(config.tree_height, len(config.markets))


@lru_cache(maxsize=16)
def _meter(tree_height: int, markets: int) -> Meter:
    return Meter(tree_height, markets)


def max_maker_accounts(config: VenueConfig) -> int:
    """Accounts that the makers of one order may have between them."""
    return meter_of(config).max_updates - OWN_ACCOUNTS
