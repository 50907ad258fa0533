"""A node's blocks and receipts in the venue's own terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.settlement.chain.blocks import RECORD_VERSION, Block, Receipt
from engine.settlement.chain.world import EventLog
from engine.units import SECOND


def block_of(header: Any, receipts: Sequence[Receipt]) -> Block:
    """A block as web3.py gives it (without transactions), and those of its receipts that concern the venue.

    Hashes and state root are the node's own, ``time`` is its timestamp in ns. The transactions themselves stay with the
    node: they are never executed here.
    """
    return Block(
        version=RECORD_VERSION,
        number=int(header["number"]),
        parent_hash=bytes(header["parentHash"]),
        time=int(header["timestamp"]) * SECOND,
        transactions=(),
        receipts=tuple(receipts),
        state_digest=bytes(header["stateRoot"]),
        gas_used=int(header["gasUsed"]),
        hash=bytes(header["hash"]),
    )


def receipt_of(found: Any, reason: str, calldata: int) -> Receipt:
    """A receipt as web3.py gives it; ``reason`` tells why the transaction failed, ``calldata`` its bytes."""
    return Receipt(
        transaction=bytes(found["transactionHash"]),
        block=int(found["blockNumber"]),
        index=int(found["transactionIndex"]),
        sender=_address(found["from"]),
        to=_address(found["to"]),
        status=int(found["status"]),
        gas_used=int(found["gasUsed"]),
        calldata=calldata,
        gas_price=int(found["effectiveGasPrice"]),
        reason=reason,
        created=_address(found["contractAddress"]) if found["status"] else b"",
        logs=tuple(_log(log) for log in found["logs"]),
    )


def _log(log: Any) -> EventLog:
    return EventLog(_address(log["address"]), tuple(bytes(topic) for topic in log["topics"]), bytes(log["data"]))


def _address(name: str | None) -> bytes:
    return bytes.fromhex(name[2:]) if name else b""
