"""The journal: durable before the future resolves, chained, honest about corruption."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from app.storage.journal import Journal, JournalClosed
from app.storage.journal_file import CHAINED, JournalError, read_chain
from engine.errors import CorruptData


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite")
    yield opened
    opened.close()


def fill(journal: Journal, count: int) -> None:
    start = journal.last_sequence
    journal.append_inputs([(start + i, f"input {start + i}".encode()) for i in range(1, count + 1)]).result()


def test_inputs_come_back_in_order_and_survive_a_reopen(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = Journal(path)
    fill(first, 5)
    first.close()
    second = Journal(path)
    assert second.last_sequence == 5
    fill(second, 3)
    rows = list(second.read_inputs(after=2))
    second.close()
    assert [number for number, _ in rows] == [3, 4, 5, 6, 7, 8]
    assert rows[0][1] == b"input 3"


def test_a_resolved_future_means_another_connection_sees_the_row(journal: Journal) -> None:
    fill(journal, 1)
    connection = sqlite3.connect(journal.path)
    assert connection.execute("SELECT count(*) FROM inputs").fetchone() == (1,)
    connection.close()


def test_every_commit_is_forced_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[aiosqlite.Connection] = []

    def connect(*arguments: Any, **named: Any) -> aiosqlite.Connection:
        made.append(plain(*arguments, **named))
        return made[-1]

    async def ask(pragma: str) -> object:
        async with made[0].execute(f"PRAGMA {pragma}") as cursor:
            row = await cursor.fetchone()
        assert row is not None
        return row[0]

    plain = aiosqlite.connect
    monkeypatch.setattr(aiosqlite, "connect", connect)
    journal = Journal(tmp_path / "journal.sqlite")
    try:
        answers = [asyncio.run_coroutine_threadsafe(ask(p), journal._loop) for p in ("synchronous", "journal_mode")]
        assert [answer.result(30) for answer in answers] == [2, "wal"], "2 is FULL: a power cut loses nothing"
    finally:
        journal.close()


def test_a_gap_in_the_sequence_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError) as refused:
        journal.append_inputs([(2, b"too far")])
    assert refused.value.field == "sequence"
    assert refused.value.limit == 1


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE inputs SET data = X'00' WHERE sequence = 4",
        "UPDATE inputs SET digest = X'00' WHERE sequence = 4",
        "DELETE FROM inputs WHERE sequence = 4",
    ],
)
def test_a_damaged_row_is_named_and_rows_before_it_are_read(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    fill(journal, 6)
    journal.close()
    connection = sqlite3.connect(path)
    connection.execute(damage)
    connection.commit()
    connection.close()
    seen: list[int] = []
    with pytest.raises(CorruptData) as refused:
        seen.extend(number for number, _ in read_chain(path, "inputs", 0))
    assert seen == [1, 2, 3]
    assert refused.value.value in (4, 5)
    before = path.read_bytes()
    with pytest.raises(CorruptData, match="does not continue the chain"):
        Journal(path)
    assert path.read_bytes() == before, "nothing is added to it"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(CorruptData) as refused:
        Journal(path)
    assert refused.value.field == "journal"
    assert path.read_bytes().startswith(b"not a database"), "the file is left as it was"


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    connection.commit()
    connection.close()
    with pytest.raises(JournalError) as refused:
        Journal(path)
    assert refused.value.field == "format"


def test_blocks_are_chained_like_inputs(journal: Journal) -> None:
    for number in range(1, 5):
        journal.append_block(number, f"block {number}".encode())
    assert [n for n, *_ in journal.read_blocks(after=1)] == [2, 3, 4]
    assert [n for n, *_ in journal.read_blocks()] == [1, 2, 3, 4]


def test_the_body_of_a_block_is_checked_and_may_be_gone(journal: Journal) -> None:
    for number in (1, 2, 3):
        journal.append_block(number, b"head", f"body {number}".encode())
    connection = sqlite3.connect(journal.path)
    connection.execute("UPDATE l1_blocks SET body = NULL WHERE number = 1")
    connection.execute("UPDATE l1_blocks SET body = X'00' WHERE number = 2")
    connection.commit()
    connection.close()
    assert list(journal.read_blocks(bodies_from=3)) == [(1, b"head", None), (2, b"head", None), (3, b"head", b"body 3")]
    with pytest.raises(CorruptData, match="row 2 has a damaged body"):
        list(journal.read_blocks())


def test_checkpoints_keep_the_newest_and_skip_damaged_ones(journal: Journal) -> None:
    for sequence in (10, 20, 30):
        journal.write_checkpoint(sequence, f"state {sequence}".encode())
    assert [n for n, _ in journal.checkpoints()] == [30, 20]
    connection = sqlite3.connect(journal.path)
    connection.execute("UPDATE checkpoints SET data = X'01' WHERE sequence = 30")
    connection.commit()
    connection.close()
    assert list(journal.checkpoints()) == [(20, b"state 20")]


def test_a_closed_journal_takes_no_writes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.close()
    with pytest.raises(JournalClosed):
        journal.append_inputs([(1, b"late")])


def test_meta_is_set_once(journal: Journal) -> None:
    journal.set_meta("config", b"one")
    journal.set_meta("config", b"one")
    with pytest.raises(JournalError):
        journal.set_meta("config", b"two")
    assert journal.get_meta("config") == b"one"


def test_a_failed_commit_stops_the_journal_and_says_why(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    fill(journal, 1)
    connection = sqlite3.connect(journal.path)
    connection.execute("DROP TABLE inputs")
    connection.commit()
    connection.close()
    with pytest.raises(JournalError, match="commit failed"):
        journal.append_inputs([(2, b"nowhere to go")]).result()
    with pytest.raises(JournalClosed):
        journal.append_inputs([(3, b"after the failure")])
    with pytest.raises(JournalError):
        journal.close()


def hold_write_lock(path: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Another process in a write transaction, as a database browser or a backup tool is; it says when it has begun."""
    program = (
        "import sqlite3, sys, time\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True)\n"
        "time.sleep(float(sys.argv[2]))\n"
        "c.execute('COMMIT')\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(path), str(seconds)], stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    return other


def test_another_process_that_writes_delays_and_does_not_halt(journal: Journal) -> None:
    fill(journal, 1)
    with hold_write_lock(journal.path, 6) as other:
        waiting = journal.append_inputs([(2, b"waits")])
        with pytest.raises(TimeoutError):
            waiting.result(2)
        (words,) = journal.messages()
        assert words.startswith("another process keeps the journal: nothing is taken for ")
        waiting.result(30)
        assert other.wait(10) == 0
    (words,) = journal.messages()
    assert words.startswith("another process kept the journal: nothing was taken for ")
    assert [number for number, _ in journal.read_inputs()] == [1, 2]


def test_the_wait_for_another_process_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.journal.BUSY_SECONDS", 1.5)
    journal = Journal(tmp_path / "journal.sqlite")
    with hold_write_lock(journal.path, 30) as other:
        with pytest.raises(JournalError, match="commit failed: database is locked"):
            journal.append_inputs([(1, b"never")]).result(20)
        other.kill()
    with pytest.raises(JournalError):
        journal.close()


@pytest.mark.parametrize("table", ["inputs", "l1_blocks"])
@pytest.mark.parametrize("column", ["data", "digest"])
@pytest.mark.parametrize("value", ["5", "'text'", "2.5"])
def test_a_column_of_another_type_is_a_typed_error(tmp_path: Path, table: str, column: str, value: str) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    fill(journal, 3)
    for number in (1, 2, 3):
        journal.append_block(number, b"head")
    journal.close()
    key = CHAINED[table]
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE {table} SET {column} = {value} WHERE {key} = 2")
    connection.commit()
    connection.close()
    with pytest.raises(CorruptData, match="row 2 "):
        list(read_chain(path, table, 0))
    with pytest.raises(CorruptData, match="row 2 "):
        Journal(path)


def test_a_checkpoint_of_another_type_is_passed_over(journal: Journal) -> None:
    for sequence in (10, 20):
        journal.write_checkpoint(sequence, f"state {sequence}".encode())
    connection = sqlite3.connect(journal.path)
    connection.execute("UPDATE checkpoints SET data = 5 WHERE sequence = 20")
    connection.commit()
    connection.close()
    assert list(journal.checkpoints()) == [(10, b"state 10")]
