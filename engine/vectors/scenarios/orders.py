"""Orders against the book: kinds, priority, partial fills, self-trade, reduce-only, cancels, fees."""

from __future__ import annotations

from engine.sequencer.events import Accepted, OrderClosed, OrderCut, OrderRested
from engine.units import QUANTUM, AccountId
from engine.vectors.scenarios.scenario import opened, scenario, trade
from engine.vectors.story import ALICE, BOB, CAROL, CONFIG, MAKER, Story, closed, filled, of_kind, refused, shows

BTC = 600_000
FEES = CONFIG.fee_account


@scenario(
    given="three open accounts and an empty book",
    when="limit orders rest at several prices, and one crosses them",
    then="the best price trades first, at one price the oldest, and always at the maker's price",
)
def limit_orders(story: Story) -> None:
    opened(story)
    for account, price, lots in ((MAKER, BTC + 20, 5), (BOB, BTC + 10, 3), (MAKER, BTC + 10, 4), (BOB, BTC + 30, 9)):
        shows(len(of_kind(story.order(account, "sell", lots, price), OrderRested)) == 1, "the order rests")
    story.order(BOB, "buy", 2, BTC - 10)
    fills = filled(story.order(ALICE, "buy", 11, BTC + 20, client_id="sweep"), 11)
    met = [(fill.maker_account, fill.price, fill.lots) for fill in fills]
    shows(met == [(BOB, BTC + 10, 3), (MAKER, BTC + 10, 4), (MAKER, BTC + 20, 4)], "price, then time")
    shows(story.size(ALICE) == 11 and story.size(BOB) == -3 and story.size(MAKER) == -8, "positions of both sides")


@scenario(
    given="three open accounts and one resting order",
    when="takers take it in parts, and one wants more than is left",
    then="the maker's rest stays in the book, then the taker's does, and the next order meets that",
)
def partial_fills(story: Story) -> None:
    opened(story)
    story.order(MAKER, "sell", 10, BTC)
    filled(story.order(ALICE, "buy", 3, BTC), 3)
    filled(story.order(BOB, "buy", 2, BTC), 2)
    events = story.order(ALICE, "buy", 9, BTC + 5)
    filled(events, 5)
    closed(events, MAKER, "filled")
    shows([(e.price, e.lots) for e in of_kind(events, OrderRested)] == [(BTC + 5, 4)], "the taker's rest")
    filled(story.order(BOB, "sell", 4, BTC), 4)
    shows(len(story.venue.core.orders) == 0, "nothing rests")


@scenario(
    given="a book with three levels",
    when="market orders for less than it holds, for more, and into an empty side",
    then="they take levels in turn at any price; what is left over is closed",
)
def market_orders(story: Story) -> None:
    opened(story)
    for level in range(3):
        story.order(MAKER, "sell", 4, BTC + 10 * level)
    filled(story.order(ALICE, "buy", 6), 6)
    events = story.order(BOB, "buy", 10)
    filled(events, 6)
    shows(closed(events, BOB, "ioc").remaining == 4, "four lots found nobody")
    shows(closed(story.order(BOB, "sell", 1), BOB, "ioc").filled == 0, "the other side is empty")


@scenario(
    given="a book with one order on each side",
    when="immediate-or-cancel and post-only orders inside and across the spread",
    then="the first never rest; the second never take, and are closed when they would",
)
def ioc_and_post_only(story: Story) -> None:
    opened(story)
    story.order(MAKER, "sell", 4, BTC + 10)
    story.order(MAKER, "buy", 4, BTC - 10)
    closed(story.order(ALICE, "buy", 3, BTC, tif="ioc"), ALICE, "ioc")
    events = story.order(ALICE, "buy", 6, BTC + 10, tif="ioc")
    filled(events, 4)
    shows(closed(events, ALICE, "ioc").remaining == 2, "the rest is closed")
    shows(len(of_kind(story.order(BOB, "buy", 2, BTC, post_only=True), OrderRested)) == 1, "inside the spread")
    events = story.order(BOB, "sell", 2, BTC - 10, post_only=True)
    filled(events, 0)
    closed(events, BOB, "post_only")


@scenario(
    given="an account with orders on the way to better ones of others, and behind them",
    when="it trades through its own orders",
    then="its own orders that it meets are cancelled, it never trades with itself, and those behind stay",
)
def self_trade(story: Story) -> None:
    opened(story)
    story.order(ALICE, "sell", 2, BTC)
    story.order(MAKER, "sell", 3, BTC)
    story.order(ALICE, "sell", 2, BTC + 10)
    story.order(MAKER, "sell", 3, BTC + 20)
    story.order(ALICE, "sell", 2, BTC + 30)
    events = story.order(ALICE, "buy", 5, BTC + 30)
    fills = filled(events, 5)
    shows(all(fill.maker_account == MAKER for fill in fills), "no trade with itself")
    gone = [event for event in of_kind(events, OrderClosed) if event.reason == "self_trade"]
    shows(len(gone) == 2, "two of its orders were met")
    shows(
        [order.price for order in story.venue.core.orders.of_account(AccountId(ALICE))] == [BTC + 30], "one is behind"
    )


@scenario(
    given="an account that is long",
    when="reduce-only orders for less, for more, on the wrong side, and without a position",
    then="they close at most the position; one that cannot is refused",
)
def reduce_only(story: Story) -> None:
    opened(story)
    refused(story.order(ALICE, "sell", 1, BTC, reduce_only=True), "not_reducing")
    trade(story, ALICE, 10, BTC)
    refused(story.order(ALICE, "buy", 1, BTC, reduce_only=True), "not_reducing")
    story.order(MAKER, "buy", 30, BTC)
    filled(story.order(ALICE, "sell", 4, BTC, reduce_only=True), 4)
    filled(story.order(ALICE, "sell", 20, BTC, reduce_only=True), 6)
    shows(story.size(ALICE) == 0, "closed, not turned round")
    refused(story.order(ALICE, "sell", 1, reduce_only=True), "not_reducing")


@scenario(
    given="an account with a position and two resting reduce-only orders for all of it",
    when="it closes part of the position otherwise, then others take one of them",
    then="they are cut to what is left, in their places, and the second goes when the position is gone",
)
def resting_reduce_only(story: Story) -> None:
    opened(story)
    trade(story, ALICE, 10, BTC)
    story.order(ALICE, "sell", 10, BTC + 20, reduce_only=True, client_id="take profit")
    story.order(ALICE, "sell", 10, BTC + 30, reduce_only=True, client_id="take more")
    story.order(MAKER, "sell", 10, BTC + 20)
    story.order(MAKER, "buy", 10, BTC - 10)
    events = story.order(ALICE, "sell", 7, BTC - 10)
    filled(events, 7)
    shows([cut.lots for cut in of_kind(events, OrderCut)] == [3, 3], "cut to the three lots that are left")
    events = story.order(BOB, "buy", 5, BTC + 20)
    shows([fill.maker_account for fill in filled(events, 5)] == [ALICE, MAKER], "in its place, then those behind")
    closed(events, ALICE, "reduce_only")
    shows(story.size(ALICE) == 0, "flat, not turned round")


@scenario(
    given="accounts with orders in two markets",
    when="they cancel one order, one market, everything, and then again",
    then="only what is theirs and rests goes; cancelling all of nothing is no mistake",
)
def cancels(story: Story) -> None:
    opened(story)
    for offset in (10, 20, 30):
        story.order(ALICE, "buy", 1, BTC - offset, client_id=f"bid {offset}")
    story.order(ALICE, "sell", 2, 250_100, market=2)
    story.order(BOB, "buy", 1, BTC - 10)
    (own, *_), (other,) = (story.venue.core.orders.of_account(AccountId(account)) for account in (ALICE, BOB))
    closed(story.cancel(ALICE, own.order_id), ALICE, "cancelled")
    refused(story.cancel(ALICE, own.order_id), "unknown_order")
    refused(story.cancel(ALICE, other.order_id), "unknown_order")
    shows(len(of_kind(story.cancel_all(ALICE, market=1), OrderClosed)) == 2, "two orders of one market")
    shows(len(of_kind(story.cancel_all(ALICE), OrderClosed)) == 1, "the last one")
    shows(len(of_kind(story.cancel_all(ALICE), Accepted)) == 1, "nothing left, and no refusal")
    shows(len(story.venue.core.orders) == 1, "Bob's order still rests")


@scenario(
    given="a maker whose resting order its account no longer carries, ahead of one that is carried",
    when="the price has moved and a taker comes",
    then="the first order is cancelled for margin and the taker meets the second",
)
def maker_without_margin(story: Story) -> None:
    opened(story)
    story.deposit((CAROL, 700))
    story.order(CAROL, "sell", 200, BTC + 40_000)
    trade(story, CAROL, -10, BTC)
    story.clock(btc=BTC + 50_000)
    shows(
        not story.venue.margin(AccountId(CAROL)).liquidatable,
        "the maker is healthy, only its order is too large by now",
    )
    story.order(MAKER, "sell", 200, BTC + 40_010)
    events = story.order(ALICE, "buy", 200, BTC + 40_010)
    closed(events, CAROL, "margin")
    shows(all(fill.maker_account == MAKER for fill in filled(events, 200)), "the order behind")


@scenario(
    given="three open accounts",
    when="positions grow, shrink, turn round and close, in two markets",
    then="collateral moves by the exact notional, and a closed position leaves the leaf",
)
def positions(story: Story) -> None:
    opened(story)
    for lots in (10, 5, -7, -20, 12):
        trade(story, ALICE, lots, BTC)
    trade(story, ALICE, -300, 250_000, market=2)
    shows(story.size(ALICE) == 0 and story.size(ALICE, 2) == -300, "flat in one market, short in the other")
    shows(len(story.venue.account(AccountId(ALICE)).positions) == 1, "only open positions are in the leaf")


@scenario(
    given="three open accounts",
    when="fills whose fee is no whole number of quanta: one lot at a few ticks, and one order over three makers",
    then="each fee is rounded up, the taker's once on the whole order; the fee account has them all",
)
def fees(story: Story) -> None:
    opened(story)
    for price in (1, 7, 11, BTC + 1):
        story.order(MAKER, "sell", 1, price)
        (fill,) = filled(story.order(ALICE, "buy", 1, price), 1)
        shows(fill.maker_fee > 0 and fill.taker_fee > 0, "no fill is free")
    for price in (3, 5, 7):
        story.order(MAKER, "sell", 1, price)
    fills = filled(story.order(BOB, "buy", 3, 7), 3)
    shows(sum(fill.taker_fee for fill in fills) == 1, "1,500 quanta of notional cost one quantum, not three")
    shows(0 < story.balance(FEES) < QUANTUM, "the fee account")


SCENARIOS = (
    limit_orders,
    partial_fills,
    market_orders,
    ioc_and_post_only,
    self_trade,
    reduce_only,
    resting_reduce_only,
    cancels,
    maker_without_margin,
    positions,
    fees,
)
