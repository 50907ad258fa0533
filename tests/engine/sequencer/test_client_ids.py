"""The same order sent twice is one order."""

from __future__ import annotations

from copy import copy

import pytest

from engine.sequencer import client_ids
from engine.sequencer.events import Accepted, Rejected
from engine.sequencer.inputs import CancelOrder
from engine.sequencer.venue import Venue
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, MAKER, World, funded, kinds, only


@pytest.fixture
def world() -> World:
    found = funded()
    found.order(MAKER, "sell", 1000, BTC_TICKS)
    return found


def duplicate(events: list, order_id: int, state: str) -> None:
    """The one thing that happened is a refusal that names the first order."""
    assert kinds(events) == ["Rejected"]
    event = only(events, Rejected)
    assert (event.code, event.field, event.value, event.limit) == (
        "duplicate_client_id", "client_id", str(order_id), state,
    )  # fmt: skip
    assert f"order {order_id}" in event.message


def place(world: World, client_id: str, lots: int = 3, price: int = 0, account: int = ALICE, **more) -> list:
    return world.order(account, "buy", lots, price, client_id=client_id, **more)


def test_a_filled_order_is_not_filled_again(world: World) -> None:
    order_id = only(place(world, "once"), Accepted).order_id
    digest = world.venue.fills_digest()
    duplicate(place(world, "once"), order_id, "filled")
    assert world.venue.fills_digest() == digest
    assert world.venue.account(ALICE).size(1) == 3
    world.check()


def test_a_resting_order_is_named_while_it_is_open_and_when_it_ended(world: World) -> None:
    order_id = only(place(world, "bid", price=BTC_TICKS - 9), Accepted).order_id
    before = [copy(order) for order in world.venue.core.orders]
    duplicate(place(world, "bid", price=BTC_TICKS - 9), order_id, "open")
    duplicate(place(world, "bid", lots=900, price=BTC_TICKS), order_id, "open")  # whatever the second one asks
    assert list(world.venue.core.orders) == before
    world.order(MAKER, "sell", 1, BTC_TICKS - 9)
    duplicate(place(world, "bid", price=BTC_TICKS - 9), order_id, "open")
    world.apply(CancelOrder(account=ALICE, order_id=order_id, client_id="bid"))  # cancelling uses no id
    duplicate(place(world, "bid", price=BTC_TICKS - 9), order_id, "cancelled")


def test_every_end_is_told(world: World) -> None:
    for name, more, state in (
        ("ioc", {"price": BTC_TICKS - 9, "tif": "ioc"}, "ioc"),
        ("post", {"price": BTC_TICKS, "post_only": True}, "post_only"),
    ):
        order_id = only(place(world, name, **more), Accepted).order_id
        duplicate(place(world, name, **more), order_id, state)
    order_id = only(place(world, "own", price=BTC_TICKS - 9), Accepted).order_id
    world.order(ALICE, "sell", 1, BTC_TICKS - 9)
    duplicate(place(world, "own"), order_id, "self_trade")


def test_ids_are_each_accounts_own(world: World) -> None:
    assert "Accepted" in kinds(place(world, "same"))
    assert "Accepted" in kinds(place(world, "same", account=BOB))


def test_no_id_and_the_id_of_a_refused_order_are_free(world: World) -> None:
    for _ in range(2):
        assert "Accepted" in kinds(place(world, ""))
    assert only(place(world, "poor", lots=100_000, price=1000_000), Rejected).code == "insufficient_margin"
    assert "Accepted" in kinds(place(world, "poor"))


def test_a_liquidation_uses_none_of_the_accounts_ids() -> None:
    world = funded()
    world.order(MAKER, "sell", 3300, BTC_TICKS)
    world.order(ALICE, "buy", 3300)
    world.order(MAKER, "buy", 9000, BTC_TICKS - 18_000)
    world.prices.ticks[1] = BTC_TICKS - 17_800
    assert "Liquidated" in kinds(world.step(60))
    world.deposit(ALICE, 10_000)
    assert "Accepted" in kinds(place(world, "liquidation", lots=1))


def test_the_last_ended_ones_and_all_that_rest_are_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_ids, "REMEMBERED", 3)
    resting = only(place(world, "rests", price=BTC_TICKS - 9), Accepted).order_id
    ids = [only(place(world, f"n{number}", lots=1), Accepted).order_id for number in range(4)]
    duplicate(place(world, "rests"), resting, "open")
    for number in (1, 2, 3):
        duplicate(place(world, f"n{number}", lots=1), ids[number], "filled")
    assert "Accepted" in kinds(place(world, "n0", lots=1))


def test_a_restart_remembers_the_same(world: World) -> None:
    filled = only(place(world, "filled"), Accepted).order_id
    resting = only(place(world, "rests", price=BTC_TICKS - 9), Accepted).order_id
    again = Venue.load(world.venue.dump(), CONFIG, world.prices, [])
    assert again.dump() == world.venue.dump()
    world.venue = again
    duplicate(place(world, "filled"), filled, "filled")
    duplicate(place(world, "rests"), resting, "open")
    world.check()
