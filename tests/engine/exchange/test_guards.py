"""Price bands, fills outside them, and values under unconfirmed index readings."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchange.admission import FeeRates, MakerAccount, Proposal, measure_cautiously, propose
from engine.exchange.config import BTC, ETH
from engine.exchange.guards import MarketGuard, cautious_terms, price_band
from engine.exchange.margin import Margin, measure
from engine.exchange.refusals import InsufficientMargin
from engine.exchange.state import AccountState, MarketTerms
from engine.units import FIXED_ONE, QUANTUM

FEES = FeeRates(200, 500)
MARKETS = (BTC, ETH)
MARKS = (600_000 * 100 * FIXED_ONE, 250_000 * 10 * FIXED_ONE)
BTC_BAND, ETH_BAND = (price_band(market, mark) for market, mark in zip(MARKETS, MARKS, strict=True))
NO_DOUBT = (MarketGuard(*BTC_BAND), MarketGuard(*ETH_BAND))


def terms(marks=MARKS) -> list[MarketTerms]:
    return [
        MarketTerms(
            market_id=m.market_id,
            tick_value=m.tick_value,
            initial=m.initial_margin,
            maintenance=m.maintenance_margin,
            mark=mark,
            funding_index=0,
        )
        for m, mark in zip(MARKETS, marks, strict=True)
    ]


def account(collateral: int, *sizes: int) -> AccountState:
    state = AccountState(16, 2)
    state.collateral = collateral
    for position, size in zip(state.positions, sizes, strict=True):
        position.size = size
    return state


def margin(state: AccountState, at=None) -> Margin:
    return measure(state.collateral, state.positions, at or terms(), FEES.maker_ppm)


def test_the_band_of_the_default_markets() -> None:
    assert (BTC_BAND, ETH_BAND) == ((570_000, 630_000), (237_500, 262_500))
    assert price_band(BTC, 1) == (1, 1)


def test_harm_is_a_price_beyond_the_band_on_the_payers_side() -> None:
    guard = NO_DOUBT[0]
    assert [guard.harms(True, price) for price in (1, 630_000, 630_001)] == [False, False, True]
    assert [guard.harms(False, price) for price in (569_999, 570_000, 10**6)] == [True, False, False]


LOT = 600_000 * 100


def test_a_taker_that_reduces_outside_the_band_must_keep_initial_margin() -> None:
    """A close of 100 of 200 short lots at 2 % above the band: 100 x 7 % of a lot are lost, initial margin is 5 lots."""
    price = 642_000
    loss = 100 * (price - 600_000) * 100
    proposal = Proposal(
        market_index=0, buy=True, filled=100, notional=100 * price * 100, resting=0, price=0, outside=True
    )
    exact = account(0, -200, 0)
    exact.collateral = 200 * LOT + 5 * LOT + 1 + loss  # 5 % as 0.32 is a little more than 5 %
    free = FeeRates(0, 0)
    assert propose(exact, proposal, terms(), free, NO_DOUBT)[1] is None
    exact.collateral -= 1
    refusal = propose(exact, proposal, terms(), free, NO_DOUBT)[1]
    assert isinstance(refusal, InsufficientMargin)
    assert refusal.value == 1
    inside = Proposal(market_index=0, buy=True, filled=100, notional=100 * price * 100, resting=0, price=0)
    assert propose(exact, inside, terms(), free, NO_DOUBT)[1] is None  # without a band it was let through


sizes = st.integers(-2000, 2000)


@settings(max_examples=150, deadline=None)
@given(sizes, sizes, st.integers(-60_000, 400_000), st.integers(1, 2_500_000), st.integers(1, 1500), st.booleans())
def test_a_fill_outside_the_band_never_lowers_an_account_below_initial_margin(size, other, tokens, price, lots, buy):
    state = account(tokens * QUANTUM - size * LOT, size, other)
    guard, notional = NO_DOUBT[0], lots * price * 100
    if guard.low <= price <= guard.high:
        return
    before = margin(state)
    outside = guard.harms(buy, price)
    maker = MakerAccount(state, 0, terms())
    if maker.fill(lots if buy else -lots, notional, notional // 5000 + 1, terms()[0], False, outside):
        left = account(maker.collateral, maker.size, other)
        assert margin(left).covers_positions or not (outside or before.covers_positions)
    proposal = Proposal(market_index=0, buy=buy, filled=lots, notional=notional, resting=0, price=0, outside=outside)
    outcome, refusal = propose(state, proposal, terms(), FEES, NO_DOUBT)
    if refusal is None:
        assert outcome.after.covers_positions or not (outside or before.covers_positions)


def resting(state: AccountState, index: int, buys: int, sells: int) -> None:
    price = (600_000, 250_000)[index]
    unit = MARKETS[index].tick_value
    state.positions[index].add_resting(True, buys, buys * (price - 50) * unit)
    state.positions[index].add_resting(False, sells, sells * (price + 50) * unit)


readings = st.integers(1, 4 * MARKS[0])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**12), sizes, sizes, st.integers(0, 900), st.integers(0, 900), readings, readings)
def test_the_worse_of_mark_and_reading_allows_no_more_than_either(collateral, btc, eth, buys, sells, first, second):
    state = account(collateral, btc, eth)
    resting(state, 0, buys, sells)
    resting(state, 1, sells, buys)
    guards = (NO_DOUBT[0]._replace(unconfirmed=first), NO_DOUBT[1]._replace(unconfirmed=second))
    cautious = measure_cautiously(state, terms(), guards, FEES)
    alone = cautious_terms(state.positions, terms(), guards, None)
    choices = [margin(state, terms(marks)) for marks in product((MARKS[0], first), (MARKS[1], second))]
    assert cautious.free_collateral == min(choice.free_collateral for choice in choices)
    assert cautious.covers_orders == all(choice.covers_orders for choice in choices)
    assert margin(state, alone).covers_positions == all(choice.covers_positions for choice in choices)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 5 * 10**9), sizes, st.integers(1, 500), st.booleans(), readings)
def test_an_order_taken_at_the_worse_is_taken_at_either(collateral, size, lots, buy, reading):
    state = account(collateral + abs(size) * LOT // 10 - size * LOT, size, 0)
    proposal = Proposal(market_index=0, buy=buy, filled=lots, notional=lots * LOT, resting=0, price=0)
    guards = (NO_DOUBT[0]._replace(unconfirmed=reading), NO_DOUBT[1])
    worse = propose(state, proposal, terms(), FEES, guards)[1]
    held = propose(state, proposal, terms(), FEES, NO_DOUBT)[1]
    if worse is None:
        assert held is None
    reducing = (size < 0 if buy else size > 0) and lots <= abs(size)
    read = propose(state, proposal, terms((reading, MARKS[1])), FEES, NO_DOUBT)[1]
    if not reducing:
        assert (worse is None) == (held is None and read is None)
