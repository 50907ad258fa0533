"""What a checkpoint holds: the venue (state, book, root, batches) and the L1's world, at one sequence number."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from app.storage.journal import Journal
from engine.errors import UNDECODABLE


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """Bytes of :meth:`engine.sequencer.venue.Venue.dump` and :meth:`engine.settlement.chain.chain.Chain.checkpoint`."""

    venue: bytes
    chain: bytes


def encode_checkpoint(venue: bytes, chain: bytes) -> bytes:
    """Bytes for the journal's checkpoint table."""
    return msgspec.msgpack.encode(StoredCheckpoint(venue, chain))


def stored_checkpoints(journal: Journal) -> Iterator[tuple[int, StoredCheckpoint]]:
    """Checkpoints that decode, newest first; others are passed over, the journal has everything."""
    for sequence, data in journal.checkpoints():
        try:
            yield sequence, msgspec.msgpack.decode(data, type=StoredCheckpoint)
        except UNDECODABLE:
            continue
