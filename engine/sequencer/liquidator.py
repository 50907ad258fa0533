"""Liquidations: the scan at every clock step, and selling against the book (policy in exchange/liquidation)."""

from __future__ import annotations

import msgspec

from engine.errors import OutOfRange
from engine.exchange.deleveraging import total_value
from engine.exchange.liquidation import (
    FillableSpread,
    bankruptcy_notional,
    bankruptcy_price,
    insured_lots,
    liquidation_fee,
    liquidation_limit,
    lots_to_close,
    markets_by_risk,
    price_bound,
)
from engine.exchange.margin import Margin
from engine.exchange.state import AccountState
from engine.sequencer.cancelling import close_order
from engine.sequencer.core import VenueCore
from engine.sequencer.deleverager import deleverage
from engine.sequencer.events import DeferralReason, Liquidated, LiquidationDeferred
from engine.sequencer.execution import Ticket, close_unfit, execute, take_order_id
from engine.sequencer.planning import CheckedOrder, Meeting, meet
from engine.units import AccountId, MarketId, MarketIndex


def scan(core: VenueCore) -> None:
    """Liquidate every account below maintenance margin, ascending by id."""
    for account_id in sorted(core.accounts):
        state = core.accounts[account_id]
        if core.is_system(account_id) or not (state.collateral < 0 or state.has_position()):
            core.deferred.pop(account_id, None)
            continue
        try:
            margin = core.margin(state)
        except OutOfRange:
            _defer(core, account_id, "out_of_range")
            continue
        if margin.liquidatable and core.waits_for_index(state):
            _defer(core, account_id, "index_unusable")
        elif margin.liquidatable:
            _liquidate(core, state, margin)
        else:
            core.deferred.pop(account_id, None)
    _note_deleveraging(core)


def _liquidate(core: VenueCore, state: AccountState, margin: Margin) -> None:
    for order in core.orders.of_account(state.account_id):
        close_order(core, order.order_id, "margin")
    if margin.total_value > 0:
        reason = _sell_in_steps(core, state)
    else:
        reason = _close_without_value(core, state)
    core.close_batch_if_due()
    if core.margin(state).liquidatable:
        _defer(core, state.account_id, reason or "in_steps")
    else:
        core.deferred.pop(state.account_id, None)


def _note_deleveraging(core: VenueCore) -> None:
    """Who has less than nothing after the scan is in deleveraging; only those whose liquidation waits can be."""
    waiting = {account: core.accounts[account] for account in sorted(core.deferred.keys() | core.deleveraging.keys())}
    bankrupt = [account for account, state in waiting.items() if total_value(state, core.terms) < 0]
    core.deleveraging = {account: core.deleveraging.get(account, core.time) for account in bankrupt}
    if bankrupt:
        core.exposed.update(account for account, state in core.accounts.items() if state.has_position())


def _sell_in_steps(core: VenueCore, state: AccountState) -> DeferralReason | None:
    """With value left: market by market until initial margin is met again; the reason when something could not be."""
    reason: DeferralReason | None = None
    for index in markets_by_risk(state, core.terms):
        margin = core.margin(state)
        if not margin.liquidatable:
            break
        reason = _sell(core, state, index, margin) or reason
    return reason


def _sell(core: VenueCore, state: AccountState, index: MarketIndex, margin: Margin) -> DeferralReason | None:
    """Close lots of one position, over several batches if need be; the reason when nothing could be sold."""
    term, size, config = core.terms[index], state.positions[index].size, core.config
    lots = min(lots_to_close(margin, size, term, config.liquidation_fee_ppm), core.markets[index].max_order_lots)
    if not lots:
        return None
    spread = FillableSpread(config.bankruptcy_adjustment_ppm, config.fillable_spread_ppm)
    order = _order(state, index, lots, liquidation_limit(margin, size, term, spread))
    meeting = meet(core, order)
    if not meeting.filled:
        if meeting.cut:
            close_unfit(core, meeting)  # so that the next step gets past them
        return "thin_book"
    close_unfit(core, meeting)
    _execute(core, order, meeting)
    notional = meeting.cost * term.tick_value
    fee = liquidation_fee(notional, core.margin(state), config.liquidation_fee_ppm)
    state.positions[index].fees += fee
    _pay_insurance(core, state, fee)
    _tell(core, state, index, meeting, fee)
    margin = core.margin(state)
    return _sell(core, state, index, margin) if meeting.cut and margin.liquidatable else None


def _close_without_value(core: VenueCore, state: AccountState) -> DeferralReason | None:
    """Without value: the book as far as insurance covers it, then deleveraging; the reason when a debt is left."""
    for index in markets_by_risk(state, core.terms):
        while state.positions[index].size and _sell_insured(core, state, index):
            pass  # one order may be smaller than the position, or than what the book has
        deleverage(core, state, index)
    if not state.has_position() and state.collateral < 0:
        _cover(core, state)
    return "in_deleveraging" if core.margin(state).total_value < 0 else None


def _sell_insured(core: VenueCore, state: AccountState, index: MarketIndex) -> bool:
    """Sell what the insurance account can pay the loss of in one order, and pay it; whether anything was sold."""
    term, size = core.terms[index], state.positions[index].size
    price = bankruptcy_price(core.margin(state), size, term)
    insurance = max(0, core.balance(core.config.insurance_account))
    order = _order(state, index, min(abs(size), core.markets[index].max_order_lots), price_bound(term, size < 0))
    while True:
        meeting = meet(core, order)
        offers = [
            (ticks * term.tick_value, lots)
            for ticks, lots in zip(meeting.makers.prices, meeting.makers.lots, strict=True)
        ]
        lots = insured_lots(price, size, offers, insurance)
        if not lots:
            if meeting.cut and meeting.unfit and not meeting.filled:
                close_unfit(core, meeting)  # so that the next one gets past them
                return True
            return False
        close_unfit(core, meeting)  # first: what is too large for its account may fit a part
        if lots == meeting.filled:
            break
        order = msgspec.structs.replace(order, lots=lots)
    _execute(core, order, meeting)
    asked, got = bankruptcy_notional(price, size, lots), meeting.cost * term.tick_value
    paid = max(0, asked - got if size > 0 else got - asked)
    _pay_insurance(core, state, -paid)
    _tell(core, state, index, meeting, -paid)
    return True


def _order(state: AccountState, index: MarketIndex, lots: int, price: int) -> CheckedOrder:
    """The closing order; it never rests."""
    buy = state.positions[index].size < 0
    return CheckedOrder(account=state, market_index=index, buy=buy, lots=lots, price=price, ioc=True)


def _execute(core: VenueCore, order: CheckedOrder, meeting: Meeting) -> None:
    ticket = Ticket(
        order_id=take_order_id(core),
        order=order,
        client_id="liquidation",
        reduce_only=False,
        taker_fee_ppm=0,
        liquidation=True,
    )
    execute(core, ticket, meeting)


def _pay_insurance(core: VenueCore, state: AccountState, amount: int) -> None:
    """Move quanta from the account to the insurance account, or back when negative."""
    if amount:
        insurance = core.config.insurance_account
        core.make_room({state.account_id, insurance})
        state.collateral -= amount
        core.system(insurance).collateral += amount
        core.record_transaction(state.account_id, insurance)


def _tell(core: VenueCore, state: AccountState, index: MarketIndex, meeting: Meeting, insurance: int) -> None:
    core.emit(
        Liquidated(
            sequence=core.sequence,
            time=core.time,
            account=state.account_id,
            market=core.market_ids[index],
            lots=meeting.filled,
            price=meeting.cost // meeting.filled,
            insurance=insurance,
        )
    )


def _cover(core: VenueCore, state: AccountState) -> None:
    """The insurance account pays what an account without positions owes, as far as it can."""
    amount = min(-state.collateral, max(0, core.balance(core.config.insurance_account)))
    if amount:
        _pay_insurance(core, state, -amount)
        core.emit(
            Liquidated(
                sequence=core.sequence,
                time=core.time,
                account=state.account_id,
                market=MarketId(0),
                lots=0,
                price=0,
                insurance=-amount,
            )
        )


def _defer(core: VenueCore, account_id: AccountId, reason: DeferralReason) -> None:
    """Record, and tell once per reason, that a liquidation waits for the next step."""
    if core.deferred.get(account_id) != reason:
        core.deferred[account_id] = reason
        core.emit(LiquidationDeferred(sequence=core.sequence, time=core.time, account=account_id, reason=reason))
