"""The plan of an order: pure, the same on a copy as on the venue, and what the book then does."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.book.book import OrderBook
from engine.errors import ProtocolError
from engine.sequencer.book_copy import copy_book
from engine.sequencer.events import Fill, OrderClosed
from engine.sequencer.execution import UnplannedMatch
from engine.sequencer.ground import Ground
from engine.sequencer.inputs import PlaceOrder
from engine.sequencer.planning import Plan, plan_order
from engine.sequencer.preview import basis_of, preview_order
from engine.units import HOUR
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, MAKER, World, funded, kinds

NO_BATCHES = msgspec.structs.replace(CONFIG, batch_max_age=HOUR, batch_max_transactions=10_000)
CAROL = 18


def buy(lots: int, price: int = BTC_TICKS + 50, **more) -> PlaceOrder:
    return PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=lots, price=price, **more)


def short_of_margin(sizes: list[int], position: int = 2900) -> World:
    """Bob is short ``position`` lots, rests sells of these sizes at one price, and has lost what they would need."""
    world = funded(config=NO_BATCHES)
    world.deposit(CAROL, 1_000_000)
    world.order(MAKER, "buy", position, BTC_TICKS)
    world.order(BOB, "sell", position, BTC_TICKS)
    for lots in sizes:
        world.order(BOB, "sell", lots, BTC_TICKS + 10)
    state = world.venue.core.accounts[BOB]
    lost = world.venue.margin(BOB).equity - world.venue.margin(BOB).initial_margin - 20 * 10**6  # enough for 6 lots
    state.collateral -= lost
    world.venue.core.accounts[CONFIG.insurance_account].collateral += lost
    return world


def resting(world: World, account: int) -> list[int]:
    return [order.lots for order in world.venue.core.orders.of_account(account)]


def numbers(plan: Plan) -> tuple[object, ...]:
    """Everything a plan says, in a form that compares."""
    order, outcome = plan.order, plan.outcome
    return (
        (order.account.account_id, order.market_index, order.buy, order.lots, order.price, order.ioc),
        (plan.best, plan.notional, plan.resting, plan.cancelled, plan.closed),
        tuple(map(list, plan.meeting.makers)),
        (plan.meeting.unfit, plan.meeting.filled, plan.meeting.cost),
        (outcome.after, outcome.fee),
        (outcome.account.collateral, [position.numbers() for position in outcome.account.positions]),
        plan.refusal and (plan.refusal.code, plan.refusal.message),
    )


def planned(ground: Ground, order: PlaceOrder) -> Plan | str:
    """The plan, or code and words of the refusal that comes before it."""
    try:
        return plan_order(ground, order)
    except ProtocolError as error:
        return f"{error.code}: {error.message}"


@pytest.mark.parametrize("sizes", [[100], [1, 30, 70], [20] * 5])
def test_orders_that_may_not_fill_are_passed_and_cancelled(sizes: list[int]) -> None:
    world = short_of_margin(sizes)
    world.order(CAROL, "sell", 50, BTC_TICKS + 20)
    order = buy(40)
    plan = plan_order(world.venue.core, order)
    fit = 1 if sizes[0] == 1 else 0  # a single lot can still be carried
    assert plan.meeting.makers.accounts == [BOB] * fit + [CAROL]
    assert list(plan.meeting.makers.lots) == [1] * fit + [40 - fit]
    assert len(plan.meeting.unfit) == len(sizes) - fit
    assert resting(world, BOB) == sizes  # nothing has happened yet
    receipt = preview_order(basis_of(world.venue.core, ALICE), order)
    assert receipt.makers_cancelled == len(plan.meeting.unfit)
    events = world.apply(order)
    assert [(e.order_id, e.reason) for e in events if isinstance(e, OrderClosed) and e.account == BOB][
        : len(plan.meeting.unfit)
    ] == [(order_id, "margin") for order_id in plan.meeting.unfit]
    assert [(e.maker_account, e.lots) for e in events if isinstance(e, Fill)] == [
        *[(BOB, 1)] * fit,
        (CAROL, 40 - fit),
    ]
    assert receipt.fee_taker == sum(e.taker_fee for e in events if isinstance(e, Fill))


def test_a_large_order_in_the_way_of_a_small_one_is_looked_past() -> None:
    world = short_of_margin([200])
    for away in range(20, 30):
        world.order(CAROL, "sell", 1, BTC_TICKS + away)
    plan = plan_order(world.venue.core, buy(9))
    assert list(plan.meeting.makers.prices) == [BTC_TICKS + away for away in range(20, 29)]
    assert (plan.meeting.filled, len(plan.meeting.unfit), plan.resting) == (9, 1, 0)


def test_a_refused_order_changes_nobody_elses_orders() -> None:
    world = short_of_margin([100])
    order = buy(4000)
    plan = plan_order(world.venue.core, order)
    assert plan.refusal is not None
    assert plan.refusal.code == "insufficient_margin"
    assert len(plan.meeting.unfit) == 1
    assert preview_order(basis_of(world.venue.core, ALICE), order).makers_cancelled == 0
    before = world.venue.dump()
    assert kinds(world.apply(order)) == ["Rejected"]
    world.venue.core.sequence -= 1
    assert world.venue.dump() == before
    assert resting(world, BOB) == [100]


def test_an_order_that_meets_only_unfit_makers_is_taken_and_they_go() -> None:
    world = short_of_margin([100, 50])
    events = world.apply(buy(40))
    assert kinds(events) == ["OrderClosed", "OrderClosed", "Accepted", "OrderRested"]
    assert resting(world, BOB) == []
    world.check()


def test_a_post_only_order_meets_nobody() -> None:
    world = short_of_margin([100])
    plan = plan_order(world.venue.core, buy(10, post_only=True))
    assert (plan.closed, plan.cancelled, plan.meeting.unfit, plan.refusal) == ("post_only", 10, (), None)


sides = st.sampled_from(["buy", "sell"])
resting_orders = st.lists(
    st.tuples(st.sampled_from([MAKER, BOB, BOB, ALICE]), sides, st.integers(1, 400), st.integers(-9, 9), st.booleans()),
    max_size=25,
)
new_orders = st.builds(
    PlaceOrder,
    account=st.sampled_from([ALICE, BOB]),
    market=st.just(1),
    side=sides,
    type=st.just("limit"),
    lots=st.integers(1, 4000),
    price=st.integers(-12, 12).map(lambda away: BTC_TICKS + away),
    tif=st.sampled_from(["gtc", "ioc"]),
    post_only=st.just(False),
    reduce_only=st.sampled_from([False, False, True]),
)


@settings(max_examples=80, deadline=None)
@given(resting_orders, st.integers(-2900, 2900), st.integers(0, 9_900), new_orders)
def test_a_plan_on_a_copy_is_the_plan_on_the_venue_and_changes_nothing(book, position, lost, order) -> None:
    world = funded(config=NO_BATCHES)
    core = world.venue.core
    if position:
        side, other = ("buy", "sell") if position > 0 else ("sell", "buy")
        world.order(MAKER, other, abs(position), BTC_TICKS)
        world.order(BOB, side, abs(position), BTC_TICKS)
    for account, side, lots, away, reduce_only in book:
        world.order(account, side, lots, BTC_TICKS + away, reduce_only=reduce_only)
    core.accounts[BOB].collateral -= lost * 10**6
    core.accounts[CONFIG.insurance_account].collateral += lost * 10**6
    before = world.venue.dump()
    plan, on_copy = (planned(ground, order) for ground in (core, basis_of(core, order.account)))
    if isinstance(plan, str):
        assert plan == on_copy
        return
    assert not isinstance(on_copy, str)
    assert numbers(plan) == numbers(on_copy)
    assert world.venue.dump() == before
    events = world.apply(order)
    fills = [(e.maker_order, e.maker_account, e.price, e.lots) for e in events if isinstance(e, Fill)]
    unfit = [e.order_id for e in events if isinstance(e, OrderClosed) and e.reason == "margin"]
    assert tuple(unfit) == (() if plan.refusal else plan.meeting.unfit)
    assert fills == ([] if plan.refusal else list(zip(*plan.meeting.makers, strict=True)))


book_orders = st.lists(
    st.tuples(st.integers(1, 4), sides, st.integers(1, 50), st.integers(90, 110)), min_size=1, max_size=40
)


@settings(max_examples=80, deadline=None)
@given(
    book_orders,
    st.integers(1, 6),
    sides,
    st.none() | st.integers(88, 112),
    st.integers(1, 300),
    st.none() | st.integers(1, 4),
)
def test_a_copied_book_answers_as_the_book(orders, levels, side, price, lots, account) -> None:
    book = OrderBook()
    for order_id, (owner, direction, size, ticks) in enumerate(orders, 1):
        book.place(order_id, owner, direction, size, ticks)
    copied = copy_book(book, levels)
    assert (copied.best_bid, copied.best_ask) == (book.best_bid, book.best_ask)
    behind = 0
    for most in (2, 3, 100):
        asked = (side, price, lots, account, behind, most)
        found, wanted = copied.next_makers(*asked), book.next_makers(*asked)
        rows = len(found[0])
        assert found == [column[:rows] for column in wanted]
        if rows < len(wanted[0]):
            assert copied.ends_before(side, price)
            assert sum(found[3]) < lots
            break
        behind = found[0][-1] if rows else 0


def test_a_thick_book_is_copied_to_whole_levels_only() -> None:
    book = OrderBook()
    for order_id in range(1, 1201):
        book.place(order_id, 7, "sell", 1, 100 + order_id // 300)
    asks = copy_book(book, 200).asks
    assert (len(asks.lots), asks.price[-1], asks.whole) == (299, 100, False)
    assert copy_book(book, 200).ends_before("buy", None)
    assert not copy_book(book, 200).ends_before("buy", 99)


def test_a_match_that_was_not_planned_stops_the_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    world = funded()
    world.order(MAKER, "sell", 10, BTC_TICKS)
    monkeypatch.setattr(OrderBook, "next_makers", lambda self, *wanted: [[], [], [], []])
    with pytest.raises(UnplannedMatch, match="filled 5 lots, planned were 0"):
        world.order(ALICE, "buy", 5, BTC_TICKS)
