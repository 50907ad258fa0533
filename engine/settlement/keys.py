"""Keys of L1 accounts: test keys derived from the seed, and users' encrypted key files (Ethereum keystore, version 3).

The derived keys of the roles below are test keys: anyone who knows the seed, which is in the configuration, has them.
A user's key lives only in its key file. The demo key is an ordinary key file whose generated passphrase lies beside it.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from engine.errors import UnknownName
from engine.hashing.keccak import keccak256
from engine.settlement.errors import KeyFileError
from engine.settlement.transactions import SECP256K1_ORDER, address_of

Role = Literal["deployer", "operator", "maker", "taker", "insurance"]
SCRYPT_N = 2**16  # with r = 8: 64 MiB, about 0.2 s to unlock on a slow core
MAX_SCRYPT_N = 2**19  # with r = 8: 512 MiB; geth's own files have half of it
_KDF_LIMITS = {"n": MAX_SCRYPT_N, "r": 8, "p": 4, "c": 10_000_000, "dklen": 64}
DEMO_KEY_NAME = "demo-key.json"
DEMO_PASSPHRASE_NAME = "demo-key.passphrase.txt"
_DEMO_LABEL = (
    "# Passphrase of the demo key beside this file. It was generated on first launch so that nothing had to be asked.\n"
    "# The demo key holds test tokens only; never send anything of value to its address.\n"
)


@dataclass(frozen=True, slots=True)
class UserKey:
    """An unlocked key: 20-byte address and 32-byte secret. The secret stays out of its printed form."""

    address: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"UserKey(0x{self.address.hex()})"


def role_key(seed: int, role: Role) -> bytes:
    """Test key of a role: Keccak-256 of a label, the role and the seed, brought into [1, n)."""
    if role not in get_args(Role):
        raise UnknownName("role", role, list(get_args(Role)))
    digest = keccak256(b"proofline-test-key-1|" + role.encode() + b"|" + str(seed).encode())
    return (int.from_bytes(digest, "big") % (SECP256K1_ORDER - 1) + 1).to_bytes(32, "big")


def create_key_file(path: Path, passphrase: str, secret: bytes | None = None) -> UserKey:
    """Write a new encrypted key file with mode 0600; an existing file is never overwritten.

    ``secret`` None generates one. Raises :class:`KeyFileError`.
    """
    from eth_account import Account

    if secret is None:
        secret = (secrets.randbelow(SECP256K1_ORDER - 1) + 1).to_bytes(32, "big")
    content = Account.encrypt(secret, passphrase, kdf="scrypt", iterations=SCRYPT_N)
    _write_new(path, msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
    return UserKey(address_of(secret), secret)


def key_file_address(path: Path) -> bytes:
    """The 20-byte address that a key file names, without unlocking it."""
    return _address(path, _read_json(path))


def unlock_key_file(path: Path, passphrase: str) -> UserKey:
    """Decrypt a key file; raises :class:`KeyFileError` naming the file and the field that is wrong."""
    from eth_account import Account

    content = _read_json(path)
    address = _address(path, content)
    _check_crypto(path, content["crypto"])
    try:
        secret = bytes(Account.decrypt(content, passphrase))
    except (KeyError, TypeError, ValueError, NotImplementedError) as error:
        if "MAC mismatch" in str(error):
            raise _refused(
                path, "passphrase", "does not open it (or crypto.mac or crypto.ciphertext changed)"
            ) from error
        raise _refused(path, "crypto", f"cannot be used: {type(error).__name__}: {error}") from error
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < SECP256K1_ORDER:
        raise _refused(path, "crypto.ciphertext", "holds no secp256k1 key")
    if address_of(secret) != address:
        raise _refused(path, "address", f"0x{address.hex()} is not the address of the key inside")
    return UserKey(address, secret)


def demo_key(folder: Path) -> UserKey:
    """The demo key in ``folder``, made on first use with a generated passphrase beside it (mode 0600, labelled).

    A half-made pair is completed only when no key exists yet; a key without its passphrase is reported, not replaced.
    """
    key_path, passphrase_path = folder / DEMO_KEY_NAME, folder / DEMO_PASSPHRASE_NAME
    if not key_path.exists():
        if not passphrase_path.exists():
            _write_new(passphrase_path, (_DEMO_LABEL + secrets.token_urlsafe(24) + "\n").encode())
        return create_key_file(key_path, _read_passphrase(passphrase_path))
    return unlock_key_file(key_path, _read_passphrase(passphrase_path))


def _read_passphrase(path: Path) -> str:
    lines = [line for line in _read(path).decode(errors="replace").splitlines() if line and not line.startswith("#")]
    if len(lines) != 1:
        raise _refused(path, "passphrase", f"is on {len(lines)} lines; it must be on exactly one")
    return lines[0]


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet, complete and durable or not at all."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _link(temporary, path)
        finally:
            temporary.unlink()
    except OSError as error:
        raise _refused(path, "file", f"cannot be written: {error}") from error


def _link(temporary: Path, path: Path) -> None:
    """Give a finished file its name; unlike a rename, a link fails when the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise _refused(path, "file", "exists already and is not overwritten") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused(path, "file", f"cannot be read: {error.strerror}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(_read(path), type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _refused(path, "file", f"is no key file: {error}") from error
    if content.get("version") != 3:
        raise _refused(path, "version", f"is {content.get('version')!r}; it must be 3")
    if not isinstance(content.get("crypto"), dict):
        raise _refused(path, "crypto", "is missing or no object")
    return content


def _address(path: Path, content: dict[str, Any]) -> bytes:
    text = content.get("address")
    try:
        address = bytes.fromhex(str(text).removeprefix("0x"))
    except ValueError as error:
        raise _refused(path, "address", f"is {text!r}; it must be hex") from error
    if len(address) != 20:
        raise _refused(path, "address", f"has {len(address)} bytes; it must have 20")
    return address


def _check_crypto(path: Path, crypto: dict[str, Any]) -> None:
    """Refuse another cipher, which decryption would not notice, and work factors that would hang the desk."""
    if crypto.get("cipher") != "aes-128-ctr":
        raise _refused(path, "crypto.cipher", f"is {crypto.get('cipher')!r}; it must be 'aes-128-ctr'")
    parameters = crypto.get("kdfparams")
    if not isinstance(parameters, dict):
        raise _refused(path, "crypto.kdfparams", "is missing or no object")
    for name in parameters.keys() & _KDF_LIMITS.keys():
        value = parameters[name]
        if not isinstance(value, int) or not 0 < value <= _KDF_LIMITS[name]:
            raise _refused(path, f"crypto.kdfparams.{name}", f"is {value!r}; it must lie in [1, {_KDF_LIMITS[name]}]")


def _refused(path: Path, field: str, why: str) -> KeyFileError:
    return KeyFileError(f"key file {path}: {field} {why}", field=field, value=str(path))
