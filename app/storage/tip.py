"""What was acknowledged, outside the database: number and digest of the newest durable input and L1 block.

SQLite drops whatever stands behind a damaged place of its write-ahead log, without a word. This file is written after
each commit and before anybody hears of it, so an opening can tell that acknowledged rows are gone, and which.

Two slots take turns: a torn write leaves the other one. The file is forced to the disk with each checkpoint and at the
end, not with each commit: a killed process loses nothing of it, and after a power cut it may be behind the journal,
never ahead. Forcing it each time would double the time of an acknowledgement (``docs/decisions.md``, 44).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from app.storage.journal_file import DIGEST_BYTES
from engine.errors import CorruptData

MAGIC = b"PLTIP\0\0\1"
SLOT_SIZE = 4096
"""Slots lie in different sectors and pages."""
CHECK_BYTES = 16
RECORD_BYTES = len(MAGIC) + 2 * (8 + DIGEST_BYTES) + CHECK_BYTES


class Tip(NamedTuple):
    """``input_digest`` and ``block_digest`` are b"" where the number is 0."""

    sequence: int = 0
    input_digest: bytes = b""
    block: int = 0
    block_digest: bytes = b""


class TipDamaged(CorruptData):
    """The file is missing, or neither of its slots can be read."""


def tip_path(journal: Path) -> Path:
    """Beside the journal."""
    return journal.with_suffix(".tip")


def read_tip(path: Path) -> Tip:
    """The newest slot. Raises :class:`TipDamaged`."""
    try:
        with path.open("rb") as file:
            data = file.read(2 * SLOT_SIZE)
    except FileNotFoundError as error:
        raise TipDamaged(f"{path.name} is missing", field="tip", value=str(path)) from error
    except OSError as error:
        raise TipDamaged(f"{path.name} cannot be read: {error.strerror}", field="tip", value=str(path)) from error
    slots = [tip for at in (0, SLOT_SIZE) if (tip := _decode(data[at : at + RECORD_BYTES])) is not None]
    if not slots:
        raise TipDamaged(f"{path.name} is damaged", field="tip", value=str(path))
    return max(slots, key=lambda tip: (tip.sequence, tip.block))


class TipFile:
    """The file, open for writing. One thread writes."""

    def __init__(self, path: Path, tip: Tip) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self._slot = 0
        self.tip = tip
        for _ in range(2):
            self.write(tip)
        self.sync()

    def write(self, tip: Tip) -> None:
        """Note a tip, in the slot that is not the newest. Raises ``OSError``."""
        self._file.seek(self._slot * SLOT_SIZE)
        self._file.write(_encode(tip))
        self._slot, self.tip = 1 - self._slot, tip

    def sync(self) -> None:
        """Force it to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Force it to the disk and close."""
        self.sync()
        self._file.close()


def _encode(tip: Tip) -> bytes:
    inputs = tip.sequence.to_bytes(8, "big") + tip.input_digest.ljust(DIGEST_BYTES, b"\0")
    blocks = tip.block.to_bytes(8, "big") + tip.block_digest.ljust(DIGEST_BYTES, b"\0")
    body = MAGIC + inputs + blocks
    return body + hashlib.sha256(body).digest()[:CHECK_BYTES]


def _decode(record: bytes) -> Tip | None:
    body, check = record[:-CHECK_BYTES], record[-CHECK_BYTES:]
    if len(record) != RECORD_BYTES or body[:8] != MAGIC or hashlib.sha256(body).digest()[:CHECK_BYTES] != check:
        return None
    numbers = [int.from_bytes(body[at : at + 8], "big") for at in (8, 16 + DIGEST_BYTES)]
    digests = [body[at : at + DIGEST_BYTES] for at in (16, 24 + DIGEST_BYTES)]
    (sequence, block), (inputs, blocks) = numbers, digests
    return Tip(sequence, inputs if sequence else b"", block, blocks if block else b"")
