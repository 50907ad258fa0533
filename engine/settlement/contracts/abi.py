"""Solidity ABI encoding of calls, results, events and revert reasons, on eth-abi."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from engine.errors import CorruptData
from engine.hashing.keccak import keccak256

_ERROR_SELECTOR = bytes.fromhex("08c379a0")  # Error(string)
_PANIC_SELECTOR = bytes.fromhex("4e487b71")  # Panic(uint256)


def word(value: int) -> bytes:
    """A 256-bit big-endian word."""
    return value.to_bytes(32, "big")


@cache
def selector(signature: str) -> bytes:
    """First four bytes of the hash of a signature such as ``transfer(address,uint256)``."""
    return keccak256(signature.encode())[:4]


@cache
def topic(signature: str) -> bytes:
    """First topic of an event with this signature."""
    return keccak256(signature.encode())


@cache
def argument_types(signature: str) -> tuple[str, ...]:
    """``("address", "uint256")`` of ``transfer(address,uint256)``; no nested tuples."""
    inner = signature[signature.index("(") + 1 : -1]
    return tuple(inner.split(",")) if inner else ()


def encode_call(signature: str, *arguments: Any) -> bytes:
    """Calldata of a call: selector and encoded arguments."""
    return selector(signature) + encode(argument_types(signature), arguments)


def encode_arguments(types: tuple[str, ...], *arguments: Any) -> bytes:
    """Encoded arguments alone, as a constructor takes them after its code."""
    return encode(types, arguments)


def decode_words(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    """Decode ABI data; raises :class:`CorruptData` naming the types."""
    try:
        return decode(types, data)
    except DecodingError as error:
        raise CorruptData(f"ABI data does not decode as {types}: {error}", field="abi", value=data.hex()) from error


def revert_reason(output: bytes) -> str:
    """The text of ``Error(string)`` or ``Panic(uint256)``, hex for anything else, "" for no output."""
    if output[:4] == _ERROR_SELECTOR:
        return str(decode_words(("string",), output[4:])[0])
    if output[:4] == _PANIC_SELECTOR:
        return f"panic {decode_words(('uint256',), output[4:])[0]:#x}"
    return "0x" + output.hex() if output else ""
