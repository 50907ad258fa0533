"""Deposits: entries of the exchange contract's queue, credited in their order, each exactly once.

The contract hands out account ids, so that an entry names an account and its owner and neither can be contested. What
it cannot name here is a contradiction (:class:`L1Contradiction`): a gap in the numbers, an owner other than the leaf's.
"""

from __future__ import annotations

from engine.errors import ProtocolError
from engine.exchange.refusals import L1Contradiction
from engine.exchange.state import NO_OWNER, AccountState
from engine.field.koalabear import P
from engine.sequencer.core import VenueCore
from engine.sequencer.events import DepositCredited, DepositReclaimed
from engine.sequencer.history import TransferLine
from engine.sequencer.inputs import L1Deposit

MAX_TOTAL_COLLATERAL = 1 << 62
"""Quanta on the layer 2: keeps every sum of leaves, and every leaf, inside 64 bits. The contract holds no more."""


def credit_deposit(core: VenueCore, deposit: L1Deposit, block: int) -> None:
    """Take the queue's next entry into the open batch. Raises :class:`L1Contradiction`, after which nothing changed."""
    _check(core, deposit)
    if not core.batches.room_for_entry():
        core.close_batch()
    core.counters.queue_length += 1
    if not deposit.amount:
        core.batches.take_entry(deposit.reclaim_at)
        _note_reclaim(core, deposit, block)
        return
    dust = deposit.amount < core.config.min_opening_deposit
    core.enter_flow(deposit.account, deposit.amount, deposit=True, dust=dust)
    core.batches.take_entry(0)  # into the batch that has the flow
    account = core.accounts.get(deposit.account) or _opened(core, deposit)
    account.collateral += deposit.amount
    core.counters.collateral += deposit.amount
    core.emit(
        DepositCredited(
            sequence=core.sequence, time=core.time, account=deposit.account, amount=deposit.amount, block=block
        )
    )
    core.history.transfer(
        deposit.account, TransferLine(time=core.time, kind="deposit", amount=deposit.amount, where=f"L1 block {block}")
    )
    core.close_batch_if_due()


def key_limbs(digest: bytes) -> tuple[int, ...]:
    """The eight field elements of a key's digest, 4 bytes big-endian each."""
    return tuple(int.from_bytes(digest[i : i + 4], "big") for i in range(0, 32, 4))


def _check(core: VenueCore, deposit: L1Deposit) -> None:
    expected = core.counters.queue_length
    if deposit.entry != expected:
        raise L1Contradiction("a queue entry that is not the next one", "entry", deposit.entry, expected)
    if not 0 <= deposit.account < 1 << core.config.tree_height:
        limit = (0, (1 << core.config.tree_height) - 1)
        raise L1Contradiction("a deposit to an account that cannot exist", "account", deposit.account, limit)
    if deposit.account in (core.config.funding_account, core.config.fee_account):
        raise L1Contradiction("a deposit to an account of the venue's own", "account", deposit.account, "an owner's")
    if len(deposit.owner) != len(NO_OWNER) or deposit.owner == NO_OWNER:
        raise L1Contradiction("a deposit to an account without owner", "owner", deposit.owner.hex(), "20 bytes")
    account = core.accounts.get(deposit.account)
    if account is not None and account.l1_address != deposit.owner:
        raise L1Contradiction(
            f"another owner of account {deposit.account}", "owner", deposit.owner.hex(), account.l1_address.hex()
        )
    room = MAX_TOTAL_COLLATERAL - core.counters.collateral
    if not 0 <= deposit.amount <= room or (deposit.amount == 0) != (deposit.reclaim_at > 0):
        raise L1Contradiction("a deposit of an impossible amount", "amount", deposit.amount, (0, room))
    if len(deposit.key_digest) != 32 or any(limb >= P for limb in key_limbs(deposit.key_digest)):
        raise L1Contradiction("a key digest that is none", "key_digest", deposit.key_digest.hex(), "8 field elements")


def _opened(core: VenueCore, deposit: L1Deposit) -> AccountState:
    account = core.open_account(deposit.account, deposit.owner)
    account.key_digest = key_limbs(deposit.key_digest)
    return account


def _note_reclaim(core: VenueCore, deposit: L1Deposit, block: int) -> None:
    core.emit(
        DepositReclaimed(
            sequence=core.sequence, time=core.time, account=deposit.account, entry=deposit.entry, block=block
        )
    )


def contradicted(core: VenueCore, error: ProtocolError) -> None:
    """L1 says what cannot be: from now on no orders and no withdrawals, and the reason is told."""
    core.l1_contradiction = core.l1_contradiction or error.message
