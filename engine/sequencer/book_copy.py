"""A private copy of a book's best levels, order by order: what a preview meets instead of the live book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.book.book import OrderBook
from engine.book.layout import MAX_LOTS
from engine.sequencer.inputs import Side
from engine.units import AccountId

ORDERS = 500
"""Orders of a side that are copied, to whole levels; a copy is made with each snapshot, on the sequencer's thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCopy:
    """Resting orders of one side in priority order: int64 arrays of one length, ``price`` in ticks.

    ``whole``: nothing rests behind them.
    """

    order_id: np.ndarray
    account: np.ndarray
    price: np.ndarray
    lots: np.ndarray
    whole: bool

    @property
    def best(self) -> int | None:
        """The price of the first, None when the side is empty."""
        return int(self.price[0]) if len(self.price) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookCopy:
    """Both sides of a book; answers as :class:`engine.book.book.OrderBook` does, as far as it reaches."""

    bids: SideCopy
    asks: SideCopy

    @property
    def best_bid(self) -> int | None:
        """Highest bid in ticks."""
        return self.bids.best

    @property
    def best_ask(self) -> int | None:
        """Lowest ask in ticks."""
        return self.asks.best

    def next_makers(
        self, side: Side, price: int | None, lots: int, account: AccountId | None, behind: int, most: int
    ) -> list[list[int]]:
        """As :meth:`engine.book.book.OrderBook.next_makers`, as far as the copy reaches."""
        rests = self.asks if side == "buy" else self.bids
        met = np.ones(len(rests.price), np.bool_) if account is None else rests.account != account
        if price is not None:
            met &= rests.price <= price if side == "buy" else rests.price >= price
        if behind:
            met[: int(np.flatnonzero(rests.order_id == behind)[0]) + 1] = False
        found = np.flatnonzero(met)[:most]
        count = min(int(np.searchsorted(np.cumsum(rests.lots[found]), lots)) + 1, len(found))
        chosen = found[:count]
        return [column[chosen].tolist() for column in (rests.order_id, rests.account, rests.price, rests.lots)]

    def accounts(self) -> set[AccountId]:
        """Everybody who rests here."""
        return set(np.concatenate([self.bids.account, self.asks.account]).tolist())

    def ends_before(self, side: Side, price: int | None) -> bool:
        """Whether a taker of unlimited lots down to ``price`` might meet more than this copy holds."""
        rests = self.asks if side == "buy" else self.bids
        if rests.whole or not len(rests.price):
            return False
        last = int(rests.price[-1])
        return price is None or (price >= last if side == "buy" else price <= last)


def copy_book(book: OrderBook, levels: int) -> BookCopy:
    """The best price levels of each side: ``levels`` or fewer, so that they hold :data:`ORDERS` or :data:`MAX_LOTS`."""
    bids, asks = book.depth(levels)
    return BookCopy(bids=_copy_side(book, "sell", bids, levels), asks=_copy_side(book, "buy", asks, levels))


def _copy_side(book: OrderBook, taker: Side, depth: np.ndarray, levels: int) -> SideCopy:
    if not len(depth):
        nothing = np.zeros(0, np.int64)
        return SideCopy(order_id=nothing, account=nothing, price=nothing, lots=nothing, whole=levels > 0)
    kept = max(1, int(np.searchsorted(np.cumsum(depth[:, 2]), ORDERS, side="right")))
    order_id, account, price, lots = book.peek_makers(taker, int(depth[:kept][-1, 0]), MAX_LOTS)
    whole = kept == len(depth) < levels and int(lots.sum()) < MAX_LOTS
    return SideCopy(order_id=order_id, account=account, price=price, lots=lots, whole=whole)
