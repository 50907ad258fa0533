"""Which events become a notice, and that the same words are not repeated."""

from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.events import Accepted, BatchStage, DepositCredited, Fill, Liquidated, Rejected, WithdrawalStage
from ui.viewmodels.notices import DEDUPE_SECONDS, Notice, NoticeLog

ME, OTHER = 16, 40


def log():
    return NoticeLog(ME, DEFAULT_CONFIG)


def fill(maker, taker, side="buy"):
    return Fill(
        sequence=1, time=0, fill_id=1, market=1, price=574_123, lots=250, side=side, maker_account=maker,
        taker_account=taker, maker_order=1, taker_order=2, maker_fee=0, taker_fee=0, liquidation=False,
    )  # fmt: skip


def texts(*events):
    return [notice.text for notice in log().from_events(list(events))]


def test_fills_are_said_from_the_users_side():
    assert texts(fill(OTHER, ME)) == ["Bought 0.250 BTC at 57,412.3"]
    assert texts(fill(ME, OTHER)) == ["Sold 0.250 BTC at 57,412.3"]
    assert texts(fill(ME, OTHER, "sell")) == ["Bought 0.250 BTC at 57,412.3"]
    assert texts(fill(OTHER, OTHER)) == []


def test_only_the_users_own_facts_are_told():
    mine = Rejected(sequence=1, time=0, account=ME, client_id="", code="Margin", message="not enough margin")
    assert texts(mine) == ["Refused: not enough margin"]
    theirs = Rejected(sequence=1, time=0, account=OTHER, client_id="", code="Margin", message="not enough margin")
    assert texts(theirs) == []
    assert texts(Accepted(sequence=1, time=0, account=ME, client_id="")) == []


def test_money_facts_are_told():
    deposit = DepositCredited(sequence=1, time=0, account=ME, amount=20_000_000_000, block=1_004)
    stage = WithdrawalStage(
        sequence=1, time=0, withdrawal_id=2, account=ME, amount=5_000_000, stage="in_batch", batch=4
    )
    gone = Liquidated(sequence=1, time=0, account=ME, market=1, lots=250, price=512_204, insurance=0)
    assert texts(deposit, stage, gone) == [
        "Deposit of 20,000.00 credited from L1 block 1,004",
        "Withdrawal 2 of 5.00: in batch",
        "Liquidated 0.250 BTC at 51,220.4",
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
