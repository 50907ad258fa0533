""":class:`OrderBook`: one market's book over the matching kernel, with typed errors and plain results.

Not thread safe: one thread (the sequencer's) owns a book; others get copies through snapshots.
"""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Callable
from typing import NoReturn

import numpy as np
from numba import types

from engine.book import codec, kernel, layout, pools, queries
from engine.book.layout import (
    BUY,
    CANCEL_ACCOUNT,
    FLAG_IOC,
    FLAG_MARKET,
    FLAG_POST_ONLY,
    MAX_ACCOUNT,
    MAX_ID,
    MAX_LOTS,
    MAX_ORDERS,
    MAX_PRICE,
    PLACE,
    ROW,
    SELL,
)
from engine.book.results import (
    BookFill,
    BookFull,
    BookOrder,
    ConflictingOrder,
    PlaceResult,
    Reason,
    RemovedOrder,
    Side,
    StaleOrderId,
    Walk,
)
from engine.errors import CorruptData, OutOfRange, UnknownName, check_range
from engine.units import AccountId, OrderId

SIDES: tuple[Side, Side] = ("buy", "sell")
REASONS: dict[int, Reason] = {
    layout.NONE: "",
    layout.IOC: "ioc",
    layout.POST_ONLY: "post_only",
    layout.LIMIT: "limit",
}


_FILL = struct.Struct("=4q24xq")  # F_MAKER, F_MAKER_ACCOUNT, F_PRICE, F_LOTS, then F_MAKER_LEFT: a BookFill
_tuple = tuple.__new__  # _tuple(BookFill, row) takes half the time of BookFill(*row)


@functools.cache
def _entries() -> tuple[Callable[..., tuple[int, ...]], Callable[..., int], Callable[..., int]]:
    """The kernel entries place, cancel, reduce, as compiled for int64: no choice by argument types, half the time."""
    array, word = types.int64[::1], types.int64
    return (
        kernel.place_one.compile((array, array, *[word] * 7)),
        kernel.cancel_one.compile((array, word)),
        kernel.reduce_one.compile((array, word, word)),
    )


def side_code(side: str) -> int:
    """0 for buy, 1 for sell; :class:`UnknownName` otherwise."""
    if side == "buy":
        return BUY
    if side == "sell":
        return SELL
    raise UnknownName("side", side, list(SIDES))


def _refuse(order_id: OrderId, account: AccountId, lots: int, price: int, flags: int, limit: int) -> NoReturn:
    """Say what is wrong with an order that :meth:`OrderBook.place` found wrong somewhere."""
    check_range("order_id", order_id, 1, MAX_ID)
    check_range("account", account, 0, MAX_ACCOUNT)
    check_range("lots", lots, 1, MAX_LOTS)
    check_range("price", price, 1, MAX_PRICE)
    if flags > FLAG_POST_ONLY:
        raise ConflictingOrder(
            "a post-only order can be neither market nor immediate-or-cancel", field="post_only", value=True
        )
    raise OutOfRange("limit_lots", limit, 0, MAX_LOTS)


class OrderBook:
    """A price-time-priority book.

    Prices are ticks in [1, 2^32], sizes lots in [1, 2^30], accounts [0, 2^20), order ids in [1, 2^62] and strictly
    growing. Memory grows with use: about 200 bytes an order and at most 2,600 bytes a far-off price. More than
    ``max_orders`` resting orders are refused with :class:`BookFull`.
    """

    def __init__(self, max_orders: int = MAX_ORDERS) -> None:
        self.max_orders = check_range("max_orders", max_orders, 1, 1 << 24)
        self._arena = layout.allocate(self.max_orders)
        self._operation = np.zeros(ROW, np.int64)
        self._result = np.zeros(ROW, np.int64)
        self._scratch = np.zeros(256, np.int64)
        self._totals = np.zeros(3, np.int64)
        self._place_one, self._cancel_one, self._reduce_one = _entries()
        self._set_outputs(2048)

    def _set_outputs(self, rows: int) -> None:
        """Room for so many fills and as many removed orders: the halves of one array."""
        self._outputs = np.zeros(2 * rows * ROW, np.int64)
        self.fills, self.gone = self._outputs[: rows * ROW], self._outputs[rows * ROW :]
        self._fill_bytes = self.fills.data.cast("B")

    # -- changing the book

    def place(
        self,
        order_id: OrderId,
        account: AccountId,
        side: Side,
        lots: int,
        price: int = 0,
        *,
        market: bool = False,
        ioc: bool = False,
        post_only: bool = False,
        limit_lots: int | None = None,
    ) -> PlaceResult:
        """Match a new order, then rest what is left (limit, not ``ioc``) or cancel it.

        At most ``limit_lots`` of it may trade and rest together; the others are cancelled with reason "limit".
        ``market`` ignores ``price`` and never rests. Raises OutOfRange, UnknownName, ConflictingOrder, StaleOrderId,
        BookFull; then the book is unchanged.
        """
        code = BUY if side == "buy" else side_code(side)
        limit = lots if limit_lots is None else limit_lots
        if market or ioc or post_only:
            flags = FLAG_MARKET * market | FLAG_IOC * ioc | FLAG_POST_ONLY * post_only
            price = 1 if market else price
        else:
            flags = 0
        if not (
            0 < order_id <= MAX_ID
            and 0 <= account <= MAX_ACCOUNT
            and 0 < lots <= MAX_LOTS
            and 0 < price <= MAX_PRICE
            and flags <= FLAG_POST_ONLY
            and 0 <= limit <= MAX_LOTS
        ):
            _refuse(order_id, account, lots, price, flags, limit)
        while True:
            reason, filled, rested, cancelled, fill_count, gone_count = self._place_one(
                self._arena, self._outputs, order_id, account, code, lots, price, flags, limit
            )
            if reason >= 0:
                break
            if reason == -layout.STOP_OUTPUT:
                self._set_outputs(4 * (self.count + 1))
            else:
                self._make_room(-reason, account)
        if reason == layout.STALE_ID:
            raise StaleOrderId(
                f"order id {order_id} is not above {self.last_order_id}, the last one of this book",
                field="order_id",
                value=order_id,
                limit=self.last_order_id,
            )
        return PlaceResult(
            self._fill_tuples(fill_count) if fill_count else (),
            self._removed(gone_count) if gone_count else (),
            filled,
            rested,
            cancelled,
            REASONS[reason] if reason else "",
        )

    def cancel(self, order_id: OrderId) -> int | None:
        """Take an order off the book; the lots it still had, None when it does not rest."""
        if not 0 < order_id <= MAX_ID:
            check_range("order_id", order_id, 1, MAX_ID)
        return self._cancel_one(self._arena, order_id) or None

    def reduce(self, order_id: OrderId, lots: int) -> int | None:
        """Cut a resting order to ``lots`` (1 or more), keeping its time priority.

        The lots taken off, 0 when it has no more than that, None when it does not rest. Raises OutOfRange.
        """
        check_range("order_id", order_id, 1, MAX_ID)
        taken = self._reduce_one(self._arena, order_id, check_range("lots", lots, 1, MAX_LOTS))
        return None if taken < 0 else taken

    def cancel_account(self, account: AccountId) -> tuple[int, ...]:
        """Take all orders of an account off the book; their ids, oldest first."""
        self._operation[:] = (CANCEL_ACCOUNT, 0, check_range("account", account, 0, MAX_ACCOUNT), 0, 0, 0, 0, 0)
        while self.run(self._operation, self._result, 0, 1) == 0:
            pass  # each early return enlarged what was short, or raised
        count = int(self._result[layout.R_GONE_COUNT])
        return tuple(self.gone[layout.G_ID : count * ROW : ROW].tolist())

    def run(self, operations: np.ndarray, results: np.ndarray, first: int, last: int) -> int:
        """Apply rows ``first .. last - 1`` of a flat operations array (layout.P_*); the first row not applied.

        Fills and removed orders of this call are in ``self.fills`` and ``self.gone`` from row 0 on, where each result
        row (layout.R_*) points. After an early return (memory has grown, or the outputs are full) read the outputs and
        call again. Rows are trusted: ranges are not checked here.
        """
        if len(self.fills) < 2 * ROW * (self.count + 1):
            self._set_outputs(4 * (self.count + 1))
        done = kernel.execute(self._arena, operations, first, last, self.fills, self.gone, results)
        if done < last:
            self._make_room(int(self._arena[layout.H_STOP]), AccountId(int(operations[done * ROW + layout.P_ACCOUNT])))
        return done

    def _make_room(self, stop: int, account: AccountId) -> None:
        """Enlarge what the kernel stopped for."""
        if stop == layout.STOP_NODES:
            self._arena = layout.enlarged(self._arena, nodes=True)
        elif stop == layout.STOP_ACCOUNTS:
            self._arena = layout.enlarged(self._arena, account=check_range("account", account, 0, MAX_ACCOUNT))
        elif stop == layout.STOP_ORDERS and self.count < self.max_orders:
            self._arena = layout.enlarged(self._arena, orders=True)
            pools.rebuild_table(self._arena)
        elif stop == layout.STOP_ORDERS:
            raise BookFull(f"the book is full: {self.max_orders} orders rest", field="orders", limit=self.max_orders)

    def _fill_tuples(self, count: int) -> tuple[BookFill, ...]:
        unpack, data = _FILL.unpack_from, self._fill_bytes
        return tuple([_tuple(BookFill, unpack(data, at)) for at in range(0, count * _FILL.size, _FILL.size)])

    def _removed(self, count: int) -> tuple[RemovedOrder, ...]:
        rows = self.gone[: count * ROW].reshape(count, ROW).tolist()
        return tuple(
            RemovedOrder(OrderId(order_id), AccountId(account), SIDES[side], price, lots, after)
            for order_id, account, side, price, lots, _, after, _ in rows
        )

    # -- looking at it

    @property
    def count(self) -> int:
        """Resting orders."""
        return int(self._arena[layout.H_COUNT])

    @property
    def order_pool(self) -> np.ndarray:
        """The live order rows (layout.O_*), for the workload generator; not a copy, not to be written."""
        return layout.regions(self._arena).orders

    @property
    def last_order_id(self) -> int:
        """The greatest order id placed so far, 0 before the first."""
        return int(self._arena[layout.H_LAST_ID])

    def _best(self, side: int) -> int | None:
        level = int(self._arena[layout.H_BEST + side])
        return int(self._arena[self._arena[layout.H_LEVELS] + level * ROW + layout.L_PRICE]) if level else None

    @property
    def best_bid(self) -> int | None:
        """Highest bid in ticks, None on an empty side."""
        return self._best(BUY)

    @property
    def best_ask(self) -> int | None:
        """Lowest ask in ticks, None on an empty side."""
        return self._best(SELL)

    def uncrossed(self) -> bool:
        """Whether every bid is below every ask (always, unless the book is broken)."""
        bid, ask = self.best_bid, self.best_ask
        return bid is None or ask is None or bid < ask

    def _room(self, values: int) -> np.ndarray:
        if len(self._scratch) < values:
            self._scratch = np.zeros(2 * values, np.int64)
        return self._scratch[:values]

    def depth(self, levels: int) -> tuple[np.ndarray, np.ndarray]:
        """Best ``levels`` bids and asks: two int64 arrays of shape (n, 3), columns price, lots, orders."""
        out = self._room(3 * check_range("levels", levels, 0, 1 << 20))
        sides = []
        for side in (BUY, SELL):
            rows = queries.depth(self._arena, side, out)
            sides.append(out[: 3 * rows].reshape(rows, 3).copy())
        return sides[0], sides[1]

    def walk(self, side: Side, lots: int, price: int | None = None, account: AccountId | None = None) -> Walk:
        """What a taker of ``lots`` would get now (down to limit ``price``), orders of ``account`` passed over."""
        self._walk(side, lots, price, account, self._scratch[:0])
        return Walk(*self._totals.tolist())

    def peek_makers(
        self, side: Side, price: int | None, lots: int, account: AccountId | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The makers such a taker would match, in order: int64 arrays order id, account, price, lots (taken)."""
        out = self._room(4 * self.count)
        rows = self._walk(side, lots, price, account, out)
        table = out[: 4 * rows].reshape(rows, 4)
        return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy(), table[:, 3].copy()

    def next_makers(
        self, side: Side, price: int | None, lots: int, account: AccountId | None, behind: int, most: int
    ) -> list[list[int]]:
        """Makers that such a taker would reach, in order: lists of order id, account, price, lots that rest.

        As many as hold ``lots`` together, at most ``most``, from the one after order ``behind`` on (0: from the best).
        ``ValueError`` when ``behind`` does not rest.
        """
        code, limit, own = self._reach(side, price, lots, account)
        out = self._room(4 * most)
        rows = queries.makers_behind(self._arena, code, lots, limit, own, behind, out)
        if rows < 0:
            raise ValueError(f"order {behind} does not rest")
        found = out[: 4 * rows].tolist()
        return [found[0::4], found[1::4], found[2::4], found[3::4]]

    def _reach(self, side: Side, price: int | None, lots: int, account: AccountId | None) -> tuple[int, int, int]:
        """Code of the side, worst price and passed-over account of a taker."""
        code = BUY if side == "buy" else side_code(side)
        if not 0 < lots <= MAX_LOTS:
            check_range("lots", lots, 1, MAX_LOTS)
        if price is None:
            price = MAX_PRICE if code == BUY else 1
        elif not 0 < price <= MAX_PRICE:
            check_range("price", price, 1, MAX_PRICE)
        return code, price, -1 if account is None else account

    def _walk(self, side: Side, lots: int, price: int | None, account: AccountId | None, out: np.ndarray) -> int:
        code, limit, own = self._reach(side, price, lots, account)
        return int(queries.walk(self._arena, code, lots, limit, own, out, self._totals))

    def lots_ahead(self, order_id: OrderId) -> int | None:
        """Lots with time priority over this order at its price, None when it does not rest."""
        lots = int(queries.lots_ahead(self._arena, order_id))
        return None if lots < 0 else lots

    def find(self, order_id: OrderId) -> tuple[int, BookOrder] | None:
        """Account and state of a resting order, None when it does not rest."""
        out = self._room(4)
        if not queries.find(self._arena, order_id, out):
            return None
        account, side, price, lots = out.tolist()
        return account, BookOrder(order_id, SIDES[side], price, lots)

    def orders_of(self, account: AccountId) -> list[BookOrder]:
        """Resting orders of an account, oldest first."""
        if not 0 <= account < self._arena[layout.H_ACCOUNT_ROOM]:
            return []
        out = self._room(4 * self.count)
        rows = queries.orders_of(self._arena, account, out)
        return [BookOrder(i, SIDES[s], p, q) for i, s, p, q in out[: 4 * rows].reshape(rows, 4).tolist()]

    # -- checkpoints

    def _columns(self) -> np.ndarray:
        """Resting orders by ascending id: int64 (5, n), rows id, account, side, price, lots."""
        view = layout.regions(self._arena)
        orders = view.orders.reshape(-1, ROW)
        orders = orders[orders[:, layout.O_ID] != 0]
        orders = orders[np.argsort(orders[:, layout.O_ID])]
        levels = view.levels.reshape(-1, ROW)[orders[:, layout.O_LEVEL]]
        return np.stack(
            [
                orders[:, layout.O_ID],
                orders[:, layout.O_ACCOUNT],
                levels[:, layout.L_SIDE],
                levels[:, layout.L_PRICE],
                orders[:, layout.O_LOTS],
            ]
        )

    def dump(self) -> bytes:
        """Canonical bytes: equal books (orders, time priority, last id) have equal dumps."""
        return codec.encode(self.last_order_id, self._columns())

    def digest(self) -> bytes:
        """SHA-256 of :meth:`dump`."""
        return hashlib.sha256(self.dump()).digest()

    @classmethod
    def load(cls, data: bytes, max_orders: int = MAX_ORDERS) -> OrderBook:
        """The book of a dump; :class:`CorruptData` when the bytes are not one."""
        last_id, columns = codec.decode(data)
        book = cls(max_orders)
        count = columns.shape[1]
        if count > max_orders:
            raise CorruptData("book dump holds too many orders", field="count", value=count, limit=max_orders)
        operations = np.zeros((count, ROW), np.int64)
        operations[:, layout.P_KIND] = PLACE
        for source, target in enumerate((layout.P_ID, layout.P_ACCOUNT, layout.P_SIDE, layout.P_PRICE, layout.P_LOTS)):
            operations[:, target] = columns[source]
        operations[:, layout.P_FLAGS] = FLAG_POST_ONLY
        operations[:, layout.P_LIMIT] = MAX_LOTS
        results = np.zeros(count * ROW, np.int64)
        done = 0
        while done < count:
            done = book.run(operations.reshape(-1), results, done, count)
        if book.count != count:
            raise CorruptData("book dump is crossed: bids reach asks", field="prices")
        book._arena[layout.H_LAST_ID] = last_id
        return book
