"""``fill DIR``: all vectors or none, nothing else overwritten, and a line of its own for every way to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import cli
from engine.vectors import catalogue, fill
from engine.vectors.scenarios.scenario import scenario
from engine.vectors.story import Story, shows


@scenario(given="nothing", when="a second passes", then="nothing happens")
def quiet(story: Story) -> None:
    shows(not story.clock(), "nothing")


@scenario(given="nothing", when="a second passes", then="somebody trades")
def broken(story: Story) -> None:
    shows(bool(story.clock()), "a fill")


@pytest.fixture(autouse=True)
def one_short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fill, "SCENARIOS", (quiet,))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_writes_into_a_new_folder_and_again_into_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "a" / "b"
    assert cli.run(["fill", str(target)]) == 0
    first = (target / "quiet.json").read_bytes()
    assert capsys.readouterr().out == f"1 vectors, {len(first):,} bytes, in {target}\n"
    (target / "quiet.json").write_bytes(first[:100])  # cut short, or with a merge's marks in it: still ours
    assert cli.run(["fill", str(target)]) == 0
    assert (target / "quiet.json").read_bytes() == first
    assert names(target) == ["quiet.json"]


def test_a_vector_that_no_story_tells_is_named_and_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fill", str(tmp_path)]) == 0
    os.rename(tmp_path / "quiet.json", tmp_path / "old.json")
    (tmp_path / "other.json").write_text("{}")
    assert cli.run(["fill", str(tmp_path)]) == 0
    assert f"{tmp_path / 'old.json'} is a vector that no story tells" in capsys.readouterr().out
    assert names(tmp_path) == ["old.json", "other.json", "quiet.json"]


@pytest.mark.parametrize("content", [b"", b"mine", b'{"format":"else"}'])
def test_another_file_is_not_overwritten(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "quiet.json").write_bytes(content)
    assert cli.run(["fill", str(tmp_path)]) == 1
    assert "quiet.json is no vector and is not overwritten" in capsys.readouterr().err
    assert (tmp_path / "quiet.json").read_bytes() == content
    assert names(tmp_path) == ["quiet.json"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere.json"
    assert cli.run(["fill", str(folder)]) == 0
    os.rename(folder / "quiet.json", elsewhere)
    os.symlink(elsewhere, folder / "quiet.json")
    before = elsewhere.read_bytes()
    assert cli.run(["fill", str(folder)]) == 1
    assert (folder / "quiet.json").is_symlink()
    assert elsewhere.read_bytes() == before


def test_what_is_no_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert cli.run(["fill", str(file)]) == 1
    assert capsys.readouterr().err == f"proofline: {file} is no folder\n"  # at once: before anything is compiled
    assert cli.run(["fill", str(file / "below")]) == 1
    assert f"proofline: {file / 'below'} cannot be written: Not a directory\n" in capsys.readouterr().err
    assert file.read_text() == "mine"
    with pytest.raises(SystemExit):
        cli.run(["fill"])
    assert "DIR" in capsys.readouterr().err


def test_a_story_that_shows_nothing_any_more_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fill", str(tmp_path)]) == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(fill, "SCENARIOS", (quiet, broken))
    assert cli.run(["fill", str(tmp_path)]) == 1
    assert "broken, input 1: not shown any more: a fill" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_disk_that_fails_half_way_leaves_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fill", str(tmp_path)]) == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert cli.run(["fill", str(tmp_path)]) == 1
    assert "cannot be written: No space left on device" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_names_of_stories_are_unique_and_can_be_files() -> None:
    told = [story.name for story in catalogue.SCENARIOS]
    assert len(set(told)) == len(told) > 30
    assert all(name.isidentifier() and name.islower() for name in told)
