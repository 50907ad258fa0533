"""Turns L1 blocks into journal inputs. What was seen already is for the journal to know, not for the watcher."""

from __future__ import annotations

from engine.sequencer.inputs import L1Block, L1Deposit, L1StateUpdate, L1Withdrawal
from engine.settlement.chain.blocks import Block
from engine.settlement.relay.client import Client, DepositEvent, StateUpdateEvent, WithdrawnEvent
from engine.settlement.relay.costs import batch_steps


def inputs_since(client: Client, number: int) -> list[L1Block]:
    """Inputs for every block above ``number`` (the journal's last), in order; a block without events gives one too."""
    inputs: list[L1Block] = []
    for block in client.chain.blocks_since(number):
        inputs.append(block_input(client, block, number))
        number = block.number
    return inputs


def block_input(client: Client, block: Block, previous: int) -> L1Block:
    """One block's exchange events, each kind in order. Reverted transactions have no events.

    ``previous``: number of the block before it, of those that the client's chain has.
    """
    deposits: list[L1Deposit] = []
    updates: list[L1StateUpdate] = []
    withdrawals: list[L1Withdrawal] = []
    for receipt in block.receipts:
        for event in client.events(receipt.logs):
            if isinstance(event, DepositEvent):
                deposits.append(
                    L1Deposit(
                        account=event.account, owner=event.owner, amount=event.amount, transaction=receipt.transaction
                    )
                )
            elif isinstance(event, StateUpdateEvent):
                steps = batch_steps(client, block, receipt, event.fact)
                updates.append(
                    L1StateUpdate(
                        batch_number=event.batch_number,
                        new_root=event.new_root,
                        transaction=receipt.transaction,
                        gas_used=receipt.gas_used,
                        steps=steps,
                    )
                )
            elif isinstance(event, WithdrawnEvent):
                withdrawals.append(
                    L1Withdrawal(owner=event.owner, amount=event.amount, transaction=receipt.transaction)
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
