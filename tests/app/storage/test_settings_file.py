"""The settings file: whole or not at all, its owner's only, read with a bound, and every fault in it named."""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import BadSetting
from app.storage import settings_file
from app.storage.settings_file import MAX_BYTES, SettingsFileError, change, read
from engine.errors import UnknownName


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "settings.toml"


def test_what_is_set_is_read_again_and_reset_takes_it_out(path: Path) -> None:
    assert read(path) == {}
    change(path, "speed", 2.5)
    change(path, "profile", "frugal")
    change(path, "speed", 10.0)
    assert read(path) == {"profile": "frugal", "speed": 10.0}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    comment = "# Clock speed at start: venue clock speed to start with. May be: 0.1 to 600 venue seconds per second."
    assert comment in path.read_text().splitlines()
    change(path, "profile", None)
    change(path, "theme", None)  # was not there: nothing to take out
    assert read(path) == {"speed": 10.0}
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.toml"], "no temporary file is left"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("sped = 1", "there is no setting 'sped'; valid: cluster, l1, log-level, profile, prover, speed, theme"),
        ("speed = 9000", "speed is 9000; it must be 0.1 to 600 venue seconds per second"),
        ("speed = '2'", "speed is '2'; it must be a number"),
        ("speed = true", "speed is True; it must be a number"),
        ("profile = 3", "profile is 3; it must be text in quotes"),
        ("[profile]\nname = 'quick'", "profile is {'name': 'quick'}; it must be text"),
        ("theme = 'blue'", "theme is 'blue'; it must be one of: remembered, dark, light"),
        ("l1 = 'nowhere'", "'nowhere' is not the address of a node"),
    ],
)
def test_a_fault_is_named_with_file_key_and_limit(path: Path, content: str, words: str) -> None:
    path.parent.mkdir()
    path.write_text(f"profile = 'quick'\n{content}\n" if not content.startswith(("profile", "[")) else content)
    with pytest.raises(BadSetting) as refused:
        read(path)
    assert refused.value.message.startswith(f"{path}: ")
    assert words in refused.value.message
    before = path.read_bytes()
    with pytest.raises(BadSetting):
        change(path, "log-level", "debug")
    assert path.read_bytes() == before, "nothing is written over a file that is not understood"


def test_a_faulty_key_can_be_set_right_or_taken_out(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("speed = 9000\n")
    change(path, "speed", 2.0)
    assert read(path) == {"speed": 2.0}
    path.write_text("sped = 1\nspeed = 3\n")
    change(path, "sped", None)
    assert read(path) == {"speed": 3.0}
    with pytest.raises(UnknownName, match="unknown setting 'sped'"):
        change(path, "sped", None)


@pytest.mark.parametrize(
    "content", [b"speed = ", b"\xff\xfe", b"speed = 1\nspeed = 2", b"a = " + b"[" * 20_000, b"\x00"]
)
def test_what_is_no_toml_is_refused_in_words(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SettingsFileError, match=r"settings\.toml is not TOML"):
        read(path)


def test_only_a_regular_file_of_bounded_size_is_read(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"# " + b"x" * (MAX_BYTES - 2))
    assert read(path) == {}
    path.write_bytes(b"# " + b"x" * (MAX_BYTES - 1))
    with pytest.raises(SettingsFileError, match="is larger than 64 KiB"):
        read(path)
    path.unlink()
    os.mkfifo(path)  # nobody writes into it: opening it plainly would wait for ever
    waiting = threading.Thread(target=lambda: pytest.raises(SettingsFileError, read, path), daemon=True)
    waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()
    with pytest.raises(SettingsFileError, match="is not a regular file"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(SettingsFileError, match="is not a regular file"):
        read(path)
    path.rmdir()
    (tmp_path / "elsewhere.toml").write_text("speed = 4")
    path.symlink_to(tmp_path / "elsewhere.toml")
    assert read(path) == {"speed": 4.0}, "a link to a file is how some keep theirs"


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(path, "speed", 2.0)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(settings_file.os, "fsync", full)
    with pytest.raises(SettingsFileError, match="cannot be written: No space left on device"):
        change(path, "speed", 3.0)
    assert read(path) == {"speed": 2.0}
    assert len(list(path.parent.iterdir())) == 1


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_survives_its_literal(text: str) -> None:
    assert tomllib.loads(f"key = {settings_file._literal(text)}") == {"key": text}


@given(st.floats(0.1, 600.0))
def test_any_number_survives_its_literal(number: float) -> None:
    assert tomllib.loads(f"key = {settings_file._literal(number)}") == {"key": number}
