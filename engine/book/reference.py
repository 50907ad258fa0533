"""A slow, plain order book that says what :class:`engine.book.book.OrderBook` must do. For tests and checks only."""

from __future__ import annotations

from dataclasses import dataclass

from engine.book.results import BookFill, BookOrder, PlaceResult, Reason, RemovedOrder, Side, Walk
from engine.units import AccountId, OrderId


@dataclass(slots=True)
class _Resting:
    order_id: OrderId
    account: AccountId
    side: Side
    price: int
    lots: int


class ReferenceBook:
    """Lists per price in arrival order; the best price is searched each time. Arguments are not checked."""

    def __init__(self) -> None:
        self.orders: dict[int, _Resting] = {}
        self.levels: dict[Side, dict[int, list[_Resting]]] = {"buy": {}, "sell": {}}
        self.last_order_id = 0

    def _best(self, side: Side) -> int | None:
        prices = self.levels[side]
        if not prices:
            return None
        return max(prices) if side == "buy" else min(prices)

    def _reached(self, side: Side, price: int | None) -> int | None:
        """The best price of the other side, if a taker of ``side`` with limit ``price`` (None: market) reaches it."""
        best = self._best("sell" if side == "buy" else "buy")
        if best is None or price is None:
            return best
        reached = best <= price if side == "buy" else best >= price
        return best if reached else None

    def _remove(self, order: _Resting) -> None:
        queue = self.levels[order.side][order.price]
        queue.remove(order)
        if not queue:
            del self.levels[order.side][order.price]
        del self.orders[order.order_id]

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
        """See OrderBook.place."""
        assert order_id > self.last_order_id
        self.last_order_id = order_id
        limit_price = None if market else price
        if post_only and self._reached(side, limit_price) is not None:
            return PlaceResult((), (), 0, 0, lots, "post_only")
        allowed = lots if limit_lots is None else min(lots, limit_lots)
        fills, removed = self._trade(account, side, allowed, limit_price)
        filled = sum(fill.lots for fill in fills)
        rested = 0 if market or ioc else allowed - filled
        if rested:
            order = _Resting(order_id, account, side, price, rested)
            self.orders[order_id] = order
            self.levels[side].setdefault(price, []).append(order)
        cancelled = lots - filled - rested
        reason: Reason = ""
        if cancelled:
            reason = "limit" if filled + rested == allowed else "ioc"
        return PlaceResult(tuple(fills), tuple(removed), filled, rested, cancelled, reason)

    def _trade(
        self, account: AccountId, side: Side, lots: int, price: int | None
    ) -> tuple[list[BookFill], list[RemovedOrder]]:
        fills: list[BookFill] = []
        removed: list[RemovedOrder] = []
        while lots > 0:
            best = self._reached(side, price)
            if best is None:
                break
            maker = self.levels["sell" if side == "buy" else "buy"][best][0]
            if maker.account == account:
                removed.append(RemovedOrder(maker.order_id, account, maker.side, best, maker.lots, len(fills)))
                self._remove(maker)
                continue
            traded = min(lots, maker.lots)
            lots -= traded
            maker.lots -= traded
            fills.append(BookFill(maker.order_id, maker.account, best, traded, maker.lots))
            if maker.lots == 0:
                self._remove(maker)
        return fills, removed

    def cancel(self, order_id: OrderId) -> int | None:
        """See OrderBook.cancel."""
        order = self.orders.get(order_id)
        if order is None:
            return None
        self._remove(order)
        return order.lots

    def reduce(self, order_id: OrderId, lots: int) -> int | None:
        """See OrderBook.reduce."""
        order = self.orders.get(order_id)
        if order is None:
            return None
        taken = max(order.lots - lots, 0)
        order.lots -= taken
        return taken

    def cancel_account(self, account: AccountId) -> tuple[int, ...]:
        """See OrderBook.cancel_account."""
        mine = sorted(order.order_id for order in self.orders.values() if order.account == account)
        for order_id in mine:
            self.cancel(order_id)
        return tuple(mine)

    def depth(self, levels: int) -> tuple[list[list[int]], list[list[int]]]:
        """See OrderBook.depth; lists of [price, lots, orders]."""
        sides = []
        for side, descending in (("buy", True), ("sell", False)):
            queues = self.levels["buy" if side == "buy" else "sell"]
            prices = sorted(queues, reverse=descending)[:levels]
            sides.append([[price, sum(o.lots for o in queues[price]), len(queues[price])] for price in prices])
        return sides[0], sides[1]

    def makers(
        self, side: Side, price: int | None, lots: int, account: AccountId | None = None
    ) -> list[tuple[int, ...]]:
        """See OrderBook.peek_makers; rows (order id, account, price, lots)."""
        other: Side = "sell" if side == "buy" else "buy"
        found: list[tuple[int, ...]] = []
        for level in sorted(self.levels[other], reverse=other == "buy"):
            if price is not None and (level > price if side == "buy" else level < price):
                break
            for order in self.levels[other][level]:
                if order.account != account and lots > 0:
                    traded = min(lots, order.lots)
                    lots -= traded
                    found.append((order.order_id, order.account, level, traded))
        return found

    def next_makers(
        self, side: Side, price: int | None, lots: int, account: AccountId | None, behind: int, most: int
    ) -> list[list[int]]:
        """See OrderBook.next_makers."""
        rows = [(i, a, p, self.orders[i].lots) for i, a, p, _ in self.makers(side, price, 1 << 62, account)]
        everybody = [i for i, _, _, _ in self.makers(side, None, 1 << 62)]
        passed = set(everybody[: everybody.index(behind) + 1]) if behind else set()
        found: list[tuple[int, ...]] = []
        for row in rows:
            if row[0] not in passed and len(found) < most and sum(r[3] for r in found) < lots:
                found.append(row)
        return [[row[column] for row in found] for column in range(4)]

    def walk(self, side: Side, lots: int, price: int | None = None, account: AccountId | None = None) -> Walk:
        """See OrderBook.walk."""
        rows = self.makers(side, price, lots, account)
        return Walk(sum(r[3] for r in rows), sum(r[2] * r[3] for r in rows), rows[-1][2] if rows else 0)

    def lots_ahead(self, order_id: OrderId) -> int | None:
        """See OrderBook.lots_ahead."""
        order = self.orders.get(order_id)
        if order is None:
            return None
        queue = self.levels[order.side][order.price]
        return sum(earlier.lots for earlier in queue[: queue.index(order)])

    def orders_of(self, account: AccountId) -> list[BookOrder]:
        """See OrderBook.orders_of."""
        mine = sorted((o for o in self.orders.values() if o.account == account), key=lambda o: o.order_id)
        return [BookOrder(o.order_id, o.side, o.price, o.lots) for o in mine]
