"""The snapshot says what deleveraging means for the user: what is kept back, who waits, which market is bound."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from app.snapshot.views import AccountView
from app.venue.snapshots import account_view, fill_views, market_views
from engine.sequencer.solvency import withdrawable
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, ETH_TICKS, World, owner_of

CAROL = 18


def view(world: World, account: int) -> AccountView:
    funds = SimpleNamespace(wallet=0, pending_deposit=0, claimable=0)
    chain: Any = SimpleNamespace(user_account=account, user=SimpleNamespace(address=owner_of(account)), funds=funds)
    found = account_view(world.venue, chain)
    assert found is not None
    return found


def test_a_snapshot_tells_what_is_kept_back_and_who_waits() -> None:
    world = World()
    for account, tokens in ((ALICE, 3100), (BOB, 7000), (CAROL, 4000)):
        world.deposit(account, tokens)
    world.step()
    for buyer, seller, lots, ticks, market in ((ALICE, BOB, 1000, BTC_TICKS, 1), (BOB, CAROL, 24_000, ETH_TICKS, 2)):
        world.order(seller, "sell", lots, ticks, market=market)
        world.order(buyer, "buy", lots, ticks, market=market)
    before = view(world, CAROL)
    assert (before.kept_back, before.in_deleveraging) == (0, False)
    assert before.withdrawable == before.free_collateral

    world.prices.ticks.update({1: 480_000, 2: 200_000})
    world.step()
    after = view(world, CAROL)
    assert after.kept_back > 0
    assert after.withdrawable == after.free_collateral - after.kept_back
    assert after.withdrawable == withdrawable(world.venue.core, world.venue.core.account(CAROL))
    assert [view(world, account).in_deleveraging for account in (ALICE, BOB, CAROL)] == [True, False, False]
    assert view(world, ALICE).withdrawable == 0
    assert {market: v.deleveraging for market, v in market_views(world.venue).items()} == {1: True, 2: False}
    fill = fill_views(world.venue, ALICE)[0]
    assert (fill.deleveraged, fill.liquidation, fill.fee) == (True, True, 0)
