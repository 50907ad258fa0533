"""The ticket's receipt: what an order would do, by the functions that the sequencer itself uses.

Works on private copies (:class:`PreviewBasis`), so any thread may call it. It assumes that every maker shown stands;
a maker whose own margin fails at that moment is cancelled first, and the order then meets the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.errors import ProtocolError
from engine.exchange.admission import FeeRates, Outcome, Proposal, propose, reduce_only_lots
from engine.exchange.config import VenueConfig
from engine.exchange.margin import Margin, liquidation_price
from engine.exchange.refusals import TooManyOrders, UnknownAccount
from engine.exchange.state import AccountState, MarketTerms
from engine.exchange.trade import fee_of
from engine.sequencer.core import VenueCore
from engine.sequencer.inputs import PlaceOrder
from engine.sequencer.order_rules import check_order, market_index
from engine.units import FIXED_ONE


class OwnOrder(NamedTuple):
    """A resting order of the account. ``lots_ahead``: all lots before it at its price."""

    order_id: int
    market: int
    buy: bool
    price: int
    lots: int
    lots_ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewBasis:
    """What a preview stands on. ``depth``: market id to (bids, asks), int64 (n, 3) of price, lots, orders, best first.

    ``account`` is a private copy, None when it is not open; ``terms`` in ascending market id.
    """

    config: VenueConfig
    account_id: int
    account: AccountState | None
    terms: tuple[MarketTerms, ...]
    own_orders: tuple[OwnOrder, ...]
    depth: dict[int, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an order would do now.

    ``lots`` as cut by reduce-only; ``filled`` + ``resting`` + ``cancelled`` = ``lots``. ``notional`` quanta of the
    filled part; ``average_fixed`` 32.32, rounded down; ``worst_price`` ticks; all 0 when nothing fills.
    ``fee_taker`` quanta now, ``fee_maker`` quanta if the resting part fills. ``impact_bps``: distance of the average
    from the best price, rounded up. ``closed``: why lots are cancelled ("", ioc, post_only). ``beyond_depth``: the
    order reaches past the depth that the basis holds. ``refusal``: the typed refusal the sequencer would answer with;
    margins are those of the account that would be left (equal to before when there is no such account).
    """

    lots: int
    filled: int
    resting: int
    cancelled: int
    notional: int
    average_fixed: int
    worst_price: int
    fee_taker: int
    fee_maker: int
    impact_bps: int
    margin_before: Margin
    margin_after: Margin
    liquidation_before: int | None
    liquidation_after: int | None
    size_before: int
    size_after: int
    closed: str
    beyond_depth: bool
    refusal: ProtocolError | None


NO_MARGIN = Margin(total_value=0, notional=0, initial=0, maintenance=0, reserved=0)


class _Match(NamedTuple):
    """The part that trades at once."""

    filled: int
    cost: int
    best: int
    worst: int
    released_lots: int
    released_cost: int
    beyond_depth: bool


NO_MATCH = _Match(0, 0, 0, 0, 0, 0, False)


def basis_of(core: VenueCore, account_id: int, levels: int) -> PreviewBasis:
    """Copy what a preview needs out of the venue."""
    own = []
    for order in core.orders.of_account(account_id):
        ahead = core.books[core.market_index(order.market)].lots_ahead(order.order_id) or 0
        own.append(
            OwnOrder(
                order_id=order.order_id,
                market=order.market,
                buy=order.buy,
                price=order.price,
                lots=order.lots,
                lots_ahead=ahead,
            )
        )
    state = core.accounts.get(account_id)
    return PreviewBasis(
        config=core.config,
        account_id=account_id,
        account=state.copy() if state else None,
        terms=core.terms,
        own_orders=tuple(own),
        depth={market_id: book.depth(levels) for market_id, book in zip(core.market_ids, core.books)},
    )


def preview_order(basis: PreviewBasis, order: PlaceOrder) -> Receipt:
    """The receipt of an order; refusals are in it, not raised."""
    try:
        index = market_index(basis.config, order.market)
        check_order(basis.config, basis.config.market(order.market), order)
        if basis.account is None:
            raise UnknownAccount(order.account)
    except ProtocolError as error:
        return _refused(basis, order, error)
    try:
        return _preview(basis, order, index, basis.account)
    except ProtocolError as error:
        return _refused(basis, order, error)


def _preview(basis: PreviewBasis, order: PlaceOrder, index: int, account: AccountState) -> Receipt:
    buy, stake, term = order.side == "buy", account.stakes[index], basis.terms[index]
    lots = reduce_only_lots(stake, buy, order.lots) if order.reduce_only else order.lots
    price = order.price if order.type == "limit" else None
    ioc = price is None or order.tif == "ioc"
    if not ioc and len(basis.own_orders) >= basis.config.max_open_orders:
        raise TooManyOrders(len(basis.own_orders), basis.config.max_open_orders)
    match = _match(basis, order.market, buy, lots, price)
    fees = FeeRates(basis.config.maker_fee_ppm, basis.config.taker_fee_ppm)
    if order.post_only and match.best:
        outcome, refusal = propose(
            account, Proposal(market_index=index, buy=buy, filled=0, notional=0, resting=0, price=0), basis.terms, fees
        )
        return _receipt(basis, index, lots, lots, 0, "post_only", NO_MATCH, outcome, None)
    resting = 0 if ioc else lots - match.filled
    proposal = Proposal(
        market_index=index,
        buy=buy,
        filled=match.filled,
        notional=match.cost * term.tick_value,
        resting=resting,
        price=price or 0,
        released_lots=match.released_lots,
        released_notional=match.released_cost * term.tick_value,
    )
    outcome, refusal = propose(account, proposal, basis.terms, fees)
    cancelled = lots - match.filled - resting
    fee_maker = fee_of(resting * (price or 0) * term.tick_value, fees.maker_ppm)
    closed = "ioc" if cancelled else ""
    return _receipt(basis, index, lots, cancelled, fee_maker, closed, match, outcome, refusal)


def _receipt(
    basis: PreviewBasis,
    index: int,
    lots: int,
    cancelled: int,
    fee_maker: int,
    closed: str,
    match: _Match,
    outcome: Outcome,
    refusal: ProtocolError | None,
) -> Receipt:
    assert basis.account is not None
    term, before, after = basis.terms[index], basis.account.stakes[index], outcome.account.stakes[index]
    filled = match.filled
    distance = abs(match.cost - match.best * filled)
    return Receipt(
        lots=lots,
        filled=filled,
        resting=lots - filled - cancelled,
        cancelled=cancelled,
        notional=match.cost * term.tick_value,
        average_fixed=match.cost * term.tick_value * FIXED_ONE // filled if filled else 0,
        worst_price=match.worst,
        fee_taker=outcome.fee,
        fee_maker=fee_maker,
        impact_bps=-(-distance * 10_000 // (match.best * filled)) if filled else 0,
        margin_before=outcome.before,
        margin_after=outcome.after,
        liquidation_before=liquidation_price(outcome.before, before, term),
        liquidation_after=liquidation_price(outcome.after, after, term),
        size_before=before.size,
        size_after=after.size,
        closed=closed,
        beyond_depth=match.beyond_depth,
        refusal=refusal,
    )


def _refused(basis: PreviewBasis, order: PlaceOrder, error: ProtocolError) -> Receipt:
    """A receipt of an order that never gets as far as the book."""
    margin, liquidation, size = NO_MARGIN, None, 0
    if basis.account is not None:
        fees = FeeRates(basis.config.maker_fee_ppm, basis.config.taker_fee_ppm)
        outcome, _ = propose(
            basis.account,
            Proposal(market_index=0, buy=True, filled=0, notional=0, resting=0, price=0),
            basis.terms,
            fees,
        )
        margin = outcome.before
        for stake, term in zip(basis.account.stakes, basis.terms):
            if term.market_id == order.market:
                liquidation, size = liquidation_price(margin, stake, term), stake.size
    return Receipt(
        lots=order.lots,
        filled=0,
        resting=0,
        cancelled=0,
        notional=0,
        average_fixed=0,
        worst_price=0,
        fee_taker=0,
        fee_maker=0,
        impact_bps=0,
        margin_before=margin,
        margin_after=margin,
        liquidation_before=liquidation,
        liquidation_after=liquidation,
        size_before=size,
        size_after=size,
        closed="",
        beyond_depth=False,
        refusal=error,
    )


def _match(basis: PreviewBasis, market: int, buy: bool, lots: int, price: int | None) -> _Match:
    """Walk the depth; own orders on the way are passed over and counted as released (the self-trade rule)."""
    levels = basis.depth[market][1 if buy else 0]
    own: dict[int, list[OwnOrder]] = {}
    for order in basis.own_orders:
        if order.market == market and order.buy != buy:
            own.setdefault(order.price, []).append(order)
    left, cost, best, worst, released_lots, released_cost = lots, 0, 0, 0, 0, 0
    for level_price, level_lots, _ in levels.tolist():
        if left == 0 or (price is not None and (level_price > price if buy else level_price < price)):
            return _Match(lots - left, cost, best, worst, released_lots, released_cost, False)
        best = best or level_price
        own_before = 0
        for order in own.get(level_price, ()):
            if order.lots_ahead - own_before < left:
                released_lots += order.lots
                released_cost += order.lots * level_price
            own_before += order.lots
        taken = min(left, level_lots - own_before)
        if taken:
            left, cost, worst = left - taken, cost + taken * level_price, level_price
    beyond = left > 0 and len(levels) > 0 and bool(len(levels) >= DEPTH_FULL)
    return _Match(lots - left, cost, best, worst, released_lots, released_cost, beyond)


DEPTH_FULL = 200
"""Levels per side that a basis holds at most by default; a side with as many may have more behind."""
