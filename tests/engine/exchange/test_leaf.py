"""Leaf encoding: layout, ranges, canonical decoding, and a digest that separates what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CorruptData, OutOfRange
from engine.exchange.accounts import EMPTY_ACCOUNT, Account, Position
from engine.exchange.leaf import (
    LEAF_DOMAIN,
    decode_leaf,
    from_limbs,
    leaf_blocks,
    leaf_digest,
    leaf_rows,
    leaf_words,
    to_limbs,
)
from engine.field.koalabear import P
from engine.hashing.poseidon import permute

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    markets = sorted(draw(st.sets(st.integers(0, 0xFFFF), max_size=2)))
    return Account(
        version=1,
        key_digest=tuple(draw(st.lists(st.integers(0, P - 1), min_size=8, max_size=8))),
        l1_address=draw(st.binary(min_size=20, max_size=20)),
        next_signature_index=draw(st.integers(0, (1 << 64) - 1)),
        collateral=draw(INT64),
        positions=tuple(Position(m, draw(INT64.filter(bool)), draw(INT64)) for m in markets),
    )


SAMPLE = Account(
    version=1,
    key_digest=(1, 2, 3, 4, 5, 6, 7, 8),
    l1_address=bytes(range(1, 21)),
    next_signature_index=0x0004_0003_0002_0001,
    collateral=-1,
    positions=(Position(1, -2, 3), Position(2, 1 << 40, -(1 << 63))),
)


def test_layout_word_by_word():
    words = leaf_words(SAMPLE, 2)
    assert len(words) == 48 == 8 * leaf_blocks(2)
    assert words[:10] == [45, 1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert (words[10], words[19]) == (0x1314, 0x0102)
    assert words[20:28] == [1, 2, 3, 4] + [0xFFFF] * 4
    assert words[28:37] == [1, 0xFFFE, 0xFFFF, 0xFFFF, 0xFFFF, 3, 0, 0, 0]
    assert words[37:46] == [2, 0, 0, 256, 0, 0, 0, 0, 0x8000]
    assert words[46:] == [0, 0]
    assert leaf_words(replace(SAMPLE, positions=()), 2)[0] == 27


def test_empty_account_is_all_zeros_and_nothing_else_is():
    assert leaf_words(EMPTY_ACCOUNT, 2) == [0] * 48
    assert decode_leaf([0] * 48, 2) == EMPTY_ACCOUNT
    with pytest.raises(OutOfRange, match="version"):
        leaf_words(Account(collateral=1), 2)


@settings(max_examples=150, deadline=None)
@given(accounts())
def test_decode_inverts_encode(account: Account):
    words = leaf_words(account, 2)
    assert all(0 <= word < P for word in words)
    assert decode_leaf(words, 2) == account


@settings(max_examples=150, deadline=None)
@given(accounts(), st.integers(0, 47), st.integers(0, P - 1))
def test_no_other_words_decode_to_the_same_account(account: Account, index: int, value: int):
    words = leaf_words(account, 2)
    changed = [*words[:index], value, *words[index + 1 :]]
    if changed == words:
        return
    try:
        decoded = decode_leaf(changed, 2)
    except CorruptData:
        return
    assert decoded != account
    assert leaf_words(decoded, 2) == changed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"collateral": 1 << 63}, "collateral"),
        ({"collateral": -(1 << 63) - 1}, "collateral"),
        ({"next_signature_index": -1}, "next_signature_index"),
        ({"next_signature_index": 1 << 64}, "next_signature_index"),
        ({"key_digest": (P,) + (0,) * 7}, "key_digest element"),
        ({"key_digest": (0,) * 7}, "length of key_digest"),
        ({"l1_address": bytes(19)}, "length of l1_address"),
        ({"version": 2}, "version"),
        ({"positions": (Position(1, 1, 0), Position(2, 1, 0), Position(3, 1, 0))}, "number of positions"),
        ({"positions": (Position(2, 1, 0), Position(1, 1, 0))}, "market_id (positions ascend by market)"),
        ({"positions": (Position(1, 1, 0), Position(1, 1, 0))}, "market_id (positions ascend by market)"),
        ({"positions": (Position(1 << 16, 1, 0),)}, "market_id (positions ascend by market)"),
        ({"positions": (Position(1, 0, 0),)}, "size of the position in market 1"),
        ({"positions": (Position(1, 1 << 63, 0),)}, "size"),
        ({"positions": (Position(1, 1, -(1 << 63) - 1),)}, "funding_index"),
    ],
)
def test_refusals_name_the_field(change: dict, field: str):
    wrong = replace(SAMPLE, **change)
    for encode in (leaf_words, lambda account, positions: leaf_rows([SAMPLE, account], positions)):
        with pytest.raises(OutOfRange) as caught:
            encode(wrong, 2)
        assert caught.value.field == field


@settings(max_examples=60, deadline=None)
@given(st.lists(accounts() | st.just(EMPTY_ACCOUNT), min_size=1, max_size=4), st.integers(2, 3))
def test_many_leaves_are_encoded_as_one_by_one(found: list[Account], positions: int):
    assert leaf_rows(found, positions).tolist() == [leaf_words(account, positions) for account in found]


def test_narrow_limbs_are_encoded_one_by_one():
    narrow = replace(SAMPLE, next_signature_index=7, positions=(Position(1, -2, 3),))
    assert leaf_rows([narrow], 1, 8).tolist() == [leaf_words(narrow, 1, 8)]


@pytest.mark.parametrize(
    ("index", "value"),
    [(0, 44), (0, 54), (0, 18), (1, 2), (10, 1 << 16), (24, 1 << 16), (46, 1), (28, 2), (29, 1 << 16), (0, 36)],
)
def test_words_that_encode_no_account_are_refused(index: int, value: int):
    words = leaf_words(SAMPLE, 2)
    words[index] = value
    with pytest.raises(CorruptData):
        decode_leaf(words, 2)
    with pytest.raises(CorruptData):
        decode_leaf(words[:-1], 2)


@given(st.integers(8, 16), st.data())
@settings(max_examples=60, deadline=None)
def test_limbs_round_trip_at_every_width(bits: int, data: st.DataObject):
    half = 1 << (4 * bits - 1)
    value = data.draw(st.integers(-half, half - 1) | st.sampled_from([-half, half - 1, -1, 0]))
    assert from_limbs("x", to_limbs("x", value, signed=True, limb_bits=bits), signed=True, limb_bits=bits) == value
    unsigned = value + half
    assert (
        from_limbs("x", to_limbs("x", unsigned, signed=False, limb_bits=bits), signed=False, limb_bits=bits) == unsigned
    )
    for outside in (-half - 1, half):
        with pytest.raises(OutOfRange):
            to_limbs("x", outside, signed=True, limb_bits=bits)


def test_digest_is_the_sponge_written_out():
    words = leaf_words(SAMPLE, 2)
    state = (0,) * 8 + (LEAF_DOMAIN, 48, 0, 0, 0, 0, 0, 0)
    for start in range(0, 48, 8):
        state = permute((*words[start : start + 8], *state[8:]))
    assert leaf_digest(SAMPLE, 2) == state[:8]
    assert leaf_digest(SAMPLE, 2) != leaf_digest(replace(SAMPLE, collateral=-2), 2)
