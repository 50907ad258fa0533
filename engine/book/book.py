""":class:`OrderBook`: one market's book over the matching kernel, with typed errors and plain results.

Not thread safe: one thread (the sequencer's) owns a book; others get copies through snapshots.
"""

from __future__ import annotations

import hashlib

import numpy as np

from engine.book import codec, kernel, layout, pools, queries
from engine.book.layout import (
    BUY,
    CANCEL,
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
from engine.errors import CorruptData, UnknownName, check_range

SIDES: tuple[Side, Side] = ("buy", "sell")
REASONS: dict[int, Reason] = {
    layout.NONE: "",
    layout.IOC: "ioc",
    layout.POST_ONLY: "post_only",
    layout.LIMIT: "limit",
}


def side_code(side: str) -> int:
    """0 for buy, 1 for sell; :class:`UnknownName` otherwise."""
    if side == "buy":
        return BUY
    if side == "sell":
        return SELL
    raise UnknownName("side", side, list(SIDES))


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
        self.fills = np.zeros(2048 * ROW, np.int64)
        self.gone = np.zeros(2048 * ROW, np.int64)

    # -- changing the book

    def place(
        self,
        order_id: int,
        account: int,
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
        code = side_code(side)
        check_range("order_id", order_id, 1, MAX_ID)
        check_range("account", account, 0, MAX_ACCOUNT)
        check_range("lots", lots, 1, MAX_LOTS)
        if not market:
            check_range("price", price, 1, MAX_PRICE)
        if post_only and (market or ioc):
            raise ConflictingOrder(
                "a post-only order can be neither market nor immediate-or-cancel", field="post_only", value=True
            )
        limit = lots if limit_lots is None else check_range("limit_lots", limit_lots, 0, MAX_LOTS)
        if order_id <= self.last_order_id:
            raise StaleOrderId(
                f"order id {order_id} is not above {self.last_order_id}, the last one of this book",
                field="order_id",
                value=order_id,
                limit=self.last_order_id,
            )
        flags = FLAG_MARKET * market | FLAG_IOC * ioc | FLAG_POST_ONLY * post_only
        self._operation[:] = (PLACE, order_id, account, code, lots, price, flags, limit)
        self._run_one()
        reason, filled, rested, cancelled, _, fill_count, _, gone_count = self._result.tolist()
        return PlaceResult(
            self._fill_tuples(fill_count), self._removed(gone_count), filled, rested, cancelled, REASONS[reason]
        )

    def cancel(self, order_id: int) -> int | None:
        """Take an order off the book; the lots it still had, None when it does not rest."""
        self._operation[:] = (CANCEL, check_range("order_id", order_id, 1, MAX_ID), 0, 0, 0, 0, 0, 0)
        self._run_one()
        return int(self._result[layout.R_CANCELLED]) or None

    def cancel_account(self, account: int) -> tuple[int, ...]:
        """Take all orders of an account off the book; their ids, oldest first."""
        self._operation[:] = (CANCEL_ACCOUNT, 0, check_range("account", account, 0, MAX_ACCOUNT), 0, 0, 0, 0, 0)
        self._run_one()
        count = int(self._result[layout.R_GONE_COUNT])
        return tuple(self.gone[layout.G_ID : count * ROW : ROW].tolist())

    def run(self, operations: np.ndarray, results: np.ndarray, first: int, last: int) -> int:
        """Apply rows ``first .. last - 1`` of a flat operations array (layout.P_*); the first row not applied.

        Fills and removed orders of this call are in ``self.fills`` and ``self.gone`` from row 0 on, where each result
        row (layout.R_*) points. After an early return (memory has grown, or the outputs are full) read the outputs and
        call again. Rows are trusted: ranges are not checked here.
        """
        if len(self.fills) < 2 * ROW * (self.count + 1):
            rows = 4 * ROW * (self.count + 1)
            self.fills, self.gone = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        done = kernel.execute(self._arena, operations, first, last, self.fills, self.gone, results)
        if done < last:
            self._make_room(int(operations[done * ROW + layout.P_ACCOUNT]))
        return done

    def _run_one(self) -> None:
        while self.run(self._operation, self._result, 0, 1) == 0:
            pass  # each early return enlarged what was short, or raised

    def _make_room(self, account: int) -> None:
        """Enlarge what the kernel stopped for."""
        stop = int(self._arena[layout.H_STOP])
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
        if not count:
            return ()
        rows = self.fills[: count * ROW].reshape(count, ROW)
        columns = (layout.F_MAKER, layout.F_MAKER_ACCOUNT, layout.F_PRICE, layout.F_LOTS, layout.F_MAKER_LEFT)
        return tuple(BookFill(*row) for row in rows[:, columns].tolist())

    def _removed(self, count: int) -> tuple[RemovedOrder, ...]:
        rows = self.gone[: count * ROW].reshape(count, ROW).tolist()
        return tuple(
            RemovedOrder(order_id, account, SIDES[side], price, lots, after)
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

    def walk(self, side: Side, lots: int, price: int | None = None, account: int | None = None) -> Walk:
        """What a taker of ``lots`` would get now (down to limit ``price``), orders of ``account`` passed over."""
        self._walk(side, lots, price, account, self._scratch[:0])
        return Walk(*self._totals.tolist())

    def peek_makers(
        self, side: Side, price: int | None, lots: int, account: int | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The makers such a taker would match, in order: int64 arrays order id, account, price, lots (taken)."""
        out = self._room(4 * self.count)
        rows = self._walk(side, lots, price, account, out)
        table = out[: 4 * rows].reshape(rows, 4)
        return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy(), table[:, 3].copy()

    def _walk(self, side: Side, lots: int, price: int | None, account: int | None, out: np.ndarray) -> int:
        code = side_code(side)
        check_range("lots", lots, 1, MAX_LOTS)
        if price is None:
            limit = MAX_PRICE if code == BUY else 1
        else:
            limit = check_range("price", price, 1, MAX_PRICE)
        own = -1 if account is None else account
        return int(queries.walk(self._arena, code, lots, limit, own, out, self._totals))

    def lots_ahead(self, order_id: int) -> int | None:
        """Lots with time priority over this order at its price, None when it does not rest."""
        lots = int(queries.lots_ahead(self._arena, order_id))
        return None if lots < 0 else lots

    def find(self, order_id: int) -> tuple[int, BookOrder] | None:
        """Account and state of a resting order, None when it does not rest."""
        out = self._room(4)
        if not queries.find(self._arena, order_id, out):
            return None
        account, side, price, lots = out.tolist()
        return account, BookOrder(order_id, SIDES[side], price, lots)

    def orders_of(self, account: int) -> list[BookOrder]:
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
