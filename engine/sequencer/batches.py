"""Batches: the open one, the closed ones until L1 has them, and a record of each one's life.

A batch counts transactions that change leaves: each fill, deposit, withdrawal, funding settlement and insurance
payment is one. Orders that rest or are cancelled change no leaf and are not counted.

A batch is closed before a transaction that it has no room for. The configured number of accounts is when it is closed;
one order that touches more of them has a batch for itself, within what can be proved and posted
(:mod:`engine.sequencer.meter`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import msgspec

from engine.exchange.accounts import Account
from engine.exchange.config import VenueConfig
from engine.exchange.refusals import L1Contradiction, RootMismatch, UnknownBatch
from engine.exchange.tree import AccountTree
from engine.sequencer.batch import Batch, Digest, ExternalFlow, root_bytes
from engine.sequencer.inputs import L1StateUpdate, L1Step, ProofOutcome
from engine.sequencer.meter import MAX_FLOW, MAX_QUEUE_COUNT, Use, meter_of
from engine.units import AccountId

RECORDS_KEPT = 1000


class BatchRecord(msgspec.Struct, kw_only=True):
    """A closed batch's life. ``status``: sequenced, failed (last attempt refused, retried), proved, final.

    The embedded L1 does not reorganise: a batch is posted and final in the same block. ``stages``: name to venue time.
    ``gas``: of all ``l1_steps`` together; ``l1_transaction``: the state update, the last of them.
    """

    number: int
    transactions: int
    accounts: int
    first_sequence: int
    last_sequence: int
    old_root: Digest
    new_root: Digest
    status: str
    stages: dict[str, int]
    attempts: int = 0
    failure: str = ""
    digest: str = ""
    prove_milliseconds: int = 0
    verify_milliseconds: int = 0
    proof_bytes: int = 0
    gas: int = 0
    l1_transaction: bytes = b""
    l1_block: int = 0
    l1_steps: tuple[L1Step, ...] = ()


class OpenBatch(msgspec.Struct, kw_only=True):
    """What the batch being filled has so far. Flows: account to quanta.

    ``queue_count``, ``not_before``: see :class:`Batch`. ``hurried``: it holds more than deposits of dust, and is closed
    when it is ``batch_max_age`` old.
    """

    number: int
    transactions: int = 0
    first_sequence: int = 0
    opened_at: int = 0
    touched: set[AccountId] = msgspec.field(default_factory=set)
    deposits: dict[AccountId, int] = msgspec.field(default_factory=dict)
    withdrawals: dict[AccountId, int] = msgspec.field(default_factory=dict)
    queue_count: int = 0
    not_before: int = 0
    hurried: bool = False


class OverfullBatch(RuntimeError):
    """A batch that nobody could prove or post was to be closed: a defect of this program."""


class BatchBook:
    """Owner of the accounts tree, which always is at the root of the last closed batch."""

    def __init__(self, config: VenueConfig, tree: AccountTree) -> None:
        self.config = config
        self.tree = tree
        self.meter = meter_of(config)
        self.max_accounts = min(config.batch_max_accounts, self.meter.max_updates)
        self.open = OpenBatch(number=1)
        self.records: dict[int, BatchRecord] = {}
        self.unposted: dict[int, Batch] = {}
        self.last_posted = 0
        self.queue_posted = 0
        self._untaken: list[int] = []

    def record_transaction(
        self, sequence: int, time: int, accounts: Iterable[AccountId], count: int, *, dust: bool = False
    ) -> None:
        """Count transactions, at least one, that touched these accounts; ``dust`` is in no hurry to be proved."""
        batch = self.open
        if not batch.transactions:
            batch.first_sequence, batch.opened_at = sequence, time
        batch.transactions += count
        batch.touched.update(accounts)
        batch.hurried = batch.hurried or not dust

    def take_entry(self, not_before: int) -> None:
        """Count the next entry of L1's queue; ``not_before``: from when on it is nothing (seconds), 0 otherwise."""
        self.open.queue_count += 1
        self.open.not_before = max(self.open.not_before, not_before)

    def room_for_entry(self) -> bool:
        """Whether the open batch still takes an entry of L1's queue."""
        return self.open.queue_count < MAX_QUEUE_COUNT

    def room_for(self, accounts: set[AccountId]) -> bool:
        """Whether a transaction over these accounts still fits the open batch."""
        touched = self.open.touched
        return len(touched) + len(accounts - touched) <= self.max_accounts

    def room_for_flow(self, account: AccountId, amount: int, flows: dict[AccountId, int]) -> bool:
        """Whether the open batch takes an entry more, or more of one: ``flows`` are its deposits or its withdrawals."""
        batch = self.open
        entries = len(batch.deposits) + len(batch.withdrawals) + (account not in flows)
        return entries <= self.meter.max_entries and flows.get(account, 0) + amount <= MAX_FLOW

    def use(self) -> Use:
        """What the open batch takes of what a batch may hold."""
        batch = self.open
        return self.meter.use(len(batch.touched), len(batch.deposits) + len(batch.withdrawals), batch.queue_count)

    def is_due(self, time: int) -> bool:
        """Whether the open batch must be closed: full by transactions or accounts, or old.

        Deposits of dust alone age it slowly, so that a stranger does not have a proof made for each.
        """
        batch, config = self.open, self.config
        max_age = config.batch_max_age if batch.hurried else max(config.batch_max_age, config.reclaim_margin)
        return batch.transactions > 0 and (
            batch.transactions >= config.batch_max_transactions
            or len(batch.touched) >= self.max_accounts
            or time - batch.opened_at >= max_age
        )

    def close(self, sequence: int, time: int, leaf: Callable[[AccountId], Account]) -> Batch | None:
        """Close the open batch over the current leaves; None when no leaf changed after all."""
        batch = self.open
        if not self.meter.fits(len(batch.touched), len(batch.deposits) + len(batch.withdrawals)):
            raise OverfullBatch(f"batch {batch.number} takes {self.use()}, the limits are {self.meter.limits}")
        flows = batch.deposits.keys() | batch.withdrawals.keys()
        leaves = {account: leaf(account) for account in sorted(batch.touched)}
        changed = {a: new for a, new in leaves.items() if a in flows or new != self.tree.get(a)}
        if not changed and batch.queue_count >= MAX_QUEUE_COUNT:
            changed = self._unchanged_leaf()
        if not changed and batch.queue_count < MAX_QUEUE_COUNT:
            self.open = OpenBatch(number=batch.number, queue_count=batch.queue_count, not_before=batch.not_before)
            return None
        old_root = self.tree.root
        updates, new_root = self.tree.apply_batch(changed)
        closed = Batch(
            number=batch.number,
            old_root=old_root,
            new_root=new_root,
            updates=updates,
            deposits=_flows(batch.deposits, leaves),
            withdrawals=_flows(batch.withdrawals, leaves),
            queue_count=batch.queue_count,
            not_before=batch.not_before,
            transactions=batch.transactions,
            first_sequence=batch.first_sequence or sequence,  # entries taken back are no transactions
            last_sequence=sequence,
            opened_at=batch.opened_at or time,
            closed_at=time,
        )
        self._enter(closed)
        self.open = OpenBatch(number=batch.number + 1)
        return closed

    def _unchanged_leaf(self) -> dict[AccountId, Account]:
        """Some account as it is, if there is one: the queue goes on even when a batch full of it changed no leaf."""
        return dict(islice(self.tree.accounts(), 1))

    def _enter(self, batch: Batch) -> None:
        self.records[batch.number] = BatchRecord(
            number=batch.number,
            transactions=batch.transactions,
            accounts=len(batch.updates),
            first_sequence=batch.first_sequence,
            last_sequence=batch.last_sequence,
            old_root=batch.old_root,
            new_root=batch.new_root,
            status="sequenced",
            stages={"opened": batch.opened_at, "sequenced": batch.closed_at},
        )
        self.unposted[batch.number] = batch
        self._untaken.append(batch.number)
        for number in list(self.records)[: max(0, len(self.records) - RECORDS_KEPT)]:
            if number <= self.last_posted:
                del self.records[number]

    def _compare_outputs(self, update: L1StateUpdate) -> None:
        """Roots alone do not say what a batch did: what it took and paid on L1 must be what it is here, too."""
        batch = self.unposted[update.batch_number]
        entries = len(batch.deposits) + len(batch.withdrawals)
        if update.entries != entries:
            raise L1Contradiction(f"other outputs of batch {batch.number}", "entries", update.entries, entries)
        consumed = self.queue_posted + batch.queue_count
        if update.queue_consumed != consumed:
            what = f"another end of the queue after batch {batch.number}"
            raise L1Contradiction(what, "queue_consumed", update.queue_consumed, consumed)
        self.queue_posted = consumed

    def restore_unposted(self, batch: Batch) -> None:
        """Enter a batch of a checkpoint; it will be taken again."""
        self.unposted[batch.number] = batch
        self._untaken.append(batch.number)

    def take_closed(self) -> list[Batch]:
        """Batches closed since the last call that L1 does not have yet."""
        taken = [self.unposted[number] for number in self._untaken if number in self.unposted]
        self._untaken.clear()
        return taken

    def record(self, number: int) -> BatchRecord:
        """The record of a closed batch; :class:`UnknownBatch`."""
        if number not in self.records:
            raise UnknownBatch(number, self.open.number - 1)
        return self.records[number]

    def on_proof(self, outcome: ProofOutcome, time: int) -> str:
        """Take a proving outcome; the stage it led to, "" when it changes nothing (already proved)."""
        record = self.record(outcome.batch)
        if "proved" in record.stages:
            return ""
        record.attempts = max(record.attempts + 1, outcome.attempt)
        record.digest = outcome.digest
        record.prove_milliseconds, record.verify_milliseconds = outcome.prove_milliseconds, outcome.verify_milliseconds
        record.proof_bytes = outcome.proof_bytes
        record.failure = outcome.reason or record.failure
        if not outcome.accepted:
            record.status = "failed" if record.status == "sequenced" else record.status
            return "failed"
        record.stages["proved"] = time
        if record.status != "final":
            record.status = "proved"
        return "proved"

    def on_state_update(self, update: L1StateUpdate, block: int, time: int) -> bool:
        """The contract accepted a batch; False when it was known already. Batches are posted in order.

        Raises :class:`UnknownBatch` for a batch that was never closed or skips one, :class:`RootMismatch` when the
        contract's root differs.
        """
        if update.batch_number <= self.last_posted:
            return False
        if update.batch_number != self.last_posted + 1:
            raise UnknownBatch(update.batch_number, self.last_posted + 1)
        record = self.record(update.batch_number)
        if update.new_root != root_bytes(record.new_root):
            raise RootMismatch(record.number, update.new_root.hex(), root_bytes(record.new_root).hex())
        self._compare_outputs(update)
        record.stages["posted"] = record.stages["final"] = time
        record.status, record.l1_block = "final", block
        record.l1_transaction, record.l1_steps = update.transaction, update.steps
        record.gas = sum(step.gas for step in update.steps) or update.gas_used
        self.last_posted = record.number
        self.unposted.pop(record.number, None)
        return True


def _flows(amounts: dict[AccountId, int], leaves: dict[AccountId, Account]) -> tuple[ExternalFlow, ...]:
    return tuple(
        ExternalFlow(account, leaves[account].l1_address, amount) for account, amount in sorted(amounts.items())
    )
