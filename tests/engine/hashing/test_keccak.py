"""Keccak-256: public vectors, and the written-out sponge against the library."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hashing.keccak import keccak256, keccak256_reference
from engine.hashing.keccak_reference import keccak_f1600

# The empty string and "abc" from the Keccak team's submission; the third is Ethereum's empty-trie root.
VECTORS = [
    (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    (b"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
]


@pytest.mark.parametrize(("data", "digest"), VECTORS)
def test_public_vectors(data: bytes, digest: str) -> None:
    assert keccak256(data).hex() == digest
    assert keccak256_reference(data).hex() == digest


def test_permutation_of_zero() -> None:
    assert keccak_f1600([0] * 25)[:2] == [0xF1258F7940E1DDE7, 0x84D5CCF933C0478A]


@pytest.mark.parametrize("length", [1, 135, 136, 137, 271, 272, 273])
def test_block_edges(length: int) -> None:
    data = bytes(i % 251 for i in range(length))
    assert keccak256_reference(data) == keccak256(data)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_reference_equals_library(data: bytes) -> None:
    assert keccak256_reference(data) == keccak256(data)
