"""Margin against a slow reference in fractions, and the liquidation price against its definition."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange
from engine.exchange.config import DEFAULT_CONFIG, fraction
from engine.exchange.margin import (
    LEVERAGE_SATURATED,
    liquidation_price,
    max_price_ticks,
    measure,
    transition_allowed,
)
from engine.exchange.state import MarketTerms, PositionState, market_terms
from engine.units import FIXED_ONE, PPM, QUANTUM

MAKER_PPM = 200
sizes = st.integers(-100_000, 100_000)
marks = st.integers(1, 2**60)
resting = st.tuples(st.integers(0, 5_000), st.integers(1, 2_000_000))


def position(
    size: int, buys: tuple[int, int] = (0, 1), sells: tuple[int, int] = (0, 1), tick: int = 100
) -> PositionState:
    found = PositionState()
    found.size = size
    found.add_resting(True, buys[0], buys[0] * buys[1] * tick)
    found.add_resting(False, sells[0], sells[0] * sells[1] * tick)
    return found


def terms(mark: int, initial: int = fraction(5, 100), maintenance: int = fraction(3, 100)) -> MarketTerms:
    return MarketTerms(
        market_id=1, tick_value=100, initial=initial, maintenance=maintenance, mark=mark, funding_index=0
    )


def slow(collateral: int, positions: list[PositionState], markets: list[MarketTerms]) -> dict[str, Fraction]:
    """The definitions, in exact fractions of quanta."""
    value, initial, maintenance, reserved = Fraction(collateral), Fraction(0), Fraction(0), Fraction(0)
    for s, m in zip(positions, markets, strict=True):
        price, imf, mmf = Fraction(m.mark, 2**32), Fraction(m.initial, 2**32), Fraction(m.maintenance, 2**32)
        value += s.size * price
        initial += abs(s.size) * price * imf
        maintenance += abs(s.size) * price * mmf
        if s.buy_lots or s.sell_lots:
            worst = max(abs(s.size + s.buy_lots), abs(s.size - s.sell_lots), abs(s.size))
            reserved += (worst - abs(s.size)) * price * imf
            reserved += max(Fraction(0), s.buy_notional - s.buy_lots * price)
            reserved += max(Fraction(0), s.sell_lots * price - s.sell_notional)
            fee = Fraction((s.buy_notional + s.sell_notional) * MAKER_PPM, PPM)
            reserved += -((-fee.numerator) // fee.denominator)
    return {"value": value, "initial": initial, "maintenance": maintenance, "reserved": reserved}


@given(st.integers(-(2**62), 2**62), st.lists(st.tuples(sizes, marks, resting, resting), max_size=3))
def test_measure_equals_the_definitions_in_fractions(collateral, rows) -> None:
    positions = [position(size, buys, sells) for size, _, buys, sells in rows]
    markets = [terms(mark) for _, mark, _, _ in rows]
    want = slow(collateral, positions, markets)
    got = measure(collateral, positions, markets, MAKER_PPM)
    assert Fraction(got.total_value, 2**32) == want["value"]
    assert Fraction(got.initial, 2**64) == want["initial"]
    assert Fraction(got.maintenance, 2**64) == want["maintenance"]
    assert Fraction(got.reserved, 2**64) == want["reserved"]
    free = want["value"] - want["initial"] - want["reserved"]
    assert got.free_collateral == free.numerator // free.denominator
    assert got.liquidatable == (want["maintenance"] > want["value"])
    assert got.covers_positions == (want["initial"] <= want["value"])
    assert got.covers_orders == (free >= 0)
    assert got.equity <= want["value"] < got.equity + 1
    for name in ("initial", "maintenance", "reserved"):
        shown = getattr(got, f"{name}_margin")
        assert shown - 1 < want[name] <= shown, f"{name} is rounded up"
    if want["value"] > 0 and got.notional:
        health = (want["value"] - want["maintenance"]) / want["value"]
        assert got.health_ppm == max(-PPM, (health * PPM).numerator // (health * PPM).denominator)


def test_withdrawing_exactly_what_is_free_leaves_initial_margin_and_one_quantum_more_does_not() -> None:
    markets, positions = [terms(60_000 * 1000 * FIXED_ONE + 12345)], [position(333)]
    collateral = -10_000 * QUANTUM
    amount = measure(collateral, positions, markets, MAKER_PPM).free_collateral
    assert amount > 0
    assert measure(collateral - amount, positions, markets, MAKER_PPM).covers_positions
    assert not measure(collateral - amount - 1, positions, markets, MAKER_PPM).covers_positions


def test_equality_with_maintenance_is_healthy() -> None:
    quarter = FIXED_ONE // 4
    markets = [terms(FIXED_ONE, maintenance=quarter, initial=quarter)]
    assert not measure(-75, [position(100)], markets, 0).liquidatable  # value 25, requirement 25
    assert measure(-76, [position(100)], markets, 0).liquidatable
    assert measure(-75, [position(100)], markets, 0).covers_positions
    assert not measure(-76, [position(100)], markets, 0).covers_positions


def test_the_reference_example_of_a_liquidatable_long() -> None:
    """Long 1 BTC, collateral -28,000, price 28,700, 3 %: TV 700, TR 861 (docs/starkex-perpetual.md, 3)."""
    markets = [terms(28_700 * 1000 * FIXED_ONE, maintenance=128_849_018)]
    margin = measure(-28_000 * QUANTUM, [position(1000)], markets, 0)
    assert margin.equity == 700 * QUANTUM
    assert abs(margin.maintenance_margin - 861 * QUANTUM) <= 10
    assert margin.liquidatable


def test_values_out_of_their_format_are_refused_by_name() -> None:
    with pytest.raises(OutOfRange) as low:
        measure(-(2**63) - 1, [], [], 0)
    assert low.value.field == "total_value"
    measure(-(2**63), [], [], 0)
    with pytest.raises(OutOfRange) as high:
        measure(2**63, [], [], 0)
    assert high.value.field == "total_value"
    positions, markets = [position(2**20), position(-(2**20))], [terms(2**63), terms(2**63)]
    whole = [term._replace(initial=2**32 - 1) for term in markets]
    measure(0, positions, [term._replace(mark=2**63) for term in whole], 0)
    with pytest.raises(OutOfRange) as risk:
        measure(0, [position(2**33), position(-(2**33))], whole, 0)
    assert risk.value.field == "total_risk"


def test_health_and_leverage_at_their_edges() -> None:
    markets = [terms(FIXED_ONE)]
    flat = measure(5, [position(0)], markets, 0)
    assert (flat.health_ppm, flat.leverage_ppm) == (None, 0)
    broke = measure(-100, [position(100)], markets, 0)
    assert (broke.health_ppm, broke.leverage_ppm) == (-PPM, LEVERAGE_SATURATED)
    half = measure(-50, [position(100)], markets, 0)
    assert half.leverage_ppm == 2 * PPM


@settings(max_examples=300)
@given(
    st.integers(-(10**12), 10**12),
    sizes.filter(bool),
    st.integers(1, 1_200_000),
    st.integers(-50_000, 50_000),
    st.integers(1, 10**6),
)
def test_liquidation_price_is_the_first_tick_that_liquidates(collateral, size, mark_ticks, other, other_ticks) -> None:
    def at(ticks: int):
        return market_terms(DEFAULT_CONFIG, [ticks * 100 * FIXED_ONE, other_ticks * 10 * FIXED_ONE], [0, 0])

    positions, now = [position(size), position(other)], at(mark_ticks)
    price = liquidation_price(measure(collateral, positions, now, 0), positions[0], now[0])
    limit, step = max_price_ticks(100), 1 if size > 0 else -1

    def dead(ticks: int) -> bool:
        return measure(collateral, positions, at(ticks), 0).liquidatable

    if price is None:
        assert not dead(1 if size > 0 else limit)
        return
    assert 1 <= price <= limit
    assert dead(price)
    if 1 <= price + step <= limit:
        assert not dead(price + step)


def test_no_position_has_no_liquidation_price() -> None:
    margin = measure(-5, [position(0)], [terms(FIXED_ONE)], 0)
    assert liquidation_price(margin, position(0), terms(FIXED_ONE)) is None


@settings(max_examples=200)
@given(
    sizes,
    st.lists(st.tuples(st.booleans(), st.integers(1, 5_000), st.integers(0, 1000), st.booleans()), max_size=6),
    st.integers(0, 10**13),
)
def test_the_reserve_covers_any_subset_of_orders_on_their_side_of_the_mark(size, orders, collateral) -> None:
    mark_ticks, tick = 600_000, 100
    markets = [terms(mark_ticks * tick * FIXED_ONE)]
    with_orders, filled, fills = position(size), position(size), 0
    cash = collateral
    for buy, lots, away, fill in orders:
        price = mark_ticks - away if buy else mark_ticks + away
        notional = lots * price * tick
        with_orders.add_resting(buy, lots, notional)
        if fill:
            cash += (-notional if buy else notional) - -(-notional * MAKER_PPM // PPM)
            filled.size += lots if buy else -lots
            fills += 1
    if measure(collateral, [with_orders], markets, MAKER_PPM).covers_orders:
        after = measure(cash, [filled], markets, MAKER_PPM)
        assert after.free_collateral >= -fills  # each fill rounds its own fee up


def test_transitions_below_initial_margin() -> None:
    markets = [terms(1000 * FIXED_ONE)]

    def at(collateral: int, size: int):
        return measure(collateral, [position(size)], markets, 0)

    healthy, thin, ill = at(-90_000, 100), at(-96_000, 100), at(-97_500, 100)
    assert healthy.covers_positions
    assert not thin.covers_positions
    assert not thin.liquidatable
    assert ill.liquidatable
    assert transition_allowed(healthy, healthy, False)
    assert not transition_allowed(healthy, thin, False)
    assert transition_allowed(healthy, thin, True)
    assert transition_allowed(ill, at(-97_500 + 50_000, 50), True)  # half closed at the mark: same value, less risk
    assert not transition_allowed(ill, at(-97_500 + 46_000, 50), True)  # at 92 % of the mark the ratio falls
    assert not transition_allowed(ill, at(-97_500 + 50_000, 50), False)
    closed_short = at(-2_500 + 10, 0)
    assert not transition_allowed(ill, closed_short, True)  # nothing left must not owe anything
    assert transition_allowed(ill, at(0, 0), True)
    debt = at(-5, 0)
    assert transition_allowed(debt, at(-5, 0), True)
    assert not transition_allowed(debt, at(-6, 0), True)
