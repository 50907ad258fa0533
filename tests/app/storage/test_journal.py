"""The journal: durable before the future resolves, chained, honest about corruption."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from app.storage.journal import Journal, JournalClosed, JournalError
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

    def connect(*arguments: Any) -> aiosqlite.Connection:
        made.append(plain(*arguments))
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
    reopened = Journal(path)
    seen: list[int] = []
    with pytest.raises(CorruptData) as refused:
        seen.extend(number for number, _ in reopened.read_inputs())
    reopened.close()
    assert seen == [1, 2, 3]
    assert refused.value.value in (4, 5)


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
    for number in range(4):
        journal.append_block(number, f"block {number}".encode())
    assert [n for n, _ in journal.read_blocks(after=1)] == [2, 3]
    assert [n for n, _ in journal.read_blocks()] == [0, 1, 2, 3]


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
