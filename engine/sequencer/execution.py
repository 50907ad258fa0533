"""Orders against the book: admission, the makers' margin check, matching, and what each fill changes.

Order of things for one new order, which the ticket's preview follows too:

1. its fields are checked, a reduce-only order is cut to the position;
2. the makers it would meet are vetted in priority order: one whose account the fill would leave below initial margin
   (and that does not just reduce it) loses that order with reason "margin", as does a reduce-only order that would no
   longer reduce; this is repeated until the remaining makers all stand, and it holds even if the new order is refused;
3. it is judged on the account it would leave (:mod:`engine.exchange.admission`);
4. it is matched; the taker's fee is rounded up once on the order's whole notional and split over its fills.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from engine.book.results import BookFill, PlaceResult
from engine.exchange.admission import Proposal, maker_may_fill, propose, reduce_only_lots
from engine.exchange.refusals import TooManyOrders, UnknownOrder
from engine.exchange.state import AccountState
from engine.exchange.trade import apply_fill, fee_of
from engine.sequencer.core import VenueCore
from engine.sequencer.events import Accepted, CloseReason, Fill, OrderClosed, OrderRested
from engine.sequencer.inputs import CancelAll, CancelOrder, OrderType, PlaceOrder, Side, TimeInForce
from engine.sequencer.order_rules import check_order
from engine.sequencer.orders import OpenOrder

_FILL = struct.Struct(">13q")


class Ticket(NamedTuple):
    """A checked order on its way to the book. ``price`` None: any price. ``taker_fee_ppm`` 0 in liquidations."""

    order_id: int
    account: AccountState
    market_index: int
    buy: bool
    lots: int
    price: int | None
    ioc: bool
    client_id: str
    reduce_only: bool
    taker_fee_ppm: int
    liquidation: bool

    @property
    def side(self) -> Side:
        """``buy`` or ``sell``."""
        return "buy" if self.buy else "sell"

    @property
    def type(self) -> OrderType:
        """``market`` when it has no price."""
        return "market" if self.price is None else "limit"

    @property
    def tif(self) -> TimeInForce:
        """``ioc`` when it never rests."""
        return "ioc" if self.ioc else "gtc"


class Maker(NamedTuple):
    """A resting order that would be met: ``lots`` of it at ``price`` ticks."""

    order_id: int
    account: int
    price: int
    lots: int


def place_order(core: VenueCore, order: PlaceOrder) -> None:
    """Take a new order; raises the typed refusal, after which nothing of it has happened."""
    index = core.market_index(order.market)
    check_order(core.config, core.markets[index], order)
    account = core.account(order.account)
    buy = order.side == "buy"
    lots = reduce_only_lots(account.stakes[index], buy, order.lots) if order.reduce_only else order.lots
    price = order.price if order.type == "limit" else None
    ioc = price is None or order.tif == "ioc"
    if not ioc and core.orders.count_of(order.account) >= core.config.max_open_orders:
        raise TooManyOrders(core.orders.count_of(order.account), core.config.max_open_orders)
    crossing = _crosses(core, index, buy, price)
    if order.post_only and crossing:
        _refuse_post_only(core, order, lots)
        return
    makers = vet_makers(core, order.account, index, buy, lots, price) if crossing else []
    proposal = _proposal(core, account, index, buy, lots, price, ioc, makers, crossing)
    _, refusal = propose(account, proposal, core.terms, core.fees)
    if refusal is not None:
        raise refusal
    ticket = Ticket(
        order_id=take_order_id(core),
        account=account,
        market_index=index,
        buy=buy,
        lots=lots,
        price=price,
        ioc=ioc,
        client_id=order.client_id,
        reduce_only=order.reduce_only,
        taker_fee_ppm=core.fees.taker_ppm,
        liquidation=False,
    )
    if order.account not in core.quiet:
        core.emit(
            Accepted(
                sequence=core.sequence,
                time=core.time,
                account=order.account,
                client_id=order.client_id,
                order_id=ticket.order_id,
            )
        )
    execute(core, ticket, makers)


def take_order_id(core: VenueCore) -> int:
    """The next order id; ids grow over all markets."""
    order_id = core.counters.next_order_id
    core.counters.next_order_id += 1
    return order_id


def _crosses(core: VenueCore, index: int, buy: bool, price: int | None) -> bool:
    best = core.books[index].best_ask if buy else core.books[index].best_bid
    if best is None:
        return False
    return price is None or (best <= price if buy else best >= price)


def _refuse_post_only(core: VenueCore, order: PlaceOrder, lots: int) -> None:
    """A post-only order that would trade is accepted and closed at once."""
    if order.account in core.quiet:
        return
    order_id = take_order_id(core)
    core.emit(
        Accepted(
            sequence=core.sequence,
            time=core.time,
            account=order.account,
            client_id=order.client_id,
            order_id=order_id,
        )
    )
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


def vet_makers(core: VenueCore, taker: int, index: int, buy: bool, lots: int, price: int | None) -> list[Maker]:
    """The makers an order would meet, after those that may not fill were cancelled. Own orders are passed over."""
    while True:
        columns = core.books[index].peek_makers("buy" if buy else "sell", price, lots, taker)
        makers = [Maker(*row) for row in zip(*(column.tolist() for column in columns))]
        unfit = _first_unfit(core, index, buy, makers)
        if unfit is None:
            return makers
        close_order(core, unfit, "margin")


def _first_unfit(core: VenueCore, index: int, buy: bool, makers: list[Maker]) -> int | None:
    """The first maker order, in priority order, that may not fill; earlier ones count as filled."""
    tick_value = core.terms[index].tick_value
    what_if: dict[int, AccountState] = {}
    for maker in makers:
        account = what_if.get(maker.account)
        if account is None:
            account = what_if[maker.account] = core.accounts[maker.account].copy()
        signed = -maker.lots if buy else maker.lots
        notional = maker.price * maker.lots * tick_value
        reduce_only = core.orders[maker.order_id].reduce_only
        if not maker_may_fill(account, index, signed, notional, core.terms, core.fees, reduce_only):
            return maker.order_id
    return None


def _proposal(
    core: VenueCore,
    account: AccountState,
    index: int,
    buy: bool,
    lots: int,
    price: int | None,
    ioc: bool,
    makers: list[Maker],
    crossing: bool,
) -> Proposal:
    """What the order would do at once, as the admission rule wants it."""
    filled = sum(maker.lots for maker in makers)
    tick_value = core.terms[index].tick_value
    notional = sum(maker.price * maker.lots for maker in makers) * tick_value
    stake = account.stakes[index]
    released_lots = released_notional = 0
    if crossing and (stake.sell_lots if buy else stake.buy_lots):
        for own in _own_reached(core, account.account_id, index, buy, price, makers, lots - filled):
            released_lots += own.lots
            released_notional += own.lots * own.price * tick_value
    resting = 0 if ioc else lots - filled
    return Proposal(
        market_index=index,
        buy=buy,
        filled=filled,
        notional=notional,
        resting=resting,
        price=price or 0,
        released_lots=released_lots,
        released_notional=released_notional,
    )


def _own_reached(
    core: VenueCore, account: int, index: int, buy: bool, price: int | None, makers: list[Maker], left: int
) -> list[OpenOrder]:
    """Own orders on the other side that the self-trade rule will cancel: those met before the order is used up."""
    reached = []
    last = makers[-1] if makers else None
    for own in core.orders.of_account(account):
        if own.market != core.market_ids[index] or own.buy == buy:
            continue
        within = price is None or (own.price <= price if buy else own.price >= price)
        better = last is not None and (own.price < last.price if buy else own.price > last.price)
        earlier = last is not None and own.price == last.price and own.order_id < last.order_id
        if within and (left > 0 or better or earlier):
            reached.append(own)
    return reached


def execute(core: VenueCore, ticket: Ticket, makers: list[Maker]) -> PlaceResult:
    """Match a judged order and enter everything it changes. ``makers``: who it will meet, for the batch's room."""
    if makers:
        touched = {maker.account for maker in makers} | {ticket.account.account_id, core.config.fee_account}
        if not core.batches.room_for(touched):
            core.close_batch()
    prices = core.prices[ticket.market_index]
    prices.book_changes += 1
    result = core.books[ticket.market_index].place(
        ticket.order_id,
        ticket.account.account_id,
        ticket.side,
        ticket.lots,
        ticket.price or 0,
        market=ticket.price is None,
        ioc=ticket.ioc and ticket.price is not None,
    )
    notional = fee_before = 0
    for fill in result.fills:
        notional += fill.price * fill.lots * core.terms[ticket.market_index].tick_value
        fee = fee_of(notional, ticket.taker_fee_ppm)
        _enter_fill(core, ticket, fill, fee - fee_before)
        fee_before = fee
    for removed in result.removed:
        forget_order(core, removed.order_id, "self_trade")
    _finish(core, ticket, result)
    return result


def _finish(core: VenueCore, ticket: Ticket, result: PlaceResult) -> None:
    """The rest of the order rests or is closed."""
    account, market = ticket.account.account_id, core.market_ids[ticket.market_index]
    if result.rested_lots:
        price = ticket.price or 0
        lots = result.rested_lots
        core.orders.add(
            OpenOrder(
                order_id=ticket.order_id,
                account=account,
                market=market,
                buy=ticket.buy,
                price=price,
                lots=lots,
                filled=result.filled_lots,
                placed_at=core.time,
                client_id=ticket.client_id,
                reduce_only=ticket.reduce_only,
            )
        )
        notional = lots * price * core.terms[ticket.market_index].tick_value
        ticket.account.stakes[ticket.market_index].add_resting(ticket.buy, lots, notional)
        if account not in core.quiet:
            core.emit(
                OrderRested(
                    sequence=core.sequence,
                    time=core.time,
                    account=account,
                    market=market,
                    order_id=ticket.order_id,
                    client_id=ticket.client_id,
                    side=ticket.side,
                    price=price,
                    lots=lots,
                )
            )
    elif account not in core.quiet:
        core.emit(
            OrderClosed(
                sequence=core.sequence,
                time=core.time,
                account=account,
                market=market,
                order_id=ticket.order_id,
                client_id=ticket.client_id,
                side=ticket.side,
                type=ticket.type,
                tif=ticket.tif,
                filled=result.filled_lots,
                remaining=result.cancelled_lots,
                reason="ioc" if result.cancelled_lots else "filled",
            )
        )


def _enter_fill(core: VenueCore, ticket: Ticket, fill: BookFill, taker_fee: int) -> None:
    """Both accounts, the fee account, the maker's order, open interest, digest, tape and candles."""
    index, taker = ticket.market_index, ticket.account
    term, prices, counters = core.terms[index], core.prices[index], core.counters
    maker = core.accounts[fill.maker_account]
    notional = fill.price * fill.lots * term.tick_value
    maker_fee = fee_of(notional, core.fees.maker_ppm)
    signed = fill.lots if ticket.buy else -fill.lots
    taker_stake, maker_stake = taker.stakes[index], maker.stakes[index]
    longs = max(taker_stake.size, 0) + max(maker_stake.size, 0)
    apply_fill(taker, index, signed, notional, taker_fee, term.funding_index)
    apply_fill(maker, index, -signed, notional, maker_fee, term.funding_index)
    prices.open_interest += max(taker_stake.size, 0) + max(maker_stake.size, 0) - longs
    core.transact(taker.account_id, maker.account_id)
    if taker_fee + maker_fee:
        core.system(core.config.fee_account).collateral += taker_fee + maker_fee
        core.batches.open.touched.add(core.config.fee_account)
    event = Fill(
        sequence=core.sequence,
        time=core.time,
        fill_id=counters.next_fill_id,
        market=core.market_ids[index],
        price=fill.price,
        lots=fill.lots,
        side=ticket.side,
        maker_account=maker.account_id,
        taker_account=taker.account_id,
        maker_order=fill.maker_order,
        taker_order=ticket.order_id,
        maker_fee=maker_fee,
        taker_fee=taker_fee,
        liquidation=ticket.liquidation,
    )
    counters.next_fill_id += 1
    counters.volume += fill.lots
    counters.fills_digest = _chain(counters.fills_digest, event)
    prices.last_price, prices.last_side = fill.price, ticket.side
    core.emit(event)
    core.history.fill(event, core.batches.open.number)
    core.candles[index].trade(fill.price, fill.lots)
    _fill_maker_order(core, fill, index, notional)


def _fill_maker_order(core: VenueCore, fill: BookFill, index: int, notional: int) -> None:
    """Take the filled lots off the maker's resting order and its account's totals."""
    order = core.orders[fill.maker_order]
    order.lots -= fill.lots
    order.filled += fill.lots
    core.accounts[order.account].stakes[index].add_resting(order.buy, -fill.lots, -notional)
    if fill.maker_left == 0:
        core.orders.remove(order.order_id)
        _emit_closed(core, order, "filled")


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


# -- cancelling


def _emit_closed(core: VenueCore, order: OpenOrder, reason: CloseReason) -> None:
    if order.account not in core.quiet:
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


def forget_order(core: VenueCore, order_id: int, reason: CloseReason) -> None:
    """An order that the book no longer has: off the registry and the account's totals."""
    order = core.orders.remove(order_id)
    index = core.market_index(order.market)
    notional = order.lots * order.price * core.terms[index].tick_value
    core.accounts[order.account].stakes[index].add_resting(order.buy, -order.lots, -notional)
    _emit_closed(core, order, reason)


def close_order(core: VenueCore, order_id: int, reason: CloseReason) -> None:
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


def _accept(core: VenueCore, account: int, client_id: str) -> None:
    if account not in core.quiet:
        core.emit(Accepted(sequence=core.sequence, time=core.time, account=account, client_id=client_id))
