"""A clock step: prices, funding, participants, liquidations, candles, batch age, in this order."""

from __future__ import annotations

from engine.errors import ProtocolError, check_range
from engine.exchange.funding import is_behind, settle
from engine.exchange.guards import HaltReason
from engine.exchange.refusals import ClockBackwards
from engine.sequencer import liquidator
from engine.sequencer.cancelling import cancel_all, cancel_order
from engine.sequencer.core import VenueCore
from engine.sequencer.events import FundingApplied, FundingPaid, TradingHalted, TradingResumed
from engine.sequencer.execution import place_order
from engine.sequencer.history import FundingLine
from engine.sequencer.index_readings import take_reading
from engine.sequencer.inputs import CancelAll, CancelOrder, ClockStep, PlaceOrder, Side
from engine.sequencer.participant import Command, PriceSource
from engine.sequencer.prices import MarketPrices, advance_funding, sample_premium
from engine.units import HOUR, AccountId, MarketId

MAX_STEP = 24 * HOUR
"""Longest clock step: one step may hold at most a day of funding times."""


class Access:
    """The venue as participants see it (:class:`engine.sequencer.participant.MarketAccess`)."""

    def __init__(self, core: VenueCore) -> None:
        self._core = core

    def best_bid(self, market: MarketId) -> int | None:
        """Highest bid in ticks."""
        return self._core.books[self._core.market_index(market)].best_bid

    def best_ask(self, market: MarketId) -> int | None:
        """Lowest ask in ticks."""
        return self._core.books[self._core.market_index(market)].best_ask

    def orders_of(self, account: AccountId, market: MarketId) -> list[tuple[int, Side, int, int]]:
        """Resting orders, oldest first."""
        return [
            (o.order_id, o.side, o.price, o.lots) for o in self._core.orders.of_account(account) if o.market == market
        ]

    def position(self, account: AccountId, market: MarketId) -> int:
        """Signed lots."""
        state = self._core.accounts.get(account)
        return state.positions[self._core.market_index(market)].size if state else 0

    def index_fixed(self, market: MarketId) -> int:
        """Index price as of this step; what stands unconfirmed is not shown."""
        return self._core.prices[self._core.market_index(market)].index_fixed


def step(core: VenueCore, source: PriceSource, command: ClockStep) -> None:
    """Move venue time; :class:`ClockBackwards`, or OutOfRange for a step over more than ``MAX_STEP``."""
    if command.time < core.time:
        raise ClockBackwards(command.time, core.time)
    previous = core.time
    check_range("time", command.time, previous, previous + MAX_STEP)
    core.time = command.time
    if not core.deleveraging:
        core.exposed.clear()
    _update_prices(core, source, command.time - previous)
    _update_funding(core)
    for participant in core.participants:
        for order in participant.step(Access(core), previous, command.time, command.quotes_only):
            _apply(core, order)
    liquidator.scan(core)
    for prices, candles in zip(core.prices, core.candles, strict=True):
        candles.step(core.time, prices.mark_ticks(), prices.index_ticks())
    core.close_batch_if_due()


def _update_prices(core: VenueCore, source: PriceSource, elapsed: int) -> None:
    for market, prices, book in zip(core.markets, core.prices, core.books, strict=True):
        before = prices.halted
        take_reading(prices, market, book, source.index_fixed(market.market_id, core.time), core.time, elapsed)
        if prices.halted != before:
            _tell_halt(core, prices, before)
        sample_premium(prices, book, core.time, core.config.funding_sample_interval)
    core.refresh_terms()


def _tell_halt(core: VenueCore, prices: MarketPrices, before: HaltReason) -> None:
    if prices.halted:
        core.emit(TradingHalted(sequence=core.sequence, time=core.time, market=prices.market_id, reason=prices.halted))
    else:
        core.emit(TradingResumed(sequence=core.sequence, time=core.time, market=prices.market_id, reason=before))


def _update_funding(core: VenueCore) -> None:
    """Move the index at each funding time that has come and settle every holder at once.

    All holders are settled whenever an index moves, so between funding times no account is ever behind it, and no
    other transaction has to settle first.
    """
    while core.time >= core.prices[0].next_funding:
        for prices in core.prices:
            rate, delta = advance_funding(prices, core.config)
            core.emit(
                FundingApplied(
                    sequence=core.sequence,
                    time=core.time,
                    market=prices.market_id,
                    rate=rate,
                    index_delta=delta,
                    index=prices.funding_index,
                )
            )
        core.refresh_terms()
        _settle_holders(core)


def _settle_holders(core: VenueCore) -> None:
    for account_id in sorted(core.accounts):
        state = core.accounts[account_id]
        if not is_behind(state, core.terms):
            continue
        funding_account = core.config.funding_account
        core.make_room({account_id, funding_account})
        paid = settle(state, core.system(funding_account), core.terms)
        core.record_transaction(account_id, funding_account)
        for market_id, amount in paid:
            size = state.positions[core.market_index(market_id)].size
            if account_id not in core.silent_accounts:
                core.emit(
                    FundingPaid(
                        sequence=core.sequence,
                        time=core.time,
                        account=account_id,
                        market=market_id,
                        amount=amount,
                        size=size,
                    )
                )
            core.history.funding(account_id, FundingLine(time=core.time, market=market_id, size=size, amount=amount))
        core.close_batch_if_due()


def _apply(core: VenueCore, command: Command) -> None:
    """A participant's command; refusals are counted, not told."""
    try:
        if isinstance(command, PlaceOrder):
            place_order(core, command)
        elif isinstance(command, CancelOrder):
            cancel_order(core, command)
        elif isinstance(command, CancelAll):
            cancel_all(core, command)
        else:
            raise TypeError(f"participants cannot send {type(command).__name__}")
    except ProtocolError:
        core.counters.participant_refusals += 1
    core.close_batch_if_due()
