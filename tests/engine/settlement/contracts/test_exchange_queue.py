"""The queue of openings and deposits: ids, order, owners, limits, and deposits that are taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.hashing.keccak import keccak256
from engine.sequencer.batch import root_bytes
from engine.settlement.chain.blocks import Receipt
from engine.settlement.chain.transactions import address_of
from engine.settlement.contracts.abi import encode_arguments, encode_call
from engine.settlement.errors import NotPostable
from engine.settlement.genesis import FIRST_HANDED_OUT
from engine.settlement.relay.client import (
    UPDATE,
    QueuedEvent,
    QueueEntry,
    ReclaimedEvent,
    ReclaimRequestedEvent,
    StateUpdate,
)
from engine.settlement.relay.relayer import POSTING_MARGIN
from engine.settlement.relay.watcher import inputs_since
from engine.units import SECOND
from tests.support.settlement_venue import (
    DEPLOYER,
    MAKER,
    MAKER_ACCOUNT,
    MAKER_DEPOSIT,
    OPERATOR,
    R0,
    R1,
    R2,
    ROOTS,
    TAKER,
    TAKER_ACCOUNT,
    TAKER_DEPOSIT,
    WALLET,
    Venue,
    entry,
    flow,
    update,
)

OPENING = DEFAULT_CONFIG.min_opening_deposit
DELAY = DEFAULT_CONFIG.reclaim_delay
KEY = root_bytes(ROOTS[7])


def both(venue: Venue) -> bytes:
    """Outputs that credit the two first entries."""
    return entry(0, MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT) + entry(0, TAKER_ACCOUNT, venue.taker, TAKER_DEPOSIT)


def rich(venue: Venue) -> None:
    """A maker who can pay for openings."""
    venue.send(venue.client.mint(DEPLOYER, venue.maker, 100 * OPENING, venue.nonce(DEPLOYER)))


def one(venue: Venue, raw: bytes, later: int = 0) -> Receipt:
    """Send it ``later`` nanoseconds after the head."""
    (receipt,) = venue.chain.build_block([raw], venue.time + later).receipts
    return receipt


def ask_back(venue: Venue, number: int, key: bytes = MAKER) -> Receipt:
    return one(venue, venue.client.request_reclaim(key, number, venue.nonce(key)))


def take_back(venue: Venue, number: int, later: int = 0) -> Receipt:
    return one(venue, venue.client.reclaim(OPERATOR, number, venue.nonce(OPERATOR)), later)


def outcome(receipt: Receipt) -> tuple[int, str]:
    return receipt.status, receipt.reason


def test_ids_are_handed_out_and_nobody_chooses_one(venue: Venue) -> None:
    rich(venue)
    client, nonce = venue.client, venue.nonce(MAKER)
    receipts = venue.send(*(client.open_account(MAKER, KEY, OPENING + place, nonce + place) for place in range(2)))
    events = [event for receipt in receipts for event in client.events(receipt.logs)]
    assert all(isinstance(event, QueuedEvent) for event in events)
    assert [(event.entry, event.account, event.owner, event.key_digest) for event in events] == [
        (2, FIRST_HANDED_OUT, venue.maker, KEY),
        (3, FIRST_HANDED_OUT + 1, venue.maker, KEY),
    ]
    assert client.account_owner(FIRST_HANDED_OUT) == venue.maker
    assert client.queue_entry(3) == QueueEntry(FIRST_HANDED_OUT + 1, venue.maker, OPENING + 1, 0)
    assert client.pending(FIRST_HANDED_OUT + 1) == OPENING + 1


def test_one_quantum_takes_nobodys_account(venue: Venue) -> None:
    """A stranger's deposit to an account that is not open is refused; to an open one it is a gift to its owner."""
    client = venue.client
    squat = one(venue, client.deposit(TAKER, FIRST_HANDED_OUT, 1, venue.nonce(TAKER)))
    assert outcome(squat) == (0, "account not open")
    gift = one(venue, client.deposit(TAKER, MAKER_ACCOUNT, 1, venue.nonce(TAKER)))
    (event,) = client.events(gift.logs)
    assert (event.owner, event.depositor) == (venue.maker, venue.taker)
    assert client.account_owner(MAKER_ACCOUNT) == venue.maker


def test_an_opening_has_a_least_deposit_and_a_key_that_is_one(venue: Venue) -> None:
    rich(venue)
    small = venue.client.open_account(MAKER, KEY, OPENING - 1, venue.nonce(MAKER))
    assert outcome(one(venue, small)) == (0, "opening deposit too small")
    wild = venue.client.open_account(MAKER, b"\xff" * 32, OPENING, venue.nonce(MAKER))
    assert outcome(one(venue, wild)) == (0, "root limb out of range")
    assert venue.client.queue_length() == 2


def test_a_block_adds_64_entries_at_most(venue: Venue) -> None:
    client, nonce = venue.client, venue.nonce(MAKER)
    raws = [client.deposit(MAKER, MAKER_ACCOUNT, 1, nonce + place) for place in range(65)]
    reasons = [receipt.reason for receipt in venue.send(*raws)]
    assert reasons == [""] * 64 + ["queue full for this block"]
    assert outcome(one(venue, client.deposit(MAKER, MAKER_ACCOUNT, 1, venue.nonce(MAKER)))) == (1, "")


def test_the_rolling_hash_is_over_every_entry_in_order(venue: Venue) -> None:
    types = ("bytes32", "uint64", "uint64", "address", "address", "uint64", "bytes32")
    told = bytes(32)
    for number, (account, owner, amount) in enumerate(
        ((MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT), (TAKER_ACCOUNT, venue.taker, TAKER_DEPOSIT))
    ):
        told = keccak256(encode_arguments(types, told, number, account, owner, owner, amount, bytes(32)))
    assert venue.client.queue_hash() == told
    receipt = one(venue, venue.client.deposit(TAKER, MAKER_ACCOUNT, 5, venue.nonce(TAKER)))
    told = keccak256(encode_arguments(types, told, 2, MAKER_ACCOUNT, venue.maker, venue.taker, 5, bytes(32)))
    assert venue.client.events(receipt.logs)[0].queue_hash == venue.client.queue_hash() == told


@pytest.mark.parametrize(
    ("count", "amounts", "reason"),
    [
        (0, (MAKER_DEPOSIT,), "not what the queue holds"),
        (1, (), "not what the queue holds"),
        (1, (MAKER_DEPOSIT - 1,), "not what the queue holds"),
        (1, (MAKER_DEPOSIT + 1,), "not what the queue holds"),
        (1, (MAKER_DEPOSIT, TAKER_DEPOSIT), "not what the queue holds"),
        (2, (MAKER_DEPOSIT,), "not what the queue holds"),
        (2, (MAKER_DEPOSIT + 1, TAKER_DEPOSIT - 1), "not what the queue holds"),
        (3, (MAKER_DEPOSIT, TAKER_DEPOSIT), "queue too short"),
    ],
)
def test_a_batch_credits_exactly_the_entries_that_it_takes(venue: Venue, count, amounts, reason) -> None:
    """Also with a true proof of other deposits: that is the forgery of equal roots and other outputs."""
    accounts = ((MAKER_ACCOUNT, venue.maker), (TAKER_ACCOUNT, venue.taker))
    outputs = b"".join(entry(0, *account, amount) for account, amount in zip(accounts, amounts, strict=False))
    assert update(venue, 1, R0, R1, outputs, queue_count=count) == (0, reason)
    assert (venue.client.queue_consumed(), venue.client.total_pending()) == (0, MAKER_DEPOSIT + TAKER_DEPOSIT)


@pytest.mark.parametrize("count", [513, 2**256 - 1])
def test_more_entries_than_a_batch_takes_are_refused(venue: Venue, count: int) -> None:
    venue.tell(venue.client.fact_of(StateUpdate(0, 1, R0, R1, b"")))
    data = encode_call(UPDATE, 0, 1, R0, R1, count, b"")
    execution = venue.chain.simulate(venue.client.exchange, data, address_of(OPERATOR))
    assert execution.reason == "too many queue entries"


def test_entries_are_taken_once_and_in_order(venue: Venue) -> None:
    first, second = both(venue)[:37], both(venue)[37:]
    assert update(venue, 1, R0, R1, second, queue_count=1) == (0, "not what the queue holds")
    assert update(venue, 1, R0, R1, first, queue_count=1) == (1, "")
    assert update(venue, 2, R1, R2, first, queue_count=1) == (0, "not what the queue holds")
    assert update(venue, 2, R1, R2, second, queue_count=1) == (1, "")
    assert (venue.client.queue_consumed(), venue.client.total_pending()) == (2, 0)


def test_deposits_of_one_account_are_summed_and_another_owner_is_refused(venue: Venue) -> None:
    venue.send(venue.client.deposit(TAKER, MAKER_ACCOUNT, 5, venue.nonce(TAKER)))
    maker, taker = both(venue)[:37], both(venue)[37:]
    summed = entry(0, MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT + 5)
    stolen = entry(0, MAKER_ACCOUNT, venue.taker, MAKER_DEPOSIT + 5)
    assert update(venue, 1, R0, R1, stolen + taker, queue_count=3) == (0, "deposit for another owner")
    assert update(venue, 1, R0, R1, maker + taker, queue_count=3) == (0, "not what the queue holds")
    assert update(venue, 1, R0, R1, summed + taker, queue_count=3) == (1, "")


def test_only_the_depositor_asks_back_once_and_what_still_waits(venue: Venue) -> None:
    assert outcome(ask_back(venue, 0, key=TAKER)) == (0, "not the depositor")
    assert outcome(ask_back(venue, 7)) == (0, "nothing waits there")
    receipt = ask_back(venue, 0)
    reclaim_at = (venue.time + DELAY) // SECOND
    assert venue.client.events(receipt.logs) == [ReclaimRequestedEvent(0, reclaim_at)]
    assert venue.client.queue_entry(0) == QueueEntry(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT, reclaim_at)
    assert outcome(ask_back(venue, 0)) == (0, "asked for already")
    assert outcome(take_back(venue, 0)) == (0, "not reclaimable yet")
    assert outcome(take_back(venue, 1)) == (0, "not reclaimable yet")
    assert update(venue, 1, R0, R1, both(venue), queue_count=2) == (1, "")
    assert outcome(ask_back(venue, 1, key=TAKER)) == (0, "nothing waits there")
    assert outcome(take_back(venue, 0, later=DELAY)) == (0, "nothing waits there")


def test_a_deposit_comes_back_whole_and_its_place_counts_as_zero(venue: Venue) -> None:
    client = venue.client
    ask_back(venue, 0)
    assert outcome(take_back(venue, 0, later=DELAY - SECOND)) == (0, "not reclaimable yet")
    receipt = take_back(venue, 0, later=SECOND)
    assert client.events(receipt.logs) == [ReclaimedEvent(0, venue.maker, MAKER_DEPOSIT)]
    assert client.token_balance(venue.maker) == WALLET + MAKER_DEPOSIT
    assert client.total_pending() == TAKER_DEPOSIT
    assert outcome(take_back(venue, 0)) == (0, "nothing waits there")
    assert update(venue, 1, R0, R1, both(venue), queue_count=2) == (0, "not what the queue holds")
    assert update(venue, 1, R0, R1, both(venue)[37:], queue_count=2) == (1, "")
    assert client.queue_consumed() == 2


@pytest.mark.parametrize("order", ["reclaim first", "update first"])
@pytest.mark.parametrize("due", [False, True], ids=["before its time", "at its time"])
def test_in_one_block_time_decides_and_not_the_order(venue: Venue, order: str, due: bool) -> None:
    """A batch that credits the entry stands until its reclaim time, one that does not from then on; nothing between."""
    client = venue.client
    ask_back(venue, 0)
    crediting = venue.told(1, (flow(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT),), queue_count=1)
    passing = venue.told(1, (), (), queue_count=1)
    fitting = passing if due else crediting
    when = client.queue_entry(0).reclaim_at * SECOND - (0 if due else SECOND)

    values = StateUpdate(0, 1, fitting.old_root, fitting.new_root, fitting.outputs, fitting.queue_count)
    post = client.update_state(OPERATOR, values, venue.nonce(OPERATOR))
    reclaim = client.reclaim(MAKER, 0, venue.nonce(MAKER))
    raws = [reclaim, post] if order == "reclaim first" else [post, reclaim]
    statuses = {"reclaim first": (int(due), 1), "update first": (1, int(due))}[order]
    block = venue.chain.build_block(raws, when)
    assert tuple(receipt.status for receipt in block.receipts) == statuses
    paid = MAKER_DEPOSIT if due else 0
    assert client.token_balance(venue.maker) == WALLET + paid
    assert client.total_pending() == TAKER_DEPOSIT


@pytest.mark.parametrize("due", [False, True], ids=["before its time", "at its time"])
def test_a_batch_that_reads_an_entry_otherwise_than_l1_is_refused(venue: Venue, due: bool) -> None:
    ask_back(venue, 0)
    amounts = () if not due else (flow(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT),)
    wrong = venue.told(1, amounts, queue_count=1)
    venue.chain.build_block([], venue.client.queue_entry(0).reclaim_at * SECOND - (0 if due else SECOND))
    data = StateUpdate(0, 1, wrong.old_root, wrong.new_root, wrong.outputs, 1).data()
    execution = venue.chain.simulate(venue.client.exchange, data, address_of(OPERATOR))
    assert execution.reason == "not what the queue holds"


def test_the_watcher_reads_as_zero_what_will_be_the_depositors_too_soon(venue: Venue) -> None:
    ask_back(venue, 0)
    margin = DEFAULT_CONFIG.reclaim_margin
    far = inputs_since(venue.client, 0, margin)[0].deposits
    assert [(deposit.amount, deposit.reclaim_at) for deposit in far] == [(MAKER_DEPOSIT, 0), (TAKER_DEPOSIT, 0)]
    venue.chain.build_block([], venue.time + DELAY - margin)
    near = inputs_since(venue.client, 0, margin)[0].deposits
    reclaim_at = venue.client.queue_entry(0).reclaim_at
    assert [(deposit.amount, deposit.reclaim_at) for deposit in near] == [(0, reclaim_at), (TAKER_DEPOSIT, 0)]


def test_the_relayer_keeps_away_from_reclaim_times(venue: Venue) -> None:
    """A batch that credits is not posted shortly before the time, one that passes the entry over not before it."""
    ask_back(venue, 0)
    crediting = venue.told(1, (flow(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT),), queue_count=1)
    assert [call.kind for call in venue.relayer().plan([crediting]).calls] == ["update"]
    reclaim_at = venue.client.queue_entry(0).reclaim_at
    venue.chain.build_block([], (reclaim_at - POSTING_MARGIN + 1) * SECOND)
    plan = venue.relayer().plan([crediting])
    assert plan.calls == ()
    assert isinstance(plan.refusal, NotPostable)
    assert (plan.refusal.field, plan.refusal.value) == ("reclaim_at", POSTING_MARGIN - 1)


def test_a_batch_whose_deposit_was_taken_back_is_never_sent(venue: Venue) -> None:
    """It would revert in every slot, at the operator's cost; the message names what is missing."""
    ask_back(venue, 0)
    crediting = venue.told(1, (flow(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT),), queue_count=1)
    venue.chain.build_block([], venue.client.queue_entry(0).reclaim_at * SECOND)
    plan = venue.relayer().plan([crediting])
    assert plan.calls == ()
    assert isinstance(plan.refusal, NotPostable)
    assert (plan.refusal.field, plan.refusal.value, plan.refusal.limit) == ("queue", MAKER_DEPOSIT, 0)


def test_a_batch_waits_until_what_it_passes_over_is_zero_on_l1(venue: Venue) -> None:
    ask_back(venue, 0)
    reclaim_at = venue.client.queue_entry(0).reclaim_at
    passing = replace(venue.told(1, (), (), queue_count=1), not_before=reclaim_at)
    assert venue.relayer().plan([passing]).calls == ()
    venue.chain.build_block([], reclaim_at * SECOND)
    assert venue.relayer().post(passing, venue.time).receipts[-1].status == 1


def test_withdrawing_a_part_is_for_the_owner(venue: Venue) -> None:
    client = venue.client
    assert update(venue, 1, R0, R1, entry(1, TAKER_ACCOUNT, venue.taker, 500)) == (1, "")
    stranger = one(venue, client.withdraw(MAKER, venue.taker, venue.nonce(MAKER), amount=7))
    assert outcome(stranger) == (0, "only the owner takes a part")
    too_much = one(venue, client.withdraw(TAKER, venue.taker, venue.nonce(TAKER), amount=501))
    assert outcome(too_much) == (0, "more than withdrawable")
    assert one(venue, client.withdraw(TAKER, venue.taker, venue.nonce(TAKER), amount=7)).status == 1
    assert (client.withdrawable(venue.taker), client.total_withdrawable()) == (493, 493)
    assert client.token_balance(venue.taker) == WALLET + 7


def test_claims_beyond_the_tokens_held_move_nothing(venue: Venue) -> None:
    """A proof of collateral below zero somewhere would ask for it: everybody's pending deposits stay whole."""
    held = venue.client.token_balance(venue.client.exchange) - venue.client.total_pending()
    assert update(venue, 1, R0, R1, entry(1, 20, venue.taker, held + 1)) == (0, "claims exceed tokens held")
    assert update(venue, 1, R0, R1, entry(1, 20, venue.taker, held)) == (1, "")
