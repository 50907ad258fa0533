"""The snapshot says which index reading waits, what it costs the user, and why a market is halted."""

from __future__ import annotations

from app.venue.snapshots import market_views
from engine.exchange.margin import PRICE_LIMIT
from engine.units import FIXED_ONE
from tests.app.venue.test_deleveraging_views import view
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, GUARDED, World

UNIT = 100 * FIXED_ONE


def long_alice() -> World:
    world = World(config=GUARDED)
    for account in (ALICE, BOB):
        world.deposit(account, 2000)
    world.step()
    world.order(BOB, "sell", 200, BTC_TICKS)
    world.order(ALICE, "buy", 200, BTC_TICKS)
    return world


def test_a_snapshot_tells_the_reading_under_confirmation_and_what_it_keeps_back() -> None:
    world = long_alice()
    before = view(world, ALICE)
    world.prices.ticks[1] = 570_000
    world.step()
    found, after = market_views(world.venue)[1], view(world, ALICE)
    assert (found.unconfirmed_fixed, found.mark_fixed, found.halted) == (570_000 * UNIT, BTC_TICKS * UNIT, "")
    assert found.band == (570_000, 630_000)
    assert after.equity == before.equity
    assert after.withdrawable < before.withdrawable
    assert market_views(world.venue)[2].unconfirmed_fixed == 0


def test_a_snapshot_tells_why_a_market_is_halted() -> None:
    world = long_alice()
    world.prices.ticks[1] = 0
    world.step()
    assert market_views(world.venue)[1].halted == "index_invalid"


def test_a_reading_beyond_all_formats_leaves_the_snapshot_in_one_piece() -> None:
    world = long_alice()
    for account in (ALICE, BOB):
        world.venue.core.account(account).positions[0].size *= 1 << 24
    world.prices.ticks[1], world.prices.unit[1] = PRICE_LIMIT - 1, 1
    world.step()
    assert market_views(world.venue)[1].unconfirmed_fixed == PRICE_LIMIT - 1
    assert view(world, ALICE).withdrawable == 0
