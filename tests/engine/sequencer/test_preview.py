"""The receipt equals what then happens."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ProtocolError
from engine.sequencer.events import Fill, OrderClosed, OrderRested, Rejected
from engine.sequencer.inputs import PlaceOrder
from engine.sequencer.preview import Receipt, preview_order
from engine.units import FIXED_ONE, HOUR, QUANTUM
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, MAKER, World, funded

NO_BATCHES = msgspec.structs.replace(CONFIG, batch_max_age=HOUR, batch_max_transactions=10_000)
sides = st.sampled_from(["buy", "sell"])
book = st.lists(st.tuples(st.sampled_from([MAKER, BOB, ALICE]), sides, st.integers(1, 400), st.integers(-9, 9)))
orders = st.builds(
    PlaceOrder,
    account=st.sampled_from([ALICE, ALICE, ALICE, 2, 99]),
    market=st.just(1),
    side=sides,
    type=st.just("limit"),
    lots=st.integers(0, 4000),
    price=st.integers(-12, 12).map(lambda away: BTC_TICKS + away),
    tif=st.sampled_from(["gtc", "gtc", "ioc"]),
    post_only=st.booleans(),
    reduce_only=st.sampled_from([False, False, True]),
)
any_order = orders | orders.map(
    lambda o: PlaceOrder(
        account=o.account, market=1, side=o.side, type="market", lots=o.lots, reduce_only=o.reduce_only, client_id="m"
    )
)


def preview(world: World, order: PlaceOrder) -> Receipt:
    return preview_order(world.venue.preview_basis(order.account), order)


@settings(max_examples=120, deadline=None)
@given(book, st.integers(-2500, 2500), st.integers(-2900, 2900), any_order, st.integers(-6000, 6000))
def test_a_receipt_equals_what_happens(resting, position, bobs, order, drift) -> None:
    """Bob may be short of margin when he is met: his orders are then cancelled, and the receipt says so."""
    world = funded(config=NO_BATCHES)
    for account, size in ((ALICE, position), (BOB, bobs)):
        if size:
            side, other = ("buy", "sell") if size > 0 else ("sell", "buy")
            world.order(MAKER, other, abs(size), BTC_TICKS)
            world.order(account, side, abs(size), BTC_TICKS)
    for account, side, lots, away in resting:
        world.order(account, side, lots, BTC_TICKS + away)
    world.prices.ticks[1] = BTC_TICKS + drift
    world.step(60)
    receipt = preview(world, order)
    is_open = order.account in world.venue.account_ids()
    before = world.venue.margin(order.account) if is_open else None
    realised = world.venue.state_of(order.account).positions[0].realised if is_open else 0
    mark = world.venue.core.terms[0].mark
    events = world.apply(order)
    unfit = [e for e in events if isinstance(e, OrderClosed) and e.reason == "margin"]
    assert receipt.makers_cancelled == len(unfit)
    refusals = [e for e in events if isinstance(e, Rejected)]
    if refusals:
        assert isinstance(receipt.refusal, ProtocolError)
        assert (receipt.refusal.code, receipt.refusal.message) == (refusals[0].code, refusals[0].message)
        return
    assert receipt.refusal is None
    assert receipt.margin_before == before
    fills = [e for e in events if isinstance(e, Fill)]
    rested = sum(e.lots for e in events if isinstance(e, OrderRested))
    assert receipt.filled == sum(e.lots for e in fills)
    assert receipt.notional == sum(e.lots * e.price * 100 for e in fills)
    assert receipt.fee_taker == sum(e.taker_fee for e in fills)
    assert receipt.resting == rested
    assert receipt.realised == world.venue.state_of(order.account).positions[0].realised - realised
    if fills:
        worse = Fraction(receipt.notional << 32, receipt.filled * mark) - 1
        assert receipt.mark_bps == ceil((worse if order.side == "buy" else -worse) * 10_000)
    assert receipt.worst_price == (fills[-1].price if fills else 0)
    assert receipt.margin_after == world.venue.margin(order.account)
    assert receipt.liquidation_after == world.venue.liquidation_price(order.account, 1)
    assert receipt.size_after == world.venue.account(order.account).size(1)
    if fills:
        assert receipt.average_fixed == receipt.notional * FIXED_ONE // receipt.filled
    mine = [e for e in events if isinstance(e, OrderClosed) and e.client_id == order.client_id and not rested]
    if mine:
        own = [e for e in mine if e.account == order.account and e.reason != "self_trade"][-1]
        assert (receipt.closed or "filled", receipt.cancelled) == (own.reason, own.remaining)
    world.check()


@pytest.fixture(scope="module")
def world() -> World:
    found = funded()
    for away, lots in ((10, 100), (20, 100), (40, 200)):
        found.order(MAKER, "sell", lots, BTC_TICKS + away)
    return found


def test_what_a_flip_realises_is_booked_fill_by_fill() -> None:
    world = funded()
    world.order(MAKER, "sell", 1, BTC_TICKS)
    world.order(ALICE, "buy", 1)
    for away in (1, 0):
        world.order(MAKER, "buy", 1, BTC_TICKS + away)
    receipt = preview(world, PlaceOrder(account=ALICE, market=1, side="sell", type="market", lots=2))
    assert (receipt.filled, receipt.realised) == (2, 100)  # one lot one tick above its cost; the other one opens
    world.order(ALICE, "sell", 2)
    assert world.venue.state_of(ALICE).positions[0].realised == 100


def test_the_figures_of_a_walk(world: World) -> None:
    receipt = preview(world, PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=300))
    cost = 100 * (BTC_TICKS + 10) + 100 * (BTC_TICKS + 20) + 100 * (BTC_TICKS + 40)
    assert (receipt.filled, receipt.resting, receipt.cancelled, receipt.closed) == (300, 0, 0, "")
    assert receipt.notional == cost * 100
    assert receipt.worst_price == BTC_TICKS + 40
    assert receipt.fee_taker == -(-receipt.notional * 500 // 10**6)
    assert receipt.impact_bps == 1  # 13.3 of 600,010 ticks, rounded up
    assert receipt.size_after == 300
    assert receipt.liquidation_before is None
    assert receipt.liquidation_after is not None
    assert receipt.margin_after.leverage_ppm > 1_700_000
    assert not receipt.beyond_depth


def test_a_resting_part_shows_its_maker_fee(world: World) -> None:
    receipt = preview(
        world, PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=500, price=BTC_TICKS + 40)
    )
    assert (receipt.filled, receipt.resting) == (400, 100)
    assert receipt.fee_maker == -(-100 * (BTC_TICKS + 40) * 100 * CONFIG.maker_fee_ppm // 10**6)


def test_a_refused_order_still_shows_its_effect(world: World) -> None:
    receipt = preview(
        world, PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=100_000, price=BTC_TICKS - 1)
    )
    assert receipt.refusal is not None
    assert receipt.refusal.field == "lots"
    assert receipt.margin_before.equity == 10_000 * QUANTUM
    assert receipt.margin_after.free_collateral < 0


def test_an_account_that_is_not_open_gets_a_refusal(world: World) -> None:
    receipt = preview(world, PlaceOrder(account=99, market=1, side="buy", type="limit", lots=1, price=BTC_TICKS))
    assert receipt.refusal is not None
    assert receipt.refusal.field == "account"


def test_an_order_past_the_shown_depth_says_so() -> None:
    world = funded()
    for away in range(1, 220):
        world.order(MAKER, "sell", 1, BTC_TICKS + away)
    receipt = preview(world, PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=210))
    assert (receipt.filled, receipt.beyond_depth) == (200, True)
    assert not preview(world, PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=200)).beyond_depth


def test_a_basis_is_private(world: World) -> None:
    basis = world.venue.preview_basis(ALICE)
    before = [(book.asks.lots.copy(), book.bids.lots.copy()) for book in basis.books]
    collateral = {account: state.collateral for account, state in basis.accounts.items()}
    preview_order(basis, PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=100))
    world.order(BOB, "buy", 3, BTC_TICKS - 3)
    world.order(BOB, "buy", 3, BTC_TICKS + 10)
    world.deposit(ALICE, 1)
    assert {account: state.collateral for account, state in basis.accounts.items()} == collateral
    for (asks, bids), book in zip(before, basis.books, strict=True):
        assert np.array_equal(asks, book.asks.lots)
        assert np.array_equal(bids, book.bids.lots)


def test_a_basis_serves_its_own_account_only(world: World) -> None:
    with pytest.raises(ValueError, match="basis of account"):
        preview_order(
            world.venue.preview_basis(ALICE),
            PlaceOrder(account=BOB, market=1, side="buy", type="market", lots=1),
        )
