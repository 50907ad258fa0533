"""``make`` finds a Python that suits, lets uv bring one, or says in one line what to do; on a PATH made up for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from app.paths import ROOT

MAKE = shutil.which("make")
NEEDED = ("sh", "touch")
pytestmark = pytest.mark.skipif(MAKE is None, reason="there is no make")


class Machine:
    """A PATH with these programs alone; each writes its name and arguments to a file."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.calls = folder / "calls"
        self.venv = folder / "venv"
        for name in NEEDED:
            (self.programs / name).symlink_to(str(shutil.which(name)))

    def has(self, name: str, *, suits: bool = True, venv: bool = True) -> None:
        """A Python: ``suits`` is whether it is 3.11 or 3.12 (or runs at all), ``venv`` whether it has that module."""
        body = f'case "$1" in -c) exit {0 if suits else 1};; esac'
        self.program(name, body + ("" if venv else "; exit 1"))

    def program(self, name: str, body: str = "") -> None:
        path = self.programs / name
        make = 'for word; do last=$word; done; /bin/mkdir -p "$last"'
        path.write_text(f'#!/bin/sh\n{body}\necho "{name} $*" >> {self.calls}\n{make}\n')
        path.chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        target = self.venv / ".venv"
        return subprocess.run(
            [str(MAKE), "--no-print-directory", f"VENV={self.venv}", *arguments, str(target)],
            cwd=ROOT, env={"PATH": str(self.programs)}, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3", "python"])
def test_any_python_that_suits_makes_the_environment_once(machine: Machine, name: str) -> None:
    machine.has(name)
    for _ in range(2):
        assert machine.make().returncode == 0
    assert machine.called() == [f"{name} -m venv {machine.venv}"]


def test_one_that_does_not_suit_or_does_not_run_is_passed_over(machine: Machine) -> None:
    machine.has("python3.11", suits=False)  # a version manager's stand-in for a version that is not there
    machine.has("python3", suits=False)
    machine.has("python3.12")
    assert machine.make().returncode == 0
    assert machine.called() == [f"python3.12 -m venv {machine.venv}"]


def test_where_the_system_has_only_another_version_uv_brings_one(machine: Machine) -> None:
    machine.has("python3", suits=False)
    machine.program("uv")
    done = machine.make()
    assert (done.returncode, done.stderr) == (0, "")
    assert machine.called() == [f"uv venv --quiet --seed --allow-existing --python 3.12 {machine.venv}"]


def test_without_uv_one_line_says_what_to_do(machine: Machine) -> None:
    machine.has("python3", suits=False)
    done = machine.make()
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(said) == 1
    for word in ("Python 3.11 or 3.12", "pipx install uv", "pip install uv", "make PYTHON="):
        assert word in said[0]
    assert machine.called() == []
    assert not (machine.venv / ".venv").exists()


def test_a_named_python_is_taken_or_refused_by_name(machine: Machine) -> None:
    machine.has("python3.11")
    machine.has("mine")
    machine.has("old", suits=False)
    done = machine.make("PYTHON=old")
    assert done.returncode == 2
    assert "PYTHON=old is neither, or does not run" in done.stderr
    assert machine.make("PYTHON=mine").returncode == 0
    assert machine.called() == [f"mine -m venv {machine.venv}"]


def test_a_python_without_venv_names_the_package(machine: Machine) -> None:
    machine.has("python3.11", venv=False)
    done = machine.make()
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stderr
