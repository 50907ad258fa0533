"""Liquidations against the book, with and without the insurance account."""

from __future__ import annotations

import pytest

from engine.sequencer.events import Deleveraged, Fill, Liquidated, LiquidationDeferred, OrderClosed
from engine.units import QUANTUM
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, MAKER, World, owner_of

FEE = CONFIG.liquidation_fee_ppm


def long_alice(insurance: int = 100_000, tokens: int = 4000) -> World:
    """Alice is long 1 BTC at 60,000 against the maker; the book is empty."""
    world = World()
    world.deposit(MAKER, 1_000_000)
    world.deposit(ALICE, tokens)
    if insurance:
        world.deposit(CONFIG.insurance_account, insurance)
    world.step()
    world.order(MAKER, "sell", 1000, BTC_TICKS)
    world.order(ALICE, "buy", 1000, BTC_TICKS)
    assert world.venue.account(ALICE).size(1) == 1000
    return world


def crash(world: World, ticks: int, seconds: float = 1.0):
    world.prices.ticks[1] = ticks
    return world.step(seconds)


def test_an_account_above_maintenance_is_left_alone() -> None:
    world = long_alice()
    price = world.venue.liquidation_price(ALICE, 1)
    assert price is not None
    world.order(MAKER, "buy", 5000, price)
    assert not any(isinstance(e, Liquidated) for e in crash(world, price + 1))
    assert not world.venue.margin(ALICE).liquidatable
    events = crash(world, price)
    assert any(isinstance(e, Liquidated) for e in events)
    world.check()


def test_a_partial_liquidation_cancels_orders_and_restores_initial_margin() -> None:
    world = long_alice()
    world.order(ALICE, "buy", 10, 100_000)
    price = world.venue.liquidation_price(ALICE, 1)
    assert price is not None
    world.order(MAKER, "buy", 5000, price)
    events = crash(world, price)
    closed = [e.reason for e in events if isinstance(e, OrderClosed) and e.account == ALICE]
    assert closed == ["margin", "filled"]
    fill = next(e for e in events if isinstance(e, Fill))
    assert (fill.liquidation, fill.taker_account, fill.taker_fee, fill.side) == (True, ALICE, 0, "sell")
    (told,) = [e for e in events if isinstance(e, Liquidated)]
    assert 0 < told.lots < 1000
    assert (told.price, told.insurance) == (price, -(-told.lots * price * 100 * FEE // 10**6))
    assert world.venue.account(CONFIG.insurance_account).collateral == 100_000 * QUANTUM + told.insurance
    assert world.venue.margin(ALICE).covers_positions
    assert world.venue.core.deferred == {}
    world.check()


def test_the_insurance_account_pays_the_loss_of_a_closed_account() -> None:
    world = long_alice()
    world.order(MAKER, "buy", 5000, 550_000)
    events = crash(world, 552_000)  # equity 4000 - 30 - 4800 < 0
    (sold,) = [e for e in events if isinstance(e, Liquidated)]
    loss = 5000 * QUANTUM - 4000 * QUANTUM + 30 * QUANTUM
    assert (sold.market, sold.lots, sold.price, sold.insurance) == (1, 1000, 550_000, -loss)
    assert world.venue.account(ALICE).collateral == 0
    assert world.venue.account(CONFIG.insurance_account).collateral == 100_000 * QUANTUM - loss
    world.check()


@pytest.mark.parametrize(("insurance", "sold"), [(0, 0), (1029, 999), (1030, 1000)])
def test_without_enough_insurance_the_rest_is_deleveraged(insurance: int, sold: int) -> None:
    world = long_alice(insurance)
    world.order(MAKER, "buy", 5000, 550_000)
    events = crash(world, 552_000)
    assert [e.lots for e in events if isinstance(e, Liquidated)] == [sold] * (sold > 0)
    assert [e.lots for e in events if isinstance(e, Deleveraged)] == [1000 - sold] * 2 * (sold < 1000)
    assert not [e for e in events if isinstance(e, LiquidationDeferred)]
    assert world.venue.account(ALICE).size(1) == world.venue.account(ALICE).collateral == 0
    assert world.venue.account(CONFIG.insurance_account).collateral == insurance * QUANTUM - sold * 1_030_000
    world.check()


def test_a_thin_book_is_deferred_and_taken_when_orders_come() -> None:
    world = long_alice()
    (told,) = [e for e in crash(world, 570_000) if isinstance(e, LiquidationDeferred)]
    assert told.reason == "thin_book"
    world.order(MAKER, "buy", 100, 569_000)
    events = world.step()
    assert [e.lots for e in events if isinstance(e, Liquidated)] == [100]
    assert world.venue.account(ALICE).size(1) == 900
    world.check()


def test_bids_far_from_the_mark_are_not_taken() -> None:
    world = long_alice()
    world.order(MAKER, "buy", 5000, 100_000)
    events = crash(world, 570_000)
    assert [e.reason for e in events if isinstance(e, LiquidationDeferred)] == ["thin_book"]
    assert world.venue.account(ALICE).size(1) == 1000


def test_a_short_is_bought_back() -> None:
    world = World()
    for account, tokens in ((MAKER, 1_000_000), (BOB, 4000), (CONFIG.insurance_account, 1000)):
        world.deposit(account, tokens)
    world.step()
    world.order(MAKER, "buy", 1000, BTC_TICKS)
    world.order(BOB, "sell", 1000, BTC_TICKS)
    price = world.venue.liquidation_price(BOB, 1)
    assert price is not None
    assert price > BTC_TICKS
    world.order(MAKER, "sell", 5000, price)
    assert not any(isinstance(e, Liquidated) for e in crash(world, price - 1))
    events = crash(world, price)
    assert [e.side for e in events if isinstance(e, Fill)] == ["buy"]
    assert -1000 < world.venue.account(BOB).size(1) < 0
    world.check()


def test_system_accounts_take_no_part() -> None:
    world = long_alice()
    world.order(MAKER, "buy", 5000, 550_000)
    crash(world, 552_000)
    assert world.venue.account(CONFIG.insurance_account).positions == ()
    assert world.venue.account(CONFIG.insurance_account).l1_address == owner_of(CONFIG.insurance_account)
