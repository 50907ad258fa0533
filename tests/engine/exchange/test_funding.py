"""Funding: samples, rate, index, settlement with its dust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import OutOfRange
from engine.exchange import funding
from engine.exchange.state import AccountState, MarketTerms
from engine.units import FIXED_ONE, PPM

INDEX = 60_000 * 1000 * FIXED_ONE


def account(collateral: int, *sizes: int) -> AccountState:
    state = AccountState(16, len(sizes))
    state.collateral = collateral
    for position, size in zip(state.positions, sizes, strict=True):
        position.size = size
    return state


def terms(*indices: int) -> list[MarketTerms]:
    return [
        MarketTerms(market_id=i + 1, tick_value=100, initial=1, maintenance=1, mark=FIXED_ONE, funding_index=index)
        for i, index in enumerate(indices)
    ]


@pytest.mark.parametrize(("size", "amount"), [(3, -1), (-3, 0)])
def test_settlement_rounds_down_as_the_reference_says(size: int, amount: int) -> None:
    """Balance 3 and an index step of one 2^-32: -1; balance -3: 0 (docs/starkex-perpetual.md, 1.4)."""
    user, fund = account(100, size), AccountState(1, 1)
    paid = funding.settle(user, fund, terms(1))
    assert (user.collateral, fund.collateral) == (100 + amount, -amount)
    assert paid == [(1, amount)]
    assert user.positions[0].funding_index == 1
    assert funding.settle(user, fund, terms(1)) == []


@given(
    st.integers(-(2**60), 2**60),
    st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(-(2**50), 2**50)), min_size=1, max_size=4),
)
def test_settlement_is_the_floor_of_the_exact_sum_and_conserves(collateral, rows) -> None:
    user, fund = account(collateral, *(size for size, _ in rows)), AccountState(1, len(rows))
    markets = terms(*(index for _, index in rows))
    expected = (collateral * 2**32 - sum(size * index for size, index in rows)) // 2**32
    assert funding.accrued(user, markets) == expected - collateral
    paid = funding.settle(user, fund, markets)
    assert user.collateral == expected
    assert user.collateral + fund.collateral == collateral
    assert sum(amount for _, amount in paid) == expected - collateral
    assert [position.funding_paid for position in user.positions if position.funding_paid] == [a for _, a in paid if a]
    assert funding.accrued(user, markets) == 0


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=12), st.integers(-(2**50), 2**50))
def test_dust_of_balanced_positions_stays_with_the_funding_account(sizes, index) -> None:
    sizes.append(-sum(sizes))
    fund, dust = AccountState(1, 1), 0
    for size in sizes:
        funding.settle(account(0, size), fund, terms(index))
    dust = fund.collateral
    assert 0 <= dust < len(sizes)


def test_premium_samples() -> None:
    above, below = INDEX + INDEX // 100, INDEX - INDEX // 100
    assert funding.premium_sample(above, above, INDEX) == FIXED_ONE // 100
    assert funding.premium_sample(below, below, INDEX) == -(FIXED_ONE // 100)
    assert funding.premium_sample(below, above, INDEX) == 0
    assert funding.premium_sample(None, None, INDEX) == 0
    assert funding.premium_sample(above, None, INDEX) == FIXED_ONE // 100
    # Rounded toward zero, alike on both sides.
    assert funding.premium_sample(INDEX + 1, None, INDEX) == 0
    assert funding.premium_sample(None, INDEX - 1, INDEX) == 0


def test_impact_lots_are_rounded_up() -> None:
    assert funding.impact_lots(10_000 * 10**6, INDEX) == 167  # 10,000 / 60 = 166.67
    assert funding.impact_lots(60 * 10**6, INDEX) == 1
    assert funding.impact_lots(1, INDEX) == 1
    assert funding.impact_lots(60 * 10**6 + 1, INDEX) == 2


def test_funding_rate_is_an_eighth_of_the_mean_plus_interest_within_the_cap() -> None:
    assert funding.funding_rate(0, 0, 7, 100) == 7
    assert funding.funding_rate(160, 2, 7, 100) == 17
    assert funding.funding_rate(-160, 2, 7, 100) == -3
    assert funding.funding_rate(-15, 2, 0, 100) == 0  # toward zero
    assert funding.funding_rate(15, 2, 0, 100) == 0
    assert funding.funding_rate(10**9, 1, 7, 100) == 100
    assert funding.funding_rate(-(10**9), 1, 7, 100) == -100


def test_index_steps_and_their_range() -> None:
    assert funding.index_step(FIXED_ONE // 100, INDEX) == (FIXED_ONE // 100) * INDEX // FIXED_ONE
    assert funding.index_step(-1, FIXED_ONE - 1) == 0
    assert funding.advanced_index(2**63 - 2, 1) == 2**63 - 1
    with pytest.raises(OutOfRange) as error:
        funding.advanced_index(2**63 - 1, 1)
    assert error.value.field == "funding_index"
    with pytest.raises(OutOfRange):
        funding.advanced_index(-(2**63), -1)


def test_a_long_pays_rate_times_notional() -> None:
    user, fund = account(0, 1000), AccountState(1, 1)
    delta = funding.index_step(FIXED_ONE * 100 // PPM, INDEX)  # 0.01 %
    funding.settle(user, fund, terms(delta))
    assert abs(user.collateral + 6 * 10**6) <= 1000  # 60,000 of notional pay 6
