"""``bench venue``: its flow is fixed by the seed, trades, and is refused margin; equal rounds tell the same."""

from __future__ import annotations

from collections import Counter

import pytest

from app.benches.venue import flow_digest, play
from app.benches.venue_flow import FlowMaker
from engine.sequencer.inputs import Input, PlaceOrder

ACCOUNTS, COUNT, BLOCK = 60, 1500, 500


@pytest.fixture(scope="module")
def flow() -> list[Input]:
    return FlowMaker(ACCOUNTS, BLOCK).make(COUNT)


def test_the_seed_fixes_the_flow(flow: list[Input]) -> None:
    assert flow_digest(FlowMaker(ACCOUNTS, BLOCK).make(COUNT)) == flow_digest(flow)


def test_the_flow_is_mixed_and_a_third_of_the_orders_fill(flow: list[Input]) -> None:
    found = play(flow, 0, ACCOUNTS)
    orders = [value for value in flow if isinstance(value, PlaceOrder)]
    assert found.filling > 0.3 * len(orders)
    kinds = Counter((order.type, order.tif) for order in orders)
    assert min(kinds["limit", "gtc"], kinds["limit", "ioc"], kinds["market", "gtc"]) > COUNT // 25
    assert COUNT - len(orders) > COUNT // 10
    assert {"Accepted", "BatchStage", "Fill", "OrderClosed", "OrderRested", "Rejected"} <= found.told.keys()


def test_rounds_tell_the_same_and_every_timed_input_has_its_time(flow: list[Input]) -> None:
    first, second = play(flow, BLOCK, ACCOUNTS), play(flow, BLOCK, ACCOUNTS)
    assert (first.events, first.root, first.told) == (second.events, second.root, second.told)
    assert len(first.nanoseconds) == COUNT - BLOCK
    assert first.nanoseconds.min() > 0
    assert play(flow[:-1], BLOCK, ACCOUNTS).events != first.events
