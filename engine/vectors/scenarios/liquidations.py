"""Funding and liquidations: what moves collateral without an order of the account."""

from __future__ import annotations

import msgspec

from engine.exchange.liquidation import FillableSpread, liquidation_limit
from engine.sequencer.events import Fill, FundingApplied, FundingPaid, Liquidated, LiquidationDeferred
from engine.units import FIXED_ONE, HOUR, MINUTE, PPM, SECOND, AccountId, MarketId
from engine.vectors.scenarios.scenario import opened, scenario, trade
from engine.vectors.story import ALICE, BOB, CONFIG, INSURANCE, MAKER, Story, closed, filled, of_kind, refused, shows

BTC = 600_000
LONG = 2_000
"""Lots of Alice's position: 120,000 of notional on 10,000 of collateral."""


def long_alice(story: Story, insurance: int = 100_000) -> int:
    """Alice is long and the book empty; the first price in ticks at which she is liquidated."""
    opened(story, insurance)
    trade(story, ALICE, LONG, BTC)
    return story.liquidation_price(ALICE)


@scenario(
    given="a long and a short position in two markets, and books with a premium in one and a discount in the other",
    when="hours pass, sampled every few minutes; once three of them in a single step",
    then="the indices move by rate times price within the cap, every holder is settled at once, sums are kept",
)
def funding_over_hours(story: Story) -> None:
    opened(story)
    trade(story, ALICE, 100, BTC)
    trade(story, BOB, -2_000, 250_000, market=2)
    story.order(MAKER, "buy", 1_000, BTC + 3_000)
    story.order(MAKER, "sell", 1_000, BTC + 3_100)
    story.order(MAKER, "buy", 10_000, 247_900, market=2)
    story.order(MAKER, "sell", 10_000, 248_000, market=2)
    rates: dict[int, set[int]] = {1: set(), 2: set()}
    for _ in range(8):
        events = story.clock(15 * MINUTE / SECOND)
        for applied in of_kind(events, FundingApplied):
            rates[applied.market].add(applied.rate)
            shows(abs(applied.rate) <= story.config.funding_cap, "a rate within the cap")
    shows(any(rate > 0 for rate in rates[MarketId(1)]) and any(rate < 0 for rate in rates[2]), "rates of both signs")
    events = story.clock(3 * HOUR / SECOND)
    shows(len(of_kind(events, FundingApplied)) == 6, "three funding times of two markets in one step")
    amounts = {paid.account: paid.amount for paid in of_kind(events, FundingPaid)}
    shows(len(amounts) == 3, "every holder is settled")


@scenario(
    given="a premium far above what the cap allows",
    when="an hour passes",
    then="the rate is the cap",
)
def funding_cap(story: Story) -> None:
    opened(story)
    trade(story, ALICE, 10, BTC)
    story.order(MAKER, "buy", 1_000, BTC + 100_000)
    for _ in range(4):
        events = story.clock(15 * MINUTE / SECOND)
    rates = {applied.market: applied.rate for applied in of_kind(events, FundingApplied)}
    shows(rates[MarketId(1)] == story.config.funding_cap, "the cap")


@scenario(
    given="index prices between whole quanta, and a book with a discount",
    when="an hour passes",
    then="the rate is negative and the step of the index is rounded toward zero",
)
def funding_rounds_toward_zero(story: Story) -> None:
    opened(story)
    trade(story, ALICE, 11, BTC)
    story.recorder.source.prices[MarketId(1)] += 1_234_567_891
    story.order(MAKER, "sell", 1_000, BTC - 2_001)
    for _ in range(4):
        events = story.clock(15 * MINUTE / SECOND)
    applied = next(event for event in of_kind(events, FundingApplied) if event.market == 1)
    exact = applied.rate * story.venue.core.prices[0].index_fixed
    shows(exact < 0 and exact % FIXED_ONE != 0, "a negative step with a fraction")
    shows(applied.index_delta == -(-exact // FIXED_ONE), "rounded toward zero")


@scenario(
    given="a long account with a resting order, and bids below the mark",
    when="the price falls to one tick above the liquidation price, then to it",
    then="nothing happens at first; then its orders are cancelled and part of the position is sold, for a fee",
)
def partial_liquidation(story: Story) -> None:
    price = long_alice(story)
    story.order(ALICE, "buy", 1, BTC // 2)
    story.order(MAKER, "buy", 5_000, price)
    shows(not of_kind(story.clock(btc=price + 1), Liquidated), "one tick above, nothing is sold")
    before = story.balance(INSURANCE)
    events = story.clock(btc=price)
    closed(events, ALICE, "margin")
    told = of_kind(events, Liquidated)
    shows(len(told) == 1 and told[0].insurance > 0, "a liquidation with a fee")
    shows(0 < story.size(ALICE) < LONG, "part of the position is left")
    shows(story.balance(INSURANCE) > before, "the fee reaches the insurance account")
    shows(not story.venue.margin(AccountId(ALICE)).liquidatable, "the account is healthy again")


@scenario(
    given="a short account and offers above the mark",
    when="the price rises to its liquidation price",
    then="part of the position is bought back",
)
def short_liquidation(story: Story) -> None:
    opened(story, 1_000)
    trade(story, BOB, -LONG, BTC)
    price = story.liquidation_price(BOB)
    story.order(MAKER, "sell", 5_000, price)
    events = story.clock(btc=price)
    shows({fill.side for fill in of_kind(events, Fill)} == {"buy"}, "bought back")
    shows(-LONG < story.size(BOB) < 0, "in part")


@scenario(
    given="two accounts with positions in both markets, each larger in another one",
    when="the prices fall until both accounts are below maintenance",
    then="of each account the market with the larger requirement is sold first",
)
def liquidation_over_markets(story: Story) -> None:
    opened(story, 1_000)
    for account, btc, eth in ((ALICE, 1_500, 10_000), (BOB, 400, 36_000)):
        trade(story, account, btc, BTC)
        trade(story, account, eth, 250_000, market=2)
    btc, eth = BTC * 93 // 100, 250_000 * 93 // 100
    story.order(MAKER, "buy", 5_000, btc)
    story.order(MAKER, "buy", 50_000, eth, market=2)
    told = of_kind(story.clock(btc=btc, eth=eth), Liquidated)
    first = {account: next(e.market for e in told if e.account == account) for account in (ALICE, BOB)}
    shows(first == {ALICE: 1, BOB: 2}, "the larger requirement first")


@scenario(
    given="a long account and nobody in the book but a bid far away",
    when="the price falls, then bids come",
    then="the liquidation is deferred, told once, and taken up when there is somebody to sell to",
)
def deferred_by_a_thin_book(story: Story) -> None:
    price = long_alice(story)
    story.order(MAKER, "buy", 5_000, BTC // 4)
    events = story.clock(btc=price - 1_000)
    shows([e.reason for e in of_kind(events, LiquidationDeferred)] == ["thin_book"], "deferred")
    shows(not of_kind(story.clock(), LiquidationDeferred), "told once")
    story.order(MAKER, "buy", 100, price - 1_100)
    shows(bool(of_kind(story.clock(), Liquidated)), "taken up again")


@scenario(
    given="a long account with value left, few bids at the worst price that its liquidation takes and many below it",
    when="the price falls",
    then="those at the bound are taken, those a tick below are not",
)
def liquidation_price_bound(story: Story) -> None:
    price = long_alice(story) - 3_001
    story.clock(btc=price)
    config, core = story.config, story.venue.core
    spread = FillableSpread(config.bankruptcy_adjustment_ppm, config.fillable_spread_ppm)
    bound = liquidation_limit(story.venue.margin(AccountId(ALICE)), LONG, core.terms[0], spread)
    shows(bound < price, "below the mark")
    story.order(MAKER, "buy", 5_000, bound - 1)
    shows(not of_kind(story.clock(), Fill), "a tick below")
    story.order(MAKER, "buy", 7, bound)
    shows([fill.price for fill in filled(story.clock(), 7)] == [bound], "at the bound, and no further")


@scenario(
    given="a long account in the market whose liquidation fee is no whole number of quanta",
    when="it is liquidated at an odd price",
    then="the fee is rounded up",
)
def liquidation_fee_is_rounded_up(story: Story) -> None:
    opened(story, 1_000)
    trade(story, ALICE, 40_001, 250_000, market=2)
    price = story.liquidation_price(ALICE, 2)
    odd = price - price % 10 - 3
    story.order(MAKER, "buy", 60_000, odd, market=2)
    (told,) = of_kind(story.clock(eth=odd), Liquidated)
    notional = told.lots * told.price * story.config.market(MarketId(2)).tick_value
    exact = notional * story.config.liquidation_fee_ppm
    shows(exact % PPM != 0 and told.insurance == exact // PPM + 1, "rounded up")


@scenario(
    given="a market that sells at most 250 lots in one order",
    when="an account with 2,000 lots is liquidated",
    then="each clock step sells a part until the account is healthy",
    config=msgspec.structs.replace(
        CONFIG, markets=tuple(msgspec.structs.replace(m, max_order_lots=250) for m in CONFIG.markets)
    ),
)
def liquidation_in_steps(story: Story) -> None:
    opened(story, 100_000)
    for _ in range(8):
        trade(story, ALICE, 250, BTC)
    price = story.liquidation_price(ALICE) - 4_000
    for _ in range(8):
        story.order(MAKER, "buy", 250, price)
    events = story.clock(btc=price)
    shows([e.reason for e in of_kind(events, LiquidationDeferred)] == ["in_steps"], "the rest waits")
    steps = 1
    while story.venue.margin(AccountId(ALICE)).liquidatable and steps < 9:
        shows(bool(of_kind(story.clock(), Liquidated)), "one more part")
        steps += 1
    shows(steps > 1, "several steps")


@scenario(
    given="a position that is worth more than an account's format holds when the price rises to its limit",
    when="the price does so and comes back",
    then="both accounts are deferred as out of range, orders are refused, and nothing is lost",
    config=msgspec.structs.replace(
        CONFIG, markets=tuple(msgspec.structs.replace(m, max_order_lots=1 << 30) for m in CONFIG.markets)
    ),
    ticks={1: 1_000, 2: 1_000},
)
def value_out_of_range(story: Story) -> None:
    story.deposit((MAKER, 10**9), (ALICE, 10**9))
    for _ in range(3):
        trade(story, ALICE, 1 << 30, 1_000)
    events = story.clock(btc=42_000_000)
    reasons = [event.reason for event in of_kind(events, LiquidationDeferred)]
    shows(reasons == ["out_of_range", "out_of_range"], "both sides leave the format")
    refused(story.order(ALICE, "sell", 1), "out_of_range")
    refused(story.withdraw(ALICE, 1), "out_of_range")
    story.clock(btc=1_000)
    filled(story.order(ALICE, "sell", 1), 0)
    shows(story.size(ALICE) == 3 << 30, "the position is as it was")


@scenario(
    given="an account below maintenance whose liquidation waits for a book, with a low bid in it",
    when="it sells to that bid itself, which would make its ratio worse; then at a better price",
    then="the first is refused, the second is taken",
)
def worse_ratio_is_refused(story: Story) -> None:
    price = long_alice(story)
    story.clock(btc=price - 1_000)
    shows(story.venue.margin(AccountId(ALICE)).liquidatable, "below maintenance")
    story.order(MAKER, "buy", 10, BTC // 2)
    refused(story.order(ALICE, "sell", 10), "worsens_margin")
    story.order(MAKER, "buy", 10, BTC)
    filled(story.order(ALICE, "sell", 10), 10)


SCENARIOS = (
    funding_over_hours,
    funding_cap,
    funding_rounds_toward_zero,
    partial_liquidation,
    short_liquidation,
    liquidation_over_markets,
    deferred_by_a_thin_book,
    liquidation_price_bound,
    liquidation_fee_is_rounded_up,
    liquidation_in_steps,
    value_out_of_range,
    worse_ratio_is_refused,
)
