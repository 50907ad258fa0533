"""A stream of operations that any price-time book can replay, to hold other engines beside this one.

It is the bench's own workload, rewritten before it is applied so that only what all engines have in common remains and
each operation has one right outcome: buyers get even accounts and sellers odd ones (no self-trade); a post-only order
is a plain one where it would rest and is left out where it would be refused; a whole-account cancel becomes a cancel
of one order; a market order carries a limit that no resting order is beyond. Cancels of orders that no longer rest
stay.

File: int64, little-endian, rows of eight. Row 0: magic, rows after it, warm-up rows among them (not timed), greatest
id, least and greatest price of a limit order, fills and lots of the timed rows. Then one row an operation: kind (0
place, 1 cancel), id, account, side (0 buy, 1 sell), lots, price, type (0 limit, 1 immediate-or-cancel limit, 2
market), 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.book.book import SIDES, OrderBook
from engine.book.layout import BUY, CANCEL_ACCOUNT, FLAG_IOC, FLAG_MARKET, FLAG_POST_ONLY, PLACE, ROW, SELL
from engine.book.results import BookFill
from engine.book.workload import BLOCK, DEPTH, START_PRICE, generate, seeded
from engine.errors import check_range
from engine.units import AccountId, OrderId

MAGIC = 0x424F4F4B
LIMIT, IOC, MARKET = range(3)
MARKET_PRICES = (2_000_000, 1)  # by side; all limit prices of the workload lie between them
_WORD = (1 << 64) - 1

Row = tuple[int, int, int, int, int, int, int, int]


class Sums(NamedTuple):
    """What every engine must find alike on the timed rows.

    ``notional`` is the sum of price x lots, ``check`` that of (31 maker id + 17 taker id + price) x lots, modulo 2^64.
    """

    fills: int
    lots: int
    notional: int
    check: int

    @classmethod
    def of(cls, fills: int, lots: int, notional: int, check: int) -> Sums:
        """The sums, reduced."""
        return cls(fills, lots, notional & _WORD, check & _WORD)


class Stream(NamedTuple):
    """``rows`` (n, 8) int64 as in the file, the first ``warm_up`` of them not timed, and the timed rows' ``sums``."""

    rows: np.ndarray
    warm_up: int
    sums: Sums

    def save(self, path: Path) -> None:
        """Write the file described above."""
        limit = self.rows[(self.rows[:, 0] == PLACE) & (self.rows[:, 6] == LIMIT), 5]
        head = (MAGIC, len(self.rows), self.warm_up, self.rows[:, 1].max(), limit.min(), limit.max(), *self.sums[:2])
        np.vstack([np.array([head], np.int64), self.rows]).astype("<i8").tofile(path)


def build(operations: int, seed: int = 1, depth: int = DEPTH) -> Stream:
    """A stream with ``operations`` timed rows, after the 4 x ``depth`` that fill the book."""
    check_range("operations", operations, 1, 10_000_000)
    warm_up = 4 * depth
    book, state, block = OrderBook(), seeded(seed), np.zeros(BLOCK * ROW, np.int64)
    rows: list[Row] = []
    fills: list[tuple[int, BookFill]] = []
    while len(rows) < warm_up + operations:
        bid, ask = book.best_bid or START_PRICE - 1, book.best_ask or START_PRICE + 1
        generate(book.order_pool, bid, ask, book.count, depth, state, block)
        for operation in block.reshape(-1, ROW).tolist():
            row = _common(book, operation)
            if row is not None and len(rows) < warm_up + operations:
                found = [(row[1], fill) for fill in _apply(book, row)]
                fills += found if len(rows) >= warm_up else []
                rows.append(row)
    return Stream(np.array(rows, np.int64), warm_up, _sums(fills))


def _common(book: OrderBook, operation: list[int]) -> Row | None:
    """An operation of the workload (layout.P_*) as a row that all engines understand; None: left out."""
    kind, order_id, account, side, lots, price, flags, _ = operation
    if kind == CANCEL_ACCOUNT:
        orders = book.orders_of(AccountId(account))
        return (1, orders[0].order_id, 0, 0, 0, 0, 0, 0) if orders else None
    if kind != PLACE:
        return 1, order_id, 0, 0, 0, 0, 0, 0
    if flags & FLAG_POST_ONLY and book.walk(SIDES[side], 1, price).lots:
        return None
    order_type = LIMIT
    if flags & FLAG_MARKET:
        order_type, price = MARKET, MARKET_PRICES[side]
    elif flags & FLAG_IOC:
        order_type = IOC
    elif not MARKET_PRICES[SELL] < price < MARKET_PRICES[BUY]:
        return None
    return 0, order_id, account & ~1 | side, side, lots, price, order_type, 0


def _apply(book: OrderBook, row: Row) -> tuple[BookFill, ...]:
    """Do a row; its fills."""
    kind, order_id, account, side, lots, price, order_type, _ = row
    if kind:
        book.cancel(OrderId(order_id))
        return ()
    market, ioc = order_type == MARKET, order_type == IOC
    return book.place(OrderId(order_id), AccountId(account), SIDES[side], lots, price, market=market, ioc=ioc).fills


def _sums(fills: list[tuple[int, BookFill]]) -> Sums:
    """Over fills with their takers' order ids."""
    return Sums.of(
        len(fills),
        sum(fill.lots for _, fill in fills),
        sum(fill.price * fill.lots for _, fill in fills),
        sum((31 * fill.maker_order + 17 * taker + fill.price) * fill.lots for taker, fill in fills),
    )
