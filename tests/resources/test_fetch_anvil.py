"""Fetching Anvil: once, and a failure is a reason that the skipped tests give, never a failure of the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from resources.setup import fetch_anvil

BINARY = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for Anvil, and an empty search path for programs."""
    monkeypatch.setattr(fetch_anvil, "FOLDER", tmp_path / "anvil")
    monkeypatch.setattr(fetch_anvil, "REASON", tmp_path / "anvil" / "why-not.txt")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def npm(place: Path, script: str) -> None:
    """An npm that runs this shell script, and says so in a file."""
    path = place / "bin" / "npm"
    path.write_text(f'#!/bin/sh\necho "$@" >> {place}/asked\n{script}\n')
    os.chmod(path, 0o755)


def test_without_npm_the_reason_is_kept(place: Path) -> None:
    assert "not fetched yet" in fetch_anvil.why_not()
    assert fetch_anvil.main() == 0
    assert fetch_anvil.why_not() == "there is no npm to fetch Anvil with"
    assert fetch_anvil.binary() is None


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'npm error network is down' >&2; exit 1", "npm cannot fetch Anvil: npm error network is down"),
        ("exit 0", "npm has no Anvil for this kind of machine"),
    ],
)
def test_a_failing_npm_fails_nothing_and_is_asked_again_the_next_time(place: Path, script: str, reason: str) -> None:
    npm(place, script)
    for times in (1, 2):
        assert fetch_anvil.main() == 0
        assert fetch_anvil.why_not() == reason
        assert len((place / "asked").read_text().splitlines()) == times


def test_what_is_there_is_not_fetched_again_until_another_is_pinned(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm(place, f"/bin/mkdir -p {Path(BINARY).parent} && : > {BINARY}")
    for _ in range(3):
        assert fetch_anvil.main() == 0
    assert fetch_anvil.binary() == place / "anvil" / BINARY
    assert not (place / "anvil" / "why-not.txt").exists()
    asked = (place / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert asked[0].startswith("ci --ignore-scripts")
    (tmp_path / "pinned").mkdir()
    for name in ("package.json", "package-lock.json"):
        (tmp_path / "pinned" / name).write_text("{}")
    monkeypatch.setattr(fetch_anvil, "PINNED", tmp_path / "pinned")
    assert fetch_anvil.main() == 0
    assert len((place / "asked").read_text().splitlines()) == 2


def test_what_is_pinned_is_one_version_with_its_hash_and_no_address() -> None:
    lock = (fetch_anvil.PINNED / "package-lock.json").read_text()
    assert '"version": "1.7.1"' in lock
    assert lock.count('"integrity": "sha512-') == 6
    assert "resolved" not in lock
    assert "://" not in lock
