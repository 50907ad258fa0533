"""Accounts that lost more than they had: insurance, deleveraging, and what is kept back meanwhile."""

from __future__ import annotations

from engine.exchange.liquidation import price_bound
from engine.sequencer.events import Deleveraged, Liquidated, LiquidationDeferred
from engine.units import QUANTUM, AccountId, MarketId
from engine.vectors.scenarios.scenario import opened, scenario, trade
from engine.vectors.story import ALICE, BOB, CAROL, INSURANCE, MAKER, Story, filled, of_kind, refused, shows

BTC, ETH = 600_000, 250_000
LONG = 2_000
FALLEN = 547_000
"""Alice's 10,000 are gone below 550,000."""
DAVE = 20


def long_alice(story: Story, insurance: int) -> None:
    """Alice is long against the maker, and the book empty."""
    opened(story, insurance)
    trade(story, ALICE, LONG, BTC)


@scenario(
    given="a long account, bids below the mark and a funded insurance account",
    when="the price falls past bankruptcy",
    then="the whole position is sold and the insurance account pays what is lost beyond the bankruptcy price",
)
def full_liquidation_and_insurance(story: Story) -> None:
    long_alice(story, 100_000)
    story.order(MAKER, "buy", 5_000, FALLEN - 2_000)
    before = story.balance(INSURANCE)
    told = of_kind(story.clock(btc=FALLEN), Liquidated)
    paid = -sum(event.insurance for event in told)
    shows(paid > 0 and story.balance(INSURANCE) == before - paid, "an insurance payment")
    shows(story.size(ALICE) == 0 and story.balance(ALICE) == 0, "the account is closed at nothing")


@scenario(
    given="a bankrupt account to be, few bids at the worst price that an insured sale takes and many below it",
    when="the price falls past bankruptcy",
    then="those at the bound are taken, those a tick below are not: the rest is deleveraged",
)
def insured_price_bound(story: Story) -> None:
    long_alice(story, 100_000)
    story.clock()
    unit = story.units[MarketId(1)]
    term = story.venue.core.terms[0]
    bound = price_bound(term._replace(mark=FALLEN * unit), buy=False)
    story.order(MAKER, "buy", 7, bound)
    story.order(MAKER, "buy", 5_000, bound - 1)
    events = story.clock(btc=FALLEN)
    shows([fill.price for fill in filled(events, 7)] == [bound], "at the bound, and no further")
    shows(sum(e.lots for e in of_kind(events, Deleveraged) if e.account == ALICE) == LONG - 7, "the rest")


@scenario(
    given="a long account and an insurance account with nothing in it; the other side is held by two",
    when="the price falls past bankruptcy",
    then="the position is closed at its bankruptcy price, rounded in its favour, against the highest rank first",
)
def deleveraging(story: Story) -> None:
    opened(story)
    story.order(BOB, "sell", 1_000, BTC)
    story.order(MAKER, "sell", 1_500, BTC)
    filled(story.order(ALICE, "buy", LONG - 1, BTC), LONG - 1)  # what she has is no whole number of quanta a lot
    story.cancel_all(MAKER)
    events = story.clock(btc=FALLEN)
    told = of_kind(events, Deleveraged)
    shows([e.account for e in told if e.reason == "opposing"] == [BOB, MAKER], "the highest rank first")
    shows(all(event.price > FALLEN for event in told), "at the bankruptcy price, not at the mark")
    shows(story.size(ALICE) == story.size(BOB) == story.size(MAKER) == 0, "closed on both sides")
    shows(story.balance(ALICE) == 0 and not of_kind(events, Liquidated), "nothing is left, nothing was sold")


@scenario(
    given="a bankrupt account to be, bids below the mark and an insurance account that covers a part",
    when="the price falls past bankruptcy",
    then="as much is sold as is covered, and the rest deleveraged",
)
def insured_in_part(story: Story) -> None:
    long_alice(story, 300)
    story.order(MAKER, "buy", 5_000, FALLEN - 2_000)
    events = story.clock(btc=FALLEN)
    sold = sum(event.lots for event in of_kind(events, Liquidated))
    rest = sum(event.lots for event in of_kind(events, Deleveraged) if event.account == ALICE)
    shows(0 < sold < LONG and sold + rest == LONG, "a part of each")
    shows(0 <= story.balance(INSURANCE) < 300 * QUANTUM, "paid, and never more than there is")


@scenario(
    given="Bob wins in one market against Alice and loses as much in the other against Carol",
    when="both prices fall by a fifth; a stranger wants to trade; Bob deposits",
    then="what Bob cannot take waits, its market takes reducing orders only, what is owed is kept back until then",
)
def in_deleveraging(story: Story) -> None:
    story.deposit((ALICE, 3_100), (BOB, 7_000), (CAROL, 4_000), (DAVE, 100_000))
    story.clock()
    story.order(BOB, "sell", 1_000, BTC)
    filled(story.order(ALICE, "buy", 1_000, BTC), 1_000)
    story.order(CAROL, "sell", 24_000, ETH, market=2)
    filled(story.order(BOB, "buy", 24_000, ETH, market=2), 24_000)
    events = story.clock(btc=BTC * 4 // 5, eth=ETH * 4 // 5)
    shows([e.reason for e in of_kind(events, LiquidationDeferred)] == ["in_deleveraging"], "it waits")
    shows(bool(of_kind(events, Deleveraged)) and story.size(ALICE) > 0, "a part was closed")
    refused(story.order(DAVE, "buy", 1, BTC * 3 // 4), "market_in_deleveraging")
    story.order(DAVE, "buy", 1, ETH * 3 // 4, market=2)
    free = story.venue.margin(AccountId(CAROL)).free_collateral
    shows(0 <= story.withdrawable(CAROL) < free, "a part is kept back of who won elsewhere")
    refused(story.withdraw(CAROL, story.withdrawable(CAROL) + 1), "withdrawal_too_large")
    story.deposit((BOB, 10_000))
    shows(bool(of_kind(story.clock(), Deleveraged)), "tried again at the next step")
    shows(story.size(ALICE) == story.balance(ALICE) == 0, "closed at nothing")
    shows(story.withdrawable(CAROL) == free, "nothing is kept back any more")
    story.order(DAVE, "buy", 1, BTC * 3 // 4)


@scenario(
    given="a bankrupt account to be, and an opposing one with a reduce-only order for all of its position",
    when="half of that position is deleveraged",
    then="the resting order is cut to what is left",
)
def deleveraging_cuts_reduce_only_orders(story: Story) -> None:
    opened(story)
    story.deposit((CAROL, 100_000))
    trade(story, CAROL, LONG, BTC)
    trade(story, ALICE, LONG, BTC)
    shows(story.size(MAKER) == -2 * LONG, "the maker is short against both")
    story.order(MAKER, "buy", 2 * LONG, BTC // 2, reduce_only=True)
    story.clock(btc=FALLEN)
    shows(story.size(MAKER) == -LONG, "deleveraged against one")
    shows([order.lots for order in story.venue.core.orders.of_account(AccountId(MAKER))] == [LONG], "cut")


SCENARIOS = (
    full_liquidation_and_insurance,
    insured_price_bound,
    deleveraging,
    insured_in_part,
    in_deleveraging,
    deleveraging_cuts_reduce_only_orders,
)
