"""Opening an Ethereum key file of version 3 (Web3 Secret Storage): scrypt or PBKDF2, AES-128-CTR, Keccak MAC.

Files are written through eth-account. Reading is done here, because importing that library takes longer than opening
the file, and the desk opens one at every launch.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from Crypto.Cipher import AES
from Crypto.Protocol.KDF import scrypt

from engine.hashing.keccak import keccak256

KEY_BYTES = 32


class WrongPassphrase(ValueError):
    """The MAC does not match: another passphrase, or a changed file."""


def decrypt_keystore(crypto: dict[str, Any], passphrase: str) -> bytes:
    """The secret inside the ``crypto`` object of a key file.

    Raises :class:`WrongPassphrase`; ``KeyError``, ``TypeError`` or ``ValueError`` for a field that is missing or wrong.
    Work factors and cipher are the caller's to check.
    """
    key = _derive(crypto["kdf"], crypto["kdfparams"], passphrase.encode())
    ciphertext = _bytes(crypto["ciphertext"])
    if not hmac.compare_digest(keccak256(key[16:32] + ciphertext), _bytes(crypto["mac"])):
        raise WrongPassphrase("MAC mismatch")
    counter = _bytes(crypto["cipherparams"]["iv"])
    cipher = AES.new(key[:16], AES.MODE_CTR, nonce=b"", initial_value=counter)
    return bytes(cipher.decrypt(ciphertext))


def _derive(kdf: str, parameters: dict[str, Any], passphrase: bytes) -> bytes:
    salt, length = _bytes(parameters["salt"]), parameters["dklen"]
    if length < KEY_BYTES:
        raise ValueError(f"dklen is {length}; it must be {KEY_BYTES} at least")
    if kdf == "scrypt":
        n, r, p = parameters["n"], parameters["r"], parameters["p"]
        # hashlib's refuses n >= 2^16 with r = 1; this one's annotations say str where its documentation says bytes
        derive: Callable[..., bytes] = scrypt  # type: ignore[assignment]
        return derive(passphrase, salt, length, n, r, p)
    if kdf == "pbkdf2" and parameters.get("prf") == "hmac-sha256":
        return hashlib.pbkdf2_hmac("sha256", passphrase, salt, parameters["c"], length)
    raise ValueError(f"key derivation {kdf!r} is not known; it must be scrypt, or pbkdf2 with hmac-sha256")


def _bytes(text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not hex")
    return bytes.fromhex(text.removeprefix("0x"))
