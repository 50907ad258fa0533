"""Clock steps: marks, funding, candles."""

from __future__ import annotations

from engine.sequencer.events import FundingApplied, FundingPaid
from engine.sequencer.inputs import ClockStep
from engine.sequencer.prices import BASIS_TIME, MarketPrices, predicted_rate, update_mark
from engine.units import FIXED_ONE, HOUR, MINUTE, SECOND
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, ETH_TICKS, GENESIS, Quoter, World, funded, only

UNIT = 100 * FIXED_ONE


def prices(index: int = BTC_TICKS) -> MarketPrices:
    return MarketPrices(
        market_id=1,
        tick_value=100,
        impact_notional=10**10,
        index_fixed=index * UNIT,
        index_time=GENESIS,
        mark_fixed=index * UNIT,
        next_sample=GENESIS + MINUTE,
        next_funding=GENESIS + HOUR,
    )


def test_mark_is_the_median_of_index_smoothed_basis_and_mid() -> None:
    found = prices()
    update_mark(found, BTC_TICKS * UNIT, (BTC_TICKS + 100) * UNIT, BASIS_TIME, FIXED_ONE)
    assert found.basis == 50 * UNIT  # half of the way in one time constant
    assert found.mark_fixed == (BTC_TICKS + 50) * UNIT
    update_mark(found, BTC_TICKS * UNIT, (BTC_TICKS - 950) * UNIT, SECOND, FIXED_ONE)
    assert found.mark_fixed == BTC_TICKS * UNIT  # mid and its average are on different sides of the index
    update_mark(found, BTC_TICKS * UNIT, None, SECOND, FIXED_ONE)
    assert found.mark_fixed == BTC_TICKS * UNIT


def test_mid_between_ticks_is_exact() -> None:
    found = prices()
    found.basis = 10 * UNIT
    update_mark(found, BTC_TICKS * UNIT, BTC_TICKS * UNIT + UNIT // 2, 0, FIXED_ONE)
    assert found.mark_fixed == BTC_TICKS * UNIT + UNIT // 2


def test_prices_move_only_with_the_clock() -> None:
    world = funded()
    world.prices.ticks[1] = BTC_TICKS + 500
    world.order(ALICE, "buy", 1, BTC_TICKS)
    assert world.venue.core.terms[0].mark == BTC_TICKS * UNIT
    world.step()
    assert world.venue.core.terms[0].mark == (BTC_TICKS + 500) * UNIT
    assert world.venue.core.prices[0].index_fixed == (BTC_TICKS + 500) * UNIT


def with_positions(quoter: Quoter | None = None) -> World:
    world = funded(quoter)
    world.order(BOB, "sell", 1000, BTC_TICKS)
    world.order(ALICE, "buy", 1000, BTC_TICKS)
    world.order(BOB, "buy", 77, ETH_TICKS, market=2)
    world.order(ALICE, "sell", 77, ETH_TICKS, market=2)
    return world


def test_funding_is_paid_on_the_hour_and_conserves() -> None:
    world = with_positions()
    before = world.venue.account(ALICE).collateral
    assert not any(isinstance(e, FundingApplied) for e in world.apply(ClockStep(GENESIS + HOUR - 1)))
    events = world.apply(ClockStep(GENESIS + HOUR))
    applied = [e for e in events if isinstance(e, FundingApplied)]
    assert [e.market for e in applied] == [1, 2]
    assert applied[0].rate == CONFIG.funding_interest  # an empty book shows no premium
    assert applied[0].index_delta == CONFIG.funding_interest * BTC_TICKS * 100 * FIXED_ONE // FIXED_ONE
    paid = [e for e in events if isinstance(e, FundingPaid)]
    assert [(e.account, e.market) for e in paid] == [(ALICE, 1), (ALICE, 2), (BOB, 1), (BOB, 2)]
    alice = sum(e.amount for e in paid if e.account == ALICE)
    assert world.venue.account(ALICE).collateral == before + alice
    assert 0 <= world.venue.account(CONFIG.funding_account).collateral <= 4
    assert sum(e.amount for e in paid) == -world.venue.account(CONFIG.funding_account).collateral
    assert alice < 0
    assert world.venue.account(ALICE).position(1).funding_index == applied[0].index
    assert len(world.venue.core.history.of(ALICE).funding) == 2
    world.check()


def test_a_long_step_ends_every_interval_it_passes() -> None:
    world = with_positions()
    events = world.apply(ClockStep(GENESIS + 5 * HOUR + 1))
    assert len([e for e in events if isinstance(e, FundingApplied)]) == 10
    assert world.venue.core.prices[0].next_funding == GENESIS + 6 * HOUR
    world.check()


def test_a_premium_in_the_book_raises_the_rate() -> None:
    world = with_positions()
    world.order(BOB, "buy", 167, BTC_TICKS + 600)  # 0.1 % above the index, just the impact notional
    world.apply(ClockStep(GENESIS + MINUTE))
    found = world.venue.core.prices[0]
    assert found.premium_samples == 1
    assert found.premium_sum == FIXED_ONE // 1000
    assert predicted_rate(found, CONFIG) == FIXED_ONE // 8000 + CONFIG.funding_interest
    world.apply(ClockStep(GENESIS + MINUTE + SECOND))
    assert found.premium_samples == 1
    world.apply(ClockStep(GENESIS + HOUR))
    assert found.last_rate == FIXED_ONE // 8000 + CONFIG.funding_interest
    assert (found.premium_sum, found.premium_samples) == (0, 0)
    world.check()


def test_a_book_thinner_than_the_impact_notional_shows_no_premium() -> None:
    world = with_positions()
    world.order(BOB, "buy", 166, BTC_TICKS + 600)
    world.apply(ClockStep(GENESIS + MINUTE))
    assert world.venue.core.prices[0].premium_sum == 0


def test_opening_after_a_funding_time_owes_nothing() -> None:
    world = funded()
    world.apply(ClockStep(GENESIS + 3 * HOUR))
    world.order(BOB, "sell", 1000, BTC_TICKS)
    world.order(ALICE, "buy", 1000)
    index = world.venue.core.prices[0].funding_index
    assert index > 0
    assert world.venue.account(ALICE).position(1).funding_index == index
    paid = [e for e in world.apply(ClockStep(GENESIS + 4 * HOUR)) if isinstance(e, FundingPaid)]
    assert abs(paid[0].amount + 1000 * (world.venue.core.prices[0].funding_index - index) // FIXED_ONE) <= 1


def test_candles_follow_fills_and_marks() -> None:
    world = funded()
    start = world.venue.time
    world.order(BOB, "sell", 3, BTC_TICKS + 7)
    world.order(BOB, "sell", 3, BTC_TICKS + 9)
    world.order(ALICE, "buy", 5)
    seconds = world.venue.core.candles[0].read(SECOND)
    assert seconds.integers.tolist() == [[start, BTC_TICKS + 7, BTC_TICKS + 9, BTC_TICKS + 7, BTC_TICKS + 9, 5]]
    world.step(1)
    world.step(120)
    minutes = world.venue.core.candles[0].read(MINUTE)
    assert minutes.integers[0].tolist() == [GENESIS, BTC_TICKS + 7, BTC_TICKS + 9, BTC_TICKS + 7, BTC_TICKS + 9, 5]
    assert minutes.integers[-1, 0] == GENESIS + 2 * MINUTE
    assert minutes.integers[-1, 1:].tolist() == [BTC_TICKS + 9] * 4 + [0]
    assert minutes.floats[-1].tolist() == [BTC_TICKS, BTC_TICKS]
    day = world.venue.core.candles[0].day(world.venue.time)
    assert day == (BTC_TICKS + 7, BTC_TICKS + 9, BTC_TICKS + 7, 5)


def test_one_market_maker_step_is_told_by_time_not_by_a_timer() -> None:
    quoter = Quoter()
    world = funded(quoter)
    assert quoter.steps == 1
    world.order(ALICE, "buy", 1)
    assert quoter.steps == 1
    world.step(0)
    assert quoter.steps == 2


def test_quotes_that_margin_refuses_are_counted() -> None:
    world = World(quoter=Quoter(levels=2))
    world.deposit(4, 1)
    world.step()
    assert world.venue.core.counters.participant_refusals == 8
    assert only(world.deposit(4, 1), object)
