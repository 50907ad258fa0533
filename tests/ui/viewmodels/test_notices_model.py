"""Which events become a notice, and that the same words are not repeated."""

import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.events import (
    Accepted,
    BatchStage,
    Deleveraged,
    DepositCredited,
    Fill,
    Liquidated,
    LiquidationDeferred,
    OrderClosed,
    OrderRested,
    Rejected,
    TradingHalted,
    TradingResumed,
    WithdrawalStage,
)
from ui.viewmodels.notices import DEDUPE_SECONDS, Notice, NoticeLog

ME, OTHER = 16, 40


def log():
    return NoticeLog(ME, DEFAULT_CONFIG)


def fill(maker, taker, side="buy", price=574_123, lots=250, taker_order=2):
    return Fill(
        sequence=1, time=0, fill_id=1, market=1, price=price, lots=lots, side=side, maker_account=maker,
        taker_account=taker, maker_order=1, taker_order=taker_order, maker_fee=0, taker_fee=0, liquidation=False,
    )  # fmt: skip


def texts(*events):
    return [notice.text for notice in log().from_events(list(events))]


def test_fills_are_said_from_the_users_side():
    assert texts(fill(OTHER, ME)) == ["Bought 0.250 BTC at 57,412.3"]
    assert texts(fill(ME, OTHER)) == ["Sold 0.250 BTC at 57,412.3"]
    assert texts(fill(ME, OTHER, "sell")) == ["Bought 0.250 BTC at 57,412.3"]
    assert texts(fill(OTHER, OTHER)) == []


def test_the_fills_of_one_order_are_one_notice_at_their_average():
    many = [fill(OTHER, ME, price=1_000, lots=1), fill(OTHER, OTHER), fill(OTHER, ME, price=2_000, lots=3)]
    assert texts(*many, fill(OTHER, ME, taker_order=3)) == [
        "Bought 0.004 BTC at 175.0 on average, 2 fills",
        "Bought 0.250 BTC at 57,412.3",
    ]


def test_a_halt_is_told_to_everybody_with_its_reason():
    halted = TradingHalted(sequence=1, time=0, market=2, reason="index_invalid")
    resumed = TradingResumed(sequence=2, time=1, market=2, reason="index_invalid")
    assert texts(halted, resumed) == [
        "ETH-USD takes reducing orders only: the index source sends no usable price",
        "ETH-USD takes all orders again",
    ]
    waits = LiquidationDeferred(sequence=1, time=0, account=ME, reason="index_unusable")
    assert texts(waits) == ["Below maintenance margin; nothing is liquidated until an index reading can be relied on"]


def test_equal_fills_are_both_shown():
    notices, same = log(), Notice("good", "Bought 0.250 BTC at 57,412.3")
    assert notices.add(same, 0.0)
    assert notices.add(same, 0.1)


def closed(reason, remaining, account=ME):
    return OrderClosed(
        sequence=1, time=0, account=account, market=1, order_id=5, client_id="", side="buy", type="limit", tif="gtc",
        filled=0, remaining=remaining, reason=reason,
    )  # fmt: skip


def test_what_became_of_an_order_is_told():
    rested = OrderRested(
        sequence=1, time=0, account=ME, market=1, order_id=5, client_id="", side="sell", price=574_123, lots=250
    )
    assert texts(rested) == ["Sell 0.250 BTC at 57,412.3 is on the book"]
    assert texts(closed("filled", 0)) == []
    assert texts(closed("cancelled", 250)) == ["Buy 0.250 BTC cancelled"]
    assert texts(closed("cancelled", 250, OTHER)) == []
    assert texts(*[closed("cancelled", 250)] * 12) == ["12 orders cancelled"]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ioc", "not filled"),
        ("post_only", "post-only"),
        ("self_trade", "another of your orders"),
        ("margin", "margin"),
        ("batch_limit", "one batch"),
        ("worst_price", "price band"),
        ("index_unconfirmed", "index reading is under confirmation"),
    ],
)
def test_an_order_that_ends_unfilled_says_why(reason, words):
    (text,) = texts(closed(reason, 250))
    assert text.startswith("Buy 0.250 BTC ")
    assert words in text


def test_only_the_users_own_facts_are_told():
    mine = Rejected(
        sequence=1, time=0, account=ME, client_id="", code="insufficient_margin", message="not enough margin"
    )
    assert texts(mine) == ["not enough margin"]
    theirs = Rejected(
        sequence=1, time=0, account=OTHER, client_id="", code="insufficient_margin", message="not enough margin"
    )
    assert texts(theirs) == []
    assert texts(Accepted(sequence=1, time=0, account=ME, client_id="")) == []


def test_money_facts_are_told():
    deposit = DepositCredited(sequence=1, time=0, account=ME, amount=20_000_000_000, block=1_004)
    stage = WithdrawalStage(
        sequence=1, time=0, withdrawal_id=2, account=ME, amount=5_000_000, stage="in_batch", batch=4
    )
    gone = Liquidated(sequence=1, time=0, account=ME, market=1, lots=250, price=512_204, insurance=0)
    assert texts(deposit, stage, gone) == [
        "Deposit of 20,000.00 pUSD credited from L1 block 1,004",
        "Withdrawal 2 of 5.00 pUSD: in batch",
        "Liquidated 0.250 BTC at 51,220.4",
    ]


def test_who_bears_a_loss_is_said_plainly():
    shared = {"sequence": 1, "time": 0, "account": ME, "market": 1, "price": 512_204, "lots": 250}
    paid = Liquidated(insurance=-3_500_000, **shared)
    debt = Liquidated(sequence=1, time=0, account=ME, market=0, lots=0, price=0, insurance=-3_500_000)
    closed = {"fill_id": 1, "notional": 250 * 512_204 * 100, **shared}
    mine = Deleveraged(side="sell", reason="bankrupt", counterparty=OTHER, **closed)
    theirs = Deleveraged(side="buy", reason="opposing", counterparty=OTHER, **closed)
    waits = LiquidationDeferred(sequence=1, time=0, account=ME, reason="in_deleveraging")
    thin = LiquidationDeferred(sequence=1, time=0, account=ME, reason="thin_book")
    assert texts(paid, debt, mine, theirs, waits, thin) == [
        "Liquidated 0.250 BTC at 51,220.4; the insurance fund paid 3.50 pUSD",
        "No positions left and less than nothing: the insurance fund paid 3.50 pUSD",
        "Deleveraged: sold 0.250 BTC at 51,220.4, without a fee; the account had no value left",
        "Deleveraged: bought 0.250 BTC at 51,220.4, without a fee, to close a bankrupt account on the other side",
        "In deleveraging: worth less than nothing, and no opposing account can take the position yet",
    ]


def test_failed_batches_are_told_and_others_are_not():
    failed = BatchStage(sequence=1, time=0, batch=4, stage="failed", detail="worker killed")
    assert texts(failed) == ["Batch 4: worker killed"]
    assert texts(BatchStage(sequence=1, time=0, batch=4, stage="proved", detail="")) == []


def test_the_same_words_are_shown_once_within_the_window():
    notices, notice = log(), Notice("warn", "again")
    assert notices.add(notice, 0.0)
    assert not notices.add(notice, DEDUPE_SECONDS - 0.1)
    assert notices.add(notice, DEDUPE_SECONDS + 0.1)
    assert notices.counts[notice] == 3
