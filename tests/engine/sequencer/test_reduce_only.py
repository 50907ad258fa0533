"""Reduce-only orders: they follow the position, count as no exposure, and never open or grow one."""

from __future__ import annotations

from copy import copy

import msgspec
import pytest

from engine.exchange.margin import order_reserve
from engine.sequencer.events import Fill, OrderClosed, OrderCut, Rejected
from engine.sequencer.inputs import PlaceOrder
from engine.sequencer.preview import basis_of, preview_order
from engine.sequencer.reduce_only import follow_positions
from engine.units import HOUR, QUANTUM
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, MAKER, World, funded, only

NO_BATCHES = msgspec.structs.replace(CONFIG, batch_max_age=HOUR, batch_max_transactions=10_000)
CAROL = 18
TAKE_PROFIT = BTC_TICKS + 1_000


def long_of(lots: int, account: int = ALICE) -> World:
    """``account`` is long so many lots; nothing rests."""
    world = funded(config=NO_BATCHES)
    world.deposit(CAROL, 1_000_000)
    buy(world, lots, account)
    return world


def buy(world: World, lots: int, account: int = ALICE) -> None:
    world.order(MAKER, "sell", lots, BTC_TICKS)
    world.order(account, "buy", lots, BTC_TICKS, tif="ioc")


def sell(world: World, lots: int, account: int = ALICE) -> list:
    world.order(MAKER, "buy", lots, BTC_TICKS)
    return world.order(account, "sell", lots, BTC_TICKS, tif="ioc")


def take_profit(world: World, lots: int, price: int = TAKE_PROFIT, account: int = ALICE) -> int:
    """A resting reduce-only sell; its order id."""
    world.order(account, "sell", lots, price, reduce_only=True)
    return world.venue.core.orders.of_account(account)[-1].order_id


def resting(world: World, account: int = ALICE) -> list[int]:
    return [order.lots for order in world.venue.core.orders.of_account(account)]


def size(world: World, account: int = ALICE) -> int:
    return world.venue.account(account).size(1)


def fills(events: list) -> list[tuple[int, int]]:
    return [(event.maker_account, event.lots) for event in events if isinstance(event, Fill)]


def closed(events: list, account: int = ALICE) -> list[tuple[str, int, int]]:
    """Reason, filled and remaining lots of each order that ended."""
    return [(e.reason, e.filled, e.remaining) for e in events if isinstance(e, OrderClosed) and e.account == account]


def test_a_20x_long_with_a_take_profit_closes_after_the_price_fell() -> None:
    world = long_of(3300)  # 198,000 of 10,000: close to 20x
    take_profit(world, 3300)
    world.prices.ticks[1] = BTC_TICKS - BTC_TICKS * 17 // 1000
    world.step(60)
    margin = world.venue.margin(ALICE)
    assert not margin.covers_positions
    assert not margin.liquidatable
    world.order(MAKER, "buy", 3300, world.prices.ticks[1])
    events = world.order(ALICE, "sell", 3300, reduce_only=True)
    assert fills(events) == [(MAKER, 3300)]
    assert closed(events) == [("filled", 3300, 0), ("reduce_only", 0, 3300)]
    assert size(world) == 0
    world.check()


@pytest.mark.parametrize("reduce_only", [False, True])
def test_a_close_beside_a_take_profit_is_no_flip(reduce_only: bool) -> None:
    world = long_of(3300)
    take_profit(world, 3300)
    world.prices.ticks[1] = BTC_TICKS - 10_000
    world.step(60)
    world.order(MAKER, "buy", 3300, world.prices.ticks[1])
    events = world.order(ALICE, "sell", 3300, world.prices.ticks[1], reduce_only=reduce_only)
    assert fills(events) == [(MAKER, 3300)]


def test_a_resting_reduce_only_order_reserves_nothing() -> None:
    world = long_of(100)
    before = world.venue.margin(ALICE)
    for price in (TAKE_PROFIT, BTC_TICKS + 2_000):
        take_profit(world, 100, price)
    assert world.venue.margin(ALICE) == before
    state = world.venue.state_of(ALICE)
    assert order_reserve(state.positions[0], world.venue.core.terms[0], world.venue.core.fees.maker_ppm) == 0
    receipt = preview_order(basis_of(world.venue.core, ALICE), world.inputs[-1])
    assert receipt.margin_after.reserved == 0
    assert (receipt.resting, receipt.lots) == (100, 100)


def test_it_is_cut_with_the_position_and_keeps_its_place() -> None:
    world = long_of(100)
    order_id = take_profit(world, 100)
    world.order(CAROL, "sell", 10, TAKE_PROFIT)
    events = sell(world, 40)
    cut = only(events, OrderCut)
    assert (cut.order_id, cut.lots, cut.cut, cut.account, cut.market) == (order_id, 60, 40, ALICE, 1)
    assert resting(world) == [60]
    assert world.venue.core.orders[order_id].cut == 40
    assert fills(world.order(BOB, "buy", 65, TAKE_PROFIT)) == [(ALICE, 60), (CAROL, 5)]
    world.check()


def test_an_order_placed_for_more_than_the_position_says_what_was_cut() -> None:
    world = long_of(100)
    order_id = take_profit(world, 250)
    assert world.venue.core.orders[order_id].cut == 150
    assert resting(world) == [100]


def test_it_does_not_grow_back() -> None:
    world = long_of(100)
    take_profit(world, 100)
    sell(world, 40)
    buy(world, 200)
    assert resting(world) == [60]
    world.check()


def test_it_ends_when_the_position_is_flat() -> None:
    world = long_of(100)
    take_profit(world, 70)
    assert closed(sell(world, 100)) == [("filled", 100, 0), ("reduce_only", 0, 70)]
    assert resting(world) == []
    world.check()


def test_it_ends_when_the_position_has_turned() -> None:
    world = long_of(100)
    take_profit(world, 70)
    assert closed(sell(world, 150)) == [("filled", 150, 0), ("reduce_only", 0, 70)]
    assert size(world) == -50
    world.check()


def test_another_market_is_left_alone() -> None:
    world = long_of(100)
    world.order(MAKER, "sell", 100, 250_000, market=2)
    world.order(ALICE, "buy", 100, market=2)
    world.order(ALICE, "sell", 100, 260_000, market=2, reduce_only=True)
    sell(world, 100)
    assert resting(world) == [100]
    world.check()


@pytest.mark.parametrize("taker", [40, 60, 61, 100, 200])
def test_a_larger_taker_fills_what_is_left_and_goes_on_behind_it(taker: int) -> None:
    world = long_of(100)
    take_profit(world, 100)
    world.order(ALICE, "sell", 40, TAKE_PROFIT - 1)  # a plain order in front of it: 60 are left when it is reached
    world.order(CAROL, "sell", 500, TAKE_PROFIT + 1)
    order = PlaceOrder(account=BOB, market=1, side="buy", type="limit", lots=40 + taker, price=TAKE_PROFIT + 1)
    receipt = preview_order(basis_of(world.venue.core, BOB), order)
    events = world.apply(order)
    mine = min(taker, 60)
    assert fills(events) == [(ALICE, 40), (ALICE, mine), *([(CAROL, taker - mine)] if taker > mine else [])]
    assert receipt.filled == 40 + taker
    assert receipt.worst_price == [e.price for e in events if isinstance(e, Fill)][-1]
    assert size(world) == 60 - mine
    assert resting(world) == ([60 - mine] if mine < 60 else [])
    world.check()


def test_several_may_exceed_the_position_together_and_one_taker_gets_only_the_position() -> None:
    world = long_of(100)
    take_profit(world, 80)
    take_profit(world, 100, TAKE_PROFIT + 1)
    take_profit(world, 100, TAKE_PROFIT + 2)
    world.order(CAROL, "sell", 500, TAKE_PROFIT + 3)
    events = world.order(BOB, "buy", 300, TAKE_PROFIT + 3)
    assert fills(events) == [(ALICE, 80), (ALICE, 20), (CAROL, 200)]
    assert closed(events) == [("reduce_only", 0, 100), ("filled", 80, 0), ("filled", 20, 0)]
    assert (size(world), resting(world)) == (0, [])
    world.check()


def test_a_refused_order_leaves_the_orders_it_would_have_cut() -> None:
    world = long_of(100)
    take_profit(world, 80)
    take_profit(world, 100, TAKE_PROFIT + 1)
    before = [copy(order) for order in world.venue.core.orders], world.venue.core.books[0].digest()
    events = world.order(BOB, "buy", 50_000, TAKE_PROFIT + 1)
    assert only(events, Rejected).code == "insufficient_margin"
    assert len(events) == 1
    assert (list(world.venue.core.orders), world.venue.core.books[0].digest()) == before


def test_a_liquidation_cuts_and_cancels_like_any_other_fill() -> None:
    """The one liquidated sells to Alice, who is short and has a take-profit of her own."""
    world = long_of(3300, BOB)
    world.order(ALICE, "buy", 10, BTC_TICKS - 500)
    world.order(MAKER, "buy", 50, BTC_TICKS)
    world.order(ALICE, "sell", 50)  # Alice is short 50
    world.order(MAKER, "buy", 40_000, BTC_TICKS - 18_000)
    world.order(ALICE, "buy", 50, BTC_TICKS - 20_000, reduce_only=True)
    world.order(ALICE, "buy", 30, BTC_TICKS - 17_500)
    world.prices.ticks[1] = BTC_TICKS - 17_800
    events = []
    for _ in range(3):
        events += world.step(60)
        world.check()
    assert (ALICE, 30) in fills(events)
    assert resting(world)[-1:] == [10]
    assert size(world) == -10


def test_a_reduce_only_order_may_rest_beside_a_larger_plain_one() -> None:
    """It is let in whatever rests beside it; the plain one still needs its own margin when it fills."""
    world = long_of(100)
    world.order(ALICE, "sell", 150, BTC_TICKS + 50)
    events = world.order(ALICE, "sell", 100, TAKE_PROFIT, reduce_only=True)
    assert not any(isinstance(event, Rejected) for event in events)
    world.check()


def test_own_reduce_only_orders_met_by_an_own_taker_release_no_margin() -> None:
    world = long_of(100)
    take_profit(world, 100)
    world.order(CAROL, "sell", 10, TAKE_PROFIT + 1)
    events = world.order(ALICE, "buy", 10, TAKE_PROFIT + 1)
    assert closed(events) == [("self_trade", 0, 100), ("filled", 10, 0)]
    assert size(world) == 110
    world.check()


def test_a_withdrawal_is_not_held_back_by_a_take_profit() -> None:
    world = long_of(100)
    free = world.venue.margin(ALICE).free_collateral
    take_profit(world, 100)
    assert world.venue.margin(ALICE).free_collateral == free > QUANTUM


def test_a_position_that_changes_without_its_orders_breaks_the_invariant() -> None:
    """What every new way to move a position must not forget."""
    world = long_of(100)
    order_id = take_profit(world, 100)
    core = world.venue.core
    for account, change in ((ALICE, -30), (MAKER, 30)):
        core.accounts[account].positions[0].size += change
    core.prices[0].open_interest -= 30
    found = world.venue.invariants()["reduce_only_reduces"]
    assert found == f"reduce-only order {order_id} rests with 100 lots, the position is 70"
    follow_positions(core, 0, [ALICE, MAKER])
    assert world.venue.invariants()["reduce_only_reduces"] is True
    assert world.venue.invariants()["orders_match_books"] is True
