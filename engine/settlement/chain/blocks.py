"""L1 blocks and receipts, their hashes and their stored form."""

from __future__ import annotations

import msgspec
import rlp  # type: ignore[import-untyped]

from engine.errors import UNDECODABLE, CorruptData
from engine.hashing.keccak import keccak256
from engine.settlement.chain.world import BLOCK_GAS_LIMIT, EventLog

RECORD_VERSION = 2


class Receipt(msgspec.Struct, frozen=True):
    """What became of one transaction. ``status`` 1 is success; ``created`` is 20 bytes or none.

    ``reason`` tells why it failed; ``index`` is the place in the block; ``calldata`` is its length in
    bytes, ``gas_price`` is wei per gas.
    """

    transaction: bytes
    block: int
    index: int
    sender: bytes
    to: bytes
    status: int
    gas_used: int
    calldata: int
    gas_price: int
    reason: str
    created: bytes
    logs: tuple[EventLog, ...]


class Block(msgspec.Struct, frozen=True):
    """A block: ``time`` is venue time in ns, ``transactions`` are raw; ``state_digest`` covers every changed value."""

    version: int
    number: int
    parent_hash: bytes
    time: int
    transactions: tuple[bytes, ...]
    receipts: tuple[Receipt, ...]
    state_digest: bytes
    gas_used: int
    hash: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Block)


def make_block(
    number: int,
    parent_hash: bytes,
    time: int,
    transactions: tuple[bytes, ...],
    receipts: tuple[Receipt, ...],
    state_digest: bytes,
) -> Block:
    """A block with its gas total and its hash: Keccak-256 of the RLP list of the header's fields."""
    gas_used = sum(receipt.gas_used for receipt in receipts)
    header = [
        parent_hash,
        keccak256(b"".join(keccak256(raw) for raw in transactions)),
        keccak256(_encoder.encode(receipts)),
        state_digest,
        number,
        BLOCK_GAS_LIMIT,
        gas_used,
        time,
    ]
    block_hash = keccak256(rlp.encode(header))
    return Block(
        version=RECORD_VERSION,
        number=number,
        parent_hash=parent_hash,
        time=time,
        transactions=transactions,
        receipts=receipts,
        state_digest=state_digest,
        gas_used=gas_used,
        hash=block_hash,
    )


def encode_block(block: Block) -> bytes:
    """The stored form of a block."""
    return _encoder.encode(block)


def decode_block(data: bytes) -> Block:
    """Inverse of :func:`encode_block`; raises :class:`CorruptData`. Hashes are checked by :func:`rebuilt`."""
    try:
        block = _decoder.decode(data)
    except UNDECODABLE as error:
        raise CorruptData(f"L1 block does not decode: {error}", field="l1_block") from error
    if block.version != RECORD_VERSION:
        raise CorruptData(
            f"L1 block has version {block.version}; this program reads {RECORD_VERSION}",
            field="version",
            value=block.version,
            limit=RECORD_VERSION,
        )
    return block


def rebuilt(block: Block) -> Block:
    """The block with its totals and hash computed anew: equal to ``block`` exactly when its header is sound."""
    return make_block(
        block.number, block.parent_hash, block.time, block.transactions, block.receipts, block.state_digest
    )
