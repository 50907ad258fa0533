"""Resting reduce-only orders follow the position that they may reduce.

Each is at most as large as the position, whenever an input has been applied: after every change of a position it is cut
to what is left, in its place in the queue, and cancelled when the position is flat or has turned. It does not grow
back. Several of one account may exceed the position together, as on Binance: whichever is met first reduces it, and the
others are cut by that. What one taker meets is planned with the same rule (:mod:`engine.sequencer.planning`).

They open nothing, so they are in no total of resting orders: no margin is reserved for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.exchange.admission import reducible
from engine.sequencer.cancelling import close_order
from engine.sequencer.core import VenueCore
from engine.sequencer.events import OrderCut
from engine.units import AccountId, MarketIndex, OrderId


def follow_positions(core: VenueCore, market_index: MarketIndex, accounts: Iterable[AccountId]) -> None:
    """Cut the reduce-only orders of these accounts in this market to their positions, which have changed."""
    market = core.market_ids[market_index]
    for account in accounts:
        for order in core.orders.reducing(account):
            if order.market == market:
                size = core.accounts[account].positions[market_index].size
                cut_order(core, order.order_id, reducible(size, order.buy))


def cut_order(core: VenueCore, order_id: OrderId, lots: int) -> None:
    """Leave at most ``lots`` of a resting reduce-only order; with 0 it is cancelled."""
    order = core.orders[order_id]
    if order.lots <= lots:
        return
    if not lots:
        close_order(core, order_id, "reduce_only")
        return
    index = core.market_index(order.market)
    taken = core.books[index].reduce(order_id, lots) or 0
    core.prices[index].book_changes += 1
    order.lots -= taken
    order.cut += taken
    if order.account not in core.silent_accounts:
        core.emit(
            OrderCut(
                sequence=core.sequence,
                time=core.time,
                account=order.account,
                market=order.market,
                order_id=order_id,
                client_id=order.client_id,
                lots=order.lots,
                cut=taken,
            )
        )
