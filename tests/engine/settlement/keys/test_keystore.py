"""Key files opened: the published vectors of Web3 Secret Storage, and files that another library wrote."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account

from engine.settlement.keys.keystore import WrongPassphrase, decrypt_keystore

SECRET = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
VECTORS: dict[str, dict[str, Any]] = {
    "pbkdf2": {
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "scrypt": {
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "p": 8,
            "r": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
}
"""The "Test Vectors" of the Web3 Secret Storage definition; passphrase "testpassword"."""


@pytest.mark.parametrize("name", VECTORS)
def test_the_published_vectors_open(name: str) -> None:
    assert decrypt_keystore(VECTORS[name], "testpassword").hex() == SECRET
    with pytest.raises(WrongPassphrase):
        decrypt_keystore(VECTORS[name], "testpasswore")


@pytest.mark.parametrize(("kdf", "iterations"), [("scrypt", 16), ("pbkdf2", 3)])
def test_what_eth_account_wrote_opens(kdf: str, iterations: int) -> None:
    written = Account.encrypt(bytes.fromhex(SECRET), "päss wörd", kdf=kdf, iterations=iterations)
    assert decrypt_keystore(written["crypto"], "päss wörd").hex() == SECRET


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kdf": "argon2"}, ValueError),
        ({"kdf": "pbkdf2"}, ValueError),
        ({"ciphertext": 7}, TypeError),
        ({"mac": "0x"}, WrongPassphrase),
        ({"kdfparams": {"dklen": 16, "n": 2, "r": 1, "p": 1, "salt": ""}}, ValueError),
        ({"kdfparams": {"dklen": 32, "n": 3, "r": 1, "p": 1, "salt": ""}}, ValueError),
        ({"cipherparams": {}}, KeyError),
    ],
)
def test_wrong_fields_are_errors(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        decrypt_keystore(VECTORS["scrypt"] | change, "testpassword")
