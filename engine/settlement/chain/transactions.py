"""L1 transactions: signing, decoding and Ethereum's intake rules.

The EVM behind the chain does not apply these rules itself (it charges no calldata floor and caps no gas limit), so they
are checked here before anything is executed. Only EIP-155 legacy transactions are taken in.
"""

from __future__ import annotations

from dataclasses import dataclass

import rlp  # type: ignore[import-untyped]
from eth_keys.exceptions import BadSignature
from eth_keys.main import KeyAPI
from eth_utils.exceptions import ValidationError

from engine.hashing.keccak import keccak256
from engine.settlement.errors import InvalidTransaction

MAX_GAS_LIMIT = 2**24  # EIP-7825 (Fusaka)
MAX_TRANSACTION_BYTES = 128 * 1024  # public mempools drop anything larger
MAX_INITCODE_BYTES = 2 * 24_576  # EIP-3860
BASE_GAS = 21_000
CREATE_GAS = 32_000
INITCODE_WORD_GAS = 2  # EIP-3860, per 32 bytes
STANDARD_TOKEN_GAS = 4  # EIP-7623: a zero byte is one token, any other byte four
FLOOR_TOKEN_GAS = 10
GAS_PRICE = 10**9
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_FIELDS = ("nonce", "gas_price", "gas_limit", "to", "value", "data", "v", "r", "s")
_NUMBER_BYTES = {"nonce": 8, "gas_price": 32, "gas_limit": 8, "value": 32, "v": 8, "r": 32, "s": 32}
_keys = KeyAPI()


@dataclass(frozen=True, slots=True)
class Transaction:
    """A checked transaction. ``to`` is 20 bytes, or empty for a contract creation; amounts are wei."""

    raw: bytes
    hash: bytes
    sender: bytes
    nonce: int
    gas_price: int
    gas_limit: int
    to: bytes
    value: int
    data: bytes


def calldata_tokens(data: bytes) -> int:
    """EIP-7623 tokens of calldata: one per zero byte, four per other byte."""
    zeros = data.count(0)
    return zeros + 4 * (len(data) - zeros)


def intrinsic_gas(data: bytes, creates: bool) -> int:
    """Gas charged before the first opcode (4 a zero byte, 16 another; creation and its init code words on top)."""
    gas = BASE_GAS + STANDARD_TOKEN_GAS * calldata_tokens(data)
    if creates:
        gas += CREATE_GAS + INITCODE_WORD_GAS * ((len(data) + 31) // 32)
    return gas


def floor_gas(data: bytes) -> int:
    """EIP-7623: the least that a transaction with this calldata pays (10 a zero byte, 40 another)."""
    return BASE_GAS + FLOOR_TOKEN_GAS * calldata_tokens(data)


def address_of(private_key: bytes) -> bytes:
    """The 20-byte address of a private key."""
    return bytes(_keys.PrivateKey(private_key).public_key.to_canonical_address())


def contract_address(sender: bytes, nonce: int) -> bytes:
    """Where ``sender``'s creation transaction with ``nonce`` puts its contract: keccak(rlp(sender, nonce))[12:]."""
    return keccak256(rlp.encode([sender, nonce]))[12:]


def sign_transaction(
    private_key: bytes,
    *,
    chain_id: int,
    nonce: int,
    to: bytes,
    data: bytes = b"",
    gas_limit: int,
    value: int = 0,
    gas_price: int = GAS_PRICE,
) -> bytes:
    """Raw bytes of a signed EIP-155 transaction; ``to`` empty creates a contract (nonces of RFC 6979)."""
    unsigned: list[int | bytes] = [nonce, gas_price, gas_limit, to, value, data]
    digest = keccak256(rlp.encode([*unsigned, chain_id, 0, 0]))
    signature = _keys.PrivateKey(private_key).sign_msg_hash(digest)
    v = signature.v + 35 + 2 * chain_id
    return bytes(rlp.encode([*unsigned, v, signature.r, signature.s]))


def decode_transaction(raw: bytes, chain_id: int, sender: bytes | None = None) -> Transaction:
    """Decode, check and recover the sender; raises :class:`InvalidTransaction` naming the field and the limit.

    ``sender`` given skips the recovery: for transactions of a stored block, whose senders its hash covers.
    """
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise _invalid("size", len(raw), MAX_TRANSACTION_BYTES, "is larger than mempools carry")
    fields = _decode_fields(raw)
    number = {name: _number(name, fields[name]) for name in _NUMBER_BYTES}
    to, data = fields["to"], fields["data"]
    if len(to) not in (0, 20):
        raise _invalid("to", len(to), "0 or 20 bytes", "is no address")
    _check_gas_limit(number["gas_limit"], data, creates=not to)
    return Transaction(
        raw=raw,
        hash=keccak256(raw),
        sender=_recover(fields, number, chain_id) if sender is None else sender,
        nonce=number["nonce"],
        gas_price=number["gas_price"],
        gas_limit=number["gas_limit"],
        to=to,
        value=number["value"],
        data=data,
    )


def _invalid(field: str, value: object, limit: object, why: str) -> InvalidTransaction:
    return InvalidTransaction(
        f"transaction {field} {value} {why} (limit: {limit})", field=field, value=value, limit=limit
    )


def _decode_fields(raw: bytes) -> dict[str, bytes]:
    if raw[:1] < b"\xc0":
        raise _invalid("type", raw[:1].hex(), "legacy (EIP-155)", "is not taken in")
    try:
        items = rlp.decode(raw)
    except rlp.DecodingError as error:
        raise _invalid("encoding", f"of {len(raw)} bytes", "RLP", f"does not decode: {error}") from error
    if len(items) != len(_FIELDS) or not all(isinstance(item, bytes) for item in items):
        raise _invalid("encoding", f"of {len(items)} items", f"{len(_FIELDS)} byte strings", "has the wrong shape")
    return dict(zip(_FIELDS, items, strict=True))


def _number(name: str, data: bytes) -> int:
    if len(data) > _NUMBER_BYTES[name]:
        raise _invalid(name, f"of {len(data)} bytes", f"{_NUMBER_BYTES[name]} bytes", "is too long")
    if data[:1] == b"\x00":
        raise _invalid(name, data.hex(), "no leading zeros", "is not canonical")
    return int.from_bytes(data, "big")


def _check_gas_limit(gas_limit: int, data: bytes, *, creates: bool) -> None:
    if gas_limit > MAX_GAS_LIMIT:
        raise _invalid("gas_limit", gas_limit, MAX_GAS_LIMIT, "is above the cap per transaction (EIP-7825)")
    if creates and len(data) > MAX_INITCODE_BYTES:
        raise _invalid("data", f"of {len(data)} bytes", MAX_INITCODE_BYTES, "is too long for init code (EIP-3860)")
    intrinsic = intrinsic_gas(data, creates)
    if gas_limit < intrinsic:
        raise _invalid("gas_limit", gas_limit, intrinsic, "is below the intrinsic gas")
    floor = floor_gas(data)
    if gas_limit < floor:
        raise _invalid("gas_limit", gas_limit, floor, "is below the calldata floor (EIP-7623)")


def _recover(fields: dict[str, bytes], number: dict[str, int], chain_id: int) -> bytes:
    """The sender. Rejects unprotected signatures, another chain's, and the malleable high ``s`` (EIP-2)."""
    parity = number["v"] - 35 - 2 * chain_id
    if parity not in (0, 1):
        raise _invalid("v", number["v"], f"{35 + 2 * chain_id} or {36 + 2 * chain_id}", "is not for this chain id")
    if not 0 < number["r"] < SECP256K1_ORDER or not 0 < number["s"] <= SECP256K1_ORDER // 2:
        raise _invalid("signature", "(r, s)", "0 < r < n, 0 < s <= n / 2", "is out of range")
    unsigned = [fields[name] for name in _FIELDS[:6]] + [chain_id, 0, 0]
    digest = keccak256(rlp.encode(unsigned))
    try:
        signature = _keys.Signature(vrs=(parity, number["r"], number["s"]))
        public = _keys.ecdsa_recover(digest, signature)
    except (BadSignature, ValidationError) as error:
        raise _invalid("signature", "(r, s)", "a point of secp256k1", f"recovers no key: {error}") from error
    return bytes(public.to_canonical_address())
