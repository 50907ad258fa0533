"""Which orders an account may place."""

from __future__ import annotations

import pytest

from engine.errors import OutOfRange
from engine.exchange.admission import FeeRates, MakerAccount, Proposal, propose, reduce_only_lots
from engine.exchange.config import fraction
from engine.exchange.refusals import InsufficientMargin, NotReducing, WorsensMargin
from engine.exchange.state import AccountState, MarketTerms
from engine.units import FIXED_ONE, QUANTUM

FREE = FeeRates(0, 0)
PRICE = 600_000
LOT = PRICE * 100  # quanta per lot: 60


def terms(initial: int = FIXED_ONE // 16) -> list[MarketTerms]:
    return [
        MarketTerms(
            market_id=1,
            tick_value=100,
            initial=initial,
            maintenance=FIXED_ONE // 32,
            mark=LOT * FIXED_ONE,
            funding_index=0,
        )
    ]


def account(collateral: int, size: int = 0) -> AccountState:
    state = AccountState(16, 1)
    state.collateral, state.positions[0].size = collateral, size
    return state


def taken(lots: int, price: int = PRICE, buy: bool = True) -> Proposal:
    return Proposal(market_index=0, buy=buy, filled=lots, notional=lots * price * 100, resting=0, price=0)


def resting(lots: int, price: int = PRICE, buy: bool = True) -> Proposal:
    return Proposal(market_index=0, buy=buy, filled=0, notional=0, resting=lots, price=price)


@pytest.mark.parametrize("kind", [taken, resting])
@pytest.mark.parametrize("buy", [True, False])
def test_initial_margin_may_be_used_to_the_last_quantum(kind, buy: bool) -> None:
    proposal = kind(160, buy=buy)
    exact = 10 * LOT  # a sixteenth of 160 lots
    assert propose(account(exact), proposal, terms(), FREE)[1] is None
    refusal = propose(account(exact - 1), proposal, terms(), FREE)[1]
    assert isinstance(refusal, InsufficientMargin)
    assert (refusal.value, refusal.limit, refusal.field) == (1, exact - 1, "lots")


def test_the_taker_fee_counts_against_margin() -> None:
    fee = 160 * LOT * 500 // 10**6
    outcome, refusal = propose(account(10 * LOT + fee), taken(160), terms(), FeeRates(200, 500))
    assert refusal is None
    assert outcome.fee == fee
    assert outcome.account.collateral == 10 * LOT - 160 * LOT
    assert propose(account(10 * LOT + fee - 1), taken(160), terms(), FeeRates(200, 500))[1] is not None


def test_buying_above_the_mark_costs_the_distance_at_once() -> None:
    above = PRICE + 6000  # 1 %
    needed = 10 * LOT + 160 * 6000 * 100
    for kind in (taken, resting):
        assert propose(account(needed), kind(160, above), terms(), FREE)[1] is None
        assert propose(account(needed - 1), kind(160, above), terms(), FREE)[1] is not None


def test_shrinking_orders_pass_below_initial_margin_unless_they_worsen_a_sick_account() -> None:
    thin = account(-95 * LOT, 100)  # value 5 lots, initial 6.25, maintenance 3.125
    assert propose(thin, taken(50, buy=False), terms(), FREE)[1] is None
    assert propose(thin, resting(100, PRICE + 1, buy=False), terms(), FREE)[1] is None
    assert isinstance(propose(thin, taken(1), terms(), FREE)[1], InsufficientMargin)
    assert propose(thin, taken(101, buy=False), terms(), FREE)[1] is None  # through zero, to one lot short
    sick = account(-98 * LOT, 100)  # value 2 lots
    assert propose(sick, taken(50, buy=False), terms(), FREE)[1] is None
    assert isinstance(propose(sick, taken(50, PRICE - 12_001, buy=False), terms(), FREE)[1], WorsensMargin)
    assert propose(sick, taken(50, PRICE - 12_000, buy=False), terms(), FREE)[1] is None  # ratio exactly kept


def test_what_rests_on_the_same_side_counts_as_closing_too() -> None:
    thin = account(-95 * LOT, 100)
    thin.positions[0].add_resting(False, 60, 60 * LOT)
    assert propose(thin, resting(40, buy=False), terms(), FREE)[1] is None
    assert isinstance(propose(thin, resting(41, buy=False), terms(), FREE)[1], InsufficientMargin)


def test_released_orders_give_their_reserve_back() -> None:
    state = account(10 * LOT)
    state.positions[0].add_resting(False, 160, 160 * LOT)
    both = Proposal(
        market_index=0,
        buy=True,
        filled=0,
        notional=0,
        resting=161,
        price=PRICE,
        released_lots=160,
        released_notional=160 * LOT,
    )
    assert propose(state, both, terms(), FREE)[1] is not None
    kept = Proposal(
        market_index=0,
        buy=True,
        filled=0,
        notional=0,
        resting=160,
        price=PRICE,
        released_lots=160,
        released_notional=160 * LOT,
    )
    outcome, refusal = propose(state, kept, terms(), FREE)
    assert refusal is None
    assert outcome.account.positions[0].sell_lots == 0
    assert state.positions[0].sell_lots == 160


def test_positions_beyond_the_notional_limit_are_refused_by_name() -> None:
    refusal = propose(account(2**61), taken(2**36), terms(), FREE)[1]
    assert isinstance(refusal, OutOfRange)
    assert refusal.field == "position notional"


def test_reduce_only_is_cut_to_the_opposite_position() -> None:
    assert reduce_only_lots(account(0, 100).positions[0], False, 250) == 100
    assert reduce_only_lots(account(0, -100).positions[0], True, 40) == 40
    for size, buy in ((100, True), (0, True), (-5, False)):
        with pytest.raises(NotReducing):
            reduce_only_lots(account(0, size).positions[0], buy, 1)


def fills(state: AccountState, lots: int, notional: int, reduce_only: bool = False) -> bool:
    """Whether a resting order of this account may fill."""
    return MakerAccount(state, 0, terms()).fill(lots, notional, 0, terms()[0], reduce_only)


def test_makers_need_initial_margin_for_their_fill() -> None:
    good, poor = (MakerAccount(account(10 * LOT - missing), 0, terms()) for missing in (0, 1))
    assert good.fill(160, 160 * LOT, 0, terms()[0], False)
    assert (good.size, good.collateral) == (160, -150 * LOT)
    assert not poor.fill(160, 160 * LOT, 0, terms()[0], False)
    assert (poor.size, poor.collateral) == (0, 10 * LOT - 1)
    assert not good.fill(1, LOT, 0, terms()[0], False)  # the first fill used all there was


def test_the_maker_fee_counts() -> None:
    assert MakerAccount(account(10 * LOT + 5), 0, terms()).fill(160, 160 * LOT, 5, terms()[0], False)
    assert not MakerAccount(account(10 * LOT + 5), 0, terms()).fill(160, 160 * LOT, 6, terms()[0], False)


def test_makers_may_reduce_and_reduce_only_makers_may_do_nothing_else() -> None:
    assert fills(account(-95 * LOT, 100), -100, 100 * LOT, True)
    assert not fills(account(100 * LOT, 100), -101, 101 * LOT, True)
    assert not fills(account(100 * LOT, 0), -1, LOT, True)
    giving_away = account(-95 * LOT, 100)
    assert not fills(giving_away, -100, 100 * LOT // 2)


def test_fractions_are_those_of_the_configuration() -> None:
    """5 % rounded half up is a shade above 5 %: 20x at the mark is short by less than a quantum per 100 lots."""
    refusal = propose(account(5 * LOT * 100 // 100), taken(100), terms(fraction(5, 100)), FREE)[1]
    assert isinstance(refusal, InsufficientMargin)
    assert refusal.value <= QUANTUM // 1000
