"""The journal: every input durable before it counts. SQLite in WAL mode with synchronous=FULL, through aiosqlite.

The asyncio loop has a thread of its own. One writer coroutine commits whatever is queued as soon as the previous commit
ends; there is no timer, so a lone input waits for one commit and a burst shares one. Rows are chained by digest, so a
changed, missing or reordered row is found when the journal is read, and named.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from app.runtime import crash_points
from engine.errors import CorruptData, ProtocolError

FORMAT = 2
"""1: without the version of rules, contracts and statement (:mod:`app.storage.version`)."""
READ_PAGE = 2000

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inputs (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS l1_blocks (number INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL);
"""


class JournalError(ProtocolError):
    """The journal file cannot be used as it is."""


class JournalClosed(ProtocolError):
    """A write after the journal was closed or had failed."""


@dataclass(slots=True)
class _Write:
    """One durable write: a statement, its rows, and the future that resolves after the commit."""

    statement: str
    rows: list[tuple[object, ...]]
    done: Future[None]


def chain_digest(previous: bytes, sequence: int, data: bytes) -> bytes:
    """16 bytes that bind a row to its number and to all rows before it."""
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + data).digest()[:16]


class Journal:
    """Append-only store of inputs, L1 blocks and checkpoints.

    Thread-safe for writers; reads use their own short-lived connections. ``close`` must be called: aiosqlite's worker
    thread is not a daemon.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: asyncio.Queue[_Write | None] = asyncio.Queue()
        self._failure: BaseException | None = None
        self._closed = False
        self._lock = threading.Lock()
        self.pending = 0
        _prepare(path)
        self._tip, self._tip_digest = self._read_tip("inputs", "sequence")
        _, self._block_digest = self._read_tip("l1_blocks", "number")
        self._loop = asyncio.new_event_loop()
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="journal", daemon=False)
        self._thread.start()
        started.result()

    # -- writing

    @property
    def last_sequence(self) -> int:
        """Highest sequence number handed to the writer (0 when the journal is empty)."""
        return self._tip

    def append_inputs(self, inputs: list[tuple[int, bytes]]) -> Future[None]:
        """Queue inputs; the future resolves when they are on disk. Sequence numbers must continue without a gap."""
        rows: list[tuple[object, ...]] = []
        for sequence, data in inputs:
            if sequence != self._tip + 1:
                raise JournalError("inputs must be consecutive", field="sequence", value=sequence, limit=self._tip + 1)
            self._tip_digest = chain_digest(self._tip_digest, sequence, data)
            self._tip = sequence
            rows.append((sequence, data, self._tip_digest))
        return self._write("INSERT INTO inputs VALUES (?, ?, ?)", rows)

    def append_block(self, number: int, data: bytes) -> None:
        """Store one L1 block durably; returns when it is on disk."""
        digest = chain_digest(self._block_digest, number, data)
        self._write("INSERT INTO l1_blocks VALUES (?, ?, ?)", [(number, data, digest)]).result()
        self._block_digest = digest

    def write_checkpoint(self, sequence: int, data: bytes, *, keep: int = 2) -> None:
        """Store a checkpoint taken after ``sequence``, then drop all but the newest ``keep``."""
        digest = hashlib.sha256(data).digest()
        self._write("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)", [(sequence, data, digest)]).result()
        crash_points.reach("in_checkpoint")
        self._write(
            "DELETE FROM checkpoints WHERE sequence NOT IN "
            "(SELECT sequence FROM checkpoints ORDER BY sequence DESC LIMIT ?)",
            [(keep,)],
        ).result()

    def set_meta(self, key: str, value: bytes) -> None:
        """Store a named value, once: a second write of another value is refused."""
        if (old := self.get_meta(key)) is not None:
            if old != value:
                raise JournalError(f"the journal's {key} is already set to something else", field=key)
            return
        self._write("INSERT INTO meta VALUES (?, ?)", [(key, value)]).result()

    # -- reading

    def get_meta(self, key: str) -> bytes | None:
        """The named value, or None."""
        return read_meta(self.path, key)

    def read_inputs(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Inputs with sequence > ``after``, in order, each checked against the digest chain."""
        return read_chain(self.path, "inputs", "sequence", after)

    def read_blocks(self, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """L1 blocks with number > ``after``, in order, checked."""
        return read_chain(self.path, "l1_blocks", "number", after)

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Checkpoints, newest first; ones whose digest does not match are skipped by yielding nothing for them."""
        with _reader(self.path) as connection:
            rows = connection.execute(
                "SELECT sequence, data, digest FROM checkpoints ORDER BY sequence DESC"
            ).fetchall()
        for sequence, data, digest in rows:
            if hashlib.sha256(data).digest() == digest:
                yield sequence, bytes(data)

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        wal = self.path.with_name(self.path.name + "-wal")
        return self.path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)

    def close(self) -> None:
        """Commit what is queued, close the connection on its loop, join the thread."""
        if self._closed:
            return
        with self._lock:
            self._closed = True
            if self._failure is None:
                self._loop.call_soon_threadsafe(self._queue.put_nowait, None)
        self._thread.join(timeout=30)
        if self._thread.is_alive():
            raise JournalError("the journal thread did not end within 30 s")
        if self._failure is not None:
            raise JournalError(f"the journal failed: {self._failure}") from self._failure

    # -- inside

    def _write(self, statement: str, rows: list[tuple[object, ...]]) -> Future[None]:
        write = _Write(statement, rows, Future())
        with self._lock:  # a write that passes this check is seen by the writer before it ends
            if self._closed or self._failure is not None:
                raise JournalClosed(f"the journal takes no writes: {self._failure or 'it is closed'}")
            self.pending += len(rows)
            self._loop.call_soon_threadsafe(self._queue.put_nowait, write)
        return write.done

    def _read_tip(self, table: str, key: str) -> tuple[int, bytes]:
        with _reader(self.path) as connection:
            row = connection.execute(f"SELECT {key}, digest FROM {table} ORDER BY {key} DESC LIMIT 1").fetchone()
        return (0, b"") if row is None else (int(row[0]), bytes(row[1]))

    def _run(self, started: Future[None]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._writer(started))
        finally:
            self._loop.close()

    async def _writer(self, started: Future[None]) -> None:
        try:
            connection = await aiosqlite.connect(self.path)
        except (sqlite3.Error, OSError) as error:
            started.set_exception(JournalError(f"cannot open {self.path.name}: {error}"))
            return
        try:
            try:
                await connection.execute("PRAGMA journal_mode=WAL")
                await connection.execute("PRAGMA synchronous=FULL")
            except sqlite3.Error as error:
                started.set_exception(JournalError(f"cannot open {self.path.name}: {error}"))
                return
            started.set_result(None)
            await self._commit_loop(connection)
        finally:
            await connection.close()

    async def _commit_loop(self, connection: aiosqlite.Connection) -> None:
        while True:
            first = await self._queue.get()
            group = [first]
            while not self._queue.empty():
                group.append(self._queue.get_nowait())
            writes = [write for write in group if write is not None]
            try:
                for write in writes:
                    await connection.executemany(write.statement, write.rows)
                await connection.commit()
            except Exception as error:  # noqa: BLE001 - whatever stops a commit stops the journal, and is told
                await self._fail(writes, error)
                return
            for write in writes:
                with self._lock:
                    self.pending -= len(write.rows)
                write.done.set_result(None)
            if None in group:
                return

    async def _fail(self, writes: list[_Write], error: BaseException) -> None:
        """After a failed commit nothing more is accepted: the venue must not run ahead of its journal."""
        with self._lock:
            self._failure = error
        await asyncio.sleep(0)  # writes that were handed over just before reach the queue
        while not self._queue.empty():
            if (queued := self._queue.get_nowait()) is not None:
                writes.append(queued)
        for write in writes:
            write.done.set_exception(JournalError(f"commit failed: {error}"))


class _reader:
    """A short-lived connection that closes itself and turns SQLite's errors into ours.

    It can only read: a plain connection folds the write-ahead log into the file when it closes, and what looking at a
    folder finds wrong must still be there to be looked at.
    """

    def __init__(self, path: Path, mode: str = "ro") -> None:
        self.path, self._mode = path, mode

    def __enter__(self) -> sqlite3.Connection:
        try:
            self.connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={self._mode}", uri=True)
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be opened: {error}", field="journal") from error
        return self.connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.connection.close()
        if isinstance(error, sqlite3.DatabaseError):
            raise CorruptData(f"{self.path.name} is not a readable journal: {error}", field="journal") from error


def _prepare(path: Path) -> None:
    """Create or check the file: its schema and its format number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _reader(path, "rwc") as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(FORMAT).encode(),))
        connection.commit()
    check_format(path)


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


def read_meta(path: Path, key: str) -> bytes | None:
    """A named value of a journal file, or None."""
    with _reader(path) as connection:
        row = connection.execute("SELECT CAST(value AS BLOB) FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else bytes(row[0])


def is_unused(path: Path) -> bool:
    """True for a file that is missing or empty, or a journal that was made and never got as far as a configuration."""
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return True
    with _reader(path) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        if not tables:
            return True
        parts = ("meta WHERE key != 'format' AND key != 'version'", "inputs", "l1_blocks", "checkpoints")
        return not any(connection.execute(f"SELECT 1 FROM {part} LIMIT 1").fetchone() for part in parts)


def newest_checkpoint(path: Path) -> int:
    """The input after which the newest checkpoint was made, 0 without one; nothing is read of it but its number."""
    with _reader(path) as connection:
        row = connection.execute("SELECT max(sequence) FROM checkpoints").fetchone()
    return int(row[0] or 0)


def read_rows(path: Path, table: str, key: str) -> Iterator[tuple[int, bytes, bytes]]:
    """All rows of a table as they are, in order: number, data, digest. A column of another type counts as empty."""
    position = -1
    while True:
        with _reader(path) as connection:
            page = connection.execute(
                f"SELECT {key}, data, digest FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?", (position, READ_PAGE)
            ).fetchall()
        if not page:
            return
        for number, data, digest in page:
            position = number
            yield number, data if isinstance(data, bytes) else b"", digest if isinstance(digest, bytes) else b""


def read_chain(path: Path, table: str, key: str, after: int) -> Iterator[tuple[int, bytes]]:
    """Rows of a chained table after a number, in order; raises :class:`CorruptData` naming the first bad row."""
    with _reader(path) as connection:
        row = connection.execute(
            f"SELECT {key}, digest FROM {table} WHERE {key} <= ? ORDER BY {key} DESC LIMIT 1", (after,)
        ).fetchone()
    position, previous = (None, b"") if row is None else (int(row[0]), bytes(row[1]))
    while True:
        with _reader(path) as connection:
            page = connection.execute(
                f"SELECT {key}, data, digest FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?",
                (after if position is None else position, READ_PAGE),
            ).fetchall()
        if not page:
            return
        for number, data, digest in page:
            expected = chain_digest(previous, number, bytes(data))
            gap = table == "inputs" and position is not None and number != position + 1
            if expected != digest or gap:  # a node's blocks that do not concern the venue are not in the other table
                raise CorruptData(f"{table} row {number} does not continue the chain", field=key, value=number)
            position, previous = number, bytes(digest)
            yield number, bytes(data)
