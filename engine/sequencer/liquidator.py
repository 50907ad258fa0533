"""Liquidations: the scan at every clock step, and selling against the book (policy in exchange/liquidation)."""

from __future__ import annotations

from engine.errors import OutOfRange
from engine.exchange.liquidation import liquidation_fee, lots_to_close, markets_by_risk, price_bound
from engine.exchange.margin import Margin
from engine.exchange.state import AccountState
from engine.exchange.trade import apply_fill
from engine.sequencer.cancelling import close_order
from engine.sequencer.core import VenueCore
from engine.sequencer.events import DeferralReason, Liquidated, LiquidationDeferred
from engine.sequencer.execution import Ticket, close_unfit, execute, take_order_id
from engine.sequencer.planning import CheckedOrder, Meeting, meet


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
        if margin.liquidatable:
            _liquidate(core, state)
        else:
            core.deferred.pop(account_id, None)


def _liquidate(core: VenueCore, state: AccountState) -> None:
    for order in core.orders.of_account(state.account_id):
        close_order(core, order.order_id, "margin")
    reason: DeferralReason | None = None
    for index in markets_by_risk(state, core.terms):
        margin = core.margin(state)
        if not margin.liquidatable:
            break
        reason = _sell(core, state, index, margin) or reason
    if not state.has_position() and state.collateral < 0:
        reason = _cover(core, state) or reason
    core.close_batch_if_due()
    if core.margin(state).liquidatable:
        _defer(core, state.account_id, reason or "in_steps")
    else:
        core.deferred.pop(state.account_id, None)


def _sell(core: VenueCore, state: AccountState, index: int, margin: Margin) -> DeferralReason | None:
    """Close lots of one position, over several batches if need be; the reason when nothing could be sold."""
    term, size = core.terms[index], state.stakes[index].size
    lots = min(lots_to_close(margin, size, term, core.config.liquidation_fee_ppm), core.markets[index].max_order_lots)
    if not lots:
        return None
    buy = size < 0
    order = CheckedOrder(account=state, market_index=index, buy=buy, lots=lots, price=price_bound(term, buy), ioc=True)
    meeting = meet(core, order)
    if not meeting.filled:
        if meeting.cut:
            close_unfit(core, meeting)  # so that the next step gets past them
        return "thin_book"
    after = state.copy()
    notional = meeting.cost * term.tick_value
    apply_fill(after, index, meeting.filled if buy else -meeting.filled, notional, 0, term.funding_index)
    missing = max(0, -core.margin(after).equity)
    if missing > core.balance(core.config.insurance_account):
        return "insurance_short"
    close_unfit(core, meeting)
    _execute(core, order, meeting)
    margin = core.margin(state)
    return _sell(core, state, index, margin) if meeting.cut and margin.liquidatable else None


def _execute(core: VenueCore, order: CheckedOrder, meeting: Meeting) -> None:
    """Sell, then move the liquidation fee to the insurance account."""
    config, state, index = core.config, order.account, order.market_index
    ticket = Ticket(
        order_id=take_order_id(core),
        order=order,
        client_id="liquidation",
        reduce_only=False,
        taker_fee_ppm=0,
        liquidation=True,
    )
    execute(core, ticket, meeting)
    notional = meeting.cost * core.terms[index].tick_value
    fee = liquidation_fee(notional, core.margin(state).total_value, config.liquidation_fee_ppm)
    if fee:
        state.collateral -= fee
        state.stakes[index].fees += fee
        core.system(config.insurance_account).collateral += fee
        core.transact(state.account_id, config.insurance_account)
    core.emit(
        Liquidated(
            sequence=core.sequence,
            time=core.time,
            account=state.account_id,
            market=core.market_ids[index],
            lots=meeting.filled,
            price=meeting.cost // meeting.filled,
            insurance=fee,
        )
    )


def _cover(core: VenueCore, state: AccountState) -> DeferralReason | None:
    """The insurance account pays what a closed account owes, as far as it can; the reason when something is left."""
    insurance = core.config.insurance_account
    amount = min(-state.collateral, max(0, core.balance(insurance)))
    if amount:
        core.make_room({state.account_id, insurance})
        state.collateral += amount
        core.system(insurance).collateral -= amount
        core.transact(state.account_id, insurance)
        core.emit(
            Liquidated(
                sequence=core.sequence,
                time=core.time,
                account=state.account_id,
                market=0,
                lots=0,
                price=0,
                insurance=-amount,
            )
        )
    return "insurance_short" if state.collateral < 0 else None


def _defer(core: VenueCore, account_id: int, reason: DeferralReason) -> None:
    """Record, and tell once per reason, that a liquidation waits for the next step."""
    if core.deferred.get(account_id) != reason:
        core.deferred[account_id] = reason
        core.emit(LiquidationDeferred(sequence=core.sequence, time=core.time, account=account_id, reason=reason))
