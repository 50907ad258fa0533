"""``main.py desk`` where there is no display: one line says so, the round trip is played, report and pictures stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import ROOT
from ui import commands

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.mark.slow
@pytest.mark.timeout(600)  # a first launch compiles every kernel
def test_the_desk_plays_the_round_trip_on_the_terminal(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in DISPLAYS}
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "desk", "--data", str(tmp_path)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("No display")
    assert any(line.startswith("ok   claimed") for line in lines)
    assert not any(line.startswith("FAIL") for line in lines)
    said = dict(line.split(":", 1) for line in lines[-2:])
    report = json.loads(Path(said["report"].strip()).read_text())
    assert report["failures"] == []
    assert len(report["batches"]) >= 3
    pictures = sorted(path.name for path in Path(said["pictures"].strip()).iterdir())
    shown, sizes = ("desk", "inspector", "prover"), ("1280x800", "1920x1080")
    assert pictures == [f"{what}-{theme}-{size}.png" for what in shown for theme in ("dark", "light") for size in sizes]


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "w"}, True),
        ({"QT_QPA_PLATFORM": "offscreen"}, True),
    ],
)
def test_whether_there_is_a_display(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], found: bool) -> None:
    monkeypatch.setattr(commands.sys, "platform", "linux")
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert commands.has_display() == found
