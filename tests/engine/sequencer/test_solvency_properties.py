"""Random accounts, positions and prices with gaps: nothing is owed that is not held, nobody falls for another."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange
from engine.exchange.deleveraging import total_value
from engine.exchange.margin import Margin
from engine.sequencer import deleverager, liquidator
from engine.sequencer.core import VenueCore
from engine.sequencer.events import Deleveraged, LiquidationDeferred, Rejected
from engine.sequencer.inputs import PlaceOrder, RequestWithdrawal
from engine.sequencer.solvency import withdrawable
from engine.sequencer.venue import Venue
from engine.units import FIXED_ONE, QUANTUM
from tests.support.venue_world import BTC_TICKS, CONFIG, ETH_TICKS, MAKER, Quoter, World

USERS = (16, 17, 18, 19, 20)
BYSTANDER = 21
BASE = {1: BTC_TICKS, 2: ETH_TICKS}
CONFIGS = (
    CONFIG,
    msgspec.structs.replace(CONFIG, tree_height=5, batch_max_transactions=16, batch_max_accounts=6),
    msgspec.structs.replace(CONFIG, maker_fee_ppm=0, taker_fee_ppm=0, liquidation_fee_ppm=50_000),
)


class Watch:
    """What deleveraging did to each account, seen from outside: every exchange against the rule it must follow."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.exchanges = 0
        exchange = deleverager.exchange_lots
        self.core: VenueCore | None = None

        def watched(bankrupt, other, index, lots, price, term):
            core = self.core
            assert core is not None
            before, bankrupt_before = core.margin(other), core.margin(bankrupt)
            size = bankrupt.positions[index].size
            notional = exchange(bankrupt, other, index, lots, price, term)
            after = core.margin(other)
            assert before.liquidatable or not after.liquidatable
            if after.liquidatable:
                assert before.total_value * after.maintenance <= after.total_value * before.maintenance
            exact = _bankruptcy_notional(bankrupt_before, size, lots, term)
            assert 0 <= (notional - exact) * (1 if size > 0 else -1) < 1
            self.exchanges += 1
            return notional

        monkeypatch.setattr(deleverager, "exchange_lots", watched)


def _bankruptcy_notional(margin: Margin, size: int, lots: int, term) -> Fraction:
    """By definition: value falls by the same share of itself that the requirement falls by."""
    share = Fraction(lots * term.mark * term.maintenance, margin.maintenance)
    value_lost = Fraction(margin.total_value, FIXED_ONE) * share
    worth = Fraction(lots * term.mark, FIXED_ONE)
    return worth - value_lost if size > 0 else worth + value_lost


def action_of(random: Random) -> tuple:
    kind = random.random()
    if kind < 0.7:
        return ("order", random.choice(USERS), random.choice((1, 2)), random.choice(("buy", "sell")), random.random())
    if kind < 0.78:
        return ("gap", random.choice((1, 2)), random.choice((0.85, 0.97, 0.99, 1.01, 1.03, 1.2)))
    if kind < 0.86:
        return ("crash", random.choice((0.6, 0.8, 1.3, 1.7)), random.choice((0.6, 0.8, 1.3, 1.7)))
    return ("take", random.choice(USERS)) if kind < 0.95 else ("add", random.choice((*USERS, CONFIG.insurance_account)))


def act(world: World, action: tuple, random: Random) -> list:
    """Apply one action; amounts are made to fit the state, so that something happens."""
    kind = action[0]
    ticks = world.prices.ticks
    if kind == "order":
        _, user, market, side, size = action
        price = max(1, int(ticks[market] * random.choice((0.96, 0.99, 0.999, 1, 1, 1.001, 1.01, 1.04))))
        worth = total_value(world.venue.core.account(user), world.venue.core.terms) >> 32
        lots = 1 + max(0, int(size * 15 * worth)) // (price * (100 if market == 1 else 10))
        return world.apply(
            PlaceOrder(
                account=user,
                market=market,
                side=side,
                type="limit",
                lots=lots,
                price=price,
                reduce_only=random.random() < 0.1,
            )
        )
    if kind == "gap":
        ticks[action[1]] = min(5 * BASE[action[1]], max(BASE[action[1]] // 5, int(ticks[action[1]] * action[2])))
        return world.step(random.choice((1, 1, 30, 4000)))  # some over a funding time
    if kind == "crash":
        for market, factor in zip((1, 2), action[1:], strict=True):
            ticks[market] = min(5 * BASE[market], max(BASE[market] // 5, int(ticks[market] * factor)))
        return world.step()
    if kind == "take":
        core = world.venue.core
        amount = withdrawable(core, core.account(action[1])) // random.choice((1, 3, 3))
        return world.apply(RequestWithdrawal(account=action[1], amount=amount)) if amount else []
    return world.deposit(action[1], 300)


def play(seed: int, watch: Watch, length: int = 45) -> tuple[World, list]:
    random = Random(seed)
    quoter = Quoter(levels=2, lots=random.choice((20, 700))) if random.random() < 0.4 else None
    world = World(random.choice(CONFIGS), quoter)
    watch.core = world.venue.core
    for user in USERS:
        world.deposit(user, random.choice((2000, 4000, 9000)))
    world.deposit(BYSTANDER, 777)
    if quoter:
        world.deposit(MAKER, random.choice((3000, 50_000)))
    world.deposit(CONFIG.insurance_account, random.choice((1, 1, 200, 3000)))
    world.step()
    told = []
    for _ in range(length):
        told += act(world, action_of(random), random)
        world.check()
        core = world.venue.core
        assert withdrawable(core, core.account(BYSTANDER)) == 777 * QUANTUM
    return world, told


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_the_prices_do_nothing_is_owed_that_is_not_held(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        world, _ = play(seed, Watch(patch))
    core = world.venue.core
    image = world.venue.dump()
    assert Venue.load(image, world.config, world.prices, world.participants).dump() == image
    everybody = [*USERS, BYSTANDER]
    Random(seed).shuffle(everybody)
    for account in everybody:
        try:
            amount = withdrawable(core, core.account(account))
        except OutOfRange:
            continue
        if amount:
            told = world.apply(RequestWithdrawal(account=account, amount=amount))
            assert not [event for event in told if isinstance(event, Rejected)]
            world.check()
    assert core.counters.collateral >= 0


def test_the_random_venues_reach_what_they_are_meant_to_test(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    told = [event for seed in range(60) for event in play(seed, watch)[1]]
    assert watch.exchanges > 10
    assert {e.reason for e in told if isinstance(e, LiquidationDeferred)} >= {"in_deleveraging", "thin_book"}
    assert sum(isinstance(e, Deleveraged) for e in told) == 2 * watch.exchanges
    assert liquidator.deleverage is deleverager.deleverage
