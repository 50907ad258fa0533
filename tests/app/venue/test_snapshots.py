"""What the window is told of resting orders."""

from __future__ import annotations

from app.venue.snapshots import order_views
from tests.support.venue_world import ALICE, BTC_TICKS, MAKER, funded


def test_a_partly_filled_order_keeps_its_size_and_says_what_is_filled() -> None:
    world = funded()
    world.order(ALICE, "buy", 100, BTC_TICKS)
    world.order(MAKER, "sell", 70, BTC_TICKS)
    (view,) = order_views(world.venue, ALICE)
    assert (view.lots, view.filled, view.reduce_only, view.cut) == (100, 70, False, 0)


def test_a_reduce_only_order_says_what_was_cut_off() -> None:
    world = funded()
    world.order(MAKER, "sell", 100, BTC_TICKS)
    world.order(ALICE, "buy", 100)
    world.order(ALICE, "sell", 100, BTC_TICKS + 10, reduce_only=True)
    world.order(MAKER, "buy", 40, BTC_TICKS)
    world.order(ALICE, "sell", 30, BTC_TICKS, tif="ioc")
    world.order(MAKER, "buy", 20, BTC_TICKS + 10)
    (view,) = order_views(world.venue, ALICE)
    assert (view.lots, view.filled, view.reduce_only, view.cut) == (70, 20, True, 30)
