"""Ranks, what a counterpart can take, and the amounts that are kept back, each against its definition."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.config import fraction
from engine.exchange.deleveraging import (
    BankruptLots,
    bankrupt_lots,
    deleveraging_share,
    exchange_lots,
    lots_it_can_take,
    ranked,
    total_value,
    uncovered,
)
from engine.exchange.liquidation import bankruptcy_price
from engine.exchange.margin import Margin, measure, transition_allowed
from engine.exchange.state import AccountState, MarketTerms
from engine.units import FIXED_ONE

MARKS = (1000, 300)


def terms_at(*marks: int) -> list[MarketTerms]:
    return [
        MarketTerms(
            market_id=number,
            tick_value=1,
            initial=fraction(5, 100),
            maintenance=fraction(3, 100),
            mark=mark * FIXED_ONE,
            funding_index=0,
        )
        for number, mark in enumerate(marks, 1)
    ]


TERMS = terms_at(*MARKS)


def holder(account_id: int, value: int, *sizes: int, cost: int = 0) -> AccountState:
    """An account worth ``value`` quanta with these positions, the first of them bought for ``cost``."""
    account = AccountState(account_id, len(MARKS))
    for held, size in zip(account.positions, sizes, strict=False):
        held.size = size
    account.positions[0].cost = cost
    account.collateral = value - sum(size * mark for size, mark in zip(sizes, MARKS, strict=False))
    return account


def margin(account: AccountState, terms: list[MarketTerms] = TERMS) -> Margin:
    return measure(account.collateral, account.positions, terms, 0)


def test_rank_is_profit_times_leverage_and_profit_by_leverage_with_a_loss() -> None:
    accounts = [
        holder(20, 100, -10, cost=-12_000),  # a sixth of profit, 100x
        holder(21, 1000, -10, cost=-12_000),  # the same, 10x
        holder(22, 1000, -10, cost=-15_000),  # a third, 10x
        holder(23, 1000, -10, cost=-9_000),  # a loss of a ninth, 10x: by leverage, so nearer to none
        holder(24, 10_000, -10, cost=-9_000),  # the same at 1x
        holder(19, 1000, -10, cost=-12_000),  # as 21, a lower id
        holder(25, 1000, 10, cost=9_000),  # on the same side
        holder(26, 1000, 0, -5),  # in another market
    ]
    order = ranked([(a, margin(a)) for a in accounts], 0, 10, TERMS[0])
    assert [account.account_id for account in order] == [20, 22, 19, 21, 23, 24]
    assert [a.account_id for a in ranked([(a, margin(a)) for a in accounts], 0, -10, TERMS[0])] == [25]


def test_an_exchange_moves_the_same_lots_and_money_both_ways_without_a_fee() -> None:
    bankrupt, other = holder(16, -70, 10), holder(17, 5000, -30, 4)
    price = bankruptcy_price(margin(bankrupt), 10, TERMS[0])
    assert price == 1007 * FIXED_ONE
    assert exchange_lots(bankrupt, other, 0, 4, price, TERMS[0]) == 4028
    assert [state.positions[0].size for state in (bankrupt, other)] == [6, -26]
    assert total_value(bankrupt, TERMS) == -42 * FIXED_ONE
    assert total_value(other, TERMS) == (5000 - 28) * FIXED_ONE
    assert bankrupt.positions[0].fees == other.positions[0].fees == 0
    third = bankruptcy_price(margin(holder(18, -100, 3)), 3, TERMS[0])  # 1,033 and a third
    closed, taker = holder(18, -100, 3), holder(19, 5000, -3)
    assert exchange_lots(closed, taker, 0, 1, third, TERMS[0]) == 1034
    short, buyer = holder(18, -100, -3), holder(19, 5000, 3)
    assert exchange_lots(short, buyer, 0, 1, bankruptcy_price(margin(short), -3, TERMS[0]), TERMS[0]) == 966


@given(
    st.sampled_from([1, -1]),
    st.integers(1, 40),
    st.integers(-20_000, 0),
    st.integers(1, 40),
    st.integers(-60, 60),
    st.integers(-2000, 20_000),
)
def test_what_a_counterpart_takes_is_the_most_its_margin_allows(sign, lots, debt, size, elsewhere, value) -> None:
    bankrupt, other = holder(16, debt, sign * lots), holder(17, value, -sign * size, elsewhere)
    price = bankruptcy_price(margin(bankrupt), sign * lots, TERMS[0])
    found = lots_it_can_take(bankrupt, other, 0, price, TERMS, 0)

    def allowed(q: int) -> bool:
        one, two = bankrupt.copy(), other.copy()
        exchange_lots(one, two, 0, q, price, TERMS[0])
        return transition_allowed(margin(other), margin(two), True)

    most = min(lots, size)
    assert found == max([q for q in range(1, most + 1) if allowed(q)], default=0)
    assert (bankrupt.positions[0].size, other.positions[0].size) == (sign * lots, -sign * size)


def test_bankrupt_lots_add_up_by_side_with_the_worst_loss() -> None:
    found = bankrupt_lots(
        [holder(16, -70, 10), holder(17, -50, 5), holder(18, -30, -10), holder(19, -1, 0, 9), holder(20, 5, 99)], TERMS
    )
    assert found == {
        (0, 1): BankruptLots(15, 10 * FIXED_ONE),
        (0, -1): BankruptLots(10, 3 * FIXED_ONE),
        (1, 1): BankruptLots(9, -(-FIXED_ONE // 9)),
    }
    assert deleveraging_share(holder(30, 0, -12), found) == 120
    assert deleveraging_share(holder(30, 0, -99), found) == 150
    assert deleveraging_share(holder(30, 0, 4), found) == 12
    assert deleveraging_share(holder(30, 0, 4, -9), found) == 12 + 2  # a quantum and a bit less is rounded up
    assert deleveraging_share(holder(30, 0), found) == 0


@pytest.mark.parametrize(("value", "left"), [(200, 0), (70, 0), (69, 1), (0, 70), (-5, 75)])
def test_what_a_share_cannot_pay_is_uncovered(value: int, left: int) -> None:
    accounts = [holder(16, -70, 10), holder(17, value, -10), holder(18, 10_000)]
    assert uncovered(accounts, TERMS, bankrupt_lots(accounts, TERMS)) == left


@given(st.lists(st.tuples(st.integers(-3000, 6000), st.integers(-40, 40), st.integers(-40, 40)), max_size=7), st.data())
def test_shares_and_what_they_leave_are_together_no_less_than_the_debt(rows, data) -> None:
    accounts = [holder(number, *row) for number, row in enumerate(rows, 16)]
    rest = [-sum(account.positions[index].size for account in accounts) for index in range(2)]
    accounts.append(holder(99, data.draw(st.integers(-3000, 6000)), *rest))
    found = bankrupt_lots(accounts, TERMS)
    debt = sum(Fraction(-value, FIXED_ONE) for a in accounts if (value := total_value(a, TERMS)) < 0)
    shares = [deleveraging_share(account, found) for account in accounts]
    flat = [a for a in accounts if total_value(a, TERMS) < 0 and not a.has_position()]
    debt_of_positions = debt - sum(Fraction(-total_value(a, TERMS), FIXED_ONE) for a in flat)
    assert sum(shares) >= debt_of_positions
    left = uncovered(accounts, TERMS, found)
    may_take = [max(0, (total_value(a, TERMS) >> 32) - s - left) for a, s in zip(accounts, shares, strict=True)]
    held = sum(Fraction(total_value(account, TERMS), FIXED_ONE) for account in accounts)
    assert sum(may_take) <= max(0, held)
