"""Mark bound, unconfirmed index readings, price bands, worst prices and the circuit breaker, on the venue."""

from __future__ import annotations

import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.margin import PRICE_LIMIT
from engine.sequencer.events import (
    Accepted,
    Fill,
    Liquidated,
    LiquidationDeferred,
    OrderClosed,
    Rejected,
    TradingHalted,
    TradingResumed,
)
from engine.sequencer.inputs import CancelOrder, ClockStep, PlaceOrder, RequestWithdrawal
from engine.sequencer.preview import basis_of, preview_order
from engine.sequencer.solvency import withdrawable
from engine.sequencer.venue import Venue
from engine.units import FIXED_ONE, QUANTUM, SECOND
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, GENESIS, GUARDED, MAKER, World, closed_of, only

UNIT = 100 * FIXED_ONE
LOW, HIGH = BTC_TICKS * 95 // 100, BTC_TICKS * 105 // 100


def guarded(alice: int = 10_000) -> World:
    world = World(config=GUARDED)
    for account, tokens in ((MAKER, 10_000_000), (GUARDED.insurance_account, 100_000), (ALICE, alice), (BOB, 10_000)):
        world.deposit(account, tokens)
    world.step()
    return world


def quote(world: World, bid: int, ask: int, lots: int = 5000) -> None:
    """The maker's only quotes."""
    world.order(MAKER, "buy", lots, bid)
    world.order(MAKER, "sell", lots, ask)


def trade(world: World, buyer: int, seller: int, lots: int, price: int = BTC_TICKS, market: int = 1) -> None:
    world.order(seller, "sell", lots, price, market)
    fills = [e for e in world.order(buyer, "buy", lots, price, market, tif="ioc") if isinstance(e, Fill)]
    assert sum(fill.lots for fill in fills) == lots


def read(world: World, ticks: int | None, seconds: float = 1.0, market: int = 1):
    world.prices.ticks[market] = ticks
    return world.step(seconds)


# -- the mark


def test_the_mark_stays_within_its_bound_whatever_the_book_says() -> None:
    world = guarded()
    quote(world, HIGH - 20, HIGH - 10)
    for _ in range(50):
        world.step(10)
    prices = world.venue.core.prices[0]
    assert prices.basis > (HIGH - BTC_TICKS - 100) * UNIT
    assert prices.mark_fixed == BTC_TICKS * UNIT + BTC_TICKS * UNIT * GUARDED.market(1).mark_bound // FIXED_ONE
    world.check()


@pytest.mark.parametrize(("lots", "counts"), [(166, False), (167, True)])
def test_the_middle_counts_only_with_the_impact_notional_on_both_sides(lots: int, counts: bool) -> None:
    world = guarded()  # 10,000 at 60,000 are 166.7 lots
    world.order(MAKER, "buy", 5000, BTC_TICKS + 100)
    world.order(MAKER, "sell", lots, BTC_TICKS + 200)
    for _ in range(200):
        world.step(10)
    expected = (BTC_TICKS + 150 if counts else BTC_TICKS) * UNIT
    assert world.venue.core.prices[0].mark_fixed == pytest.approx(expected, abs=8)  # the basis has nearly arrived


def test_the_middle_is_that_of_average_prices() -> None:
    world = guarded()
    world.order(MAKER, "buy", 5000, BTC_TICKS - 100)
    for lots, price in ((67, BTC_TICKS + 100), (100, BTC_TICKS + 400)):
        world.order(MAKER, "sell", lots, price)
    for _ in range(200):
        world.step(10)
    ask = -(-(67 * (BTC_TICKS + 100) + 100 * (BTC_TICKS + 400)) * UNIT // 167)
    assert world.venue.core.prices[0].mark_fixed == pytest.approx(((BTC_TICKS - 100) * UNIT + ask) // 2, abs=8)


# -- index readings


def long_alice(lots: int = 100) -> World:
    world = guarded(1000)
    trade(world, ALICE, BOB, lots)
    quote(world, BTC_TICKS - 10, BTC_TICKS + 10)
    world.step()
    return world


def test_one_reading_of_1_between_two_of_600_000_sells_nothing_and_cancels_nothing() -> None:
    world = long_alice()
    world.order(ALICE, "buy", 1, BTC_TICKS - 500)
    before = world.venue.account(ALICE)
    told = [*read(world, 1), *read(world, BTC_TICKS)]
    assert [e for e in told if isinstance(e, Liquidated | OrderClosed | Fill | LiquidationDeferred)] == []
    assert world.venue.account(ALICE) == before
    assert world.venue.core.guards[0].unconfirmed == 0
    assert world.venue.core.prices[0].index_fixed == BTC_TICKS * UNIT
    world.check()


def test_a_second_reading_that_agrees_confirms_the_first() -> None:
    world = long_alice()
    assert not any(isinstance(e, Liquidated) for e in read(world, 500_000))
    assert world.venue.core.terms[0].mark == BTC_TICKS * UNIT
    told = read(world, 500_100)
    assert world.venue.core.prices[0].index_fixed == 500_100 * UNIT
    assert any(isinstance(e, Liquidated) for e in told)
    world.check()


def test_the_same_moment_again_is_no_second_reading() -> None:
    world = long_alice()
    read(world, 500_000)
    read(world, 500_000, seconds=0)
    assert world.venue.core.guards[0].unconfirmed == 500_000 * UNIT
    assert world.venue.core.prices[0].index_fixed == BTC_TICKS * UNIT


def test_a_third_price_confirms_nothing() -> None:
    world = long_alice()
    read(world, 500_000)
    read(world, 400_000)
    assert world.venue.core.guards[0].unconfirmed == 400_000 * UNIT
    read(world, 400_000)
    assert world.venue.core.prices[0].index_fixed == 400_000 * UNIT


@pytest.mark.parametrize(("seconds", "ticks"), [(1, 6_600), (9, 11_400), (90, 60_000), (3600, 60_000)])
def test_the_bound_grows_with_venue_time_up_to_a_limit(seconds: int, ticks: int) -> None:
    for beyond in (-1, 1):
        world = guarded()
        read(world, BTC_TICKS - ticks - beyond, seconds)
        assert (world.venue.core.guards[0].unconfirmed == 0) == (beyond < 0)


def test_who_holds_no_position_there_is_liquidated_as_ever() -> None:
    world = guarded(200)
    trade(world, ALICE, BOB, 1000, 250_000, market=2)
    world.order(MAKER, "buy", 5000, 240_000, market=2)
    assert not any(isinstance(e, Liquidated) for e in read(world, 236_000, market=2))
    world.prices.ticks[1] = 1
    assert any(isinstance(e, Liquidated) for e in world.step())
    assert world.venue.core.guards[0].unconfirmed == UNIT


def test_withdrawals_are_valued_at_the_worse_of_mark_and_reading_per_account() -> None:
    world = long_alice()
    alice, bob = (world.venue.core.accounts[account] for account in (ALICE, BOB))
    held = {account.account_id: withdrawable(world.venue.core, account) for account in (alice, bob)}
    read(world, 570_000)  # Alice, long 0.1, has 300 less; Bob, short, would have 300 more
    loss = 100 * 30_000 * 100 - 100 * 30_000 * 100 // 20  # its margin requirement falls, too
    assert held[ALICE] - withdrawable(world.venue.core, alice) == pytest.approx(loss, abs=1)
    assert withdrawable(world.venue.core, bob) == held[BOB]
    event = only(world.apply(RequestWithdrawal(account=ALICE, amount=held[ALICE])), Rejected)
    assert event.code == "withdrawal_too_large"
    read(world, BTC_TICKS)
    assert only(world.apply(RequestWithdrawal(account=ALICE, amount=held[ALICE])), Accepted)
    world.check()


def test_orders_that_add_risk_are_valued_at_the_worse_and_those_that_reduce_are_not() -> None:
    world = long_alice()
    read(world, 570_000)
    event = only(world.order(ALICE, "buy", 105), Rejected)
    assert event.code == "insufficient_margin"
    assert only(world.order(ALICE, "sell", 100), Accepted)
    world = long_alice()
    assert only(world.order(ALICE, "buy", 105), Accepted)


def test_a_maker_short_at_the_reading_stops_the_order_and_keeps_its_place() -> None:
    world = long_alice()
    world.order(ALICE, "buy", 150, BTC_TICKS - 1)
    read(world, 570_000)
    resting = world.venue.core.orders.of_account(ALICE)[0]
    basis = basis_of(world.venue.core, BOB)
    receipt = preview_order(basis, PlaceOrder(account=BOB, market=1, side="sell", type="market", lots=150))
    assert (receipt.filled, receipt.cancelled, receipt.closed) == (0, 150, "index_unconfirmed")
    told = world.order(BOB, "sell", 150, BTC_TICKS - 100)
    assert closed_of(told, BOB).reason == "index_unconfirmed"
    assert not any(isinstance(e, Fill) for e in told)
    assert world.venue.core.orders[resting.order_id].lots == 150
    read(world, BTC_TICKS)
    assert any(isinstance(e, Fill) for e in world.order(BOB, "sell", 150, BTC_TICKS - 100))
    world.check()


def test_a_reading_that_no_account_can_be_valued_at_lets_nothing_out() -> None:
    world = long_alice()
    world.prices.unit[1] = 1
    read(world, PRICE_LIMIT - 1)
    assert world.venue.core.guards[0].unconfirmed == PRICE_LIMIT - 1
    assert only(world.order(BOB, "sell", 1, BTC_TICKS + 50), Rejected).code in ("insufficient_margin", "out_of_range")
    assert only(world.apply(RequestWithdrawal(account=BOB, amount=1)), Rejected)
    world.check()


def test_what_stands_unconfirmed_survives_a_checkpoint() -> None:
    world = long_alice()
    read(world, 500_000)
    restarted = Venue.load(world.venue.dump(), GUARDED, world.prices, [])
    assert restarted.dump() == world.venue.dump()
    assert restarted.core.guards == world.venue.core.guards
    step = ClockStep(world.venue.time + SECOND)
    assert restarted.apply(world.venue.sequence + 1, step) == world.apply(step)
    assert restarted.core.prices[0].index_fixed == 500_000 * UNIT


# -- bands and worst prices


def test_limit_orders_outside_the_band_are_refused_with_the_band() -> None:
    world = guarded()
    for side, price in (("buy", HIGH + 1), ("sell", LOW - 1)):
        event = only(world.order(ALICE, side, 1, price), Rejected)
        assert (event.code, event.field, event.value) == ("price_outside_band", "price", str(price))
        assert event.limit == f"[{LOW}, {HIGH}]"
        assert "57,000.0 to 63,000.0" in event.message
    for account, side, price in (
        (ALICE, "buy", LOW - 1),
        (BOB, "sell", HIGH + 1),
        (ALICE, "buy", HIGH),
        (BOB, "sell", LOW),
    ):
        assert any(isinstance(e, Accepted) for e in world.order(account, side, 1, price))
    assert len(world.venue.core.orders) == 2  # the last two have met


def test_the_band_is_rounded_towards_the_mark() -> None:
    world = guarded()
    read(world, 600_001)
    guard = world.venue.core.guards[0]
    assert (guard.low, guard.high) == (570_001, 630_001)  # 570,000.95 and 630,001.05


def test_a_market_order_fills_no_lot_beyond_the_band_and_says_so() -> None:
    world = guarded()
    world.order(MAKER, "sell", 10, BTC_TICKS + 100)
    world.order(MAKER, "sell", 50, 2 * BTC_TICKS)  # 50 lots filled at twice the mark
    order = PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=60)
    receipt = preview_order(basis_of(world.venue.core, ALICE), order)
    assert (receipt.filled, receipt.cancelled, receipt.closed) == (10, 50, "worst_price")
    told = world.apply(order)
    assert sum(e.lots for e in told if isinstance(e, Fill)) == 10
    closed = closed_of(told, ALICE)
    assert (closed.reason, closed.filled, closed.remaining, closed.type) == ("worst_price", 10, 50, "market")
    assert closed_of(world.order(ALICE, "buy", 50), ALICE).reason == "worst_price"
    world.check()


def test_a_market_order_may_name_a_worse_price_of_its_own() -> None:
    world = guarded()
    world.order(MAKER, "sell", 10, BTC_TICKS + 100)
    world.order(MAKER, "sell", 10, BTC_TICKS + 200)
    told = world.order(ALICE, "buy", 20, worst_price=BTC_TICKS + 150)
    assert closed_of(told, ALICE).reason == "worst_price"
    assert world.venue.account(ALICE).size(1) == 10
    told = world.order(ALICE, "buy", 20, worst_price=BTC_TICKS + 250)
    assert closed_of(told, ALICE).reason == "ioc"  # nobody is left beyond it
    event = only(world.order(ALICE, "buy", 20, worst_price=HIGH + 1), Rejected)
    assert (event.code, event.field) == ("price_outside_band", "worst_price")
    event = only(world.order(ALICE, "buy", 20, BTC_TICKS, worst_price=BTC_TICKS), Rejected)
    assert (event.code, event.field) == ("bad_order", "worst_price")


def test_one_lot_at_22_times_the_mark_moves_no_margin_out() -> None:
    """It took 1,271 out of an account that could withdraw 70."""
    world = guarded(1350)
    trade(world, BOB, ALICE, 400)
    free = withdrawable(world.venue.core, world.venue.core.accounts[ALICE])
    assert free < 150 * QUANTUM
    world.order(BOB, "sell", 1, 22 * BTC_TICKS)
    assert only(world.order(ALICE, "buy", 1, 22 * BTC_TICKS, reduce_only=True), Rejected).code == "price_outside_band"
    before = world.venue.account(ALICE).collateral
    assert closed_of(world.order(ALICE, "buy", 1, reduce_only=True), ALICE).reason == "worst_price"
    assert world.venue.account(ALICE).collateral == before


@pytest.mark.parametrize(("tokens", "fits"), [(2_600, False), (4_000, True)])
def test_a_maker_that_reduces_outside_the_band_must_keep_initial_margin(tokens: int, fits: bool) -> None:
    """Its sale was inside the band when it came; the mark has risen 7 %, and a loss elsewhere has eaten the gain."""
    world = guarded(tokens)
    trade(world, ALICE, BOB, 400)
    trade(world, ALICE, BOB, 10_000, 250_000, market=2)
    world.order(ALICE, "sell", 200, BTC_TICKS + 10)
    world.prices.ticks[2] = 232_000
    read(world, 642_000, 100)
    assert world.venue.core.guards[0].low == 609_900
    assert world.venue.margin(ALICE).covers_positions
    told = world.order(BOB, "buy", 200, BTC_TICKS + 10)
    assert any(isinstance(e, Fill) for e in told) == fits
    assert [e.reason for e in told if isinstance(e, OrderClosed) and e.account == ALICE] == (
        ["filled"] if fits else ["margin"]
    )
    assert world.venue.margin(ALICE).covers_positions
    world.check()


# -- the circuit breaker


@pytest.mark.parametrize("ticks", [0, -1])
def test_an_index_of_zero_halts_the_market_until_a_good_reading_comes(ticks: int) -> None:
    world = long_alice()
    event = only(read(world, ticks), TradingHalted)
    assert (event.market, event.reason) == (1, "index_invalid")
    refused = only(world.order(BOB, "sell", 1, BTC_TICKS + 20), Rejected)
    assert (refused.code, refused.limit) == ("market_halted", "index_invalid")
    assert "the index source sends no usable price" in refused.message
    order = PlaceOrder(account=BOB, market=1, side="sell", type="market", lots=1)
    assert preview_order(basis_of(world.venue.core, BOB), order).refusal.code == "market_halted"
    assert only(world.order(ALICE, "sell", 50), Accepted)
    assert only(world.order(ALICE, "buy", 1, 250_000, market=2), Accepted)
    resumed = only(read(world, BTC_TICKS), TradingResumed)
    assert (resumed.market, resumed.reason) == (1, "index_invalid")
    assert only(world.order(BOB, "sell", 1, BTC_TICKS + 20), Accepted)
    world.check()


def test_a_silent_index_halts_the_market_after_its_patience() -> None:
    world = long_alice()
    assert not any(isinstance(e, TradingHalted) for e in read(world, None, 60))
    assert only(read(world, None, 0.001), TradingHalted).reason == "index_stale"
    assert only(read(world, BTC_TICKS), TradingResumed).reason == "index_stale"


def test_readings_that_contradict_each_other_halt_the_market() -> None:
    world = long_alice()
    told = []
    for step in range(63):
        told += read(world, 500_000 if step % 2 else 700_000)
    assert [(e.reason, e.time) for e in told if isinstance(e, TradingHalted)] == [
        ("index_unconfirmed", GENESIS + 2 * SECOND + 62 * SECOND)
    ]
    assert not any(isinstance(e, Liquidated) for e in told)
    read(world, 500_000)
    assert only(read(world, 500_000), TradingResumed)


def test_nobody_is_liquidated_at_a_stale_index() -> None:
    world = long_alice()
    world.venue.core.accounts[ALICE].collateral -= 850 * QUANTUM
    world.venue.core.accounts[BOB].collateral += 850 * QUANTUM
    (told,) = [e for e in read(world, None, 61) if isinstance(e, LiquidationDeferred)]
    assert told.reason == "index_unusable"
    assert any(isinstance(e, Liquidated) for e in read(world, BTC_TICKS))
    world.check()


def test_a_book_far_from_the_index_halts_the_market_and_the_halt_lifts_by_itself() -> None:
    world = guarded()
    quote(world, BTC_TICKS + 20_000, BTC_TICKS + 20_010)
    told = []
    for _ in range(45):
        told += world.step(10)
    assert [e.reason for e in told if isinstance(e, TradingHalted)] == ["book_off_index"]
    assert only(world.order(ALICE, "buy", 1, BTC_TICKS), Rejected).limit == "book_off_index"
    for order in world.venue.core.orders.of_account(MAKER):
        world.apply(CancelOrder(account=MAKER, order_id=order.order_id))
    told = []  # nobody can quote while the market is halted, so an empty book ends the halt after a while
    for _ in range(31):
        told += world.step(10)
    assert [e.reason for e in told if isinstance(e, TradingResumed)] == ["book_off_index"]
    assert only(world.order(ALICE, "buy", 1, BTC_TICKS), Accepted)


def test_an_empty_book_alone_halts_nothing() -> None:
    world = guarded()
    assert not any(isinstance(e, TradingHalted) for _ in range(60) for e in world.step(60))


def test_the_defaults_are_those_that_the_document_names() -> None:
    for market in DEFAULT_CONFIG.markets:
        shares = (market.mark_bound, market.price_band, market.index_jump, market.index_jump_most)
        assert [round(share / FIXED_ONE, 4) for share in shares] == [0.005, 0.05, 0.01, 0.1]
