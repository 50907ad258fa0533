"""What an order would do: the sequencer carries this plan out, the ticket's receipt shows it, there is no other rule.

Nothing is changed here. Order of things for one order:

1. its fields are checked, a reduce-only order is cut to the position;
2. the makers it would meet are vetted in priority order: one whose account the fill would leave below initial margin
   (and that does not just reduce it) is unfit. If the new order is taken, unfit ones are cancelled first, with reason
   "margin"; it meets the ones behind them. A reduce-only order trades what the fills before it leave of its account's
   position, and is cut to that; the new order goes on behind it. Where it would meet more makers than one batch can
   hold, it is cut: the rest is cancelled with reason "batch_limit";
3. own orders on the other side that it reaches are passed over, and are to be cancelled (the self-trade rule);
4. a market order fills down to its worst price, which is the edge of the price band unless the order says a better
   one; the rest is cancelled with reason "worst_price" if somebody rests beyond it;
5. while an index reading is unconfirmed, an order stops before the first maker whose account the fill would leave below
   initial margin at that reading: the maker keeps its place, the rest is cancelled with reason "index_unconfirmed";
6. it is judged on the account it would leave (:mod:`engine.exchange.admission`).

A post-only order that would trade is closed before it meets anybody.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from engine.book.layout import MAX_LOTS, MAX_PRICE
from engine.errors import OutOfRange, ProtocolError
from engine.exchange.admission import MakerAccount, Outcome, Proposal, propose, reduce_only_lots, reducible
from engine.exchange.guards import cautious_terms
from engine.exchange.margin import measure
from engine.exchange.refusals import MarketInDeleveraging, TooManyOrders, UnknownAccount
from engine.exchange.state import AccountState
from engine.exchange.trade import apply_fill, fee_of, is_reducing
from engine.sequencer.ground import Ground, Liquidity
from engine.sequencer.inputs import OrderType, PlaceOrder, Side, TimeInForce
from engine.sequencer.meter import MAX_MAKERS, max_maker_accounts
from engine.sequencer.order_rules import check_guards, check_order
from engine.units import AccountId, MarketIndex, OrderId

CHUNK = 256
"""Makers that are looked up at a time."""


class CheckedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order whose fields hold. ``lots`` as cut by reduce-only; ``price`` None: any; ``ioc``: it never rests.

    ``worst``: the worst price in ticks for one without a price, 0 for any.
    """

    account: AccountState
    market_index: MarketIndex
    buy: bool
    lots: int
    price: int | None
    ioc: bool
    worst: int = 0

    @property
    def side(self) -> Side:
        """``buy`` or ``sell``."""
        return "buy" if self.buy else "sell"

    @property
    def limit(self) -> int | None:
        """The worst price in ticks that it may trade at, None for any."""
        return self.price if self.price is not None else self.worst or None

    @property
    def type(self) -> OrderType:
        """``market`` when it has no price."""
        return "market" if self.price is None else "limit"

    @property
    def tif(self) -> TimeInForce:
        """``ioc`` when it never rests."""
        return "ioc" if self.ioc else "gtc"

    def reaches(self, price: int) -> bool:
        """Whether its own price, or its worst one, lets it trade at this one."""
        limit = self.limit
        return limit is None or (price <= limit if self.buy else price >= limit)


class Makers(NamedTuple):
    """Resting orders that trade, in priority order: four lists of one length. ``prices`` ticks, ``lots`` taken."""

    order_ids: list[OrderId]
    accounts: list[AccountId]
    prices: list[int]
    lots: list[int]


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an order meets. ``unfit``: ids of maker orders in its way that may not fill; ``cost`` in ticks x lots.

    ``cut``: one batch holds no more makers, or the next one is ``doubtful`` (an unconfirmed index reading leaves it too
    little); the rest of the order is to be cancelled. ``reductions``: ids of reduce-only orders, and the lots that each
    is to be left before the book matches (0: none). ``last``: id of the last order that was looked at, 0 for none.
    """

    makers: Makers
    unfit: tuple[OrderId, ...]
    filled: int
    cost: int
    reductions: tuple[tuple[OrderId, int], ...] = ()
    cut: bool = False
    doubtful: bool = False
    last: int = 0


NOBODY = Meeting(makers=Makers([], [], [], []), unfit=(), filled=0, cost=0)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would do: the lots of ``meeting``, ``resting`` and ``cancelled`` add up to those of ``order``.

    ``best``: the best price it could meet, in ticks, 0 for none; ``notional`` quanta of what fills; ``closed``: why
    lots are cancelled; ``outcome``: margins and the account it would leave, also when ``refusal`` stops it.
    """

    order: CheckedOrder
    best: int
    meeting: Meeting
    notional: int
    resting: int
    cancelled: int
    closed: Literal["", "ioc", "post_only", "batch_limit", "worst_price", "index_unconfirmed"]
    outcome: Outcome
    refusal: ProtocolError | None


def plan_order(ground: Ground, order: PlaceOrder) -> Plan:
    """The plan of an order.

    Raises what refuses an order before it gets as far as the book: UnknownMarket, SystemAccount, OutOfRange, BadOrder,
    UnknownAccount, NotReducing, MarketInDeleveraging, MarketHalted, PriceOutsideBand, TooManyOrders; OutOfRange also
    when margin leaves its format. A refusal by margin is in the plan.
    """
    checked = _checked(ground, order)
    best = _best_within(ground.books[checked.market_index], checked)
    closing = order.post_only and best > 0
    meeting, released = NOBODY, (0, 0)
    if best and not closing:
        meeting = meet(ground, checked)
        released = _released(ground, checked, meeting)
    tick_value = ground.terms[checked.market_index].tick_value
    resting = 0 if checked.ioc or closing or meeting.cut else checked.lots - meeting.filled
    cancelled = checked.lots - meeting.filled - resting
    proposal = Proposal(
        market_index=checked.market_index,
        buy=checked.buy,
        filled=meeting.filled,
        notional=meeting.cost * tick_value,
        resting=resting,
        price=checked.price or 0,
        released_lots=released[0],
        released_notional=released[1] * tick_value,
        reduce_only=order.reduce_only,
        outside=meeting.filled > 0
        and ground.guards[checked.market_index].harms(checked.buy, meeting.makers.prices[-1]),
    )
    outcome, refusal = propose(checked.account, proposal, ground.terms, ground.fees, ground.guards)
    return Plan(
        order=checked,
        best=best,
        meeting=meeting,
        notional=proposal.notional,
        resting=resting,
        cancelled=cancelled,
        closed="post_only" if closing else _rest_reason(ground, checked, meeting) if cancelled else "",
        outcome=outcome,
        refusal=None if closing else refusal,
    )


def _rest_reason(
    ground: Ground, order: CheckedOrder, meeting: Meeting
) -> Literal["ioc", "batch_limit", "worst_price", "index_unconfirmed"]:
    """Why lots that neither fill nor rest are cancelled."""
    if meeting.cut:
        return "index_unconfirmed" if meeting.doubtful else "batch_limit"
    if order.price is None:
        book = ground.books[order.market_index]
        if book.next_makers(order.side, None, 1, order.account.account_id, meeting.last, 1)[0]:
            return "worst_price"
    return "ioc"


def _checked(ground: Ground, order: PlaceOrder) -> CheckedOrder:
    """Everything that can be said of an order without looking at the book."""
    index = ground.market_index(order.market)
    check_order(ground.config, ground.markets[index], order)
    account = ground.accounts.get(order.account)
    if account is None:
        raise UnknownAccount(order.account)
    buy = order.side == "buy"
    lots = reduce_only_lots(account.positions[index], buy, order.lots) if order.reduce_only else order.lots
    position, guard = account.positions[index], ground.guards[index]
    same_side = position.buy_lots if buy else position.sell_lots
    reducing = order.reduce_only or is_reducing(position.size, buy, lots, same_side)
    if index in ground.deleveraging_markets and not reducing:
        raise MarketInDeleveraging(order.market)
    check_guards(guard, ground.markets[index], order, reducing)
    price = order.price if order.type == "limit" else None
    ioc = price is None or order.tif == "ioc"
    if not ioc and ground.orders.count_of(order.account) >= ground.config.max_open_orders:
        raise TooManyOrders(ground.orders.count_of(order.account), ground.config.max_open_orders)
    worst = order.worst_price or guard.worst_price(buy)
    return CheckedOrder(account=account, market_index=index, buy=buy, lots=lots, price=price, ioc=ioc, worst=worst)


def _best_within(book: Liquidity, order: CheckedOrder) -> int:
    """The best price on the other side if the order reaches it, else 0."""
    best = book.best_ask if order.buy else book.best_bid
    return best if best is not None and order.reaches(best) else 0


def meet(ground: Ground, order: CheckedOrder) -> Meeting:
    """Whom an order meets: makers that may fill; orders of its own account are passed over.

    One pass in priority order. A maker is judged as the fills before it leave its account; an unfit one is passed, and
    the next one gets its lots, as it gets those that a reduce-only order has beyond its position. The pass ends, and
    the order is cut, at one maker's account more than a batch can hold and after
    :data:`engine.sequencer.meter.MAX_MAKERS` orders.
    """
    book = ground.books[order.market_index]
    vetting, room = _Vetting(ground, order), max_maker_accounts(ground.config)
    makers = Makers([], [], [], [])
    owners: set[int] = set()
    unfit: list[OrderId] = []
    reductions: list[tuple[OrderId, int]] = []
    left = reach = order.lots
    behind, cost, looked_at, last, cut, doubtful = 0, 0, 0, 0, False, False
    while left and not cut:
        chunk = book.next_makers(order.side, order.limit, reach, order.account.account_id, behind, CHUNK)
        for order_id, account, price, size in zip(*chunk, strict=True):
            if not left:
                break
            cut = looked_at == MAX_MAKERS
            if cut:
                break
            looked_at, last = looked_at + 1, order_id
            wanted = min(left, size)
            lots = vetting.fillable(order_id, account, wanted)
            if lots and not vetting.may_fill(order_id, account, lots, price):
                unfit.append(order_id)
                continue
            if lots and vetting.any_doubt:
                cut = doubtful = vetting.doubtful(account, lots, price)
                if cut:
                    break
            if lots < wanted:
                reductions.append((order_id, lots))
                if not lots:
                    continue
            owners.add(account)
            cut = len(owners) > room
            if cut:
                break
            makers.order_ids.append(order_id)
            makers.accounts.append(account)
            makers.prices.append(price)
            makers.lots.append(lots)
            cost += price * lots
            left -= lots
        if len(chunk[0]) < CHUNK and sum(chunk[3]) < reach:
            break  # nobody rests behind these
        behind, reach = chunk[0][-1], min(2 * reach, MAX_LOTS)  # unfit orders may stand in the way of small ones
    return Meeting(
        makers=makers,
        unfit=tuple(unfit),
        filled=order.lots - left,
        cost=cost,
        cut=cut,
        reductions=tuple(reductions),
        doubtful=doubtful,
        last=last,
    )


class _Vetting:
    """The accounts of the makers met so far, as the fills so far leave them."""

    def __init__(self, ground: Ground, order: CheckedOrder) -> None:
        self._accounts, self._terms, self._index = ground.accounts, ground.terms, order.market_index
        self._term, self._fee_ppm = ground.terms[order.market_index], ground.fees.maker_ppm
        self._reduce_only, self._sign = ground.orders.reduce_only, -1 if order.buy else 1
        self._makers: dict[int, MakerAccount] = {}
        self._guards, guard = ground.guards, ground.guards[order.market_index]
        self._sound = (1, guard.high) if self._sign > 0 else (guard.low, MAX_PRICE)
        self.any_doubt = any(guard.unconfirmed for guard in ground.guards)
        self._doubted: dict[int, AccountState] = {}

    def _maker(self, account: AccountId) -> MakerAccount:
        maker = self._makers.get(account)
        if maker is None:
            maker = self._makers[account] = MakerAccount(self._accounts[account], self._index, self._terms)
        return maker

    def fillable(self, order_id: OrderId, account: AccountId, lots: int) -> int:
        """Of so many lots those that its account's position leaves a reduce-only order; of any other order all."""
        if order_id not in self._reduce_only:
            return lots
        return min(lots, reducible(self._maker(account).size, self._sign > 0))

    def may_fill(self, order_id: OrderId, account: AccountId, lots: int, price: int) -> bool:
        """Whether this maker may fill; when it may, it has."""
        maker, notional = self._maker(account), price * lots * self._term.tick_value
        fee = fee_of(notional, self._fee_ppm)
        outside = not self._sound[0] <= price <= self._sound[1]  # as MarketGuard.harms has it
        return maker.fill(self._sign * lots, notional, fee, self._term, order_id in self._reduce_only, outside)

    def doubtful(self, account: AccountId, lots: int, price: int) -> bool:
        """Whether a fill that does not just reduce leaves this maker short at an unconfirmed index reading."""
        state = self._doubted.get(account)
        if state is None:
            state = self._doubted[account] = self._accounts[account].copy()
        notional = price * lots * self._term.tick_value
        signed, fee = self._sign * lots, fee_of(notional, self._fee_ppm)
        reducing = is_reducing(state.positions[self._index].size, signed > 0, lots)
        apply_fill(state, self._index, signed, notional, fee, self._term.funding_index)
        if reducing:
            return False
        terms = cautious_terms(state.positions, self._terms, self._guards, None)
        try:
            return not measure(state.collateral, state.positions, terms, self._fee_ppm).covers_positions
        except OutOfRange:  # no account is good for a reading like that
            return True


def _released(ground: Ground, order: CheckedOrder, meeting: Meeting) -> tuple[int, int]:
    """Lots, and their ticks x lots, of own orders that the self-trade rule will cancel: those met on the way.

    Reduce-only orders release nothing.
    """
    position, market_id = order.account.positions[order.market_index], ground.terms[order.market_index].market_id
    if not (position.sell_lots if order.buy else position.buy_lots):
        return 0, 0
    makers, used_up = meeting.makers, meeting.cut or meeting.filled == order.lots
    if used_up and not meeting.filled:
        return 0, 0
    last_price, last_id = (makers.prices[-1], makers.order_ids[-1]) if meeting.filled else (0, 0)
    lots = cost = 0
    for own in ground.orders.of_account(order.account.account_id):
        if own.market != market_id or own.buy == order.buy or own.reduce_only or not order.reaches(own.price):
            continue
        before_last = own.order_id < last_id if own.price == last_price else (own.price < last_price) == order.buy
        if before_last or not used_up:
            lots += own.lots
            cost += own.lots * own.price
    return lots, cost
