"""Test keys from the seed; user keys in encrypted key files."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import get_args

import pytest
from eth_account import Account

from engine.errors import UnknownName
from engine.settlement.chain.transactions import SECP256K1_ORDER, address_of
from engine.settlement.errors import KeyFileError
from engine.settlement.keys.keys import (
    DEMO_KEY_NAME,
    DEMO_PASSPHRASE_NAME,
    MAX_SCRYPT_N,
    SCRYPT_N,
    Role,
    create_key_file,
    demo_key,
    key_file_address,
    role_key,
    unlock_key_file,
)

SECRET = b"\x46" * 32


def test_role_keys_differ_by_role_and_seed_and_stay_the_same() -> None:
    keys = {role_key(seed, role) for seed in (1, 2, 11) for role in get_args(Role)}
    assert len(keys) == 3 * len(get_args(Role))
    assert all(0 < int.from_bytes(key, "big") < SECP256K1_ORDER for key in keys)
    assert address_of(role_key(1, "deployer")).hex() == "a67c8bca057b8dc8f8826f2fa3c5409a443c41bd"
    with pytest.raises(UnknownName, match="deployer, insurance, maker, operator, taker"):
        role_key(1, "owner")  # type: ignore[arg-type]


def test_a_key_file_is_an_ordinary_keystore(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "key.json"
    key = create_key_file(path, "correct horse", SECRET)
    assert key.address == address_of(SECRET) == key_file_address(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = json.loads(path.read_text())
    assert (content["version"], content["crypto"]["kdf"]) == (3, "scrypt")
    assert content["crypto"]["kdfparams"]["n"] == SCRYPT_N
    assert bytes(Account.decrypt(content, "correct horse")) == SECRET
    assert unlock_key_file(path, "correct horse") == key
    assert SECRET.hex() not in path.read_text()
    assert SECRET.hex() not in repr(key)
    assert list(path.parent.iterdir()) == [path]


def test_generated_keys_differ(tmp_path: Path) -> None:
    first, second = (create_key_file(tmp_path / name, "x") for name in ("a", "b"))
    assert first.secret != second.secret


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text("precious")
    with pytest.raises(KeyFileError, match="exists already") as refused:
        create_key_file(path, "x", SECRET)
    assert refused.value.field == "file"
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_place_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="cannot be written"):
        create_key_file(tmp_path / "file" / "folder" / "key.json", "x", SECRET)


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(KeyFileError, match="disk full"):
        create_key_file(tmp_path / "key.json", "x", SECRET)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict:
    path = tmp_path_factory.mktemp("keys") / "key.json"
    create_key_file(path, "pass", SECRET)
    return json.loads(path.read_text())


def changed(content: dict, place: str, value: object) -> dict:
    copy = json.loads(json.dumps(content))
    *parents, last = place.split(".")
    inner = copy
    for name in parents:
        inner = inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copy


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        ("version", 1, "version"),
        ("version", None, "version"),
        ("crypto", None, "crypto"),
        ("crypto", "x", "crypto"),
        ("address", "zz", "address"),
        ("address", "00" * 19, "address"),
        ("address", None, "address"),
        ("address", "00" * 20, "address"),
        ("crypto.kdfparams", None, "crypto.kdfparams"),
        ("crypto.kdfparams.n", MAX_SCRYPT_N * 2, "crypto.kdfparams.n"),
        ("crypto.kdfparams.n", 0, "crypto.kdfparams.n"),
        ("crypto.kdfparams.n", "many", "crypto.kdfparams.n"),
        ("crypto.kdfparams.n", None, "crypto"),
        ("crypto.kdfparams.r", 10**9, "crypto.kdfparams.r"),
        ("crypto.kdfparams.salt", "zz", "crypto"),
        ("crypto.kdf", "magic", "crypto"),
        ("crypto.cipher", "rot13", "crypto.cipher"),
        ("crypto.cipherparams.iv", None, "crypto"),
        ("crypto.ciphertext", "00" * 32, "passphrase"),
        ("crypto.mac", "00" * 32, "passphrase"),
        ("crypto.mac", 5, "crypto"),
    ],
)
def test_a_corrupt_key_file_names_file_and_field(
    tmp_path: Path, good: dict, place: str, value: object, field: str
) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(changed(good, place, value)))
    before = path.read_bytes()
    with pytest.raises(KeyFileError) as refused:
        unlock_key_file(path, "pass")
    assert refused.value.field == field
    assert str(path) in str(refused.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"null", b'"x"'])
def test_no_key_file_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match="key.json") as refused:
        unlock_key_file(path, "pass")
    assert refused.value.field == "file"


def test_a_missing_file_and_a_wrong_passphrase(tmp_path: Path, good: dict) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        unlock_key_file(tmp_path / "none.json", "pass")
    path = tmp_path / "key.json"
    path.write_text(json.dumps(good))
    with pytest.raises(KeyFileError, match="does not open") as refused:
        unlock_key_file(path, "Pass")
    assert refused.value.field == "passphrase"


def test_demo_key_is_made_once_with_its_labelled_passphrase(tmp_path: Path) -> None:
    key = demo_key(tmp_path)
    passphrase = tmp_path / DEMO_PASSPHRASE_NAME
    for path in (tmp_path / DEMO_KEY_NAME, passphrase):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "demo key" in passphrase.read_text()
    assert "test tokens only" in passphrase.read_text()
    assert demo_key(tmp_path) == key
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([DEMO_KEY_NAME, DEMO_PASSPHRASE_NAME])


def test_a_crash_between_passphrase_and_key_is_completed(tmp_path: Path) -> None:
    demo_key(tmp_path)
    (tmp_path / DEMO_KEY_NAME).unlink()
    kept = (tmp_path / DEMO_PASSPHRASE_NAME).read_text()
    key = demo_key(tmp_path)
    assert (tmp_path / DEMO_PASSPHRASE_NAME).read_text() == kept
    assert demo_key(tmp_path) == key


def test_a_demo_key_without_its_passphrase_is_reported_and_kept(tmp_path: Path) -> None:
    demo_key(tmp_path)
    passphrase, key_path = tmp_path / DEMO_PASSPHRASE_NAME, tmp_path / DEMO_KEY_NAME
    kept = key_path.read_bytes()
    passphrase.unlink()
    with pytest.raises(KeyFileError, match=DEMO_PASSPHRASE_NAME):
        demo_key(tmp_path)
    passphrase.write_text("# only a comment\n")
    with pytest.raises(KeyFileError, match="0 lines") as refused:
        demo_key(tmp_path)
    assert refused.value.field == "passphrase"
    assert key_path.read_bytes() == kept
