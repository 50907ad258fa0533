"""The journal's file: its tables, and reading them without changing anything.

Rows of inputs and L1 blocks are chained by digest, so that a changed, missing or reordered one is found and named. The
row of an L1 block has two parts: ``data`` (digest of the body, then header and receipts) is chained and kept for ever;
``body`` (transactions with their calldata) may be dropped once nothing needs it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from engine.errors import CorruptData, ProtocolError

FORMAT = 2
"""1: without the version of rules, contracts and statement, and with L1 blocks in one part."""
READ_PAGE = 2000
DIGEST_BYTES, BODY_DIGEST_BYTES = 16, 32
BUSY_SECONDS = 60.0
"""How long another process may keep the journal from us: a write waits for it, and fails after that."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inputs (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS l1_blocks (number INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL, body BLOB);
CREATE TABLE IF NOT EXISTS checkpoints (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL);
"""
CHAINED = {"inputs": "sequence", "l1_blocks": "number"}
"""Tables whose rows are chained, and the column of their number."""


class JournalError(ProtocolError):
    """The journal file cannot be used as it is."""


class Reader:
    """A short-lived connection that closes itself and turns SQLite's errors into ours.

    It can only read: a plain connection folds the write-ahead log into the file when it closes, and what looking at a
    folder finds wrong must still be there to be looked at.
    """

    def __init__(self, path: Path, mode: str = "ro") -> None:
        self.path, self._mode = path, mode

    def __enter__(self) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode={self._mode}"
        try:
            self.connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be opened: {error}", field="journal") from error
        return self.connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.connection.close()
        if is_busy(error):
            raise JournalError(
                f"{self.path.name} was kept by another process for {BUSY_SECONDS:.0f} s", field="journal"
            ) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise CorruptData(f"{self.path.name} is not a readable journal: {error}", field="journal") from error


def is_busy(error: BaseException | None) -> bool:
    """Whether another process holds a lock that this one waited for."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def chain_digest(previous: bytes, number: int, data: bytes) -> bytes:
    """16 bytes that bind a row to its number and to all rows before it."""
    return hashlib.sha256(previous + number.to_bytes(8, "big") + data).digest()[:DIGEST_BYTES]


def prepare(path: Path) -> None:
    """Make the tables of a new file; those of another are left as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Reader(path, "rwc") as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(FORMAT).encode(),))
        connection.commit()


def check_format(path: Path) -> None:
    """:class:`JournalError` when another version of this program wrote the file."""
    value = read_meta(path, "format")
    if value != str(FORMAT).encode():
        raise JournalError(
            "the journal was written by another version",
            field="format",
            value=(value or b"").decode(errors="replace"),
            limit=str(FORMAT),
        )


def is_unused(path: Path) -> bool:
    """True for a file that is missing or empty, or a journal that was made and never got as far as a configuration."""
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return True
    with Reader(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        conditions = {"meta": "WHERE key NOT IN ('format', 'version')"}
        wanted = [name for name in ("meta", "inputs", "l1_blocks", "checkpoints") if name in tables]
        rows = (connection.execute(f"SELECT 1 FROM {name} {conditions.get(name, '')} LIMIT 1") for name in wanted)
        return not any(found.fetchone() for found in rows)


def read_meta(path: Path, key: str) -> bytes | None:
    """A named value of a journal file, or None."""
    with Reader(path) as connection:
        row = connection.execute("SELECT CAST(value AS BLOB) FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else blob(row[0], "meta", key)


def read_checkpoints(path: Path) -> Iterator[tuple[int, bytes]]:
    """Checkpoints whose digest matches, newest first. Damaged ones are left out: the journal has everything."""
    with Reader(path) as connection:
        rows = connection.execute("SELECT sequence, data, digest FROM checkpoints ORDER BY sequence DESC").fetchall()
    for sequence, data, digest in rows:
        if isinstance(data, bytes) and hashlib.sha256(data).digest() == digest:
            yield sequence, data


def last_row(path: Path, table: str, at: int | None = None) -> tuple[int, bytes]:
    """Number and digest of a chained table's last row with a number up to ``at`` (of all by default); (0, b"")."""
    key = CHAINED[table]
    with Reader(path) as connection:
        row = connection.execute(
            f"SELECT {key}, digest FROM {table} WHERE {key} <= ? ORDER BY {key} DESC LIMIT 1",
            (2**63 - 1 if at is None else at,),
        ).fetchone()
    return (0, b"") if row is None else (row[0], blob(row[1], table, row[0]))


def read_rows(path: Path, table: str, key: str) -> Iterator[tuple[int, bytes, bytes]]:
    """All rows of a table as they are, in order: number, data, digest. A column of another type counts as empty."""
    position = -1
    while True:
        with Reader(path) as connection:
            page = connection.execute(
                f"SELECT {key}, data, digest FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?", (position, READ_PAGE)
            ).fetchall()
        if not page:
            return
        for number, data, digest in page:
            position = number
            yield number, data if isinstance(data, bytes) else b"", digest if isinstance(digest, bytes) else b""


def read_chain(path: Path, table: str, after: int) -> Iterator[tuple[int, bytes]]:
    """Rows of a chained table after a number, in order; raises :class:`CorruptData` naming the first bad row."""
    key = CHAINED[table]
    position, previous = last_row(path, table, after)
    begun = position > 0 or previous != b""
    while True:
        with Reader(path) as connection:
            page = connection.execute(
                f"SELECT {key}, data, digest FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?",
                (position if begun else after, READ_PAGE),
            ).fetchall()
        if not page:
            return
        for number, data, digest in page:
            expected = chain_digest(previous, number, blob(data, table, number))
            # a node's blocks that do not concern the venue are left out; inputs have no gaps
            if expected != digest or (table == "inputs" and number != position + 1):
                raise CorruptData(f"{table} row {number} does not continue the chain", field=key, value=number)
            position, previous, begun = number, digest, True
            yield number, data


def read_body(path: Path, number: int, digest: bytes) -> bytes | None:
    """The body of an L1 block, None when it was dropped; :class:`CorruptData` when it has not this ``digest``."""
    with Reader(path) as connection:
        row = connection.execute("SELECT body FROM l1_blocks WHERE number = ?", (number,)).fetchone()
    if row is None or row[0] is None:
        return None
    body = blob(row[0], "l1_blocks", number)
    if hashlib.sha256(body).digest() != digest:
        raise CorruptData(f"l1_blocks row {number} has a damaged body", field="number", value=number)
    return body


def blob(value: object, table: str, row: object) -> bytes:
    """A column that must hold bytes; :class:`CorruptData` when it is of another type."""
    if not isinstance(value, bytes):
        kind = type(value).__name__
        raise CorruptData(f"{table} row {row} holds {kind} where bytes belong", field=table, value=row, limit="bytes")
    return value
