"""Liquidation sizes, bounds and fees."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.config import fraction
from engine.exchange.liquidation import liquidation_fee, lots_to_close, markets_by_risk, price_bound
from engine.exchange.margin import measure
from engine.exchange.state import AccountState, MarketTerms, Stake
from engine.units import FIXED_ONE

FEE_PPM = 10_000
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


def stakes(*sizes: int) -> list[Stake]:
    found = [Stake() for _ in sizes]
    for stake, size in zip(found, sizes, strict=True):
        stake.size = size
    return found


@given(st.sampled_from([1, -1]), st.integers(1, 5000), st.integers(0, 2999))
def test_lots_to_close_are_the_fewest_that_restore_initial_margin(sign, lots, equity_bp) -> None:
    size = sign * lots
    value = lots * (MARK >> 32) * equity_bp // 100_000  # below maintenance
    collateral = value - size * (MARK >> 32)
    margin = measure(collateral, stakes(size), [terms()], 0)
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
    margin = measure(-60_000 * 10**6, stakes(1000), [terms()], 0)
    assert margin.total_value == 0
    assert lots_to_close(margin, 1000, terms(), FEE_PPM) == 1000


def test_markets_are_closed_by_requirement() -> None:
    account = AccountState(16, 3)
    account.stakes = stakes(5, 0, -9)
    assert markets_by_risk(account, [terms(1), terms(2), terms(3)]) == [2, 0]
    account.stakes = stakes(5, 0, -5)
    assert markets_by_risk(account, [terms(1), terms(2), terms(3)]) == [0, 2]


def test_the_fee_never_takes_value_below_zero() -> None:
    assert liquidation_fee(1_000_000, 10**9 << 32, FEE_PPM) == 10_000
    assert liquidation_fee(1_000_001, 10**9 << 32, FEE_PPM) == 10_001
    assert liquidation_fee(1_000_000, 7 << 32, FEE_PPM) == 7
    assert liquidation_fee(1_000_000, (7 << 32) + FIXED_ONE - 1, FEE_PPM) == 7
    assert liquidation_fee(1_000_000, -(7 << 32), FEE_PPM) == 0


def test_price_bound_is_the_initial_fraction_away() -> None:
    assert price_bound(terms(), True) == 630_000
    assert price_bound(terms(), False) == 570_000
    assert price_bound(terms(mark=1), False) == 1
    assert price_bound(terms(mark=1), True) == 1
