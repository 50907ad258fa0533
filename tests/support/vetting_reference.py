"""Whom an order meets, the slow way: vet all makers, drop the first unfit one, look again from the start.

What :func:`engine.sequencer.planning.meet` does in one pass; the venue did it like this up to version 2 of its rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.book.book import OrderBook
from engine.book.layout import MAX_LOTS, MAX_PRICE
from engine.exchange.admission import FeeRates
from engine.exchange.config import MarketConfig, VenueConfig
from engine.exchange.guards import MarketGuard
from engine.exchange.margin import measure, transition_allowed
from engine.exchange.state import AccountState, MarketTerms
from engine.exchange.trade import apply_fill, fee_of, is_reducing
from engine.sequencer.ground import Ground
from engine.sequencer.order_rules import market_index
from engine.sequencer.orders import OrderRegistry
from engine.sequencer.planning import CheckedOrder

Maker = tuple[int, int, int, int]


@dataclass
class BareGround:
    """A ground without a venue."""

    config: VenueConfig
    markets: tuple[MarketConfig, ...]
    terms: tuple[MarketTerms, ...]
    fees: FeeRates
    books: list[OrderBook]
    orders: OrderRegistry
    accounts: dict[int, AccountState]

    @property
    def guards(self) -> tuple[MarketGuard, ...]:
        """None that stops anything."""
        return tuple(MarketGuard(low=1, high=MAX_PRICE) for _ in self.markets)

    def market_index(self, market_id: int) -> int:
        return market_index(self.config, market_id)


def slow_meeting(
    ground: Ground, order: CheckedOrder
) -> tuple[list[Maker], tuple[int, ...], int, tuple[tuple[int, int], ...]]:
    """Makers that fill, ids of unfit orders, cost in ticks x lots, and what reduce-only orders are cut to."""
    book = ground.books[order.market_index]
    assert isinstance(book, OrderBook)
    columns = book.peek_makers(order.side, order.price, MAX_LOTS, order.account.account_id)
    everybody: list[Maker] = list(zip(*(column.tolist() for column in columns), strict=True))
    most: dict[int, int] = {}
    unfit: list[int] = []
    while True:
        left, makers = order.lots, []
        for order_id, account, price, size in everybody:
            lots = min(left, size, most.get(order_id, size))
            if lots:
                makers.append((order_id, account, price, lots))
                left -= lots
        found = first_limited(ground, order, makers)
        if found is None:
            cuts = tuple((order_id, lots) for order_id, lots in most.items() if order_id not in unfit)
            return makers, tuple(unfit), sum(price * lots for _, _, price, lots in makers), cuts
        order_id, lots, fit = found
        most[order_id] = lots
        if not fit:
            unfit.append(order_id)


def first_limited(ground: Ground, order: CheckedOrder, makers: list[Maker]) -> tuple[int, int, bool] | None:
    """The first maker order that may not fill whole, the lots that it may, and whether it may stay.

    Earlier ones count as filled.
    """
    terms, index = ground.terms, order.market_index
    what_if: dict[int, AccountState] = {}
    for order_id, account_id, price, lots in makers:
        account = what_if.setdefault(account_id, ground.accounts[account_id].copy())
        size, buy = account.positions[index].size, not order.buy
        reducing = is_reducing(size, buy, lots)
        if not reducing and order_id in ground.orders.reduce_only:
            return order_id, max(0, -size if buy else size), True
        before = measure(account.collateral, account.positions, terms, ground.fees.maker_ppm)
        notional = price * lots * terms[index].tick_value
        fee = fee_of(notional, ground.fees.maker_ppm)
        apply_fill(account, index, lots if buy else -lots, notional, fee, terms[index].funding_index)
        after = measure(account.collateral, account.positions, terms, ground.fees.maker_ppm)
        if not transition_allowed(before, after, reducing):
            return order_id, 0, False
    return None
