"""``main.py desk`` where there is no display: one line says so, the round trip is played, report and pictures stay."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.paths import ROOT
from ui import display
from ui.display import missing_display

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


@pytest.fixture
def somebody_listens(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield path


def test_a_display_is_one_that_answers(somebody_listens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display.sys, "platform", "linux")
    monkeypatch.setattr(display, "X_SOCKETS", str(somebody_listens.parent / "X"))
    folder = {"XDG_RUNTIME_DIR": str(somebody_listens.parent)}
    assert missing_display({}) == "No display"
    assert missing_display({"QT_QPA_PLATFORM": "offscreen"}) == ""
    assert missing_display({"DISPLAY": ":0"}) == "The display :0 does not answer"
    somebody_listens.rename(somebody_listens.with_name("X7"))
    for name in (":7", ":7.0", "unix:7"):
        assert missing_display({"DISPLAY": name}) == ""
    assert missing_display({**folder, "WAYLAND_DISPLAY": "wayland-0"}) == "The display wayland-0 does not answer"
    assert missing_display({**folder, "WAYLAND_DISPLAY": "X7"}) == ""
    assert missing_display({**folder, "WAYLAND_DISPLAY": "gone", "DISPLAY": ":7"}) == ""


def test_a_display_of_another_machine_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display.sys, "platform", "linux")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(display, "X_PORT", port - 10)
        assert missing_display({"DISPLAY": "127.0.0.1:10.0"}) == ""
    assert missing_display({"DISPLAY": "127.0.0.1:10.0"}) == "The display 127.0.0.1:10.0 does not answer"
