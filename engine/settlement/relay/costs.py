"""What it cost to bring a batch to L1: every transaction that helped, found by the events that they left."""

from __future__ import annotations

from engine.sequencer.inputs import L1Step
from engine.settlement.chain.blocks import Block, Receipt
from engine.settlement.contracts.abi import topic
from engine.settlement.relay.client import Client

SEARCHED_BLOCKS = 64
"""A batch is opened, checked, registered and posted within so many of the blocks that the client's chain knows."""
OPENED = topic("Opened(bytes32,bytes32)")
CHECKED = topic("QueriesVerified(bytes32,uint256)")
REGISTERED = topic("FactRegistered(bytes32)")


def batch_steps(client: Client, block: Block, update: Receipt, fact: bytes) -> tuple[L1Step, ...]:
    """The transactions behind a state update in ``block``, which is the last of them, in order."""
    known = [older for older in client.chain.blocks_since(0) if older.number <= block.number][-SEARCHED_BLOCKS:]
    receipts = [receipt for older in known for receipt in older.receipts]
    contexts = {
        topics[1] for receipt in receipts for topics in _topics(client, receipt) if topics[::2] == (OPENED, fact)
    }
    steps = []
    for receipt in receipts:
        kind = next((_kind(topics, contexts, fact) for topics in _topics(client, receipt)), "")
        if kind:
            steps.append(_step(kind, receipt))
    return (*steps, _step("update", update))


def _topics(client: Client, receipt: Receipt) -> list[tuple[bytes, ...]]:
    return [log.topics for log in receipt.logs if log.address in client.verifier_contracts]


def _kind(topics: tuple[bytes, ...], contexts: set[bytes], fact: bytes) -> str:
    if topics[0] == OPENED and topics[2] == fact:
        return "open"
    if topics[0] == CHECKED and topics[1] in contexts:
        return "check"
    return "register" if topics == (REGISTERED, fact) else ""


def _step(kind: str, receipt: Receipt) -> L1Step:
    return L1Step(kind=kind, transaction=receipt.transaction, gas=receipt.gas_used, calldata=receipt.calldata)
