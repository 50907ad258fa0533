"""Damaged folders: each is refused in words, or nothing of what was acknowledged is lost or changed."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from app import cli
from app.paths import Paths, open_paths
from app.storage.folder_checks import JournalIncomplete, JournalMissing
from app.storage.journal_file import read_chain
from app.storage.tip import read_tip, tip_path
from app.storage.verify import AcknowledgedMissing
from tests.support import damage
from tests.support.app_world import opened


def call(*arguments: str) -> int:
    return cli.run(list(arguments))


@pytest.fixture(scope="module", params=[False, True], ids=["closed", "killed"])
def venue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> damage.Venue:
    return damage.make(tmp_path_factory.mktemp("damage"), killed=request.param)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> damage.Venue:
    return damage.make(tmp_path_factory.mktemp("killed"), killed=True)


@pytest.fixture
def left(killed: damage.Venue, tmp_path: Path) -> Paths:
    """A private copy of a folder whose venue was killed."""
    return open_paths(shutil.copytree(killed.folder, tmp_path / "venue"))


@pytest.mark.slow
def test_no_damage_opens_with_something_lost_or_changed(venue: damage.Venue, tmp_path: Path) -> None:
    dice, tally = random.Random(5), Counter[str]()
    for number in range(36):
        choices = damage.kinds(venue, dice)
        found, _ = damage.verdict(venue, choices[number % len(choices)], tmp_path, trade=number % 6 == 0)
        tally[found] += 1
    assert tally["refused"] > 5
    assert tally["same"] > 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inputs SET data = X'00' WHERE sequence = 5",
        "DELETE FROM inputs WHERE sequence = 5",
        "UPDATE inputs SET data = X'00' WHERE sequence = (SELECT max(sequence) FROM inputs)",
        "UPDATE inputs SET digest = zeroblob(16) WHERE sequence = (SELECT max(sequence) FROM inputs)",
        "DELETE FROM inputs WHERE sequence = (SELECT max(sequence) FROM inputs)",
        "UPDATE l1_blocks SET data = X'00' WHERE number = 2",
        "DELETE FROM l1_blocks WHERE number = (SELECT max(number) FROM l1_blocks)",
    ],
)
def test_damage_before_a_checkpoint_is_noticed_before_anything_is_added(left: Paths, statement: str, capsys) -> None:
    connection = sqlite3.connect(left.journal)
    connection.execute(statement)
    connection.commit()
    connection.close()
    before = left.journal.read_bytes()
    with pytest.raises(Exception, match="does not continue the chain|are missing") as refused, opened(left.data):
        pass
    assert left.journal.read_bytes() == before
    for command in ("replay", "doctor"):
        assert call(command, "--data", str(left.data)) == 1
        said = capsys.readouterr()
        assert refused.value.message in said.err + said.out  # type: ignore[attr-defined]


def test_a_log_that_is_gone_is_told_and_gone_on_without_only_when_asked(
    left: Paths, killed: damage.Venue, capsys: pytest.CaptureFixture[str]
) -> None:
    log = left.journal.with_name(damage.LOG)
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    left.journal.with_name("journal.sqlite-shm").unlink()
    last = len(killed.inputs)
    words = rf"acknowledged inputs \d+ to {last} are missing"
    with pytest.raises(JournalIncomplete, match=words) as refused, opened(left.data):
        pass
    cause = refused.value.cause
    assert isinstance(cause, AcknowledgedMissing)
    assert f"main.py recover --data {left.data}" in refused.value.message
    assert call("replay", "--data", str(left.data)) == 1
    assert refused.value.message in capsys.readouterr().err
    assert call("recover", "--data", str(left.data)) == 0
    said = capsys.readouterr().out
    assert f"lost: acknowledged inputs {cause.first} to {last}" in said
    assert left.journal.with_name(damage.LOG + ".before-recovery").exists()
    with opened(left.data) as session:
        assert session.loop.sequence >= cause.first - 1
        kept = dict(session.journal.read_inputs())
    assert {n: kept[n] for n in range(1, cause.first)} == {n: killed.inputs[n] for n in range(1, cause.first)}
    assert call("recover", "--data", str(left.data)) == 0
    assert "nothing is missing" in capsys.readouterr().out


def test_a_tip_that_is_gone_is_told_and_made_again_only_when_asked(left: Paths, killed: damage.Venue, capsys) -> None:
    tip = tip_path(left.journal)
    tip.unlink()
    with pytest.raises(JournalIncomplete, match=r"journal\.tip is missing"), opened(left.data):
        pass
    assert not tip.exists()
    assert call("recover", "--data", str(left.data)) == 0
    assert "what had been acknowledged is not known" in capsys.readouterr().out
    assert read_tip(tip).sequence == len(killed.inputs)
    with opened(left.data):
        pass


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "missing"])
@pytest.mark.parametrize("trace", ["all", "keys", "proofs", "tip"])
def test_a_missing_journal_is_asked_about_and_not_replaced(left: Paths, empty: bool, trace: str, capsys) -> None:
    for suffix in ("", "-wal", "-shm"):
        left.journal.with_name(left.journal.name + suffix).unlink(missing_ok=True)
    if empty:
        left.journal.touch()
    if trace not in ("all", "tip"):
        tip_path(left.journal).unlink()
    if trace not in ("all", "keys"):
        shutil.rmtree(left.keys)
    if trace not in ("all", "proofs"):
        shutil.rmtree(left.proofs)
    before = sorted(str(path) for path in left.data.rglob("*") if path.name != "lock")
    words = "is missing or empty, and .* is of a venue that had one"
    with pytest.raises(JournalMissing, match=words) as refused, opened(left.data):
        pass
    assert refused.value.fresh == left.data.with_name("venue-2")
    found = sorted(str(path) for path in left.data.rglob("*") if path.name != "lock")
    assert [path for path in found if not path.endswith(("keys", "proofs"))] == [
        path for path in before if not path.endswith(("keys", "proofs"))
    ]
    assert call("doctor", "--data", str(left.data)) == 1
    assert "is missing or empty" in capsys.readouterr().out


def test_a_checkpoint_of_another_venue_is_passed_over(left: Paths, tmp_path: Path, killed: damage.Venue) -> None:
    """The same sequence number, whole in itself, of other inputs."""
    other = damage.make(tmp_path / "other", killed=True)  # another key: other leaves, another root
    rows = sqlite3.connect(open_paths(other.folder).journal)
    found = rows.execute("SELECT sequence, data, digest FROM checkpoints ORDER BY sequence").fetchall()
    rows.close()
    connection = sqlite3.connect(left.journal)
    own = connection.execute("SELECT sequence FROM checkpoints ORDER BY sequence").fetchall()
    assert [row[:1] for row in found] == own
    for sequence, data, digest in found:
        connection.execute("UPDATE checkpoints SET data = ?, digest = ? WHERE sequence = ?", (data, digest, sequence))
    connection.commit()
    connection.close()
    with opened(left.data) as session:
        assert session.replayed >= len(killed.inputs), "every input was applied again"
        root = b"".join(limb.to_bytes(4, "big") for limb in session.loop.venue.live_root()).hex()
    assert root == killed.outcome["live_root"]


def test_a_checkpoint_of_a_wrong_type_does_not_keep_the_venue_closed(left: Paths, killed: damage.Venue) -> None:
    connection = sqlite3.connect(left.journal)
    connection.execute("UPDATE checkpoints SET data = 5")
    connection.commit()
    connection.close()
    with opened(left.data) as session:
        assert session.replayed >= len(killed.inputs)
    assert dict(read_chain(left.journal, "inputs", 0)).items() >= killed.inputs.items()
