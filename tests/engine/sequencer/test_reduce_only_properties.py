"""Random flows of orders, many of them reduce-only, against a model that trades lot by lot."""

from __future__ import annotations

from collections import Counter, defaultdict
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sequencer.events import Fill, Rejected
from engine.sequencer.inputs import CancelOrder, PlaceOrder
from engine.units import HOUR
from tests.support.reduce_only_reference import ReduceOnlyReference
from tests.support.venue_world import BTC_TICKS, CONFIG, World

NO_BATCHES = msgspec.structs.replace(CONFIG, batch_max_age=HOUR, batch_max_transactions=10_000)
TRADERS = (16, 17, 18)

new_orders = st.builds(
    PlaceOrder,
    account=st.sampled_from(TRADERS),
    market=st.just(1),
    side=st.sampled_from(["buy", "sell"]),
    type=st.just("limit"),
    lots=st.integers(1, 12),
    price=st.integers(-3, 3).map(lambda away: BTC_TICKS + away),
    tif=st.sampled_from(["gtc", "gtc", "gtc", "ioc"]),
    reduce_only=st.booleans(),
)
market_orders = st.builds(
    PlaceOrder,
    account=st.sampled_from(TRADERS),
    market=st.just(1),
    side=st.sampled_from(["buy", "sell"]),
    type=st.just("market"),
    lots=st.integers(1, 12),
    reduce_only=st.booleans(),
)
cancels = st.integers(0, 5)  # which of the resting orders
flows = st.lists(st.one_of(new_orders, new_orders, new_orders, market_orders, cancels), min_size=5, max_size=40)


def play(flow: list) -> Counter[str]:
    """A flow on both; how often something happened that it is about."""
    world, model = World(config=NO_BATCHES), ReduceOnlyReference()
    for account in TRADERS:
        world.deposit(account, 1_000_000)
    core, seen = world.venue.core, Counter()
    sizes: dict[int, int] = defaultdict(int)
    for action in flow:
        if isinstance(action, int):
            if model.orders:
                order = model.orders[action % len(model.orders)]
                model.cancel(order.order_id)
                world.apply(CancelOrder(account=order.account, order_id=order.order_id))
        else:
            reducing = set(core.orders.reduce_only)
            cut_before = sum(order.cut for order in core.orders)
            events = world.apply(action)
            price = action.price if action.type == "limit" else None
            wanted = model.place(
                action.account, action.side == "buy", action.lots, price,
                ioc=action.tif == "ioc", reduce_only=action.reduce_only,
            )  # fmt: skip
            assert any(isinstance(event, Rejected) for event in events) == (wanted is None)
            fills = [event for event in events if isinstance(event, Fill)]
            assert {fill.maker_order: fill.lots for fill in fills} == (wanted or {})
            for fill in fills:
                enter(sizes, fill, action.reduce_only, fill.maker_order in reducing)
            seen["reduce_only maker filled"] += any(fill.maker_order in reducing for fill in fills)
            seen["cut"] += sum(order.cut for order in core.orders) > cut_before
        assert [
            (o.order_id, o.account, o.buy, o.price, o.lots, o.reduce_only, o.cut)
            for o in sorted(core.orders, key=lambda order: order.order_id)
        ] == [(o.order_id, o.account, o.buy, o.price, o.lots, o.reduce_only, o.cut) for o in model.orders]
        for account in TRADERS:
            assert world.venue.account(account).size(1) == model.sizes[account] == sizes[account]
        for order in core.orders:
            if order.reduce_only:
                size = sizes[order.account]
                assert 0 < order.lots <= (-size if order.buy else size)
    world.check()
    return seen


def enter(sizes: dict[int, int], fill: Fill, taker_reduces: bool, maker_reduces: bool) -> None:
    """Both positions move; by a reduce-only order only towards zero."""
    signed = fill.lots if fill.side == "buy" else -fill.lots
    for account, change, reduces in (
        (fill.taker_account, signed, taker_reduces),
        (fill.maker_account, -signed, maker_reduces),
    ):
        before, after = sizes[account], sizes[account] + change
        if reduces:
            assert abs(after) == abs(before) - fill.lots
            assert before * after >= 0
        sizes[account] = after


@settings(max_examples=60, deadline=None)
@given(flows)
def test_flows_with_reduce_only_orders_do_what_the_model_does(flow) -> None:
    play(flow)


def test_such_flows_reach_what_they_are_meant_to_test() -> None:
    seen: Counter[str] = Counter()
    for seed in range(10):
        seen += play(flow_of(Random(seed)))
    assert seen["reduce_only maker filled"] > 10
    assert seen["cut"] > 10


def flow_of(random: Random) -> list:
    return [
        PlaceOrder(
            account=random.choice(TRADERS),
            market=1,
            side=random.choice(["buy", "sell"]),
            type="limit",
            lots=random.randint(1, 12),
            price=BTC_TICKS + random.randint(-3, 3),
            reduce_only=random.random() < 0.5,
        )
        for _ in range(40)
    ]
