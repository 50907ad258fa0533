"""Orders against the book: a plan is carried out, and each fill changes what it changes.

What an order does is planned in :mod:`engine.sequencer.planning`. A refused order changes nothing. When it is taken,
the makers in its way that may not fill lose their orders, and it is matched. The taker's fee is rounded up once on the
order's whole notional and split over its fills.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

import msgspec

from engine.book.results import BookFill, PlaceResult
from engine.exchange.state import PositionState
from engine.exchange.trade import apply_fill, fee_of
from engine.sequencer.cancelling import close_order, emit_closed, forget_order
from engine.sequencer.core import VenueCore
from engine.sequencer.events import Accepted, CloseReason, Fill, OrderClosed, OrderRested
from engine.sequencer.inputs import PlaceOrder
from engine.sequencer.orders import OpenOrder
from engine.sequencer.planning import CheckedOrder, Meeting, plan_order
from engine.sequencer.reduce_only import cut_order, follow_positions
from engine.units import OrderId

_FILL = struct.Struct(">13q")


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was taken, on its way to the book. ``taker_fee_ppm`` 0 in liquidations.

    ``cut``: lots that reduce-only took off what was asked for. ``rest``: why lots that do not fill are cancelled.
    """

    order_id: OrderId
    order: CheckedOrder
    client_id: str
    reduce_only: bool
    taker_fee_ppm: int
    liquidation: bool
    cut: int = 0
    rest: CloseReason = "ioc"


class UnplannedMatch(RuntimeError):
    """The book matched other lots than the plan, by which the order was judged: a defect of this program."""


def place_order(core: VenueCore, order: PlaceOrder) -> None:
    """Take a new order; raises the typed refusal, after which nothing of it has happened."""
    core.check_l1_agrees()
    core.client_ids.check(order.account, order.client_id)
    plan = plan_order(core, order)
    if plan.refusal is not None:
        raise plan.refusal
    close_unfit(core, plan.meeting)
    if plan.closed == "post_only":
        _close_post_only(core, order, plan.cancelled)
        return
    ticket = Ticket(
        order_id=take_order_id(core),
        order=plan.order,
        client_id=order.client_id,
        reduce_only=order.reduce_only,
        taker_fee_ppm=core.fees.taker_ppm,
        liquidation=False,
        cut=order.lots - plan.order.lots,
        rest=plan.closed or "ioc",
    )
    _accept(core, order, ticket.order_id)
    execute(core, ticket, plan.meeting)


def close_unfit(core: VenueCore, meeting: Meeting) -> None:
    """Cancel what may not fill. Whom the order meets stays as planned: that moves no position and no collateral."""
    for order_id in meeting.unfit:
        close_order(core, order_id, "margin")


def _accept(core: VenueCore, order: PlaceOrder, order_id: OrderId) -> None:
    if order.account not in core.silent_accounts:
        core.emit(
            Accepted(
                sequence=core.sequence,
                time=core.time,
                account=order.account,
                client_id=order.client_id,
                order_id=order_id,
            )
        )


def take_order_id(core: VenueCore) -> OrderId:
    """The next order id; ids grow over all markets."""
    order_id = core.counters.next_order_id
    core.counters.next_order_id = OrderId(order_id + 1)
    return order_id


def _close_post_only(core: VenueCore, order: PlaceOrder, lots: int) -> None:
    """A post-only order that would trade is accepted and closed at once."""
    if order.account in core.silent_accounts:
        return
    order_id = take_order_id(core)
    core.client_ids.ended(order.account, order.client_id, order_id, "post_only")
    _accept(core, order, order_id)
    core.emit(
        OrderClosed(
            sequence=core.sequence,
            time=core.time,
            account=order.account,
            market=order.market,
            order_id=order_id,
            client_id=order.client_id,
            side=order.side,
            type=order.type,
            tif=order.tif,
            filled=0,
            remaining=lots,
            reason="post_only",
        )
    )


def execute(core: VenueCore, ticket: Ticket, meeting: Meeting) -> None:
    """Match a judged order and enter everything it changes. ``meeting``: whom it will meet, all of them fit."""
    order = ticket.order
    if meeting.filled:
        touched = {*meeting.makers.accounts, order.account.account_id, core.config.fee_account}
        core.make_room(touched | {core.config.insurance_account} if ticket.liquidation else touched)
    for order_id, lots in meeting.reductions:
        cut_order(core, order_id, lots)
    core.prices[order.market_index].book_changes += 1
    result = core.books[order.market_index].place(
        ticket.order_id,
        order.account.account_id,
        order.side,
        order.lots,
        order.limit or 0,
        market=order.limit is None,
        ioc=order.ioc and order.limit is not None,
        limit_lots=meeting.filled if meeting.cut else None,
    )
    if result.filled_lots != meeting.filled:
        raise UnplannedMatch(f"order {ticket.order_id} filled {result.filled_lots} lots, planned were {meeting.filled}")
    if result.fills:
        _enter_fills(core, ticket, result.fills)
    for removed in result.removed:
        forget_order(core, removed.order_id, "self_trade")
    if result.rested_lots:
        _rest(core, ticket, result)
    else:
        _end(core, ticket, result, ticket.rest)
    if result.fills and core.orders.reduce_only:
        changed = dict.fromkeys((order.account.account_id, *(fill.maker_account for fill in result.fills)))
        follow_positions(core, order.market_index, changed)


def _rest(core: VenueCore, ticket: Ticket, result: PlaceResult) -> None:
    """What is left of the order rests."""
    order = ticket.order
    rested = OpenOrder(
        order_id=ticket.order_id,
        account=order.account.account_id,
        market=core.market_ids[order.market_index],
        buy=order.buy,
        price=order.price or 0,
        lots=result.rested_lots,
        filled=result.filled_lots,
        placed_at=core.time,
        client_id=ticket.client_id,
        reduce_only=ticket.reduce_only,
        cut=ticket.cut,
    )
    core.orders.add(rested)
    core.client_ids.opened(rested)
    core.count_resting(rested, rested.lots)
    if rested.account not in core.silent_accounts:
        core.emit(
            OrderRested(
                sequence=core.sequence,
                time=core.time,
                account=rested.account,
                market=rested.market,
                order_id=ticket.order_id,
                client_id=ticket.client_id,
                side=order.side,
                price=rested.price,
                lots=rested.lots,
            )
        )


def _end(core: VenueCore, ticket: Ticket, result: PlaceResult, cut_for: CloseReason) -> None:
    """The order never rested: it was filled, or lots of it are cancelled; ``cut_for``: why they are."""
    order = ticket.order
    account = order.account.account_id
    reason: CloseReason = cut_for if result.cancelled_lots else "filled"
    if not ticket.liquidation:
        core.client_ids.ended(account, ticket.client_id, ticket.order_id, reason)
    if account not in core.silent_accounts:
        core.emit(
            OrderClosed(
                sequence=core.sequence,
                time=core.time,
                account=account,
                market=core.market_ids[order.market_index],
                order_id=ticket.order_id,
                client_id=ticket.client_id,
                side=order.side,
                type=order.type,
                tif=order.tif,
                filled=result.filled_lots,
                remaining=result.cancelled_lots,
                reason=reason,
            )
        )


def _enter_fills(core: VenueCore, ticket: Ticket, fills: Sequence[BookFill]) -> None:
    """Everything that the fills of one order change.

    Both accounts, the fee account, the makers' orders, open interest, digest, tape and candles.
    """
    index, taker, buy = ticket.order.market_index, ticket.order.account, ticket.order.buy
    term, prices, history, candles = core.terms[index], core.prices[index], core.history, core.candles[index]
    taker_stake, maker_ppm, batch = taker.positions[index], core.fees.maker_ppm, core.batches.open.number
    total = taker_fees = maker_fees = 0
    for fill in fills:
        maker = core.accounts[fill.maker_account]
        maker_stake = maker.positions[index]
        notional = fill.price * fill.lots * term.tick_value
        total += notional
        fees = fee_of(total, ticket.taker_fee_ppm)
        taker_fee, taker_fees, maker_fee = fees - taker_fees, fees, fee_of(notional, maker_ppm)
        maker_fees += maker_fee
        signed = fill.lots if buy else -fill.lots
        longs = _longs(taker_stake.size, maker_stake.size)
        apply_fill(taker, index, signed, notional, taker_fee, term.funding_index)
        apply_fill(maker, index, -signed, notional, maker_fee, term.funding_index)
        prices.open_interest += _longs(taker_stake.size, maker_stake.size) - longs
        event = _fill_event(core, ticket, fill, maker_fee, taker_fee)
        core.events.append(event)
        history.fill(event, batch)
        candles.trade(fill.price, fill.lots)
        _fill_maker_order(core, fill, maker_stake, notional)
    prices.last_price, prices.last_side = fills[-1].price, ticket.order.side
    core.record_transaction(taker.account_id, *[fill.maker_account for fill in fills], count=len(fills))
    core.exposed.update((taker.account_id, *[fill.maker_account for fill in fills]))
    if taker_fees + maker_fees:
        core.system(core.config.fee_account).collateral += taker_fees + maker_fees
        core.batches.open.touched.add(core.config.fee_account)


def _fill_event(core: VenueCore, ticket: Ticket, fill: BookFill, maker_fee: int, taker_fee: int) -> Fill:
    """The next fill, counted and chained."""
    counters = core.counters
    event = Fill(
        sequence=core.sequence,
        time=core.time,
        fill_id=counters.next_fill_id,
        market=core.market_ids[ticket.order.market_index],
        price=fill.price,
        lots=fill.lots,
        side=ticket.order.side,
        maker_account=fill.maker_account,
        taker_account=ticket.order.account.account_id,
        maker_order=fill.maker_order,
        taker_order=ticket.order_id,
        maker_fee=maker_fee,
        taker_fee=taker_fee,
        liquidation=ticket.liquidation,
    )
    counters.next_fill_id += 1
    counters.volume += fill.lots
    counters.fills_digest = _chain(counters.fills_digest, event)
    return event


def _longs(one: int, other: int) -> int:
    return (one if one > 0 else 0) + (other if other > 0 else 0)


def _fill_maker_order(core: VenueCore, fill: BookFill, position: PositionState, notional: int) -> None:
    """Take the filled lots off the maker's resting order and its account's totals."""
    order = core.orders[fill.maker_order]
    order.lots -= fill.lots
    order.filled += fill.lots
    if not order.reduce_only:
        position.add_resting(order.buy, -fill.lots, -notional)
    if fill.maker_left == 0:
        core.orders.remove(order.order_id)
        emit_closed(core, order, "filled")


def _chain(digest: bytes, fill: Fill) -> bytes:
    """SHA-256 of the digest so far and all the fill's numbers, 64-bit big-endian."""
    f = fill
    return hashlib.sha256(
        digest
        + _FILL.pack(
            f.sequence,
            f.time,
            f.fill_id,
            f.market,
            f.price,
            f.lots,
            f.maker_account,
            f.taker_account,
            f.maker_order,
            f.taker_order,
            f.maker_fee,
            f.taker_fee,
            2 * (f.side == "buy") + f.liquidation,
        )
    ).digest()
