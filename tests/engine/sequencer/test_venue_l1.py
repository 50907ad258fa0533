"""Deposits, batches, proofs, state updates, withdrawals: every stage, and duplicates."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from engine.exchange.refusals import UnknownBatch
from engine.proving.checks import check_batch
from engine.proving.shape import venue_shape
from engine.proving.statement import claim_of
from engine.sequencer.events import (
    BatchStage,
    DepositCredited,
    DepositReclaimed,
    OrderClosed,
    OrderRested,
    Rejected,
    WithdrawalStage,
)
from engine.sequencer.inputs import CancelOrder, ClaimRequested, L1Block, ProofOutcome, RequestWithdrawal
from engine.sequencer.meter import MAX_QUEUE_COUNT
from engine.sequencer.venue import Venue
from engine.units import QUANTUM, SECOND
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, World, funded, kinds, only, owner_of


def stages(events) -> list[str]:
    return [event.stage for event in events if isinstance(event, BatchStage | WithdrawalStage)]


def close(world: World) -> int:
    """Let the open batch grow old; its number."""
    number = world.venue.core.batches.open.number
    events = world.step(10)
    assert "sequenced" in stages(events)
    return number


@pytest.fixture
def world() -> World:
    found = World()
    found.deposit(ALICE, 1000)
    found.deposit(BOB, 1000)
    return found


def test_the_first_deposit_opens_the_account_for_its_owner(world: World) -> None:
    account = world.venue.account(ALICE)
    assert (account.version, account.l1_address, account.collateral) == (1, owner_of(ALICE), 1000 * QUANTUM)
    event = only(world.deposit(ALICE, 5), DepositCredited)
    assert (event.amount, event.block) == (5 * QUANTUM, 3)
    assert world.venue.account(ALICE).collateral == 1005 * QUANTUM
    world.check()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"entry": 1}, "entry"),
        ({"entry": 3}, "entry"),
        ({"owner": owner_of(BOB)}, "owner"),
        ({"account": 256}, "account"),
        ({"account": -1}, "account"),
        ({"account": 40, "owner": bytes(20)}, "owner"),
        ({"account": 3, "owner": owner_of(3)}, "account"),
        ({"account": 40, "owner": b"short"}, "owner"),
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 5, "reclaim_at": 9}, "amount"),
        ({"amount": 2**62}, "amount"),
        ({"key_digest": b"\xff" * 32}, "key_digest"),
        ({"key_digest": bytes(31)}, "key_digest"),
    ],
)
def test_a_queue_that_cannot_be_stops_orders_and_withdrawals_and_says_so(world: World, change, field) -> None:
    """The contract cannot have made it: a node lies, or it is another contract. Nothing of the entry happens."""
    root = world.venue.live_root()
    bad = msgspec.structs.replace(world.entry(ALICE, 5), **change)
    event = only(world.l1([bad]), Rejected)
    assert (event.code, event.field) == ("l1_contradiction", field)
    assert world.venue.live_root() == root
    assert event.message in str(world.venue.invariants()["l1_agrees"])
    for refused in (world.order(ALICE, "buy", 1, 5), world.apply(RequestWithdrawal(account=ALICE, amount=1))):
        assert only(refused, Rejected).code == "l1_disagrees"
        assert event.message in refused[0].message
    restored = Venue.load(world.venue.dump(), CONFIG, world.prices, [])
    assert restored.core.l1_contradiction == event.message
    assert world.order(ALICE, "buy", 1, 5)[0].code == "l1_disagrees"


def test_orders_can_still_be_cancelled_when_l1_disagrees(world: World) -> None:
    order_id = only(world.order(ALICE, "buy", 1, 5), OrderRested).order_id
    world.l1([msgspec.structs.replace(world.entry(ALICE, 5), entry=99)])
    assert only(world.apply(CancelOrder(account=ALICE, order_id=order_id)), OrderClosed).reason == "cancelled"


def test_an_account_is_opened_with_the_key_that_l1_has(world: World) -> None:
    digest = b"".join(number.to_bytes(4, "big") for number in range(1, 9))
    world.l1([world.entry(40, QUANTUM, key_digest=digest)])
    assert world.venue.account(40).key_digest == tuple(range(1, 9))
    world.l1([world.entry(40, QUANTUM)])
    assert world.venue.account(40).key_digest == tuple(range(1, 9))


def test_anybody_may_deposit_to_an_open_account_and_its_owner_stays(world: World) -> None:
    world.l1([world.entry(ALICE, 7, depositor=owner_of(BOB))])
    assert world.venue.account(ALICE).l1_address == owner_of(ALICE)
    assert world.venue.account(ALICE).collateral == 1000 * QUANTUM + 7


def test_a_deposit_taken_back_keeps_its_place_and_counts_as_zero(world: World) -> None:
    events = world.l1([world.entry(ALICE, 0, reclaim_at=77), world.entry(40, 0, reclaim_at=99), world.entry(BOB, 3)])
    assert [event.entry for event in events if isinstance(event, DepositReclaimed)] == [2, 3]
    assert world.venue.account(40).version == 0
    number = close(world)
    batch = world.venue.batch(number)
    assert (batch.queue_count, batch.not_before) == (5, 99)
    assert [(flow.account, flow.amount) for flow in batch.deposits] == [
        (ALICE, 1000 * QUANTUM), (BOB, 1000 * QUANTUM + 3)
    ]  # fmt: skip
    world.check()


def test_entries_that_change_no_leaf_go_with_the_next_batch() -> None:
    world = World()
    world.l1([world.entry(ALICE, 0, reclaim_at=50)])
    assert stages(world.step(100)) == []
    world.deposit(ALICE, 10)
    batch = world.venue.batch(close(world))
    assert (batch.number, batch.queue_count, batch.not_before) == (1, 2, 50)


def test_a_batch_full_of_entries_that_brought_nothing_still_closes() -> None:
    """Otherwise the queue would stand still there for good."""
    world = World()
    world.deposit(ALICE, 10)
    close(world)
    world.venue.take_closed_batches()
    world.l1([world.entry(40, 0, reclaim_at=9) for _ in range(MAX_QUEUE_COUNT + 2)])
    (full,) = world.venue.take_closed_batches()
    assert (full.queue_count, full.old_root == full.new_root, full.deposits) == (MAX_QUEUE_COUNT, True, ())
    assert [update.account for update in full.updates] == [ALICE]
    check_batch(full, claim_of(full, bytes(32)), venue_shape(CONFIG))
    world.deposit(ALICE, 10)
    assert world.venue.batch(close(world)).queue_count == 3


def test_dust_alone_has_no_batch_proved_for_it(world: World) -> None:
    """A stranger with a quantum per block would have a proof made and posted for each."""
    close(world)
    for _ in range(5):
        world.l1([world.entry(ALICE, 1)])
        assert stages(world.step(60)) == []
    assert stages(world.step(CONFIG.reclaim_margin // SECOND)) == ["sequenced"]
    world.l1([world.entry(ALICE, 1)])
    world.step(60)
    assert stages(world.l1([world.entry(ALICE, CONFIG.min_opening_deposit)])) == ["sequenced"]


def test_a_batch_takes_no_more_entries_than_the_contract() -> None:
    world = World(config=msgspec.structs.replace(CONFIG, batch_max_transactions=10_000))
    world.l1([world.entry(ALICE, QUANTUM) for _ in range(MAX_QUEUE_COUNT + 1)])
    world.step(CONFIG.reclaim_margin // SECOND)
    assert [batch.queue_count for batch in world.venue.take_closed_batches()] == [MAX_QUEUE_COUNT, 1]


def test_a_block_is_applied_once_and_in_order(world: World) -> None:
    deposit = world.entry(ALICE, QUANTUM)
    world.l1([deposit])
    again = L1Block(number=world.block, timestamp=0, block_hash=bytes(32), deposits=(deposit,))
    assert world.apply(again) == []
    assert world.apply(msgspec.structs.replace(again, number=1)) == []
    event = only(world.apply(msgspec.structs.replace(again, number=world.block + 2)), Rejected)
    assert (event.code, event.field, event.limit) == ("block_out_of_order", "number", str(world.block + 1))
    assert world.venue.account(ALICE).collateral == 1001 * QUANTUM
    assert world.venue.l1_block == world.block


def test_a_batch_closes_by_age_and_carries_its_deposits(world: World) -> None:
    world.deposit(ALICE, 7)
    assert stages(world.step(9)) == []
    assert stages(world.step(1)) == ["sequenced"]
    (batch,) = world.venue.take_closed_batches()
    assert world.venue.take_closed_batches() == []
    assert (batch.number, batch.transactions, batch.first_sequence, batch.last_sequence) == (1, 3, 1, 5)
    assert [(f.account, f.owner, f.amount) for f in batch.deposits] == [
        (ALICE, owner_of(ALICE), 1007 * QUANTUM),
        (BOB, owner_of(BOB), 1000 * QUANTUM),
    ]
    assert batch.withdrawals == ()
    assert [(u.account, u.old.version, u.new.collateral) for u in batch.updates] == [
        (ALICE, 0, 1007 * QUANTUM),
        (BOB, 0, 1000 * QUANTUM),
    ]
    assert batch.new_root == world.venue.state_root() == world.venue.live_root()
    assert stages(world.step(100)) == []  # nothing happened: no batch
    world.check()


def test_a_batch_closes_by_transactions() -> None:
    world = World(config=msgspec.structs.replace(CONFIG, batch_max_transactions=3))
    assert stages(world.deposit(ALICE, 1)) == []
    assert stages(world.deposit(ALICE, 1)) == []
    assert stages(world.deposit(ALICE, 1)) == ["sequenced"]
    assert world.venue.core.batches.open.number == 2


def test_a_batch_never_touches_more_accounts_than_allowed() -> None:
    world = World(config=msgspec.structs.replace(CONFIG, batch_max_accounts=3))
    world.l1([world.entry(i, QUANTUM * 1000) for i in range(20, 28)])
    for maker in (20, 21, 22, 23):
        world.order(maker, "sell", 1, BTC_TICKS)
    for _ in range(4):
        world.order(24, "buy", 1)
    world.step(10)
    batches = world.venue.take_closed_batches()
    assert [len(batch.updates) for batch in batches] == [3, 3, 2, 3, 3, 3, 3]  # each trade needs three
    assert all(a.new_root == b.old_root for a, b in pairwise(batches))
    world.check()


def test_a_batch_whose_leaves_end_as_they_began_is_dropped() -> None:
    world = funded(config=msgspec.structs.replace(CONFIG, maker_fee_ppm=0, taker_fee_ppm=0))
    close(world)
    world.order(BOB, "sell", 1, BTC_TICKS)
    world.order(ALICE, "buy", 1)
    world.order(BOB, "buy", 1, BTC_TICKS)
    world.order(ALICE, "sell", 1)
    assert world.venue.core.batches.open.transactions == 2
    assert stages(world.step(20)) == []
    assert world.venue.core.batches.open.transactions == 0
    world.check()


def test_the_way_of_a_withdrawal(world: World) -> None:
    close(world)
    events = world.apply(RequestWithdrawal(account=ALICE, amount=400 * QUANTUM, client_id="w"))
    assert kinds(events) == ["Accepted", "WithdrawalStage"]
    world.apply(RequestWithdrawal(account=ALICE, amount=50 * QUANTUM))
    assert world.venue.account(ALICE).collateral == 550 * QUANTUM
    number = close(world)
    (_, batch) = world.venue.take_closed_batches()
    assert [(f.account, f.owner, f.amount) for f in batch.withdrawals] == [(ALICE, owner_of(ALICE), 450 * QUANTUM)]
    record = world.venue.core.withdrawals.of_account(ALICE)[1]
    assert (record.stage, record.batch) == ("in_batch", number)
    world.prove(1)
    world.post(1)
    assert stages(world.prove(number)) == ["proved", "proved", "proved"]
    assert stages(world.post(number)) == ["posted", "final", "on_l1", "on_l1"]
    claim = ClaimRequested(account=ALICE, owner=owner_of(ALICE), transaction=bytes(32))
    assert stages(world.apply(claim)) == ["claiming", "claiming"]
    assert stages(world.apply(claim)) == []
    assert stages(world.paid(ALICE, 450 * QUANTUM)) == ["claimed", "claimed"]
    assert set(record.stages) == {"requested", "in_batch", "proved", "on_l1", "claimable", "claiming", "claimed"}
    assert list(record.stages.values()) == sorted(record.stages.values())
    assert [line.kind for line in world.venue.core.history.of(ALICE).transfers][-2:] == ["claim", "claim"]
    assert only(world.apply(claim), Rejected).code == "nothing_to_claim"
    world.check()


def test_nothing_is_claimable_before_l1_has_the_batch(world: World) -> None:
    close(world)
    world.apply(RequestWithdrawal(account=ALICE, amount=QUANTUM))
    number = close(world)
    world.prove(1)
    world.prove(number)
    assert (
        only(world.apply(ClaimRequested(account=ALICE, owner=owner_of(ALICE), transaction=b"")), Rejected).code
        == "nothing_to_claim"
    )
    assert stages(world.paid(ALICE, QUANTUM)) == []  # L1 cannot have paid for this one: kept as credit
    assert world.venue.core.withdrawals.credit == {owner_of(ALICE): QUANTUM}


def test_a_payment_covers_withdrawals_oldest_first(world: World) -> None:
    for amount in (30, 20):
        world.apply(RequestWithdrawal(account=ALICE, amount=amount))
    number = close(world)
    world.prove(number)
    world.post(number)
    assert len(stages(world.paid(ALICE, 30))) == 1
    assert stages(world.paid(ALICE, 15)) == []
    assert stages(world.paid(ALICE, 5)) == ["claimed"]
    assert world.venue.core.withdrawals.live == {}
    assert world.venue.core.withdrawals.credit == {}


def test_withdrawals_are_limited_by_initial_margin(world: World) -> None:
    event = only(world.apply(RequestWithdrawal(account=ALICE, amount=1000 * QUANTUM + 1)), Rejected)
    assert (event.code, event.field, event.limit) == ("withdrawal_too_large", "amount", str(1000 * QUANTUM))
    assert only(world.apply(RequestWithdrawal(account=ALICE, amount=0)), Rejected).code == "out_of_range"
    assert only(world.apply(RequestWithdrawal(account=2, amount=1)), Rejected).code == "system_account"
    assert only(world.apply(RequestWithdrawal(account=99, amount=1)), Rejected).code == "unknown_account"
    world.order(BOB, "sell", 100, BTC_TICKS)
    world.order(ALICE, "buy", 100)
    limit = world.venue.margin(ALICE).free_collateral
    assert 600 * QUANTUM < limit < 700 * QUANTUM  # 1000 less 300 of initial margin and 3 of fees
    assert (
        only(world.apply(RequestWithdrawal(account=ALICE, amount=limit + 1)), Rejected).code == "withdrawal_too_large"
    )
    world.apply(RequestWithdrawal(account=ALICE, amount=limit))
    assert world.venue.margin(ALICE).free_collateral == 0
    world.check()


def test_proof_outcomes_retry_and_do_not_repeat(world: World) -> None:
    number = close(world)
    assert stages(world.prove(number, accepted=False)) == ["failed"]
    record = world.venue.batch_record(number)
    assert (record.status, record.attempts, record.failure) == ("failed", 1, "refused")
    assert [b.number for b in world.venue.unproved_batches()] == [number]
    told = world.apply(
        ProofOutcome(
            batch=number,
            accepted=True,
            digest="ab" * 32,
            reason="child 2: lost",
            attempt=2,
            prove_milliseconds=1500,
            verify_milliseconds=20,
            proof_bytes=100_000,
        )
    )
    assert stages(told) == ["proved"]
    assert (record.status, record.attempts, record.failure) == ("proved", 2, "child 2: lost")
    assert stages(world.prove(number, attempt=2)) == []
    assert stages(world.prove(number, accepted=False, attempt=3)) == []
    assert (record.status, record.attempts) == ("proved", 2)
    assert world.venue.unproved_batches() == []
    assert [b.number for b in world.venue.unposted_batches()] == [number]
    assert only(world.prove(number + 5), Rejected).code == "unknown_batch"


def test_state_updates_are_applied_once_and_in_order(world: World) -> None:
    first = close(world)
    world.deposit(ALICE, 10)
    second = close(world)
    world.prove(first)
    assert stages(world.post(first)) == ["posted", "final"]
    assert stages(world.post(first)) == []
    assert world.venue.batch_record(first).stages["posted"] == world.venue.time
    with pytest.raises(UnknownBatch):
        world.venue.batch(first)
    assert world.venue.batch(second).number == second
    world.deposit(ALICE, 10)
    third = close(world)
    assert only(world.post(third), Rejected).code == "unknown_batch"
    assert "posted" not in world.venue.batch_record(third).stages


def test_a_foreign_root_is_reported(world: World) -> None:
    number = close(world)
    event = only(world.l1(updates=[msgspec.structs.replace(world.update(number), new_root=bytes(32))]), Rejected)
    assert (event.code, event.field) == ("root_mismatch", "new_root")
    assert "contract's root" in str(world.venue.invariants()["l1_agrees"])


@pytest.mark.parametrize(("field", "off"), [("entries", 1), ("entries", -1), ("queue_consumed", 1)])
def test_the_same_root_with_other_outputs_is_reported(world: World, field: str, off: int) -> None:
    update = world.update(close(world))
    bad = msgspec.structs.replace(update, **{field: getattr(update, field) + off})
    event = only(world.l1(updates=[bad]), Rejected)
    assert (event.code, event.field) == ("l1_contradiction", field)
    assert only(world.order(ALICE, "buy", 1, 5), Rejected).code == "l1_disagrees"


def test_l1_may_know_a_batch_before_the_proof_outcome_arrives(world: World) -> None:
    number = close(world)
    assert stages(world.post(number)) == ["posted", "final"]
    assert stages(world.prove(number)) == ["proved"]
    assert world.venue.batch_record(number).status == "final"


def test_time_stamps_follow_the_venue_clock(world: World) -> None:
    number = close(world)
    record = world.venue.batch_record(number)
    assert record.stages["sequenced"] - record.stages["opened"] == 10 * SECOND
