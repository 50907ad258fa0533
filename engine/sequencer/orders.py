"""Resting orders beside the book: what the book does not know of them (client id, flags, times, filled lots)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy

import msgspec

from engine.sequencer.inputs import Side
from engine.units import AccountId, MarketId, OrderId


class OpenOrder(msgspec.Struct, kw_only=True, gc=False):
    """A resting limit order. ``placed_at``: venue nanoseconds.

    ``lots`` still rest, ``filled`` have traded, and ``cut`` were taken off a reduce-only one because the position was
    smaller: together what was asked for.
    """

    order_id: OrderId
    account: AccountId
    market: MarketId
    buy: bool
    price: int
    lots: int
    filled: int
    placed_at: int
    client_id: str
    reduce_only: bool
    cut: int = 0

    @property
    def side(self) -> Side:
        """``buy`` or ``sell``."""
        return "buy" if self.buy else "sell"


class OrderRegistry:
    """Open orders by id and by account; an account's orders are kept oldest first. ``reduce_only``: ids of those."""

    def __init__(self, orders: Iterable[OpenOrder] = ()) -> None:
        self.reduce_only: set[int] = set()
        self._by_id: dict[OrderId, OpenOrder] = {}
        self._by_account: dict[AccountId, dict[OrderId, OpenOrder]] = {}
        self._reducing: dict[AccountId, dict[OrderId, OpenOrder]] = {}
        for order in orders:
            self.add(order)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[OpenOrder]:
        return iter(self._by_id.values())

    def __getitem__(self, order_id: OrderId) -> OpenOrder:
        return self._by_id[order_id]

    def get(self, order_id: OrderId) -> OpenOrder | None:
        """The order, or None when it does not rest."""
        return self._by_id.get(order_id)

    def add(self, order: OpenOrder) -> None:
        """A new resting order; ids must be added in ascending order."""
        self._by_id[order.order_id] = order
        self._by_account.setdefault(order.account, {})[order.order_id] = order
        if order.reduce_only:
            self.reduce_only.add(order.order_id)
            self._reducing.setdefault(order.account, {})[order.order_id] = order

    def remove(self, order_id: OrderId) -> OpenOrder:
        """Forget an order that left the book."""
        order = self._by_id.pop(order_id)
        del self._by_account[order.account][order_id]
        if order.reduce_only:
            self.reduce_only.discard(order_id)
            del self._reducing[order.account][order_id]
        return order

    def count_of(self, account: AccountId) -> int:
        """How many orders of this account rest."""
        return len(self._by_account.get(account, ()))

    def of_account(self, account: AccountId) -> list[OpenOrder]:
        """The account's orders, oldest first."""
        return list(self._by_account.get(account, {}).values())

    def reducing(self, account: AccountId) -> list[OpenOrder]:
        """The account's reduce-only orders, oldest first."""
        mine = self._reducing.get(account)
        return list(mine.values()) if mine else []

    def copy_for(self, account: AccountId) -> OrderRegistry:
        """Copies of the account's orders, and which of all orders are reduce-only."""
        copied = OrderRegistry(copy(order) for order in self.of_account(account))
        copied.reduce_only.update(self.reduce_only)
        return copied
