"""The relayer posts each batch exactly once; the watcher reports what happened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.sequencer.batch import root_bytes
from engine.sequencer.inputs import L1Step, decode_input, encode_input
from engine.settlement.chain.transactions import BASE_GAS, MAX_GAS_LIMIT
from engine.settlement.errors import BatchOutOfOrder, NonceMismatch, NotPostable, Reverted, RootDivergence
from engine.settlement.gas_report import gas_figures
from engine.settlement.relay.relayer import MAX_ATTEMPTS, ProvedBatch
from engine.settlement.relay.watcher import block_input, inputs_since
from tests.support.settlement_venue import (
    DEPLOYER,
    LAYER_2,
    MAKER_ACCOUNT,
    MAKER_DEPOSIT,
    OPERATOR,
    ROOTS,
    TAKER,
    TAKER_ACCOUNT,
    TAKER_DEPOSIT,
    WALLET,
    Venue,
    flow,
    open_venue,
)


def first_deposit(venue: Venue) -> ProvedBatch:
    """A batch that takes the queue's first entry."""
    return venue.told(1, (flow(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT),), queue_count=1)


def test_deposit_is_credited_withdrawn_and_claimed_to_the_quantum(venue: Venue) -> None:
    client, maker = venue.client, venue.maker
    first = venue.relayer().post(venue.told(1, (flow(MAKER_ACCOUNT, maker, MAKER_DEPOSIT),), queue_count=1), venue.time)
    assert len(first.receipts) == 1
    assert client.pending(MAKER_ACCOUNT) == 0
    venue.relayer().post(venue.told(2, (), (flow(MAKER_ACCOUNT, maker, 701),)), venue.time)
    assert client.withdrawable(maker) == client.total_withdrawable() == 701
    assert client.state_root() == root_bytes(ROOTS[2])
    (receipt,) = venue.send(client.withdraw(TAKER, maker, venue.nonce(TAKER)))
    assert receipt.status == 1
    assert client.token_balance(maker) == WALLET + 701
    assert client.token_balance(client.exchange) == MAKER_DEPOSIT + TAKER_DEPOSIT + LAYER_2 - 701
    assert client.total_pending() == TAKER_DEPOSIT
    assert client.withdrawable(maker) == client.total_withdrawable() == 0


def test_a_posted_batch_is_not_posted_again(venue: Venue) -> None:
    batch = first_deposit(venue)
    venue.relayer().post(batch, venue.time)
    head = venue.chain.head
    again = venue.relayer().post(batch, venue.time)
    assert (again.block, again.receipts, again.gas_used) == (None, (), 0)
    assert venue.chain.head is head
    venue.relayer().post(venue.told(2), venue.time)
    assert venue.relayer().post(batch, venue.time).block is None


def test_after_a_restart_between_block_and_journal_nothing_is_applied_twice(venue: Venue) -> None:
    batch = first_deposit(venue)
    venue.relayer().post(batch, venue.time)
    restarted = open_venue(venue.store.records)
    assert restarted.relayer().post(batch, restarted.time).block is None
    assert restarted.client.pending(MAKER_ACCOUNT) == 0
    assert restarted.client.pending(TAKER_ACCOUNT) == TAKER_DEPOSIT


def test_a_fact_that_is_registered_already_leaves_the_update_alone(venue: Venue) -> None:
    """Whichever profile's verifier has it: no proof is read, and the update names that profile."""
    for number, profile in ((1, 1), (2, 0)):
        (call,) = venue.relayer().plan([venue.told(number, profile=profile)]).calls
        assert (call.kind, call.to) == ("update", venue.client.exchange)
        venue.relayer().post(venue.proved(number), venue.time)
        assert venue.client.last_batch() == number


def test_without_fact_and_proof_there_is_nothing_to_send(venue: Venue) -> None:
    plan = venue.relayer().plan([venue.told(1), venue.proved(2)])
    assert [call.kind for call in plan.calls] == ["update"]
    assert plan.refusal is not None
    assert "no proofs here" in plan.refusal.message
    venue.relayer().post(venue.proved(1), venue.time)
    with pytest.raises(NotPostable):
        venue.relayer().post(venue.proved(2), venue.time)


def test_out_of_order_and_diverged_batches_are_refused(venue: Venue) -> None:
    with pytest.raises(BatchOutOfOrder) as refused:
        venue.relayer().post(venue.proved(2), venue.time)
    assert (refused.value.field, refused.value.value, refused.value.limit) == ("batch_number", 2, 1)
    venue.relayer().post(venue.told(1), venue.time)
    other = venue.proved(1)
    with pytest.raises(RootDivergence, match="new_root"):
        venue.relayer().plan([replace(other, new_root=bytes(32))])
    following = venue.proved(2)
    with pytest.raises(RootDivergence, match="old_root"):
        venue.relayer().plan([replace(following, old_root=bytes(32))])


def test_a_revert_carries_the_contracts_reason(venue: Venue) -> None:
    """Only L1 knows who owns an account there."""
    batch = venue.told(1, (flow(MAKER_ACCOUNT, venue.taker, MAKER_DEPOSIT),), queue_count=1)
    with pytest.raises(Reverted) as refused:
        venue.relayer().post(batch, venue.time)
    assert refused.value.reason == "deposit for another owner"
    assert venue.client.last_batch() == 0


def test_a_nonce_taken_meanwhile_is_asked_for_again(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    relayer, batch = venue.relayer(), venue.told(1)
    plain, calls = relayer.sign, []

    def interfered(planned):  # type: ignore[no-untyped-def]
        raws = plain(planned)
        calls.append(raws)
        if len(calls) == 1:
            venue.send(venue.telling(b"\x05" * 32, key=OPERATOR))
        return raws

    monkeypatch.setattr(relayer, "sign", interfered)
    assert relayer.post(batch, venue.time).batch_number == 1
    assert len(calls) == 2
    assert venue.client.last_batch() == 1

    second = venue.told(2)
    stale = plain(relayer.plan([second]).calls)
    venue.send(venue.telling(b"\x06" * 32, key=OPERATOR))
    attempts = []
    monkeypatch.setattr(relayer, "sign", lambda planned: attempts.append(planned) or stale)
    with pytest.raises(NonceMismatch):
        relayer.post(second, venue.time)
    assert len(attempts) == MAX_ATTEMPTS


def test_watcher_reports_every_event_in_order_and_nothing_of_reverts(venue: Venue) -> None:
    client, maker, taker = venue.client, venue.maker, venue.taker
    posted = venue.relayer().post(
        venue.told(1, (flow(MAKER_ACCOUNT, maker, MAKER_DEPOSIT),), (flow(TAKER_ACCOUNT, taker, 7),), 1), venue.time
    )
    nonce = venue.nonce(TAKER)
    claims = venue.send(client.withdraw(TAKER, taker, nonce), client.withdraw(TAKER, taker, nonce + 1))
    assert [receipt.status for receipt in claims] == [1, 0]
    inputs = inputs_since(client, 0, 0)
    assert [block.number for block in inputs] == [1, 2, 3, 4, 5]
    deposits = [(d.account, d.owner, d.amount) for d in inputs[0].deposits]
    assert deposits == [(MAKER_ACCOUNT, maker, MAKER_DEPOSIT), (TAKER_ACCOUNT, taker, TAKER_DEPOSIT)]
    (update,) = inputs[3].state_updates
    assert (update.batch_number, update.new_root) == (1, root_bytes(ROOTS[1]))
    (receipt,) = posted.receipts
    assert (update.transaction, update.gas_used) == (receipt.transaction, receipt.gas_used)
    assert update.steps == (
        L1Step(kind="update", transaction=receipt.transaction, gas=receipt.gas_used, calldata=receipt.calldata),
    )
    assert [(w.owner, w.amount, w.transaction) for w in inputs[4].withdrawals] == [(taker, 7, claims[0].transaction)]
    assert inputs[3].block_hash == venue.chain.block(4).hash
    assert inputs_since(client, 2, 0) == inputs[2:]
    assert inputs_since(client, 5, 0) == []
    for block in inputs:
        assert decode_input(encode_input(block)) == block


def test_watcher_ignores_other_contracts_events(venue: Venue) -> None:
    # The token emits Transfer and Approval in the genesis block; none of them is an input.
    logs = [log for receipt in venue.chain.block(1).receipts for log in receipt.logs]
    assert any(log.address == venue.client.token for log in logs)
    block = block_input(venue.client, venue.chain.block(1), 0)
    assert len(block.deposits) == 2
    assert block.state_updates == ()


def test_update_gas_limit_covers_its_worst_case(venue: Venue) -> None:
    """512 first-time withdrawals: the largest batch that the contract takes fits one transaction."""
    client = venue.client
    venue.send(client.mint(DEPLOYER, client.exchange, 2**73, venue.nonce(DEPLOYER)))
    flows = tuple(flow(account, account.to_bytes(20, "big"), 2**63 - 1) for account in range(1, 513))
    posted = venue.relayer().post(venue.told(1, (), flows), venue.time)
    assert posted.receipts[-1].status == 1
    assert venue.client.total_withdrawable() == 512 * (2**63 - 1)


def test_gas_figures_cover_every_action_and_fit_one_transaction() -> None:
    figures = gas_figures()
    assert len(figures) == 19
    assert all(BASE_GAS <= gas <= MAX_GAS_LIMIT for gas in figures.values())
    assert figures["send ether"] == BASE_GAS
    assert (
        figures["update, 64 withdrawals to new owners"]
        > figures["update, 64 deposits to one account"]
        > figures["update, empty"]
    )


def test_consecutive_batches_go_into_one_block(venue: Venue) -> None:
    relayer = venue.relayer()
    second = venue.told(2, (flow(TAKER_ACCOUNT, venue.taker, TAKER_DEPOSIT),), queue_count=1)
    batches = [first_deposit(venue), second, venue.told(3)]
    block = venue.block(*relayer.sign(relayer.plan(batches).calls))
    assert [receipt.status for receipt in block.receipts] == [1] * 3
    assert venue.client.last_batch() == 3
    assert [update.batch_number for update in block_input(venue.client, block, 1).state_updates] == [1, 2, 3]
    assert relayer.plan(batches).calls == ()
    assert len(relayer.plan([*batches, venue.told(4)]).calls) == 1
    assert relayer.plan([]).calls == ()


def test_a_plan_keeps_to_the_blocks_gas(venue: Venue) -> None:
    relayer = venue.relayer()
    batches = [venue.told(number) for number in (1, 2, 3)]
    whole = relayer.plan(batches).calls
    gas = sum(call.limit for call in whole[:2])
    assert relayer.plan(batches, gas).calls == whole[:2]
    assert relayer.plan(batches, gas - 1).calls == whole[:1]
    assert relayer.plan(batches, 0).calls == ()


def test_batches_with_a_gap_or_another_root_between_are_refused(venue: Venue) -> None:
    with pytest.raises(BatchOutOfOrder, match="waits for batch 2"):
        venue.relayer().plan([venue.told(1), venue.proved(3)])
    diverged = replace(venue.proved(2), old_root=root_bytes(ROOTS[5]))
    with pytest.raises(RootDivergence, match="as its old_root"):
        venue.relayer().plan([venue.told(1), diverged])
    with pytest.raises(BatchOutOfOrder):
        venue.relayer().plan([venue.proved(2)])
