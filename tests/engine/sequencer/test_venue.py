"""Orders through the venue: acceptance, matching, refusal, cancelling."""

from __future__ import annotations

import pytest

from engine.exchange.refusals import UnknownBatch
from engine.sequencer.events import Accepted, Fill, OrderClosed, OrderRested, Rejected
from engine.sequencer.inputs import CancelAll, CancelOrder, ClockStep, Input, PlaceOrder
from engine.units import QUANTUM
from tests.support.venue_world import (
    ALICE,
    BOB,
    BTC_TICKS,
    CONFIG,
    ETH_TICKS,
    MAKER,
    Quoter,
    World,
    closed_of,
    funded,
    kinds,
    only,
)

LOT = BTC_TICKS * 100


@pytest.fixture
def world() -> World:
    return funded()


def refused(events, code: str, field: str) -> Rejected:
    event = only(events, Rejected)
    assert (event.code, event.field) == (code, field), event
    assert len(events) == 1
    return event


def test_a_limit_order_rests_is_filled_and_both_sides_pay(world: World) -> None:
    events = world.order(BOB, "sell", 300, BTC_TICKS + 5, client_id="b1")
    assert kinds(events) == ["Accepted", "OrderRested"]
    rested = only(events, OrderRested)
    assert (rested.client_id, rested.lots, rested.side, rested.price) == ("b1", 300, "sell", BTC_TICKS + 5)
    events = world.order(ALICE, "buy", 100, BTC_TICKS + 9, client_id="a1")
    assert kinds(events) == ["Accepted", "Fill", "OrderClosed"]
    fill, closed = only(events, Fill), only(events, OrderClosed)
    notional = 100 * (BTC_TICKS + 5) * 100
    assert (fill.price, fill.lots, fill.side) == (BTC_TICKS + 5, 100, "buy")
    assert (fill.maker_fee, fill.taker_fee) == (-(-notional * 200 // 10**6), -(-notional * 500 // 10**6))
    assert (closed.reason, closed.filled, closed.remaining, closed.client_id) == ("filled", 100, 0, "a1")
    assert world.venue.account(ALICE).collateral == 10_000 * QUANTUM - notional - fill.taker_fee
    assert world.venue.account(BOB).collateral == 10_000 * QUANTUM + notional - fill.maker_fee
    assert world.venue.account(CONFIG.fee_account).collateral == fill.maker_fee + fill.taker_fee
    assert (world.venue.account(ALICE).size(1), world.venue.account(BOB).size(1)) == (100, -100)
    world.check()


def test_the_taker_fee_is_rounded_once_for_the_whole_order(world: World) -> None:
    for price in (BTC_TICKS + 1, BTC_TICKS + 2, BTC_TICKS + 3):
        world.order(BOB, "sell", 1, price)
    fees = [e.taker_fee for e in world.order(ALICE, "buy", 3) if isinstance(e, Fill)]
    assert sum(fees) == -(-(3 * BTC_TICKS + 6) * 100 * 500 // 10**6)
    assert len(fees) == 3


def test_market_and_ioc_orders_never_rest(world: World) -> None:
    world.order(BOB, "sell", 5, BTC_TICKS)
    closed = closed_of(world.order(ALICE, "buy", 8, BTC_TICKS + 50, tif="ioc"), ALICE)
    assert (closed.reason, closed.filled, closed.remaining) == ("ioc", 5, 3)
    closed = only(world.order(ALICE, "buy", 8), OrderClosed)
    assert (closed.reason, closed.filled, closed.type, closed.tif) == ("ioc", 0, "market", "ioc")
    assert world.venue.core.books[0].count == 0


def test_post_only_rests_or_is_closed(world: World) -> None:
    world.order(BOB, "sell", 5, BTC_TICKS)
    closed = only(world.order(ALICE, "buy", 8, BTC_TICKS, post_only=True), OrderClosed)
    assert (closed.reason, closed.filled, closed.remaining) == ("post_only", 0, 8)
    assert kinds(world.order(ALICE, "buy", 8, BTC_TICKS - 1, post_only=True)) == ["Accepted", "OrderRested"]
    world.check()


def test_own_orders_on_the_way_are_cancelled(world: World) -> None:
    own = only(world.order(ALICE, "sell", 7, BTC_TICKS + 1), Accepted).order_id
    world.order(BOB, "sell", 5, BTC_TICKS + 2)
    events = world.order(ALICE, "buy", 5, BTC_TICKS + 2)
    closed = [event for event in events if isinstance(event, OrderClosed)]
    assert [(c.order_id, c.reason) for c in closed if c.order_id == own] == [(own, "self_trade")]
    assert only(events, Fill).maker_account == BOB
    world.check()


def test_reduce_only_orders_are_cut_and_refused(world: World) -> None:
    refused(world.order(ALICE, "sell", 5, BTC_TICKS, reduce_only=True), "not_reducing", "reduce_only")
    world.order(BOB, "sell", 5, BTC_TICKS)
    world.order(ALICE, "buy", 5)
    world.order(BOB, "buy", 50, BTC_TICKS - 1)
    events = world.order(ALICE, "sell", 20, reduce_only=True)
    assert only(events, Fill).lots == 5
    assert world.venue.account(ALICE).size(1) == 0
    world.check()


def test_a_resting_reduce_only_order_sells_the_position_and_no_more(world: World) -> None:
    world.order(BOB, "sell", 5, BTC_TICKS)
    world.order(ALICE, "buy", 5)
    world.order(ALICE, "sell", 5, BTC_TICKS + 9, reduce_only=True)
    world.order(BOB, "buy", 3, BTC_TICKS - 1)
    world.order(ALICE, "sell", 3)  # the position is 2 now
    events = world.order(BOB, "buy", 5, BTC_TICKS + 9)
    assert [event.reason for event in events if isinstance(event, OrderClosed)] == ["filled"]
    assert only(events, Fill).lots == 2
    assert world.venue.account(ALICE).size(1) == 0
    world.check()


def test_a_maker_without_margin_left_loses_the_order_and_the_next_one_is_met(world: World) -> None:
    world.order(ALICE, "sell", 3000, BTC_TICKS + 1)
    world.order(BOB, "sell", 10, BTC_TICKS + 2)
    world.order(ALICE, "buy", 1, BTC_TICKS - 5)  # keeps another order, on the safe side
    world.prices.ticks[1] = BTC_TICKS + 20_000
    world.step(60)  # Alice's order now rests below the mark: filling it would cost too much
    events = world.order(MAKER, "buy", 3000, BTC_TICKS + 2, tif="ioc")
    closed = [event for event in events if isinstance(event, OrderClosed) and event.account == ALICE]
    assert [(event.reason, event.remaining) for event in closed] == [("margin", 3000)]
    assert only(events, Fill).maker_account == BOB
    assert world.venue.account(ALICE).size(1) == 0
    world.check()


def test_orders_beyond_margin_are_refused_with_the_numbers(world: World) -> None:
    world.order(MAKER, "sell", 10_000, BTC_TICKS)
    event = refused(world.order(ALICE, "buy", 4000, client_id="big"), "insufficient_margin", "lots")
    assert (event.account, event.client_id, event.limit) == (ALICE, "big", str(10_000 * QUANTUM))
    assert kinds(world.order(ALICE, "buy", 3000)) == ["Accepted", "Fill", "OrderClosed"]
    refused(world.order(ALICE, "buy", 3000, BTC_TICKS - 10), "insufficient_margin", "lots")
    world.check()


@pytest.mark.parametrize(
    ("order", "code", "field"),
    [
        (PlaceOrder(account=99, market=1, side="buy", type="limit", lots=1, price=1), "unknown_account", "account"),
        (PlaceOrder(account=1, market=1, side="buy", type="limit", lots=1, price=1), "system_account", "account"),
        (PlaceOrder(account=2, market=1, side="buy", type="limit", lots=1, price=1), "system_account", "account"),
        (PlaceOrder(account=3, market=1, side="buy", type="limit", lots=1, price=1), "system_account", "account"),
        (PlaceOrder(account=ALICE, market=7, side="buy", type="limit", lots=1, price=1), "unknown_market", "market"),
        (PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=0, price=1), "out_of_range", "lots"),
        (
            PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=1_000_001, price=1),
            "out_of_range",
            "lots",
        ),
        (PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=1, price=0), "out_of_range", "price"),
        (PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=1, price=2**32), "out_of_range", "price"),
        (PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=1, price=5), "bad_order", "price"),
        (
            PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=1, post_only=True),
            "bad_order",
            "post_only",
        ),
        (
            PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=1, price=1, tif="ioc", post_only=True),
            "bad_order",
            "post_only",
        ),
        (
            PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=1, price=1, client_id="x" * 65),
            "out_of_range",
            "length of client_id",
        ),
        (CancelOrder(account=ALICE, order_id=12345), "unknown_order", "order_id"),
        (CancelAll(account=99), "unknown_account", "account"),
        (CancelAll(account=ALICE, market=9), "unknown_market", "market"),
        (ClockStep(5), "clock_backwards", "time"),
        (ClockStep(2**62), "out_of_range", "time"),
    ],
)
def test_bad_input_is_refused_with_field_and_limit_and_changes_nothing(world, order, code, field) -> None:
    before = world.venue.dump()
    event = refused(world.apply(order), code, field)
    assert event.limit
    world.venue.core.sequence -= 1
    assert world.venue.dump() == before


def test_too_many_resting_orders_are_refused() -> None:
    import msgspec

    world = funded(config=msgspec.structs.replace(CONFIG, max_open_orders=2))
    for tick in (1, 2):
        world.order(ALICE, "buy", 1, BTC_TICKS - tick)
    event = refused(world.order(ALICE, "buy", 1, BTC_TICKS - 3), "too_many_orders", "account")
    assert event.limit == "2"
    assert kinds(world.order(ALICE, "buy", 1)) == ["Accepted", "OrderClosed"]  # a market order rests nothing


def test_cancelling(world: World) -> None:
    first = only(world.order(ALICE, "buy", 5, BTC_TICKS - 1), Accepted).order_id
    world.order(ALICE, "buy", 5, ETH_TICKS - 1, market=2)
    world.order(ALICE, "sell", 5, ETH_TICKS + 9, market=2)
    refused(world.apply(CancelOrder(account=BOB, order_id=first)), "unknown_order", "order_id")
    assert kinds(world.apply(CancelOrder(account=ALICE, order_id=first, client_id="c"))) == ["Accepted", "OrderClosed"]
    assert kinds(world.apply(CancelAll(account=ALICE, market=1))) == ["Accepted"]
    assert kinds(world.apply(CancelAll(account=ALICE, market=2))) == ["Accepted", "OrderClosed", "OrderClosed"]
    assert world.venue.margin(ALICE).reserved == 0
    world.check()


def test_programming_errors_raise(world: World) -> None:
    with pytest.raises(ValueError, match="after input"):
        world.venue.apply(1, ClockStep(world.venue.time))
    with pytest.raises(TypeError, match="unknown input"):
        world.venue.apply(1000, Input())
    with pytest.raises(UnknownBatch):
        world.venue.batch(77)


def test_participants_quote_and_are_silent_but_their_fills_are_told() -> None:
    world = funded(Quoter())
    assert kinds(world.step()) == []
    assert world.venue.core.books[0].count == 10
    events = world.order(ALICE, "buy", 1500)
    assert kinds(events) == ["Accepted", "Fill", "Fill", "OrderClosed"]
    assert world.venue.core.history.of(MAKER).fills == []
    assert len(world.venue.core.history.of(ALICE).fills) == 2
    world.check()


def test_history_and_entry_price_are_kept(world: World) -> None:
    world.order(BOB, "sell", 10, BTC_TICKS)
    world.order(ALICE, "buy", 10)
    state = world.venue.state_of(ALICE)
    assert state.positions[0].cost == 10 * LOT
    line = world.venue.core.history.of(BOB).fills[0]
    assert (line.maker, line.side, line.price, line.batch) == (True, "sell", BTC_TICKS, 1)
    assert [line.price for line in world.venue.core.history.tapes[1]] == [BTC_TICKS]
