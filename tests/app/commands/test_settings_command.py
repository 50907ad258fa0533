"""``main.py settings``: what may be set, what it is, where that comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import cli
from app.settings import SETTINGS, keys


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(["settings", *arguments, "--data", str(tmp_path / "data")])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_the_list_names_value_origin_and_range(call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("set", "speed", "2")[0] == 0
    monkeypatch.setenv("PROOFLINE_PROFILE", "frugal")
    status, out, _ = call()
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert status == 0
    assert list(lines)[:-1] == keys()
    assert " ".join(lines["speed"].split()) == (
        "speed Clock speed at start 2 file [0.1 to 600 venue seconds per second]"
    )
    assert "environment PROOFLINE_PROFILE" in lines["profile"]
    assert "default" in lines["theme"]
    assert lines["file:"] == f"file: {tmp_path / 'data' / 'settings.toml'}"


def test_the_list_as_json_holds_everything_but_secrets(call) -> None:
    call("set", "l1", "http://me:hunter2@127.0.0.1:8545")
    for arguments in (("--json",), ("list", "--json")):
        listed = json.loads(call(*arguments)[1])
        records = {record["key"]: record for record in listed["settings"]}
        assert set(records) == {setting.key for setting in SETTINGS}
        assert records["speed"]["low"] == 0.1
        assert records["profile"]["choices"] == ["quick", "frugal"]
        assert records["l1"]["value"] == "http://127.0.0.1:8545/..."
        assert records["l1"]["origin"] == "file"
    assert "hunter2" not in call()[1]
    assert call("get", "l1")[1] == "http://me:hunter2@127.0.0.1:8545\n", "whoever asks for it by name gets it"


def test_get_set_and_reset(call, tmp_path: Path) -> None:
    assert call("get", "speed") == (0, "1\n", "")
    assert call("set", "speed", "2.5")[0] == 0
    assert call("get", "speed") == (0, "2.5\n", "")
    assert call("reset", "speed")[0] == 0
    assert call("get", "speed") == (0, "1\n", "")
    assert call("get", "cluster") == (0, "\n", "")


def test_looking_makes_no_folder(call, tmp_path: Path) -> None:
    for arguments in ((), ("get", "speed"), ("--json",)):
        assert call(*arguments)[0] == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("set", "speed", "9000"), 1, "speed is 9000; it must be 0.1 to 600 venue seconds per second"),
        (("set", "speed", "fast"), 1, "speed is 'fast'; it must be a number"),
        (("set", "sped", "1"), 2, "unknown setting 'sped'; valid: cluster, l1, log-level"),
        (("get", "sped"), 2, "unknown setting 'sped'"),
        (("reset", "sped"), 2, "unknown setting 'sped'"),
        (("set", "l1", "nowhere"), 1, "'nowhere' is not the address of a node"),
    ],
)
def test_wrong_ones_are_refused_and_nothing_is_written(
    call, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    got, out, err = call(*arguments)
    assert (got, out) == (status, "")
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_variable_that_comes_first_is_told(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFLINE_SPEED", "3")
    out = call("set", "speed", "2")[1]
    assert "but PROOFLINE_SPEED in the environment says 3, which comes first" in out


def test_a_bad_file_stops_what_would_read_it_and_doctor_names_it(
    call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.toml").write_text("speed = 'fast'\n")
    data = ["--data", str(tmp_path / "data")]
    assert cli.run(["run", "round-trip", *data]) == 1
    assert "settings.toml: speed is 'fast'; it must be a number" in capsys.readouterr().err
    assert cli.run(["doctor", *data]) == 1
    assert f"BAD  {tmp_path / 'data' / 'settings.toml'}: speed is 'fast'" in capsys.readouterr().out
    assert cli.run(["settings", "reset", "speed", *data]) == 0
    assert cli.run(["doctor", *data]) == 0
