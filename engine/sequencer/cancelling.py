"""Orders that leave the book without trading: cancelled by their owner, or by a rule."""

from __future__ import annotations

from engine.exchange.refusals import UnknownOrder
from engine.sequencer.core import VenueCore
from engine.sequencer.events import Accepted, CloseReason, OrderClosed
from engine.sequencer.inputs import CancelAll, CancelOrder
from engine.sequencer.orders import OpenOrder
from engine.units import AccountId, OrderId


def emit_closed(core: VenueCore, order: OpenOrder, reason: CloseReason) -> None:
    """Tell that a resting order ended; participants' orders end quietly."""
    core.client_ids.ended(order.account, order.client_id, order.order_id, reason)
    if order.account not in core.silent_accounts:
        core.emit(
            OrderClosed(
                sequence=core.sequence,
                time=core.time,
                account=order.account,
                market=order.market,
                order_id=order.order_id,
                client_id=order.client_id,
                side=order.side,
                type="limit",
                tif="gtc",
                filled=order.filled,
                remaining=order.lots,
                reason=reason,
            )
        )


def forget_order(core: VenueCore, order_id: OrderId, reason: CloseReason) -> None:
    """An order that the book no longer has: off the registry and the account's totals."""
    order = core.orders.remove(order_id)
    core.count_resting(order, -order.lots)
    emit_closed(core, order, reason)


def close_order(core: VenueCore, order_id: OrderId, reason: CloseReason) -> None:
    """Take a resting order off the book."""
    index = core.market_index(core.orders[order_id].market)
    core.books[index].cancel(order_id)
    core.prices[index].book_changes += 1
    forget_order(core, order_id, reason)


def cancel_order(core: VenueCore, command: CancelOrder) -> None:
    """Cancel one order; :class:`UnknownOrder` when it does not rest or is another account's."""
    order = core.orders.get(command.order_id)
    if order is None or order.account != command.account:
        raise UnknownOrder(command.order_id)
    _accept(core, command.account, command.client_id)
    close_order(core, command.order_id, "cancelled")


def cancel_all(core: VenueCore, command: CancelAll) -> None:
    """Cancel an account's orders in one market or (0) in all."""
    core.account(command.account)
    if command.market:
        core.market_index(command.market)
    _accept(core, command.account, command.client_id)
    for order in core.orders.of_account(command.account):
        if command.market in (0, order.market):
            close_order(core, order.order_id, "cancelled")


def _accept(core: VenueCore, account: AccountId, client_id: str) -> None:
    if account not in core.silent_accounts:
        core.emit(Accepted(sequence=core.sequence, time=core.time, account=account, client_id=client_id))
