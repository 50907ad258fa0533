"""The window's commands: what they are told by flags, environment and file is what the window and the venue get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import main
import ui.start
from app.proving.choice import ProvingChoice
from app.scenarios import play as playing

NODE = "http://127.0.0.1:8545"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Arguments of every start of the window, which is not opened."""
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(ui.start, "run", lambda *arguments: seen.append(arguments) or 0)
    return seen


@pytest.mark.parametrize("place", ["flag", "variable", "file", "default"])
def test_the_desk_starts_as_it_is_set(
    place: str, started: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {"speed": "2.5", "theme": "light", "l1": NODE, "profile": "frugal", "prover": "process"}
    arguments = ["desk", "--data", str(tmp_path)]
    for key, value in wanted.items():
        if place == "flag":
            arguments += [f"--{key}", value]
        elif place == "variable":
            monkeypatch.setenv(f"PROOFLINE_{key.upper()}", value)
        elif place == "file":
            assert main.main(["settings", "set", key, value, "--data", str(tmp_path)]) == 0
    assert main.main(arguments) == 0
    ((paths, speed, proving, l1, theme),) = started
    assert paths.data == tmp_path
    if place == "default":
        assert (speed, proving, l1, theme) == (1.0, ProvingChoice(), None, "")
    else:
        assert (speed, proving, l1, theme) == (2.5, ProvingChoice("frugal", "process"), NODE, "light")


@pytest.mark.parametrize("speed", ["0.09", "601", "nan"])
def test_a_speed_out_of_range_is_refused_before_anything_is_made(
    speed: str, started: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["desk", "--speed", speed, "--data", str(tmp_path / "new")]) == 1
    assert f"--speed is {speed}; it must be 0.1 to 600 venue seconds per second" in capsys.readouterr().err
    assert (started, (tmp_path / "new").exists()) == ([], False)


def test_a_scenario_gets_the_node_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def play(*arguments: Any, l1: str | None, **_: Any) -> dict[str, Any]:
        seen.append(l1)
        return {"data": str(tmp_path), "failures": []}

    monkeypatch.setattr(playing, "play", play)
    for arguments in (["--l1", NODE], []):
        assert main.main(["run", "round-trip", "--data", str(tmp_path), *arguments]) == 0
    assert seen == [NODE, None]
