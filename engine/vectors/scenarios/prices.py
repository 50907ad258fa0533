"""Index readings that are not believed at once, the mark's bound, price bands, worst prices and halts."""

from __future__ import annotations

from engine.sequencer.events import Fill, Liquidated, LiquidationDeferred, TradingHalted, TradingResumed
from engine.sequencer.prices import most_apart
from engine.units import AccountId, MarketId
from engine.vectors.scenarios.scenario import opened, scenario, trade
from engine.vectors.story import ALICE, BOB, CAROL, GUARDED, MAKER, Story, closed, filled, of_kind, refused, shows

BTC, ETH = 600_000, 250_000
LOW, HIGH = 570_000, 630_000


@scenario(
    given="a long that a fall of the price would liquidate",
    when="one index reading of 1 tick comes between two of 600,000; then the price falls for good",
    then="the single reading moves nothing; the fall is believed at the second reading that agrees with it",
    config=GUARDED,
)
def unconfirmed_reading(story: Story) -> None:
    opened(story)
    story.deposit((CAROL, 4_000))
    trade(story, CAROL, 1_000, BTC)
    story.order(MAKER, "buy", 5_000, LOW)
    before = story.venue.live_root()
    shows(not of_kind(story.clock(btc=1), Liquidated) and story.venue.live_root() == before, "nothing moved")
    shows(not of_kind(story.clock(btc=BTC), Liquidated) and story.venue.live_root() == before, "nor now")
    shows(not of_kind(story.clock(btc=572_000), Liquidated), "a first reading")
    shows(bool(of_kind(story.clock(btc=571_900), Liquidated)), "a second one")


@scenario(
    given="accounts with positions and resting orders, and an index reading that is not confirmed",
    when="who loses by it withdraws, orders more, or is met by a taker; and who gains by it withdraws",
    then="losses by it count, gains do not, and a maker that it leaves short stops the taker and keeps its place",
    config=GUARDED,
)
def worse_of_mark_and_reading(story: Story) -> None:
    opened(story)
    story.deposit((CAROL, 1_000))
    trade(story, CAROL, 100, BTC)
    trade(story, BOB, -100, BTC)
    story.order(CAROL, "buy", 150, BTC - 1)
    story.order(MAKER, "sell", 300, BTC + 1)
    carol, bob = story.withdrawable(CAROL), story.withdrawable(BOB)
    story.clock(btc=LOW)
    shows(story.withdrawable(CAROL) < carol and story.withdrawable(BOB) == bob, "the worse counts")
    refused(story.withdraw(CAROL, carol), "withdrawal_too_large")
    refused(story.order(CAROL, "buy", 100, BTC + 1), "insufficient_margin")
    closed(story.order(BOB, "sell", 150, BTC - 1), BOB, "index_unconfirmed")
    shows(story.venue.core.orders.count_of(AccountId(CAROL)) == 1, "her order rests")
    story.clock(btc=BTC)
    filled(story.order(BOB, "sell", 150, BTC - 1), 150)


@scenario(
    given="a book whose middle is far above the index, with and without the impact notional on both sides",
    when="time passes",
    then="the middle counts only with it, and moves the mark no further than its bound",
    config=GUARDED,
)
def mark_bound(story: Story) -> None:
    opened(story)
    story.order(MAKER, "buy", 166, BTC + 10_000)
    story.order(MAKER, "sell", 5_000, BTC + 10_100)
    story.clock(10)
    prices = story.venue.core.prices[0]
    shows(prices.mark_fixed == prices.index_fixed, "9,960 are not the impact notional")
    story.order(MAKER, "buy", 1, BTC + 10_000)
    for _ in range(4):
        story.clock(10)
    most = most_apart(prices.index_fixed, GUARDED.market(MarketId(1)).mark_bound)
    shows(prices.mark_fixed == prices.index_fixed + most, "the bound")


@scenario(
    given="a mark of 600,000 ticks and offers within and beyond the band of 5 %",
    when="limit orders come at its edges and beyond, and market orders for more than it holds",
    then="beyond it limit orders are refused, and market orders are filled up to it, or up to their own worst price",
    config=GUARDED,
)
def price_bands(story: Story) -> None:
    opened(story)
    refused(story.order(ALICE, "buy", 1, HIGH + 1), "price_outside_band")
    refused(story.order(ALICE, "sell", 1, LOW - 1), "price_outside_band")
    refused(story.order(ALICE, "buy", 1, worst_price=HIGH + 1), "price_outside_band")
    refused(story.order(ALICE, "buy", 1, HIGH, worst_price=HIGH), "bad_order")
    story.order(MAKER, "sell", 10, HIGH)
    story.order(MAKER, "sell", 50, 2 * BTC)
    closed(story.order(ALICE, "buy", 4, worst_price=HIGH - 1), ALICE, "worst_price")
    closed(story.order(ALICE, "buy", 60), ALICE, "worst_price")
    shows(story.size(ALICE) == 10, "what lies within the band")
    story.order(ALICE, "buy", 1, LOW - 1)
    shows(story.venue.core.orders.count_of(AccountId(ALICE)) == 1, "a bid below the band harms nobody")


@scenario(
    given="a resting sale that the market has left 5 % behind, of an account that a loss elsewhere has brought low",
    when="a taker comes for it",
    then="it would reduce the position, but at that price initial margin must be left: the order is cancelled",
    config=GUARDED,
)
def reducing_outside_the_band(story: Story) -> None:
    opened(story)
    story.deposit((CAROL, 2_600))
    trade(story, CAROL, 400, BTC)
    trade(story, CAROL, 10_000, ETH, market=2)
    story.order(CAROL, "sell", 200, BTC + 10)
    story.clock(100, btc=642_000, eth=232_000)
    events = story.order(BOB, "buy", 200, BTC + 10)
    closed(events, CAROL, "margin")
    shows(not of_kind(events, Fill), "no fill")


@scenario(
    given="an open position, and an index source that fails",
    when="it sends zero; nothing for a minute; readings that contradict each other for a minute",
    then="each halts the market into reducing orders, with its reason, until a good reading comes",
    config=GUARDED,
)
def index_halts(story: Story) -> None:
    opened(story)
    story.deposit((CAROL, 4_000))
    trade(story, CAROL, 1_000, BTC)
    _halted(story, story.clock(btc=0), "index_invalid")
    refused(story.order(ALICE, "buy", 1, BTC), "market_halted")
    story.order(ALICE, "buy", 1, ETH, market=2)
    trade_to = story.order(CAROL, "sell", 10, BTC, reduce_only=True)
    shows(bool(trade_to), "reducing orders are taken")
    _resumed(story, story.clock(btc=BTC), "index_invalid")
    story.clock(60, silent=True)
    _halted(story, story.clock(0.001), "index_stale")
    _resumed(story, story.clock(btc=BTC, eth=ETH), "index_stale")
    for price in (500_000, 700_000):
        shows(not of_kind(story.clock(btc=price), TradingHalted), "not yet")
    _halted(story, story.clock(60, btc=500_000), "index_unconfirmed")
    _resumed(story, story.clock(btc=BTC), "index_unconfirmed")


@scenario(
    given="an account that was left for the next step, below maintenance",
    when="the index source falls silent for more than a minute, and comes back",
    then="its liquidation waits meanwhile",
    config=GUARDED,
)
def liquidation_waits_for_an_index(story: Story) -> None:
    opened(story)
    story.deposit((CAROL, 4_000))
    trade(story, CAROL, 1_000, BTC)
    story.clock(60, btc=572_000)
    story.clock(eth=ETH)
    reasons = [event.reason for event in of_kind(story.clock(61, silent=True), LiquidationDeferred)]
    shows(reasons == ["index_unusable"], "the index")
    story.order(MAKER, "buy", 1_000, LOW + 1_500)
    shows(not of_kind(story.clock(), Liquidated), "still waiting")
    shows(bool(of_kind(story.clock(btc=572_000, eth=ETH), Liquidated)), "the index is back")


@scenario(
    given="a deep book 3 % above the index",
    when="it stays for more than five minutes, and is cancelled then",
    then="the market is halted, and, as nobody can quote while it is, resumes five minutes after the book was gone",
    config=GUARDED,
)
def book_far_from_the_index(story: Story) -> None:
    opened(story)
    story.order(MAKER, "buy", 5_000, 618_000)
    story.order(MAKER, "sell", 5_000, 618_010)
    story.clock(60)
    story.clock(300)
    _halted(story, story.clock(1), "book_off_index")
    refused(story.order(ALICE, "buy", 1, BTC), "market_halted")
    story.cancel_all(MAKER)
    shows(not of_kind(story.clock(300), TradingResumed), "not yet")
    _resumed(story, story.clock(1), "book_off_index")


def _halted(story: Story, events: list, reason: str) -> None:
    shows([e.reason for e in of_kind(events, TradingHalted) if e.market == 1] == [reason], f"halted for {reason}")
    shows(story.venue.core.guards[0].halted == reason, "halted")


def _resumed(story: Story, events: list, reason: str) -> None:
    shows([e.reason for e in of_kind(events, TradingResumed) if e.market == 1] == [reason], f"{reason} is over")
    shows(not story.venue.core.guards[0].halted, "open again")


SCENARIOS = (
    unconfirmed_reading,
    worse_of_mark_and_reading,
    mark_bound,
    price_bands,
    reducing_outside_the_band,
    index_halts,
    liquidation_waits_for_an_index,
    book_far_from_the_index,
)
