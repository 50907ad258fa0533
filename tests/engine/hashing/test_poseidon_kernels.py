"""Poseidon on many states against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from engine.errors import ProtocolError
from engine.field.kernels import from_montgomery_array
from engine.field.koalabear import P
from engine.field.width import WIDTHS
from engine.hashing import poseidon, poseidon_kernels

words = st.one_of(st.integers(0, P - 1), st.sampled_from([0, 1, P - 1]))


def states(count: int, seed: int = 1) -> np.ndarray:
    """[state][word]; the first all p - 1, the second zero."""
    values = np.random.default_rng(seed).integers(0, P, (count, 16)).astype(np.uint32)
    values[0] = P - 1
    values[1:2] = 0
    return values


@pytest.mark.parametrize("count", [1, 15, 16, 17, 32, 40])
def test_permutation(count: int) -> None:
    values = states(count)
    result = poseidon_kernels.permute_many(values.reshape(-1)).reshape(-1, 16).tolist()
    assert [tuple(row) for row in result] == [poseidon.permute(row) for row in values.tolist()]


def test_public_vector() -> None:
    result = poseidon_kernels.permute_many(np.arange(16, dtype=np.uint32))
    assert result[:4].tolist() == [610090613, 935319874, 1893335292, 796792199]


@settings(max_examples=30, deadline=None)
@given(st.lists(words, min_size=16, max_size=16))
def test_permutation_of_edge_values(state: list[int]) -> None:
    result = poseidon_kernels.permute_many(np.array(state * 16, dtype=np.uint32)).reshape(16, 16).tolist()
    assert all(tuple(row) == poseidon.permute(state) for row in result)


def test_in_place_and_split(monkeypatch: pytest.MonkeyPatch) -> None:
    values = states(50).reshape(-1)
    expected = poseidon_kernels.permute_many(values)
    monkeypatch.setattr(poseidon_kernels, "_CALL", 16)
    assert poseidon_kernels.permute_many(values, out=values) is values
    assert values.tolist() == expected.tolist()


@pytest.mark.parametrize("count", [1, 16, 21])
def test_compression(count: int) -> None:
    values = states(count)
    expected = [x for row in values.tolist() for x in poseidon.compress(row[:8], row[8:])]
    assert poseidon_kernels.compress_pairs(values.reshape(-1)).tolist() == expected
    packed = poseidon_kernels.compress_bytes(values.astype("<u4").tobytes())
    assert np.frombuffer(packed, "<u4").tolist() == expected
    lefts, rights = (np.ascontiguousarray(half).reshape(-1) for half in (values[:, :8], values[:, 8:]))
    assert poseidon_kernels.compress_many(lefts, rights).tolist() == expected


@pytest.mark.parametrize("count", [1, 16, 19, 32])
def test_witness_rows(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poseidon_kernels, "_CALL", 16)
    values = states(count)
    flat = poseidon_kernels.witness_rows(values.reshape(-1), montgomery=False)
    table = flat.reshape(poseidon.WITNESS_COLUMNS, count)
    for i, row in enumerate(values.tolist()):
        assert tuple(table[:, i].tolist()) == poseidon.witness_row(row)
    scaled = poseidon_kernels.witness_rows(values.reshape(-1), out=np.empty_like(flat))
    assert from_montgomery_array(scaled).tolist() == flat.tolist()


def test_bad_input_is_refused() -> None:
    with pytest.raises(ProtocolError, match="16 words"):
        poseidon_kernels.permute_many(np.zeros(17, dtype=np.uint32))
    with pytest.raises(ProtocolError, match="uint32"):
        poseidon_kernels.permute_many(np.zeros(16, dtype=np.uint64))
    with pytest.raises(ProtocolError, match="rights"):
        poseidon_kernels.compress_many(np.zeros(16, dtype=np.uint32), np.zeros(8, dtype=np.uint32))


@pytest.mark.parametrize("count", [2 * words for words in WIDTHS])
def test_blocks_of_every_width(count: int) -> None:
    permute = poseidon_kernels.permute_block(count)

    @njit
    def run(values, out, table):
        permute(values, np.uint64(0), out, table, np.uint64(0))

    values = states(count)
    out = np.empty_like(values)
    run(values.reshape(-1), out.reshape(-1), poseidon_kernels._table(False))
    assert [tuple(row) for row in out.tolist()] == [poseidon.permute(row) for row in values.tolist()]
