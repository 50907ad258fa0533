"""The leaf of the accounts tree: an account as a fixed number of field elements, and their Poseidon digest.

====================  =====================================================================================
words                 content (``B`` is the limb width in bits: 16 on the venue, less only in small statements)
====================  =====================================================================================
0                     how many words follow that are not padding: 0 (empty leaf) or 27 + 9 * positions
1                     version
2 .. 9                owner key digest, 8 field elements
10 .. 19              L1 address, ten 16-bit limbs, little-endian (limb 0 holds the address' last two bytes)
20 .. 23              next signature index, 4 limbs of B bits, little-endian, unsigned
24 .. 27              collateral, 4 limbs, two's complement over 4B bits
28 + 9k .. 36 + 9k    position k: market id, size (4 limbs, two's complement), funding index (4 limbs, likewise)
====================  =====================================================================================

The words are padded with zeros to whole blocks of 8. The empty account is all zeros. Positions ascend by market id and
none has size 0, so that one account has exactly one encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from engine.errors import CorruptData, OutOfRange, check_range
from engine.exchange.accounts import ACCOUNT_VERSION, EMPTY_ACCOUNT, EMPTY_KEY, Account, Position
from engine.field.koalabear import P
from engine.hashing.poseidon import sponge_hash
from engine.units import MarketId

LEAF_DOMAIN = int.from_bytes(b"leaf", "big")
"""First element of the sponge's initial capacity; nodes are hashed by compression, which has no capacity."""

LIMB_BITS = 16
LIMBS = 4
BLOCK = 8
HEADER_WORDS = 28
POSITION_WORDS = 9
ADDRESS_LIMBS = 10
KEY_WORDS = 8


def leaf_blocks(max_positions: int) -> int:
    """Sponge blocks of 8 words per leaf."""
    return -(-(HEADER_WORDS + POSITION_WORDS * max_positions) // BLOCK)


def to_limbs(field: str, value: int, *, signed: bool, limb_bits: int = LIMB_BITS) -> list[int]:
    """Four little-endian limbs; negative values in two's complement. :class:`OutOfRange` outside 4*limb_bits bits."""
    bits = LIMBS * limb_bits
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    pattern = check_range(field, value, low, high) & ((1 << bits) - 1)
    return [(pattern >> (limb_bits * i)) & ((1 << limb_bits) - 1) for i in range(LIMBS)]


def from_limbs(field: str, limbs: Sequence[int], *, signed: bool, limb_bits: int = LIMB_BITS) -> int:
    """Inverse of :func:`to_limbs`; :class:`OutOfRange` when a limb has more than ``limb_bits`` bits."""
    value = 0
    for i, limb in enumerate(limbs):
        value |= check_range(f"{field} limb {i}", limb, 0, (1 << limb_bits) - 1) << (limb_bits * i)
    bits = LIMBS * limb_bits
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def address_limbs(address: bytes) -> list[int]:
    """Ten 16-bit limbs of a 20-byte address, little-endian; :class:`OutOfRange` for another length."""
    check_range("length of l1_address", len(address), 20, 20)
    number = int.from_bytes(address, "big")
    return [(number >> (16 * i)) & 0xFFFF for i in range(ADDRESS_LIMBS)]


def leaf_words(account: Account, max_positions: int, limb_bits: int = LIMB_BITS) -> list[int]:
    """``8 * leaf_blocks(max_positions)`` canonical words. Raises :class:`OutOfRange` naming the field at fault."""
    total = BLOCK * leaf_blocks(max_positions)
    if account.version == 0:
        if account != EMPTY_ACCOUNT:
            raise OutOfRange("version of an account that is not empty", 0, ACCOUNT_VERSION, ACCOUNT_VERSION)
        return [0] * total
    _check_account(account, max_positions, limb_bits)
    words = [HEADER_WORDS - 1 + POSITION_WORDS * len(account.positions), account.version]
    words += account.key_digest
    words += address_limbs(account.l1_address)
    words += to_limbs("next_signature_index", account.next_signature_index, signed=False, limb_bits=limb_bits)
    words += to_limbs("collateral", account.collateral, signed=True, limb_bits=limb_bits)
    for position in account.positions:
        words.append(position.market_id)
        words += to_limbs("size", position.size, signed=True, limb_bits=limb_bits)
        words += to_limbs("funding_index", position.funding_index, signed=True, limb_bits=limb_bits)
    return words + [0] * (total - len(words))


def _check_account(account: Account, max_positions: int, limb_bits: int) -> None:
    """What an encoding must satisfy beyond the ranges of its limbs."""
    check_range("version", account.version, ACCOUNT_VERSION, ACCOUNT_VERSION)
    check_range("length of key_digest", len(account.key_digest), KEY_WORDS, KEY_WORDS)
    for element in account.key_digest:
        check_range("key_digest element", element, 0, P - 1)
    check_range("number of positions", len(account.positions), 0, max_positions)
    lowest = 0
    for position in account.positions:
        check_range("market_id (positions ascend by market)", position.market_id, lowest, (1 << limb_bits) - 1)
        lowest = position.market_id + 1
        if position.size == 0:
            raise OutOfRange(f"size of the position in market {position.market_id}", 0, "-2^63", "2^63 - 1, not 0")


def leaf_rows(accounts: Sequence[Account], max_positions: int, limb_bits: int = LIMB_BITS) -> np.ndarray:
    """:func:`leaf_words` of many accounts, uint32 [n, words]; the same errors."""
    if limb_bits == LIMB_BITS:
        try:
            return _packed_rows(accounts, max_positions)
        except (ValueError, OverflowError, struct.error):
            pass  # something is empty or out of range: the plain way encodes it, or says what is wrong
    return np.array([leaf_words(account, max_positions, limb_bits) for account in accounts], dtype=np.uint32)


class _NotPlain(ValueError):
    """An account that is empty or breaks a rule."""


_TAIL = struct.Struct("<Qq")
_SLOT = struct.Struct("<Hqq")


def _packed_rows(accounts: Sequence[Account], max_positions: int) -> np.ndarray:
    """Rows by packing: four limbs of 16 bits, little-endian, are the bytes of a 64-bit integer."""
    blank = bytes(2 * POSITION_WORDS)
    packed, keys = [], []
    for account in accounts:
        positions, lowest = account.positions, -1
        if account.version != ACCOUNT_VERSION or len(account.l1_address) != 20 or len(positions) > max_positions:
            raise _NotPlain
        packed.append(account.l1_address[::-1] + _TAIL.pack(account.next_signature_index, account.collateral))
        for position in positions:
            if position.market_id <= lowest or position.size == 0:
                raise _NotPlain
            lowest = position.market_id
            packed.append(_SLOT.pack(position.market_id, position.size, position.funding_index))
        packed.append(blank * (max_positions - len(positions)))
        keys.append(account.key_digest)
    words = np.zeros((len(accounts), BLOCK * leaf_blocks(max_positions)), np.uint32)
    words[:, 0] = [HEADER_WORDS - 1 + POSITION_WORDS * len(account.positions) for account in accounts]
    words[:, 1] = ACCOUNT_VERSION
    if keys != [EMPTY_KEY] * len(keys):
        digests = np.array(keys, np.int64)  # ValueError when they are of different lengths
        if digests.shape[1:] != (KEY_WORDS,) or digests.min() < 0 or digests.max() >= P:
            raise _NotPlain
        words[:, 2 : 2 + KEY_WORDS] = digests
    limbs = np.frombuffer(b"".join(packed), "<u2").reshape(len(accounts), -1)
    words[:, 2 + KEY_WORDS : HEADER_WORDS + POSITION_WORDS * max_positions] = limbs
    return words


def decode_leaf(words: Sequence[int], max_positions: int, limb_bits: int = LIMB_BITS) -> Account:
    """The account that :func:`leaf_words` encodes so; :class:`CorruptData` for words that encode none."""
    total = BLOCK * leaf_blocks(max_positions)
    if len(words) != total:
        raise CorruptData(f"a leaf has {total} words, not {len(words)}", field="leaf", value=len(words), limit=total)
    account = EMPTY_ACCOUNT if words[0] == 0 else _decode_present(words, max_positions, limb_bits)
    try:
        canonical = leaf_words(account, max_positions, limb_bits)
    except OutOfRange as error:
        raise CorruptData(f"leaf: {error.message}", field=error.field, value=error.value, limit=error.limit) from error
    if canonical != list(words):
        raise CorruptData("the leaf's words are not in canonical form", field="leaf", limit="one encoding per account")
    return account


def _decode_present(words: Sequence[int], max_positions: int, limb_bits: int) -> Account:
    """Decode without checking that the encoding is canonical."""
    count, rest = divmod(words[0] - (HEADER_WORDS - 1), POSITION_WORDS)
    if rest or not 0 <= count <= max_positions:
        raise CorruptData(
            f"leaf length {words[0]} is none of 0, 27 + 9k", field="leaf length", value=words[0], limit=max_positions
        )
    try:
        for limb in words[10:20]:
            check_range("l1_address limb", limb, 0, 0xFFFF)
        address = sum(limb << (16 * i) for i, limb in enumerate(words[10:20])).to_bytes(20, "big")
        positions = []
        for k in range(count):
            start = HEADER_WORDS + POSITION_WORDS * k
            size = from_limbs("size", words[start + 1 : start + 5], signed=True, limb_bits=limb_bits)
            index = from_limbs("funding_index", words[start + 5 : start + 9], signed=True, limb_bits=limb_bits)
            positions.append(Position(MarketId(words[start]), size, index))
        return Account(
            version=words[1],
            key_digest=tuple(words[2:10]),
            l1_address=address,
            next_signature_index=from_limbs("next_signature_index", words[20:24], signed=False, limb_bits=limb_bits),
            collateral=from_limbs("collateral", words[24:28], signed=True, limb_bits=limb_bits),
            positions=tuple(positions),
        )
    except OutOfRange as error:
        raise CorruptData(f"leaf: {error.message}", field=error.field, value=error.value, limit=error.limit) from error


def leaf_digest(account: Account, max_positions: int, limb_bits: int = LIMB_BITS) -> tuple[int, ...]:
    """Eight canonical elements: the length-prefixed sponge over the leaf's words. Plain reference, slow."""
    return tuple(sponge_hash(leaf_words(account, max_positions, limb_bits), LEAF_DOMAIN))
