"""The tip file: what was acknowledged stays known when the database has lost it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.storage.journal import Journal
from app.storage.tip import SLOT_SIZE, Tip, TipDamaged, TipFile, read_tip, tip_path
from app.storage.verify import AcknowledgedMissing, verify_journal
from engine.errors import CorruptData


def fill(journal: Journal, count: int) -> None:
    start = journal.last_sequence
    for i in range(1, count + 1):
        journal.append_inputs([(start + i, f"input {start + i}".encode())]).result()


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A journal as a killed process leaves it: ten inputs and two blocks, most of them in the write-ahead log."""
    journal = Journal(tmp_path / "open" / "journal.sqlite")
    fill(journal, 4)
    journal.append_block(1, b"one", b"its transactions")
    journal.append_block(2, b"two")
    fill(journal, 6)
    shutil.copytree(tmp_path / "open", tmp_path / "killed")
    journal.close()
    return tmp_path / "killed" / "journal.sqlite"


def test_the_tip_is_on_file_when_the_future_resolves(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    for number in range(1, 6):
        fill(journal, 1)
        assert read_tip(tip_path(journal.path))[:2] == (number, journal.digest)
    journal.append_block(3, b"block")
    assert read_tip(tip_path(journal.path)).block == 3
    assert read_tip(tip_path(journal.path)).sequence == 5
    journal.close()
    assert verify_journal(tmp_path / "journal.sqlite") == read_tip(tip_path(journal.path))


def test_a_killed_journal_goes_on_where_it_was(killed: Path) -> None:
    journal = Journal(killed)
    assert journal.last_sequence == 10
    fill(journal, 2)
    journal.close()
    assert verify_journal(killed).sequence == 12


def test_a_journal_ahead_of_its_tip_is_whole(killed: Path) -> None:
    """The process died between commit and tip: nobody had heard of that input."""
    before = read_tip(tip_path(killed))
    journal = Journal(killed)
    fill(journal, 1)
    journal.close()
    TipFile(tip_path(killed), before).close()
    assert verify_journal(killed).sequence == 11
    Journal(killed).close()
    assert read_tip(tip_path(killed)).sequence == 11


def test_a_log_that_is_gone_is_told_with_what_is_missing(killed: Path) -> None:
    killed.with_name("journal.sqlite-wal").unlink()
    before = killed.read_bytes()
    with pytest.raises(AcknowledgedMissing, match="acknowledged inputs 1 to 10 are missing") as refused:
        Journal(killed)
    assert (refused.value.first, refused.value.last) == (1, 10)
    assert killed.read_bytes() == before


def test_a_log_cut_in_the_middle_is_told_with_what_is_missing(killed: Path) -> None:
    log = killed.with_name("journal.sqlite-wal")
    whole = log.read_bytes()
    told = set()
    for share in range(20, 100, 5):
        log.write_bytes(whole[: len(whole) * share // 100])
        killed.with_name("journal.sqlite-shm").unlink(missing_ok=True)
        with pytest.raises(AcknowledgedMissing) as refused:
            verify_journal(killed)
        told.add((refused.value.table, refused.value.first, refused.value.last))
        assert len(log.read_bytes()) == len(whole) * share // 100, "what is left of it stays to be looked at"
    assert len(told) > 4
    assert {last for table, _, last in told if table == "inputs"} == {10}


@pytest.mark.parametrize("slot", [0, SLOT_SIZE])
def test_one_torn_slot_leaves_the_other(tmp_path: Path, slot: int) -> None:
    path = tmp_path / "journal.tip"
    older, newer = Tip(7, bytes([7] * 16), 3, bytes([3] * 16)), Tip(8, bytes([8] * 16), 3, bytes([3] * 16))
    file = TipFile(path, older)
    file.write(newer)
    file.close()
    data = bytearray(path.read_bytes())
    data[slot + 20] ^= 1
    path.write_bytes(data)
    assert read_tip(path) == (older if slot == 0 else newer)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"x" * 8192)])
def test_a_tip_that_is_gone_is_no_permission(killed: Path, damage) -> None:
    damage(tip_path(killed))
    with pytest.raises(TipDamaged, match=r"journal\.tip is (missing|damaged)"):
        Journal(killed)


def test_a_journal_of_another_venue_beside_the_tip_is_refused(killed: Path, tmp_path: Path) -> None:
    other = Journal(tmp_path / "other" / "journal.sqlite")
    other.append_inputs([(n, b"another course") for n in range(1, 13)]).result()
    other.close()
    shutil.copy(tip_path(killed), tip_path(other.path))
    with pytest.raises(CorruptData, match="inputs row 10 is not the one that was acknowledged"):
        Journal(other.path)
