"""The round trip: deposit, leveraged trade, funding, half closed, batches proved and accepted, withdrawn, claimed."""

from __future__ import annotations

from app.l1.layer_one import ChainRequest
from app.scenarios.journey import Journey
from app.venue.session import USER_DEPOSIT
from engine.sequencer.events import Fill, FundingPaid
from engine.sequencer.inputs import CancelOrder, PlaceOrder, RequestWithdrawal
from engine.sequencer.preview import preview_order
from engine.units import FIXED_ONE, SECOND, Lots, MarketId, Quanta, Ticks, format_decimal, format_quanta

MARKET = MarketId(1)
LEVERAGE = 3
WITHDRAWAL = 1_234_567_891
"""Quanta; odd on purpose, so that a lost quantum would show."""


def play(journey: Journey) -> None:
    """All steps in order; raises :class:`StepFailed` at the first that fails."""
    deposited(journey)
    trade(journey)
    rest_and_cancel(journey)
    funding(journey)
    close_half(journey)
    batches_final(journey)
    withdraw_and_claim(journey)
    everything_posted(journey)


def deposited(journey: Journey) -> None:
    """The first launch's deposit went through the contract and is on the account."""
    journey.play(10)
    collateral = journey.venue.account(journey.account).collateral
    journey.check("deposit", collateral == USER_DEPOSIT, f"{format_quanta(collateral)} pUSD credited from L1")


def trade(journey: Journey) -> None:
    """A leveraged market buy fills as the receipt said; health and liquidation price follow."""
    venue, account = journey.venue, journey.account
    market = venue.config.market(MARKET)
    mark = venue.core.terms[venue.core.market_index(MARKET)].mark
    lots = LEVERAGE * venue.margin(account).equity * FIXED_ONE // mark
    order = PlaceOrder(
        account=account, market=MARKET, side="buy", type="market", lots=Lots(lots), client_id="round-trip-buy"
    )
    receipt = preview_order(venue.preview_basis(account), order)
    fills = [event for event in journey.send(order) if isinstance(event, Fill)]
    size = f"{format_decimal(lots, market.size_decimals)} {market.base}"
    cost = sum(fill.price * fill.lots for fill in fills) * market.tick_value
    fee = sum(fill.taker_fee for fill in fills)
    journey.check(
        "market buy",
        sum(fill.lots for fill in fills) == lots == receipt.filled,
        f"{size} for {format_quanta(cost)} pUSD, fills: {len(fills)}",
    )
    journey.check(
        "receipt",
        (receipt.notional, receipt.fee_taker) == (cost, fee),
        f"cost and fee as previewed: {format_quanta(cost)} and {format_quanta(fee)} pUSD",
    )
    margin, price = venue.margin(account), venue.liquidation_price(account, MARKET)
    journey.check(
        "health",
        price is not None and price == receipt.liquidation_after and not margin.liquidatable,
        f"leverage {margin.leverage_ppm / 1e6:.2f}x, liquidation at "
        f"{format_decimal(price or 0, market.price_decimals)} as previewed",
    )


def rest_and_cancel(journey: Journey) -> None:
    """A limit order rests away from the market and is cancelled."""
    venue, account = journey.venue, journey.account
    bid = venue.core.books[venue.core.market_index(MARKET)].best_bid
    assert bid is not None
    order = PlaceOrder(
        account=account,
        market=MARKET,
        side="buy",
        type="limit",
        lots=Lots(10),
        price=Ticks(bid * 98 // 100),
        post_only=True,
        client_id="rest",
    )
    journey.send(order)
    resting = [found for found in venue.core.orders.of_account(account) if found.client_id == "rest"]
    journey.check("limit order rests", len(resting) == 1, f"order {resting[0].order_id if resting else '?'}")
    journey.play(2)
    journey.send(CancelOrder(account=account, order_id=resting[0].order_id, client_id="cancel"))
    journey.check("order cancelled", not list(venue.core.orders.of_account(account)), "the book no longer has it")


def funding(journey: Journey) -> None:
    """The hour ends, the funding index moves, and the position is settled at it."""
    venue = journey.venue
    due = venue.core.prices[venue.core.market_index(MARKET)].next_funding
    journey.skip_to(due - SECOND)
    before = journey.loop.event_count
    journey.play(3)
    recent = journey.loop.events_since(before)[1]
    paid = [e for e in recent if isinstance(e, FundingPaid) and e.account == journey.account]
    detail = (
        f"{format_decimal(sum(e.amount for e in paid), 6, sign=True)} pUSD on {paid[0].size} lots" if paid else "none"
    )
    journey.check("funding", bool(paid), detail)


def close_half(journey: Journey) -> None:
    """Half of the position is sold, reduce-only."""
    venue, account = journey.venue, journey.account
    size = venue.account(account).size(MARKET)
    journey.send(
        PlaceOrder(
            account=account,
            market=MARKET,
            side="sell",
            type="market",
            lots=Lots(size // 2),
            reduce_only=True,
            client_id="close-half",
        )
    )
    left = venue.account(account).size(MARKET)
    journey.check("close half", left == size - size // 2, f"{size} lots to {left}")


def batches_final(journey: Journey) -> None:
    """Everything up to the close is proved and accepted by the contract."""
    batches = journey.venue.core.batches
    number = batches.open.number
    journey.play(2)
    journey.wait_until(f"batch {number} on L1", lambda: batches.last_posted >= number)
    proved = [batches.records[n] for n in sorted(batches.records) if n <= number]
    journey.check(
        "batches accepted",
        len(proved) >= 3 and all(record.status == "final" for record in proved),
        f"{len(proved)} batches proved and accepted on L1",
    )


def withdraw_and_claim(journey: Journey) -> None:
    """The withdrawal goes through a batch to the contract and is claimed to the last quantum."""
    chain, account = journey.session.chain, journey.account
    wallet = chain.funds.wallet
    journey.send(RequestWithdrawal(account=account, amount=Quanta(WITHDRAWAL), client_id="withdraw"))
    journey.passed("withdrawal requested", f"{format_decimal(WITHDRAWAL, 6)} pUSD")
    journey.wait_until("the withdrawal claimable", lambda: chain.funds.claimable > 0)
    journey.check("claimable", chain.funds.claimable == WITHDRAWAL, f"{format_decimal(chain.funds.claimable, 6)} pUSD")
    journey.session.loop.ingress.deliver(ChainRequest("claim"))
    journey.wait_until("the claim", lambda: chain.funds.claimable == 0)
    got = chain.funds.wallet - wallet
    journey.check("token balance", got == WITHDRAWAL, f"the wallet grew by {format_decimal(got, 6)} pUSD, exactly")
    record = journey.venue.core.withdrawals.of_account(account)[0]
    journey.check("claimed", record.stage == "claimed", " > ".join(record.stages))


def everything_posted(journey: Journey) -> None:
    """No batch is left behind: the contract's root is the venue's."""
    batches = journey.venue.core.batches
    journey.wait_until("the last batch on L1", lambda: not batches.unposted and not batches.open.transactions, 1200)
    contract = journey.session.chain.client.state_root()
    from engine.sequencer.batch import root_bytes

    journey.check("roots agree", contract == root_bytes(journey.venue.state_root()), f"0x{contract.hex()}")
