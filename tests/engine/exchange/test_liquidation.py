"""Liquidation sizes, bounds and fees."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.config import fraction
from engine.exchange.liquidation import (
    FillableSpread,
    allowed_loss,
    bankruptcy_notional,
    bankruptcy_price,
    fillable_distance,
    insured_lots,
    liquidation_fee,
    liquidation_limit,
    lots_to_close,
    markets_by_risk,
    price_bound,
)
from engine.exchange.margin import Margin, measure
from engine.exchange.state import AccountState, MarketTerms, PositionState
from engine.units import FIXED_ONE

FEE_PPM = 10_000
SPREAD = FillableSpread(1_000_000, 1_500_000)
MARK = 60_000 * 1000 * FIXED_ONE


def terms(market: int = 1, mark: int = MARK) -> MarketTerms:
    return MarketTerms(
        market_id=market,
        tick_value=100,
        initial=fraction(5, 100),
        maintenance=fraction(3, 100),
        mark=mark,
        funding_index=0,
    )


def positions(*sizes: int) -> list[PositionState]:
    found = [PositionState() for _ in sizes]
    for position, size in zip(found, sizes, strict=True):
        position.size = size
    return found


@given(st.sampled_from([1, -1]), st.integers(1, 5000), st.integers(0, 2999))
def test_lots_to_close_are_the_fewest_that_restore_initial_margin(sign, lots, equity_bp) -> None:
    size = sign * lots
    value = lots * (MARK >> 32) * equity_bp // 100_000  # below maintenance
    collateral = value - size * (MARK >> 32)
    margin = measure(collateral, positions(size), [terms()], 0)
    assert margin.liquidatable or margin.maintenance == margin.total_value << 32
    closed = lots_to_close(margin, size, terms(), FEE_PPM)
    assert 1 <= closed <= lots

    def restored(q: int) -> bool:
        fee_rate = FEE_PPM * FIXED_ONE // 10**6
        after = (margin.total_value << 32) - q * MARK * fee_rate
        return after >= (lots - q) * MARK * terms().initial

    if closed < lots:
        assert restored(closed)
    assert not restored(closed - 1)


def test_an_account_worth_nothing_is_closed_entirely() -> None:
    margin = measure(-60_000 * 10**6, positions(1000), [terms()], 0)
    assert margin.total_value == 0
    assert lots_to_close(margin, 1000, terms(), FEE_PPM) == 1000


def test_markets_are_closed_by_requirement() -> None:
    account = AccountState(16, 3)
    account.positions = positions(5, 0, -9)
    assert markets_by_risk(account, [terms(1), terms(2), terms(3)]) == [2, 0]
    account.positions = positions(5, 0, -5)
    assert markets_by_risk(account, [terms(1), terms(2), terms(3)]) == [0, 2]


def margin_of(value: int, *held: PositionState, fixed: int = 0) -> Margin:
    """Margin of an account worth ``value`` quanta (and ``fixed`` / 2^32) at the mark."""
    found = measure(0, held, [terms()] * len(held), 0)
    return msgspec.structs.replace(found, total_value=(value << 32) + fixed)


def test_the_fee_comes_from_what_is_above_maintenance_or_zero() -> None:
    assert liquidation_fee(1_000_000, margin_of(10**9), FEE_PPM) == 10_000
    assert liquidation_fee(1_000_001, margin_of(10**9), FEE_PPM) == 10_001
    assert liquidation_fee(1_000_000, margin_of(7), FEE_PPM) == 7
    assert liquidation_fee(1_000_000, margin_of(7, fixed=FIXED_ONE - 1), FEE_PPM) == 7
    assert liquidation_fee(1_000_000, margin_of(-7), FEE_PPM) == 0
    maintenance = 1_800_000 * 100  # 3 % of 100 lots at 60 USD, plus what rounding the fraction adds
    (held,) = positions(100)
    assert margin_of(0, held).maintenance_margin == maintenance + 1
    assert liquidation_fee(1_000_000, margin_of(maintenance + 8, held), FEE_PPM) == 7
    assert liquidation_fee(1_000_000, margin_of(maintenance, held), FEE_PPM) == 0
    assert liquidation_fee(1_000_000, margin_of(maintenance + 10**6, held), FEE_PPM) == 10_000


def test_price_bound_is_the_initial_fraction_away() -> None:
    assert price_bound(terms(), True) == 630_000
    assert price_bound(terms(), False) == 570_000
    assert price_bound(terms(mark=1), False) == 1
    assert price_bound(terms(mark=1), True) == 1


@given(st.sampled_from([1, -1]), st.integers(1, 5000), st.integers(-(10**12), 10**10), st.data())
def test_closing_a_part_at_the_bankruptcy_price_keeps_the_ratio_rounded_towards_the_account(sign, lots, value, data):
    (held,) = positions(sign * lots)
    before = margin_of(value, held)
    price = bankruptcy_price(before, held.size, terms())
    q = data.draw(st.integers(1, lots))
    notional = bankruptcy_notional(price, held.size, q)
    after_value = (value << 32) + sign * ((notional << 32) - q * MARK)
    after_maintenance = before.maintenance - q * MARK * terms().maintenance
    exact = Fraction(value << 32) * after_maintenance / before.maintenance
    assert 0 <= after_value - exact < FIXED_ONE
    if q == lots:
        assert 0 <= after_value < FIXED_ONE


def test_bankruptcy_price_of_round_numbers() -> None:
    fraction_3 = terms().maintenance
    (held,) = positions(1000)
    margin = margin_of(900 * 10**6, held)  # half of the 1,800 that 60,000 USD need, up to the fraction's rounding
    assert bankruptcy_price(margin, 1000, terms()) == MARK - Fraction(900 * 10**6 << 32, 1000)
    assert bankruptcy_price(margin, -1000, terms()) == MARK + Fraction(900 * 10**6 << 32, 1000)
    two = measure(0, positions(1000, 3000), [terms(1), terms(2)], 0)
    two = msgspec.structs.replace(two, total_value=-(4000 * 10**6 << 32))
    assert allowed_loss(two, terms()) == -(
        10**6 << 32
    )  # by requirement: a quarter of the loss on a quarter of the lots
    assert fraction_3 == 128849019


@pytest.mark.parametrize(
    ("value", "rating"), [(1800, 0), (1350, Fraction(1, 4)), (900, Fraction(1, 2)), (0, 1), (-500, 1)]
)
def test_fillable_distance_grows_from_nothing_to_one_and_a_half_requirements(value: int, rating) -> None:
    term = terms()._replace(maintenance=1 << 27)  # 1/32: no rounding
    held = positions(1000)
    margin = measure(0, held, [term], 0)
    requirement = margin.maintenance >> 64
    margin = msgspec.structs.replace(margin, total_value=(requirement * value // 1800) << 32)
    assert fillable_distance(margin, term, SPREAD) == rating * Fraction(3, 2) * Fraction(MARK, 32)
    faster = FillableSpread(2_000_000, 500_000)
    assert fillable_distance(margin, term, faster) == min(1, 2 * rating) * Fraction(1, 2) * Fraction(MARK, 32)


def test_the_limit_is_the_nearer_of_both_prices_rounded_towards_the_account() -> None:
    (held,) = positions(1000)
    low = margin_of(180 * 10**6, held)  # a tenth of the requirement: bankruptcy is nearer, 0.18 USD a lot, 1,800 ticks
    assert liquidation_limit(low, 1000, terms(), SPREAD) == 598_200
    assert liquidation_limit(low, -1000, terms(), SPREAD) == 601_800
    odd = margin_of(180 * 10**6 + 1, held)
    assert liquidation_limit(odd, 1000, terms(), SPREAD) == 598_200  # worst whole tick that is not beyond 598,199.99
    assert liquidation_limit(odd, -1000, terms(), SPREAD) == 601_800
    short_of = margin_of(180 * 10**6 - 1, held)
    assert liquidation_limit(short_of, 1000, terms(), SPREAD) == 598_201
    assert liquidation_limit(short_of, -1000, terms(), SPREAD) == 601_799
    high = margin_of(1620 * 10**6, held)  # nine tenths: fillable is nearer, 0.1 * 1.5 * 3 % of 600,000
    assert liquidation_limit(high, 1000, terms(), SPREAD) == 597_300
    assert liquidation_limit(high, -1000, terms(), SPREAD) == 602_700


@given(
    st.sampled_from([1, -1]),
    st.integers(-3000, 0),
    st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 40)), max_size=6),
    st.integers(0, 300_000),
)
def test_insured_lots_are_the_most_that_insurance_pays_lot_by_lot(sign, value, levels, insurance) -> None:
    mark, lots = 3000, 200
    price = Fraction((mark * lots * 7 - sign * value * 10) << 32, lots * 7)
    offers, unit = [], mark
    for step, size in levels:
        unit = max(1, unit - step) if sign > 0 else unit + step
        offers.append((unit, size))
    found = insured_lots(price, sign * lots, offers, insurance)

    def loss(q: int) -> int:
        each = [unit for unit, size in offers for _ in range(size)][:q]
        notional = bankruptcy_notional(price, sign * lots, q)
        return notional - sum(each) if sign > 0 else sum(each) - notional

    assert loss(found) <= insurance
    total = sum(size for _, size in offers)
    assert 0 <= found <= total
    assert all(loss(q) > insurance for q in range(found + 1, total + 1))
