"""Inputs that are refused: each code that an input can meet and no other story shows, and what a refusal leaves."""

from __future__ import annotations

import msgspec

from engine.sequencer.clock import MAX_STEP
from engine.sequencer.inputs import ClockStep, PlaceOrder
from engine.sequencer.planning import plan_order
from engine.units import SECOND, AccountId, Lots, MarketId, Nanoseconds, Ticks
from engine.vectors.scenarios.scenario import opened, scenario, trade
from engine.vectors.story import ALICE, BOB, CONFIG, MAKER, Story, filled, refused, shows

BTC = 600_000
NOBODY = 40


@scenario(
    given="three open accounts and an empty book",
    when="orders whose fields are out of range, contradict each other, or name what does not exist",
    then="each is refused with its code, and nothing has changed",
)
def refused_orders(story: Story) -> None:
    opened(story)
    before = story.venue.live_root()
    limit = CONFIG.market(MarketId(1)).max_order_lots
    for lots in (0, -1, limit + 1):
        refused(story.order(ALICE, "buy", lots, BTC), "out_of_range")
    for price in (-1, 1 << 32):
        refused(story.order(ALICE, "buy", 1, price), "out_of_range")
    refused(story.order(ALICE, "buy", 1, kind="limit"), "out_of_range")
    refused(story.order(ALICE, "buy", 1, BTC, kind="market"), "bad_order")
    refused(story.order(ALICE, "buy", 1, post_only=True), "bad_order")
    refused(story.order(ALICE, "buy", 1, BTC, post_only=True, tif="ioc"), "bad_order")
    refused(story.order(ALICE, "buy", 1, BTC, client_id="x" * 65), "out_of_range")
    refused(story.order(ALICE, "buy", 1, BTC, market=3), "unknown_market")
    refused(story.cancel_all(ALICE, market=3), "unknown_market")
    for account in (CONFIG.funding_account, CONFIG.insurance_account, CONFIG.fee_account):
        refused(story.order(account, "buy", 1, BTC), "system_account")
        refused(story.withdraw(account, 1), "system_account")
    for events in (
        story.order(NOBODY, "buy", 1, BTC),
        story.cancel_all(NOBODY),
        story.withdraw(NOBODY, 1),
        story.claim(NOBODY),
    ):
        refused(events, "unknown_account")
    shows(story.venue.live_root() == before, "no leaf has changed")


@scenario(
    given="an account with 10,000 of collateral and a market at 20x",
    when="it orders one lot more than it can carry, at once and as a resting order; then exactly what it can",
    then="the first are refused with the shortfall, the last is taken",
)
def insufficient_margin(story: Story) -> None:
    opened(story)
    most, low, high = 0, 1, 10_000
    story.order(MAKER, "sell", high, BTC)
    while low <= high:  # the greatest order that is not refused, as the venue's own preview sees it
        middle = (low + high) // 2
        if carried(story, middle):
            most, low = middle, middle + 1
        else:
            high = middle - 1
    shows(0 < most < 10_000, "a bound")
    refused(story.order(ALICE, "buy", most + 1, BTC), "insufficient_margin")
    refused(story.order(ALICE, "buy", 2 * most, BTC - 1), "insufficient_margin")
    filled(story.order(ALICE, "buy", most, BTC), most)
    refused(story.order(ALICE, "buy", most, BTC - 1), "insufficient_margin")


def carried(story: Story, lots: int) -> bool:
    """Whether Alice's order for these lots would be taken."""
    order = PlaceOrder(
        account=AccountId(ALICE), market=MarketId(1), side="buy", type="limit", lots=Lots(lots), price=Ticks(BTC)
    )
    return plan_order(story.venue.core, order).refusal is None


@scenario(
    given="an order that rests under a client id",
    when="the same id comes again, while it rests and after it has ended; for another account; after a refusal",
    then="an account's id is good for one accepted order; what was refused used none",
)
def duplicate_client_ids(story: Story) -> None:
    opened(story)
    refused(story.order(ALICE, "buy", 0, BTC - 10, client_id="one"), "out_of_range")
    story.order(ALICE, "buy", 1, BTC - 10, client_id="one")
    refused(story.order(ALICE, "buy", 1, BTC - 10, client_id="one"), "duplicate_client_id")
    story.order(BOB, "buy", 1, BTC - 10, client_id="one")
    shows(len(story.venue.core.orders) == 2, "another account's is another")
    story.cancel_all(ALICE)
    refused(story.order(ALICE, "buy", 1, BTC - 10, client_id="one"), "duplicate_client_id")


@scenario(
    given="accounts that may rest three orders each",
    when="a fourth, an immediate-or-cancel one, and another account's",
    then="only the fourth is refused",
    config=msgspec.structs.replace(CONFIG, max_open_orders=3),
)
def too_many_orders(story: Story) -> None:
    opened(story)
    for offset in (10, 20, 30):
        story.order(ALICE, "buy", 1, BTC - offset)
    refused(story.order(ALICE, "buy", 1, BTC - 40), "too_many_orders")
    filled(story.order(ALICE, "buy", 1, BTC, tif="ioc"), 0)
    story.order(BOB, "buy", 1, BTC - 40)
    shows(len(story.venue.core.orders) == 4, "four orders rest")


@scenario(
    given="an open account with a position",
    when="the clock goes backwards, stands still, or jumps by more than a day, or by a day",
    then="backwards and too far are refused; standing still and a whole day are not",
)
def clock_refusals(story: Story) -> None:
    opened(story)
    trade(story, ALICE, 5, BTC)
    now = story.venue.time
    refused(story.apply(ClockStep(time=Nanoseconds(now - 1))), "clock_backwards")
    refused(story.apply(ClockStep(time=Nanoseconds(now + MAX_STEP + 1))), "out_of_range")
    shows(story.venue.time == now, "the time is as it was")
    shows(not story.clock(0), "standing still")
    story.clock(MAX_STEP / SECOND)
    shows(story.venue.time == now + MAX_STEP, "a whole day")


@scenario(
    given="an account with a position",
    when="it asks for nothing, for less than nothing, for more than it has, and for more than margin leaves",
    then="each is refused with its bound",
)
def refused_withdrawals(story: Story) -> None:
    opened(story)
    trade(story, ALICE, 500, BTC)
    for amount in (0, -1, (1 << 62) + 1):
        refused(story.withdraw(ALICE, amount), "out_of_range")
    refused(story.withdraw(ALICE, story.balance(ALICE) + (1 << 40)), "withdrawal_too_large")
    refused(story.withdraw(ALICE, story.withdrawable(ALICE) + 1), "withdrawal_too_large")


SCENARIOS = (
    refused_orders,
    insufficient_margin,
    duplicate_client_ids,
    too_many_orders,
    clock_refusals,
    refused_withdrawals,
)
