"""Turns L1 blocks into journal inputs. What was seen already is for the journal to know, not for the watcher.

A deposit that its depositor has asked back, and that will be his before a batch could take it (``reclaim_margin``), is
read as zero: L1 says what an entry brings, as of the newest block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from engine.sequencer.inputs import L1Block, L1Deposit, L1StateUpdate, L1Withdrawal
from engine.settlement.chain.blocks import Block, Receipt
from engine.settlement.relay.client import (
    Client,
    QueuedEvent,
    ReclaimRequestedEvent,
    StateUpdateEvent,
    WithdrawnEvent,
)
from engine.settlement.relay.costs import batch_steps
from engine.units import SECOND, AccountId, Quanta

NOTHING: Mapping[int, int] = MappingProxyType({})


def inputs_since(client: Client, number: int, reclaim_margin: int) -> list[L1Block]:
    """Inputs for every block above ``number`` (the journal's last), in order; a block without events gives one too.

    ``reclaim_margin``: ns before its reclaim time from which on a deposit is read as zero.
    """
    blocks = list(client.chain.blocks_since(number))
    reclaimed = _reclaimed(client, blocks, reclaim_margin)
    inputs: list[L1Block] = []
    for block in blocks:
        inputs.append(block_input(client, block, number, reclaimed))
        number = block.number
    return inputs


def _reclaimed(client: Client, blocks: Sequence[Block], margin: int) -> dict[int, int]:
    """Entries that are to be read as zero, and their reclaim times in seconds."""
    if not blocks:
        return {}
    soonest = (blocks[-1].time + margin) // SECOND
    return {
        event.entry: event.reclaim_at
        for block in blocks
        for receipt in block.receipts
        for event in client.events(receipt.logs)
        if isinstance(event, ReclaimRequestedEvent) and event.reclaim_at <= soonest
    }


def block_input(client: Client, block: Block, previous: int, reclaimed: Mapping[int, int] = NOTHING) -> L1Block:
    """One block's exchange events, each kind in order. Reverted transactions have no events.

    ``previous``: number of the block before it, of those that the client's chain has. ``reclaimed``: reclaim times of
    the entries that count as zero.
    """
    deposits: list[L1Deposit] = []
    updates: list[L1StateUpdate] = []
    withdrawals: list[L1Withdrawal] = []
    for receipt in block.receipts:
        for event in client.events(receipt.logs):
            if isinstance(event, QueuedEvent):
                deposits.append(_deposit(event, receipt, reclaimed.get(event.entry, 0)))
            elif isinstance(event, StateUpdateEvent):
                steps = batch_steps(client, block, receipt, event.fact)
                updates.append(
                    L1StateUpdate(
                        batch_number=event.batch_number,
                        new_root=event.new_root,
                        transaction=receipt.transaction,
                        gas_used=receipt.gas_used,
                        entries=event.entries,
                        queue_consumed=event.queue_consumed,
                        steps=steps,
                    )
                )
            elif isinstance(event, WithdrawnEvent):
                withdrawals.append(
                    L1Withdrawal(owner=event.owner, amount=Quanta(event.amount), transaction=receipt.transaction)
                )
    return L1Block(
        number=block.number,
        timestamp=block.time,
        block_hash=block.hash,
        deposits=tuple(deposits),
        state_updates=tuple(updates),
        withdrawals=tuple(withdrawals),
        previous=None if previous == block.number - 1 else previous,
    )


def _deposit(event: QueuedEvent, receipt: Receipt, reclaim_at: int) -> L1Deposit:
    return L1Deposit(
        entry=event.entry,
        account=AccountId(event.account),
        owner=event.owner,
        depositor=event.depositor,
        amount=Quanta(0 if reclaim_at else event.amount),
        transaction=receipt.transaction,
        key_digest=event.key_digest,
        reclaim_at=reclaim_at,
    )
