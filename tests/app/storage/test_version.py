"""Folders of every version: others are told apart, left as they are and exported; the present one replays."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pytest

from app import cli
from app.paths import Paths, open_paths
from app.storage.folder_checks import OtherVersion
from app.storage.journal_file import FORMAT
from app.storage.version import Version, build_version, stored_version
from app.venue.replay import replay
from app.venue.session import open_session
from tests.support import venue_fixture
from tests.support.app_world import SMALL, opened

PRESENT = [name for name in venue_fixture.names() if venue_fixture.expected(name)["rules"] == build_version().rules]
OTHERS = [name for name in venue_fixture.names() if name not in PRESENT]


def call(*arguments: str) -> int:
    return cli.run(list(arguments))


@pytest.fixture
def paths(tmp_path: Path, request: pytest.FixtureRequest) -> Paths:
    return open_paths(venue_fixture.unpack(request.param, tmp_path / "venue"))


def contents(folder: Path) -> dict[str, bytes]:
    """All files that hold something; reading leaves an empty log and an index beside a journal."""
    found = {path for path in folder.rglob("*") if path.is_file() and path.name not in ("lock", "journal.sqlite-shm")}
    return {str(path.relative_to(folder)): data for path in found if (data := path.read_bytes())}


def test_there_is_a_folder_of_the_present_version() -> None:
    words = "the rules, contracts or statement changed: docs/extending.md, 'A change of the rules', says what to do"
    assert len(PRESENT) == 1, words
    noted, build = venue_fixture.expected(PRESENT[0]), build_version()
    assert (noted["contracts"], noted["statement"]) == (build.contracts, build.statement), words


@pytest.mark.parametrize("paths", PRESENT, indirect=True)
def test_the_folder_of_the_present_version_replays_to_its_figures(paths: Paths) -> None:
    noted, outcome = venue_fixture.expected(PRESENT[0]), replay(paths)
    assert {key: outcome[key] for key in ("inputs", "fills", "fills_digest", "live_root")} == {
        key: noted[key] for key in ("inputs", "fills", "fills_digest", "live_root")
    }, "the rules changed and their version did not: docs/extending.md, 'A change of the rules'"
    open_session(paths).close()


@pytest.mark.parametrize("paths", OTHERS, indirect=True)
def test_a_folder_of_another_version_is_told_apart_and_left_as_it_is(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(paths.data)
    with pytest.raises(OtherVersion) as refused:
        open_session(paths)
    fresh = paths.data.with_name("venue-2")
    assert refused.value.fresh == fresh
    assert not fresh.exists(), "a fresh venue is offered, not made"
    assert call("replay", "--data", str(paths.data)) == 1
    assert call("doctor", "--data", str(paths.data)) == 1
    said = capsys.readouterr()
    for text in (said.err, said.out):
        assert f"was made by another version of this program ({stored_version(paths.journal).words()})" in text
        assert f"this one has {build_version().words()} and cannot go on with it or replay it" in text
        assert f"main.py export FOLDER --data {paths.data}" in text
        assert f"main.py --data {fresh}" in text
    assert contents(paths.data) == before


@pytest.mark.parametrize("paths", venue_fixture.names(), indirect=True)
def test_history_of_any_version_is_exported(
    paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    noted = venue_fixture.expected(request.node.callspec.params["paths"])
    target, before = tmp_path / "out", contents(paths.data)
    assert call("export", str(target), "--data", str(paths.data)) == 0
    assert f"{noted['inputs']} inputs, {noted['commands']} of them commands" in capsys.readouterr().out
    lines = [json.loads(line) for line in (target / "inputs.jsonl").read_text().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, noted["inputs"] + 1))
    assert {"ClockStep", "L1Block", "PlaceOrder", "RequestWithdrawal"} == {line["kind"] for line in lines}
    with (target / "commands.csv").open(newline="") as sheet:
        rows = list(csv.DictReader(sheet))
    assert [(row["kind"], row["client_id"]) for row in rows] == [
        ("PlaceOrder", "first"),
        ("PlaceOrder", "resting"),
        ("RequestWithdrawal", "out"),
    ]
    history = json.loads((target / "history.json").read_text())["accounts"]["16"]
    assert [line[1] for line in history["transfers"]] == ["deposit", "withdrawal", "deposit"]
    assert sum(fill[5] for fill in history["fills"]) == 7
    about = json.loads((target / "about.json").read_text())
    assert about["version"]["rules"] == noted["rules"]
    assert about["config"]["name"] == "Proofline demo venue"
    assert contents(paths.data) == before
    assert call("export", str(target), "--data", str(paths.data)) == 1
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize("paths", OTHERS[:1], indirect=True)
def test_an_export_says_which_rows_are_damaged(paths: Paths, tmp_path: Path, capsys) -> None:
    connection = sqlite3.connect(paths.journal)
    connection.execute("UPDATE inputs SET data = X'C1' WHERE sequence = 20")
    connection.execute("UPDATE inputs SET data = 5 WHERE sequence = 25")
    connection.commit()
    connection.close()
    assert call("export", str(tmp_path / "out"), "--data", str(paths.data)) == 1
    said = capsys.readouterr().out
    assert "2 inputs do not decode" in said
    assert "input 20 does not continue the digest chain" in said
    lines = [json.loads(line) for line in (tmp_path / "out" / "inputs.jsonl").read_text().splitlines()]
    assert lines[19] == {"sequence": 20, "undecoded": "c1"}


def set_version(paths: Paths, text: bytes | None, journal_format: bytes = str(FORMAT).encode()) -> None:
    connection = sqlite3.connect(paths.journal)
    connection.execute("DELETE FROM meta WHERE key = 'version'")
    if text is not None:
        connection.execute("INSERT INTO meta VALUES ('version', ?)", (text,))
    connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (journal_format,))
    connection.commit()
    connection.close()


def test_each_part_of_the_version_counts(folder: Path) -> None:
    import msgspec

    paths, build = open_paths(folder), build_version()
    assert stored_version(paths.journal) == build
    for change in ({"rules": build.rules + 1}, {"contracts": "00" * 32}, {"statement": "00" * 32}):
        other = msgspec.structs.replace(build, **change)
        set_version(paths, msgspec.json.encode(other))
        with pytest.raises(OtherVersion) as refused, opened(folder):
            pass
        assert refused.value.stored == other
    set_version(paths, None)
    with pytest.raises(OtherVersion) as refused, opened(folder):
        pass
    assert refused.value.stored == Version(format=FORMAT)
    set_version(paths, msgspec.json.encode(build), b"99")
    with pytest.raises(OtherVersion, match="journal format 99"), opened(folder):
        pass
    set_version(paths, msgspec.json.encode(build))
    with opened(folder):
        pass


def test_the_fresh_folder_is_the_same_one_again_and_never_one_in_use(tmp_path: Path) -> None:
    old = open_paths(venue_fixture.unpack("rules-1", tmp_path / "venue"))
    venue_fixture.unpack("rules-1", tmp_path / "venue-2")
    with pytest.raises(OtherVersion) as refused:
        open_session(old, SMALL)
    assert refused.value.fresh == tmp_path / "venue-3"
    with opened(refused.value.fresh):
        pass
    with pytest.raises(OtherVersion) as refused:
        open_session(old, SMALL)
    assert refused.value.fresh == tmp_path / "venue-3"


def test_a_start_of_another_version_that_came_to_nothing_is_made_anew(tmp_path: Path) -> None:
    paths = open_paths(tmp_path / "venue")
    connection = sqlite3.connect(paths.journal)
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
    for table, key in (("inputs", "sequence"), ("l1_blocks", "number"), ("checkpoints", "sequence")):
        connection.execute(f"CREATE TABLE {table} ({key} INTEGER PRIMARY KEY, data BLOB, digest BLOB)")
    connection.execute("INSERT INTO meta VALUES ('format', '1')")
    connection.commit()
    connection.close()
    with opened(paths.data):
        assert stored_version(paths.journal) == build_version()
