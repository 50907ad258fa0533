"""The venue never owes more than it holds: gaps, insurance, deleveraging, and what is kept back. To the quantum."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from engine.exchange.liquidation import price_bound
from engine.sequencer.events import Deleveraged, Fill, Liquidated, LiquidationDeferred, Rejected
from engine.sequencer.inputs import RequestWithdrawal
from engine.sequencer.solvency import kept_back, withdrawable
from engine.sequencer.venue import Venue
from engine.units import QUANTUM
from tests.support.venue_world import (
    ALICE,
    BOB,
    BTC_TICKS,
    CONFIG,
    ETH_TICKS,
    MAKER,
    World,
    only,
)

CAROL, THIRD = 18, 19
INSURANCE = CONFIG.insurance_account


def trade(world: World, buyer: int, seller: int, lots: int, ticks: int, market: int = 1) -> None:
    world.order(seller, "sell", lots, ticks, market=market)
    world.order(buyer, "buy", lots, ticks, market=market)
    assert world.venue.account(buyer).size(market) == lots


def gap(world: World, btc: int | None = None, eth: int | None = None) -> list:
    """The next step finds the index there."""
    world.prices.ticks.update({market: ticks for market, ticks in ((1, btc), (2, eth)) if ticks})
    events = world.step()
    world.check()
    return events


def collateral(world: World, account: int) -> int:
    return world.venue.account(account).collateral


def may_take(world: World, account: int) -> int:
    return withdrawable(world.venue.core, world.venue.core.account(account))


def take(world: World, account: int, amount: int) -> list:
    events = world.apply(RequestWithdrawal(account=account, amount=amount))
    world.check()
    return events


def two_sides(tokens: int, lots: int, third: int = 0) -> World:
    """Alice long against Bob at 60,000; nobody else but, perhaps, a third depositor."""
    world = World()
    for account, amount in ((ALICE, tokens), (BOB, tokens), (THIRD, third)):
        if amount:
            world.deposit(account, amount)
    world.step()
    trade(world, ALICE, BOB, lots, BTC_TICKS)
    return world


@pytest.mark.parametrize("third", [0, 5000])
@pytest.mark.parametrize(("tokens", "lots", "ticks"), [(3100, 1000, 480_000), (10_000, 3000, 500_000)])
def test_a_gap_takes_from_the_winner_what_the_loser_does_not_have(
    tokens: int, lots: int, ticks: int, third: int
) -> None:
    world = two_sides(tokens, lots, third)
    entry = lots * BTC_TICKS * 100
    fees = {ALICE: entry * 500 // 10**6, BOB: entry * 200 // 10**6}
    have = tokens * QUANTUM - fees[ALICE]
    events = gap(world, btc=ticks)
    mine, his = [event for event in events if isinstance(event, Deleveraged)]
    notional = entry - have  # the price at which all that Alice has is lost, and no more
    assert (mine.account, mine.side, mine.reason, mine.counterparty) == (ALICE, "sell", "bankrupt", BOB)
    assert (his.account, his.side, his.reason, his.counterparty) == (BOB, "buy", "opposing", ALICE)
    assert {(e.lots, e.notional, e.price, e.fill_id) for e in (mine, his)} == {
        (lots, notional, notional // lots // 100, 2)
    }
    assert not [event for event in events if isinstance(event, Fill | Liquidated | LiquidationDeferred)]
    assert collateral(world, ALICE) == 0
    assert collateral(world, BOB) == tokens * QUANTUM - fees[BOB] + have
    assert world.venue.core.deleveraging == {}
    assert world.venue.core.prices[0].open_interest == 0
    for account in (ALICE, BOB):
        assert world.venue.account(account).positions == ()
        line = world.venue.core.history.of(account).fills[-1]
        assert (line.deleveraged, line.liquidation, line.lots, line.fee) == (True, account == ALICE, lots, 0)

    assert may_take(world, BOB) == collateral(world, BOB)
    take(world, BOB, collateral(world, BOB))
    assert isinstance(take(world, BOB, 1)[0], Rejected)
    if third:
        take(world, THIRD, third * QUANTUM)
    assert world.venue.core.counters.collateral == sum(fees.values())


def long_alice(insurance: int, tokens: int = 4000) -> World:
    """Alice is long 1 BTC at 60,000 against the maker, 3,970 are hers; the book is empty."""
    world = World()
    world.deposit(MAKER, 1_000_000)
    world.deposit(ALICE, tokens)
    if insurance:
        world.deposit(INSURANCE, insurance)
    world.step()
    trade(world, ALICE, MAKER, 1000, BTC_TICKS)
    return world


def test_what_insurance_covers_is_sold_and_the_rest_deleveraged() -> None:
    world = long_alice(2000)
    world.order(MAKER, "buy", 700, 530_000)
    world.order(MAKER, "buy", 700, 529_990)
    before = collateral(world, MAKER)
    events = gap(world, btc=532_000)  # 1,000 lots sold at 530,000 lose 7,000: 3,030 more than the 3,970
    sold = only(events, Liquidated)
    assert (sold.lots, sold.price, sold.insurance) == (660, 530_000, -660 * 3_030_000)
    assert collateral(world, INSURANCE) == 2000 * QUANTUM - 660 * 3_030_000
    mine, his = [event for event in events if isinstance(event, Deleveraged)]
    assert (mine.lots, mine.notional, his.account) == (340, 340 * 56_030_000, MAKER)  # 60,000 less 3.97 a lot
    assert collateral(world, ALICE) == 0
    fee = 660 * 53_000_000 * 200 // 10**6
    assert collateral(world, MAKER) == before - 660 * 53_000_000 - fee - 340 * 56_030_000
    assert world.venue.account(MAKER).positions == world.venue.account(ALICE).positions == ()
    assert [order.lots for order in world.venue.core.orders.of_account(MAKER)] == [40, 700]


def test_insurance_buys_parts_of_orders_at_worse_and_worse_prices_to_its_last_quantum() -> None:
    world = long_alice(2000)
    for lots, ticks in ((100, 540_000), (300, 533_000), (1000, 520_000)):
        world.order(MAKER, "buy", lots, ticks)
    events = gap(world, btc=532_000)
    sold = only(events, Liquidated)
    # Bankruptcy price 560,300: 100 lots lose 2.03 each, 300 lose 2.73, then 4.03: 978 of 2,000 are left for 242 lots.
    assert sold.lots == 100 + 300 + 242
    assert sold.insurance == -(100 * 2_030_000 + 300 * 2_730_000 + 242 * 4_030_000)
    assert collateral(world, INSURANCE) == 2000 * QUANTUM + sold.insurance == 2_740_000
    assert collateral(world, ALICE) == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_with_value_left_nothing_is_sold_beyond_the_bankruptcy_price(sign: int) -> None:
    """The loser of a market that one account has emptied keeps the insurance account out of it."""
    world = World()
    for account, tokens in ((MAKER, 1_000_000), (BOB, 4000), (ALICE, 4000), (INSURANCE, 1000)):
        world.deposit(account, tokens)
    world.step()
    loser, side = (ALICE, "buy") if sign > 0 else (BOB, "sell")
    trade(world, *((ALICE, MAKER) if sign > 0 else (MAKER, BOB)), 1000, BTC_TICKS)
    value = world.venue.margin(loser).equity
    mark = BTC_TICKS - sign * 39_000  # 3,900 of it are lost: little value, and a rating near one
    left = value - 3900 * QUANTUM
    bankruptcy = mark - sign * left // (1000 * 100)  # in whole ticks: 3,970 or 3,988 are left
    world.order(MAKER, side, 600, bankruptcy - sign)
    events = gap(world, btc=mark)
    assert only(events, LiquidationDeferred).reason == "thin_book"
    world.order(MAKER, side, 600, bankruptcy)
    sold = only(gap(world), Liquidated)
    assert (sold.lots, sold.price, sold.insurance) == (600, bankruptcy, 0)
    assert world.venue.margin(loser).total_value * 1000 == (left << 32) * 400
    assert collateral(world, INSURANCE) == 1000 * QUANTUM


@pytest.mark.parametrize("accomplice_ticks", [1, 505_399, 505_400, 531_000])
def test_nobody_drains_the_insurance_account_beyond_the_price_bound(accomplice_ticks: int) -> None:
    """YFI in November 2023: one account emptied one market and let its other account's loss fall on the fund."""
    world = long_alice(100_000)
    world.deposit(BOB, 60_000)
    world.order(BOB, "buy", 1000, accomplice_ticks)
    events = gap(world, btc=532_000)
    bound = price_bound(world.venue.core.terms[0], buy=False)
    assert bound == 505_400
    paid = 100_000 * QUANTUM - collateral(world, INSURANCE)
    if accomplice_ticks < bound:
        assert paid == 0
        assert [e.lots for e in events if isinstance(e, Deleveraged)] == [1000, 1000]
    else:
        assert paid == 1000 * (560_300 - accomplice_ticks) * 100
    assert paid <= 1000 * (560_300 - bound) * 100
    assert collateral(world, ALICE) == 0


def test_the_highest_in_profit_and_leverage_is_deleveraged_first_ties_by_id() -> None:
    world = World()
    for account, tokens in ((ALICE, 31_000), (BOB, 20_000), (CAROL, 5_000), (THIRD, 5_000), (20, 4000), (MAKER, 10**6)):
        world.deposit(account, tokens)
    world.step()
    for seller, lots, ticks in (
        (BOB, 1000, 605_000),
        (CAROL, 1000, 600_000),
        (THIRD, 1000, 600_000),
        (20, 1000, 595_000),
    ):
        world.order(seller, "sell", lots, ticks)
        world.order(ALICE, "buy", lots, ticks)
    world.order(MAKER, "sell", 3000, BTC_TICKS)
    world.order(ALICE, "buy", 3000, BTC_TICKS)
    assert world.venue.account(ALICE).size(1) == 7000
    events = gap(world, btc=550_000)
    order = [e.account for e in events if isinstance(e, Deleveraged) and e.reason == "opposing"]
    # Account 20: 7.6 % profit at 6.5x; Carol and the third: 8.3 % at 5.5x; Bob: 9.1 % at 2.2x; maker: 8.3 % at 0.2x.
    assert order == [20, CAROL, THIRD, BOB, MAKER]
    assert world.venue.account(MAKER).positions == world.venue.account(ALICE).positions == ()


def crossed() -> World:
    """Bob wins in BTC against Alice and loses as much in ETH against Carol; a third account only deposited."""
    world = World()
    for account, tokens in ((ALICE, 3100), (BOB, 7000), (CAROL, 4000), (THIRD, 500)):
        world.deposit(account, tokens)
    world.step()
    trade(world, ALICE, BOB, 1000, BTC_TICKS)
    trade(world, BOB, CAROL, 24_000, ETH_TICKS, market=2)
    return world


def test_what_nobody_can_take_is_in_deleveraging_and_nobodys_money_leaves_for_it() -> None:
    world = crossed()
    bobs = 7000 * QUANTUM - 12 * QUANTUM - 30 * QUANTUM
    events = gap(world, btc=480_000, eth=200_000)
    core = world.venue.core
    mine, his = [event for event in events if isinstance(event, Deleveraged)]
    # Alice lost 8,930 more than she had, 8.93 a lot. Bob can lose that on q lots and still hold 3 % of what is left.
    fraction = Fraction(core.terms[0].maintenance, 1 << 32)
    alone = bobs - fraction * (48_000 + 48_000) * QUANTUM
    q = int(alone // (8_930_000 - fraction * 48_000_000))
    assert (mine.lots, his.lots, his.account) == (q, q, BOB)
    assert mine.notional == q * (48_000_000 + 8_930_000)
    assert only(events, LiquidationDeferred).reason == "in_deleveraging"
    assert core.deleveraging == {ALICE: world.venue.time}
    assert not world.venue.margin(BOB).liquidatable

    owed = (1000 - q) * 8_930_000
    assert world.venue.margin(ALICE).equity == -owed
    left = bobs - q * 8_930_000
    assert left < owed
    assert kept_back(core, core.account(BOB)) == (owed, owed - left)
    assert kept_back(core, core.account(CAROL)) == (0, owed - left)
    assert kept_back(core, core.account(THIRD)) == (0, 0)
    assert may_take(world, BOB) == 0
    assert may_take(world, THIRD) == 500 * QUANTUM
    free = world.venue.margin(CAROL).free_collateral
    assert may_take(world, CAROL) == free - (owed - left)

    refused = only(take(world, CAROL, free - (owed - left) + 1), Rejected)
    assert (refused.code, refused.limit) == ("withdrawal_too_large", str(free - (owed - left)))
    take(world, CAROL, free - (owed - left))
    assert may_take(world, CAROL) == 0
    take(world, THIRD, 500 * QUANTUM)


def test_profit_that_was_realised_meanwhile_is_kept_back_too() -> None:
    world = crossed()
    gap(world, btc=480_000, eth=200_000)
    world.deposit(20, 100_000)
    world.order(20, "sell", 24_000, 200_000, market=2)
    world.order(CAROL, "buy", 24_000, 200_000, market=2)
    world.check()
    assert world.venue.account(CAROL).positions == ()
    kept = kept_back(world.venue.core, world.venue.core.account(CAROL)).uncovered
    assert kept > 0
    assert may_take(world, CAROL) == collateral(world, CAROL) - kept
    assert kept_back(world.venue.core, world.venue.core.account(20)).uncovered == kept  # it traded since


def test_its_market_takes_reducing_orders_only_until_the_debt_is_gone() -> None:
    world = crossed()
    gap(world, btc=480_000, eth=200_000)
    world.deposit(20, 100_000)
    for side, price in (("buy", 470_000), ("sell", 0)):
        assert only(world.order(20, side, 1, price), Rejected).code == "market_in_deleveraging"
    assert only(world.order(BOB, "buy", 1000, 470_000), Rejected).code == "market_in_deleveraging"
    assert not [e for e in world.order(BOB, "buy", 1, 470_000) if isinstance(e, Rejected)]
    assert not [e for e in world.order(20, "buy", 1, 190_000, market=2) if isinstance(e, Rejected)]

    restarted = Venue.load(world.venue.dump(), CONFIG, world.prices, [])
    assert restarted.core.deleveraging == world.venue.core.deleveraging
    assert restarted.core.exposed == world.venue.core.exposed == {ALICE, BOB, CAROL}
    assert restarted.dump() == world.venue.dump()

    world.deposit(ALICE, 10_000)
    world.check()
    assert not [e for e in gap(world) if isinstance(e, Deleveraged | LiquidationDeferred)]
    assert world.venue.core.deleveraging == {}
    assert not [e for e in world.order(20, "buy", 1, 470_000) if isinstance(e, Rejected)]
    world.step()
    assert world.venue.core.exposed == set()


def test_it_is_tried_again_at_every_step() -> None:
    world = crossed()
    gap(world, btc=480_000, eth=200_000)
    waiting = -world.venue.account(BOB).size(1)
    world.deposit(BOB, 10_000)
    events = gap(world)
    assert [e.lots for e in events if isinstance(e, Deleveraged)] == [waiting, waiting]
    assert world.venue.core.deleveraging == {}
    assert collateral(world, ALICE) == 0
    assert may_take(world, CAROL) == world.venue.margin(CAROL).free_collateral


def test_insurance_pays_a_debt_that_no_position_is_left_of() -> None:
    """No rule leads to such an account; one that is there all the same is not forgotten."""
    world = two_sides(3100, 1000, third=100)
    core = world.venue.core
    world.deposit(INSURANCE, 300)
    core.account(THIRD).collateral -= 800 * QUANTUM
    core.account(BOB).collateral += 800 * QUANTUM
    core.record_transaction(THIRD, BOB)
    events = gap(world)
    assert only(events, Liquidated).insurance == -300 * QUANTUM
    assert only(events, LiquidationDeferred).reason == "in_deleveraging"
    assert collateral(world, INSURANCE) == 0
    assert core.deleveraging.keys() == {THIRD}
    assert core.deleveraging_markets == frozenset()
    assert kept_back(core, core.account(BOB)) == (0, 400 * QUANTUM)
    world.deposit(INSURANCE, 1000)
    assert only(gap(world), Liquidated).insurance == -400 * QUANTUM
    assert collateral(world, INSURANCE) == 600 * QUANTUM
    assert core.deleveraging == core.deferred == {}


def test_a_position_larger_than_one_order_may_be_is_sold_in_several() -> None:
    market = msgspec.structs.replace(CONFIG.markets[0], max_order_lots=400)
    world = World(config=msgspec.structs.replace(CONFIG, markets=(market, *CONFIG.markets[1:])))
    for account, tokens in ((MAKER, 1_000_000), (ALICE, 4000), (INSURANCE, 100_000)):
        world.deposit(account, tokens)
    world.step()
    for _ in range(2):
        world.order(MAKER, "sell", 400, BTC_TICKS)
        world.order(ALICE, "buy", 400, BTC_TICKS)
    for _ in range(3):
        world.order(MAKER, "buy", 300, 540_000)
    events = gap(world, btc=545_000)
    assert [e.lots for e in events if isinstance(e, Liquidated)] == [400, 400]
    paid = 800 * 6_000_000 - (4000 * QUANTUM - 24 * QUANTUM)
    assert 100_000 * QUANTUM - collateral(world, INSURANCE) == paid
    assert not [e for e in events if isinstance(e, Deleveraged)]


def test_reduce_only_and_other_orders_of_a_deleveraged_account_stay_as_the_rules_have_them() -> None:
    world = two_sides(3100, 1000)
    world.order(BOB, "buy", 300, 400_000)
    world.order(BOB, "buy", 10, 300_000, reduce_only=True)
    gap(world, btc=480_000)
    assert world.venue.account(BOB).positions == ()
    resting = world.venue.core.orders.of_account(BOB)
    assert [(order.lots, order.reduce_only) for order in resting][:1] == [(300, False)]
    world.deposit(20, 100_000)
    world.order(20, "sell", 310, 300_000)
    world.check()
    assert world.venue.account(BOB).size(1) == 300
    assert world.venue.core.orders.of_account(BOB) == []
