"""The relayer posts each batch exactly once; the watcher reports what happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from settlement_venue import (
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

from engine.sequencer.batch import root_bytes
from engine.sequencer.inputs import decode_input, encode_input
from engine.settlement.errors import BatchOutOfOrder, NonceMismatch, Reverted, RootDivergence
from engine.settlement.gas_report import gas_figures
from engine.settlement.relayer import MAX_ATTEMPTS
from engine.settlement.transactions import BASE_GAS, MAX_GAS_LIMIT
from engine.settlement.watcher import block_input, inputs_since


def test_deposit_is_credited_withdrawn_and_claimed_to_the_quantum(venue: Venue) -> None:
    client, maker = venue.client, venue.maker
    first = venue.relayer().post(venue.proved(1, (flow(MAKER_ACCOUNT, maker, MAKER_DEPOSIT),)), venue.time)
    assert len(first.receipts) == 2
    assert client.pending(MAKER_ACCOUNT, maker) == 0
    venue.relayer().post(venue.proved(2, (), (flow(MAKER_ACCOUNT, maker, 701),)), venue.time)
    assert client.withdrawable(maker) == client.total_withdrawable() == 701
    assert client.state_root() == root_bytes(ROOTS[2])
    (receipt,) = venue.send(client.withdraw(TAKER, maker, venue.nonce(TAKER)))
    assert receipt.status == 1
    assert client.token_balance(maker) == WALLET + 701
    assert client.token_balance(client.exchange) == MAKER_DEPOSIT + TAKER_DEPOSIT - 701
    assert client.total_pending() == TAKER_DEPOSIT
    assert client.withdrawable(maker) == client.total_withdrawable() == 0


def test_a_posted_batch_is_not_posted_again(venue: Venue) -> None:
    batch = venue.proved(1, (flow(TAKER_ACCOUNT, venue.taker, 5),))
    venue.relayer().post(batch, venue.time)
    head = venue.chain.head
    again = venue.relayer().post(batch, venue.time)
    assert (again.block, again.receipts, again.gas_used) == (None, (), 0)
    assert venue.chain.head is head
    venue.relayer().post(venue.proved(2), venue.time)
    assert venue.relayer().post(batch, venue.time).block is None


def test_after_a_restart_between_block_and_journal_nothing_is_applied_twice(venue: Venue) -> None:
    batch = venue.proved(1, (flow(TAKER_ACCOUNT, venue.taker, 5),))
    venue.relayer().post(batch, venue.time)
    restarted = open_venue(venue.store.records)
    assert restarted.relayer().post(batch, restarted.time).block is None
    assert restarted.client.pending(TAKER_ACCOUNT, venue.taker) == TAKER_DEPOSIT - 5


def test_a_fact_registered_before_a_crash_is_not_registered_again(venue: Venue) -> None:
    batch = venue.proved(1)
    venue.send(venue.client.register_fact(OPERATOR, batch.fact, venue.nonce(OPERATOR)))
    assert len(venue.relayer().transactions(batch)) == 1
    assert len(venue.relayer().post(batch, venue.time).receipts) == 1
    assert venue.client.last_batch() == 1


def test_out_of_order_and_diverged_batches_are_refused(venue: Venue) -> None:
    with pytest.raises(BatchOutOfOrder) as refused:
        venue.relayer().post(venue.proved(2), venue.time)
    assert (refused.value.field, refused.value.value, refused.value.limit) == ("batch_number", 2, 1)
    venue.relayer().post(venue.proved(1), venue.time)
    other = venue.proved(1)
    with pytest.raises(RootDivergence, match="new_root"):
        venue.relayer().transactions(type(other)(1, other.old_root, bytes(32), b"", other.fact, ""))
    following = venue.proved(2)
    with pytest.raises(RootDivergence, match="old_root"):
        venue.relayer().transactions(type(other)(2, bytes(32), following.new_root, b"", following.fact, ""))


def test_a_revert_carries_the_contracts_reason(venue: Venue) -> None:
    batch = venue.proved(1, (flow(TAKER_ACCOUNT, venue.taker, TAKER_DEPOSIT + 1),))
    with pytest.raises(Reverted) as refused:
        venue.relayer().post(batch, venue.time)
    assert refused.value.reason == "pending deposit too small"
    assert venue.client.last_batch() == 0


def test_a_nonce_taken_meanwhile_is_asked_for_again(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    relayer, batch = venue.relayer(), venue.proved(1)
    plain, calls = relayer.transactions, []

    def interfered(proved):  # type: ignore[no-untyped-def]
        raws = plain(proved)
        calls.append(raws)
        if len(calls) == 1:
            venue.send(venue.client.register_fact(OPERATOR, b"\x05" * 32, venue.nonce(OPERATOR)))
        return raws

    monkeypatch.setattr(relayer, "transactions", interfered)
    assert relayer.post(batch, venue.time).batch_number == 1
    assert len(calls) == 2
    assert venue.client.last_batch() == 1

    stale = plain(venue.proved(2))
    venue.send(venue.client.register_fact(OPERATOR, b"\x06" * 32, venue.nonce(OPERATOR)))
    attempts = []
    monkeypatch.setattr(relayer, "transactions", lambda proved: attempts.append(proved) or stale)
    with pytest.raises(NonceMismatch):
        relayer.post(venue.proved(2), venue.time)
    assert len(attempts) == MAX_ATTEMPTS


def test_watcher_reports_every_event_in_order_and_nothing_of_reverts(venue: Venue) -> None:
    client, maker, taker = venue.client, venue.maker, venue.taker
    posted = venue.relayer().post(
        venue.proved(1, (flow(MAKER_ACCOUNT, maker, 10),), (flow(TAKER_ACCOUNT, taker, 7),)), venue.time
    )
    nonce = venue.nonce(TAKER)
    claims = venue.send(client.withdraw(TAKER, taker, nonce), client.withdraw(TAKER, taker, nonce + 1))
    assert [receipt.status for receipt in claims] == [1, 0]
    inputs = inputs_since(client, 0)
    assert [block.number for block in inputs] == [1, 2, 3]
    deposits = [(d.account, d.owner, d.amount) for d in inputs[0].deposits]
    assert deposits == [(MAKER_ACCOUNT, maker, MAKER_DEPOSIT), (TAKER_ACCOUNT, taker, TAKER_DEPOSIT)]
    (update,) = inputs[1].state_updates
    assert (update.batch_number, update.new_root) == (1, root_bytes(ROOTS[1]))
    assert (update.transaction, update.gas_used) == (posted.receipts[1].transaction, posted.receipts[1].gas_used)
    assert [(w.owner, w.amount, w.transaction) for w in inputs[2].withdrawals] == [(taker, 7, claims[0].transaction)]
    assert inputs[1].block_hash == venue.chain.block(2).hash
    assert inputs_since(client, 2) == inputs[2:]
    assert inputs_since(client, 3) == []
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
    flows = tuple(flow(account, account.to_bytes(20, "big"), 2**63 - 1) for account in range(1, 513))
    posted = venue.relayer().post(venue.proved(1, (), flows), venue.time)
    assert posted.receipts[-1].status == 1
    assert venue.client.total_withdrawable() == 512 * (2**63 - 1)


def test_gas_figures_cover_every_action_and_fit_one_transaction() -> None:
    figures = gas_figures()
    assert len(figures) == 16
    assert all(BASE_GAS <= gas <= MAX_GAS_LIMIT for gas in figures.values())
    assert figures["send ether"] == BASE_GAS
    assert figures["update, 64 withdrawals to new owners"] > figures["update, 64 deposits"] > figures["update, empty"]


def test_consecutive_batches_go_into_one_block(venue: Venue) -> None:
    batches = [venue.proved(1, (flow(MAKER_ACCOUNT, venue.maker, 3),)), venue.proved(2), venue.proved(3)]
    block = venue.block(*venue.relayer().transactions_of(batches))
    assert [receipt.status for receipt in block.receipts] == [1] * 6
    assert venue.client.last_batch() == 3
    assert [update.batch_number for update in block_input(venue.client, block, block.number - 1).state_updates] == [
        1,
        2,
        3,
    ]
    assert venue.relayer().transactions_of(batches) == []
    assert len(venue.relayer().transactions_of([*batches, venue.proved(4)])) == 2
    assert venue.relayer().transactions_of([]) == []


def test_batches_with_a_gap_or_another_root_between_are_refused(venue: Venue) -> None:
    with pytest.raises(BatchOutOfOrder, match="does not follow batch 1"):
        venue.relayer().transactions_of([venue.proved(1), venue.proved(3)])
    diverged = replace(venue.proved(2), old_root=root_bytes(ROOTS[5]))
    with pytest.raises(RootDivergence, match="does not start where batch 1 leads"):
        venue.relayer().transactions_of([venue.proved(1), diverged])
    with pytest.raises(BatchOutOfOrder):
        venue.relayer().transactions_of([venue.proved(2)])
