"""What a checkpoint holds: the venue (state, book, root, batches) and the L1's world, at one sequence number."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from app.storage.journal import Journal
from engine.errors import UNDECODABLE


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """Bytes of :meth:`engine.sequencer.venue.Venue.dump` and :meth:`engine.settlement.chain.chain.Chain.checkpoint`.

    ``journal``: digest of the journal's chain after the last input in it. A checkpoint of another journal, or of this
    one before something was changed in it, is not of the inputs that it stands on.
    """

    venue: bytes
    chain: bytes
    journal: bytes


def encode_checkpoint(venue: bytes, chain: bytes, journal: bytes) -> bytes:
    """Bytes for the journal's checkpoint table."""
    return msgspec.msgpack.encode(StoredCheckpoint(venue, chain, journal))


def stored_checkpoints(journal: Journal) -> Iterator[tuple[int, StoredCheckpoint]]:
    """Checkpoints of this journal that decode, newest first; others are passed over, the journal has everything."""
    for sequence, data in journal.checkpoints():
        try:
            stored = msgspec.msgpack.decode(data, type=StoredCheckpoint)
        except UNDECODABLE:
            continue
        if stored.journal == journal.digest_at(sequence):
            yield sequence, stored
