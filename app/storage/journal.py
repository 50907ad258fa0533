"""The journal: every input durable before it counts. SQLite in WAL mode with synchronous=FULL, through aiosqlite.

The asyncio loop has a thread of its own. One writer coroutine commits whatever is queued as soon as the previous commit
ends; there is no timer, so a lone input waits for one commit and a burst shares one. What was committed is noted in the
tip file (:mod:`app.storage.tip`) before anybody hears of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from app.runtime import crash_points
from app.storage import journal_file
from app.storage.journal_file import BODY_DIGEST_BYTES, BUSY_SECONDS, JournalError, chain_digest
from app.storage.tip import Tip, TipFile, tip_path
from app.storage.verify import verify_journal
from engine.errors import ProtocolError

BUSY_TRY = 1.0
"""Seconds that SQLite waits for another process before the writer looks round."""
TOLD_SECONDS = 1.0
"""A wait as long as this is told."""


class JournalClosed(ProtocolError):
    """A write after the journal was closed or had failed."""


@dataclass(slots=True)
class _Write:
    """One durable write: a statement, its rows, and the future that resolves after the commit.

    ``inputs``, ``block``: number and digest of the last row, where it adds some. ``anchor``: force the tip to the disk.
    """

    statement: str
    rows: list[tuple[object, ...]]
    done: Future[None]
    inputs: tuple[int, bytes] | None = None
    block: tuple[int, bytes] | None = None
    anchor: bool = False


class Journal:
    """Append-only store of inputs, L1 blocks and checkpoints.

    The file is verified from its first row to its tip before anything is added to it (:func:`verify_journal`, whose
    errors come out of here; ``told`` is its progress). Thread-safe for writers; reads use their own short-lived
    connections. ``close`` must be called: aiosqlite's worker thread is not a daemon.
    """

    def __init__(self, path: Path, told: Callable[[int], None] = lambda rows: None) -> None:
        self.path = path
        self._queue: asyncio.Queue[_Write | None] = asyncio.Queue()
        self._failure: BaseException | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._busy_since: float | None = None
        self._waits: deque[str] = deque(maxlen=3)
        self.pending = 0
        if not journal_file.is_unused(path):
            journal_file.check_format(path)
        tip = verify_journal(path, told)
        journal_file.prepare(path)
        journal_file.check_format(path)  # an unused one may be of another version too
        self._tip, self._tip_digest = tip.sequence, tip.input_digest
        self._block_tip, self._block_digest = tip.block, tip.block_digest
        self._tip_file = _tip_file(path, tip)
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

    @property
    def digest(self) -> bytes:
        """The chain's digest after the input with that number."""
        return self._tip_digest

    def append_inputs(self, inputs: list[tuple[int, bytes]]) -> Future[None]:
        """Queue inputs; the future resolves when they are on disk. Sequence numbers must continue without a gap."""
        rows: list[tuple[object, ...]] = []
        for sequence, data in inputs:
            if sequence != self._tip + 1:
                raise JournalError("inputs must be consecutive", field="sequence", value=sequence, limit=self._tip + 1)
            self._tip_digest = chain_digest(self._tip_digest, sequence, data)
            self._tip = sequence
            rows.append((sequence, data, self._tip_digest))
        newest = (self._tip, self._tip_digest)
        return self._write(_Write("INSERT INTO inputs VALUES (?, ?, ?)", rows, Future(), inputs=newest))

    def append_block(self, number: int, head: bytes, body: bytes = b"") -> None:
        """Store one L1 block durably; returns when it is on disk. ``body`` is the part that may be dropped later."""
        data = hashlib.sha256(body).digest() + head
        digest = chain_digest(self._block_digest, number, data)
        statement = "INSERT INTO l1_blocks VALUES (?, ?, ?, ?)"
        rows: list[tuple[object, ...]] = [(number, data, digest, body)]
        self._write(_Write(statement, rows, Future(), block=(number, digest))).result()
        self._block_tip, self._block_digest = number, digest

    def write_checkpoint(self, sequence: int, data: bytes, *, keep: int = 2) -> None:
        """Store a checkpoint taken after ``sequence``, then drop all but the newest ``keep``."""
        digest = hashlib.sha256(data).digest()
        statement = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)"
        self._write(_Write(statement, [(sequence, data, digest)], Future(), anchor=True)).result()
        crash_points.reach("in_checkpoint")
        self.execute(
            "DELETE FROM checkpoints WHERE sequence NOT IN "
            "(SELECT sequence FROM checkpoints ORDER BY sequence DESC LIMIT ?)",
            keep,
        ).result()

    def set_meta(self, key: str, value: bytes) -> None:
        """Store a named value, once: a second write of another value is refused."""
        if (old := self.get_meta(key)) is not None:
            if old != value:
                raise JournalError(f"the journal's {key} is already set to something else", field=key)
            return
        self.execute("INSERT INTO meta VALUES (?, ?)", key, value).result()

    def execute(self, statement: str, *values: object) -> Future[None]:
        """Queue one statement that adds no chained row."""
        return self._write(_Write(statement, [values], Future()))

    # -- reading

    def get_meta(self, key: str) -> bytes | None:
        """The named value, or None."""
        return journal_file.read_meta(self.path, key)

    def read_inputs(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Inputs with sequence > ``after``, in order, each checked against the digest chain."""
        return journal_file.read_chain(self.path, "inputs", after)

    def read_blocks(self, after: int = -1, bodies_from: int = 0) -> Iterator[tuple[int, bytes, bytes | None]]:
        """L1 blocks with number > ``after``, in order, checked: number, head, body.

        The body is None below ``bodies_from``, and where it was dropped.
        """
        for number, data in journal_file.read_chain(self.path, "l1_blocks", after):
            digest, head = data[:BODY_DIGEST_BYTES], data[BODY_DIGEST_BYTES:]
            body = journal_file.read_body(self.path, number, digest) if number >= bodies_from else None
            yield number, head, body

    def digest_at(self, sequence: int) -> bytes | None:
        """The chain's digest after an input; b"" for 0, None for one that is not there."""
        number, digest = journal_file.last_row(self.path, "inputs", sequence)
        return digest if number == sequence else None

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Checkpoints, newest first; ones whose digest does not match are skipped by yielding nothing for them."""
        return journal_file.read_checkpoints(self.path)

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        wal = self.path.with_name(self.path.name + "-wal")
        return self.path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)

    def messages(self) -> tuple[str, ...]:
        """What people should know: that another process keeps the journal, or did."""
        since = self._busy_since
        if since is None or (waited := time.monotonic() - since) < TOLD_SECONDS:
            return tuple(self._waits)
        limit = f"given up after {BUSY_SECONDS:.0f} s"
        return (*self._waits, f"another process keeps the journal: nothing is taken for {waited:.0f} s now ({limit})")

    def close(self) -> None:
        """Commit what is queued, close the connection on its loop, join the thread."""
        if self._closed:
            return
        with self._lock:
            self._closed = True
            if self._failure is None:
                self._loop.call_soon_threadsafe(self._queue.put_nowait, None)
        self._thread.join(timeout=BUSY_SECONDS + 30)
        if self._thread.is_alive():
            raise JournalError(f"the journal thread did not end within {BUSY_SECONDS + 30:.0f} s")
        if self._failure is not None:
            raise JournalError(f"the journal failed: {self._failure}") from self._failure

    # -- inside

    def _write(self, write: _Write) -> Future[None]:
        with self._lock:  # a write that passes this check is seen by the writer before it ends
            if self._closed or self._failure is not None:
                raise JournalClosed(f"the journal takes no writes: {self._failure or 'it is closed'}")
            self.pending += len(write.rows)
            self._loop.call_soon_threadsafe(self._queue.put_nowait, write)
        return write.done

    def _run(self, started: Future[None]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._writer(started))
        finally:
            self._tip_file.close()
            self._loop.close()

    async def _writer(self, started: Future[None]) -> None:
        try:
            async with aiosqlite.connect(self.path, timeout=BUSY_TRY) as connection:
                await connection.execute("PRAGMA journal_mode=WAL")
                await connection.execute("PRAGMA synchronous=FULL")
                started.set_result(None)
                await self._commit_loop(connection)
        except Exception as error:
            if started.done():
                raise
            started.set_exception(JournalError(f"cannot open {self.path.name}: {error}"))

    async def _commit_loop(self, connection: aiosqlite.Connection) -> None:
        while True:
            first = await self._queue.get()
            group = [first]
            while not self._queue.empty():
                group.append(self._queue.get_nowait())
            writes = [write for write in group if write is not None]
            try:
                await self._commit(connection, writes)
                self._note_tip(writes)
            except Exception as error:  # noqa: BLE001 - whatever stops a commit stops the journal, and is told
                await self._fail(writes, error)
                return
            for write in writes:
                with self._lock:
                    self.pending -= len(write.rows)
                write.done.set_result(None)
            if None in group:
                return

    async def _commit(self, connection: aiosqlite.Connection, writes: list[_Write]) -> None:
        """One transaction. Another process that writes is waited for, ``BUSY_SECONDS`` at most."""
        begun = time.monotonic()
        while True:
            try:
                for write in writes:
                    await connection.executemany(write.statement, write.rows)
                await connection.commit()
                break
            except sqlite3.OperationalError as error:
                await connection.rollback()
                if not journal_file.is_busy(error) or time.monotonic() - begun >= BUSY_SECONDS:
                    raise
                self._busy_since = begun
        if self._busy_since is not None:
            self._busy_since = None
            if (waited := time.monotonic() - begun) >= TOLD_SECONDS:
                self._waits.append(f"another process kept the journal: nothing was taken for {waited:.0f} s")

    def _note_tip(self, writes: list[_Write]) -> None:
        """Into the tip file, before anybody hears of the commit."""
        inputs = next((write.inputs for write in reversed(writes) if write.inputs), None)
        block = next((write.block for write in reversed(writes) if write.block), None)
        if inputs or block:
            crash_points.reach("committed_before_tip")
            old = self._tip_file.tip
            self._tip_file.write(Tip(*(inputs or old[:2]), *(block or old[2:])))
        if any(write.anchor for write in writes):
            self._tip_file.sync()

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


def _tip_file(path: Path, tip: Tip) -> TipFile:
    try:
        return TipFile(tip_path(path), tip)
    except OSError as error:
        raise JournalError(f"{tip_path(path).name} cannot be written: {error.strerror}", field="tip") from error
