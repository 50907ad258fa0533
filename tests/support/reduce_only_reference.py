"""What orders with reduce-only must do, lot by lot: after each lot every reduce-only order is cut to its position.

One market, no margin, no fees. Slow and plain; nothing of the engine is used.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass


@dataclass
class Order:
    """A resting order."""

    order_id: int
    account: int
    buy: bool
    price: int
    lots: int
    reduce_only: bool
    cut: int = 0


class ReduceOnlyReference:
    """``sizes``: signed lots by account. ``orders``: resting, oldest first. ``cuts``: order id and lots left of each
    reduce-only order that was cut or ended (0) by the last input."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = defaultdict(int)
        self.orders: list[Order] = []
        self.next_id = 1

    def place(
        self, account: int, buy: bool, lots: int, price: int | None, *, ioc: bool, reduce_only: bool
    ) -> dict[int, int] | None:
        """Lots filled of each maker order; None when the order is refused."""
        size = self.sizes[account]
        cut = 0
        if reduce_only:
            if not (size < 0 if buy else size > 0):
                return None
            cut = max(0, lots - abs(size))
            lots -= cut
        order = Order(self.next_id, account, buy, price or 0, lots, reduce_only, cut)
        self.next_id += 1
        filled: dict[int, int] = defaultdict(int)
        while order.lots:
            maker = self._best(order, price)
            if maker is None:
                break
            if maker.account == account:
                self.orders.remove(maker)
                continue
            filled[maker.order_id] += 1
            order.lots -= 1
            maker.lots -= 1
            self.sizes[account] += 1 if buy else -1
            self.sizes[maker.account] -= 1 if buy else -1
            self._cut_all()
        if order.lots and price is not None and not ioc:
            self.orders.append(order)
            self._cut_all()
        return dict(filled)

    def cancel(self, order_id: int) -> None:
        """By its owner."""
        self.orders = [order for order in self.orders if order.order_id != order_id]

    def _best(self, taker: Order, price: int | None) -> Order | None:
        reached = [
            maker
            for maker in self.orders
            if maker.buy != taker.buy
            and (price is None or (maker.price <= price if taker.buy else maker.price >= price))
        ]
        return min(reached, key=lambda o: (o.price if taker.buy else -o.price, o.order_id), default=None)

    def _cut_all(self) -> None:
        for order in self.orders:
            size = self.sizes[order.account]
            if order.reduce_only:
                most = max(0, -size if order.buy else size)
                order.cut += max(0, order.lots - most)
                order.lots = min(order.lots, most)
        self.orders = [order for order in self.orders if order.lots]
