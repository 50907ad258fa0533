"""The chain's block store: the journal's database.

A block's transactions, whose calldata holds whole proofs, are the part of a row that may be dropped when nothing needs
it any more. Header and receipts stay.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.runtime import crash_points
from app.storage.journal import Journal
from engine.errors import UNDECODABLE, CorruptData
from engine.settlement.chain.blocks import decode_block, encode_block


class JournalBlocks:
    """``whole_from``: blocks below it are read without their transactions. A chain that restarts from a checkpoint
    does not execute them again, and an hour of proofs in calldata is a hundred megabytes."""

    def __init__(self, journal: Journal, whole_from: int = 0) -> None:
        self._journal, self._whole_from = journal, whole_from

    def append(self, number: int, record: bytes) -> None:
        """Durable on return."""
        crash_points.reach("l1_block_executed_unwritten")
        block = decode_block(record)
        head = encode_block(msgspec.structs.replace(block, transactions=()))
        self._journal.append_block(number, head, msgspec.msgpack.encode(block.transactions))

    def read_all(self) -> Iterable[bytes]:
        """All records, checked against the journal's digest chain."""
        for number, head, body in self._journal.read_blocks(bodies_from=self._whole_from):
            if body is not None:
                yield _whole(number, head, body)
            elif number < self._whole_from:
                yield head
            else:
                raise CorruptData(
                    f"L1 block {number} must be executed again, and its transactions were dropped: no checkpoint after "
                    "it loads",
                    field="l1_block",
                    value=number,
                )


def _whole(number: int, head: bytes, body: bytes) -> bytes:
    try:
        transactions = msgspec.msgpack.decode(body, type=tuple[bytes, ...])
    except UNDECODABLE as error:
        raise CorruptData(f"L1 block {number} does not decode: {error}", field="l1_block", value=number) from error
    return encode_block(msgspec.structs.replace(decode_block(head), transactions=transactions))
