"""Keccak in bulk against single digests: block edges, odd row counts, both word forms, grinding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from engine.errors import OutOfRange, ProtocolError
from engine.field import lanes
from engine.field.kernels import to_montgomery_array
from engine.field.koalabear import P
from engine.field.width import WIDTHS
from engine.hashing import keccak
from engine.hashing.keccak_emit import absorption, permutation
from engine.hashing.keccak_reference import keccak_f1600


def rows(n_cols: int, n_rows: int, seed: int = 1) -> np.ndarray:
    """Canonical words [column][row], p - 1 in the first row."""
    values = np.random.default_rng(seed).integers(0, P, (n_cols, n_rows)).astype(np.uint32)
    values[:, 0] = P - 1
    return values


def expected_leaves(values: np.ndarray) -> list[bytes]:
    return [keccak.keccak256(row.astype("<u4").tobytes()) for row in np.ascontiguousarray(values.T)]


def digests(array: np.ndarray) -> list[bytes]:
    return [keccak.digest_bytes(array, i) for i in range(array.size // 4)]


# A block holds 34 words: one less, exactly, one more, and the same around two and five blocks.
@pytest.mark.parametrize("n_cols", [1, 2, 3, 32, 33, 34, 35, 67, 68, 69, 164, 170])
def test_rows_at_block_edges(n_cols: int) -> None:
    values = rows(n_cols, 32)
    leaves = keccak.hash_rows(to_montgomery_array(values.reshape(-1)), n_cols, 32)
    assert digests(leaves) == expected_leaves(values)
    assert keccak.hash_rows(values.reshape(-1), n_cols, 32, montgomery=False).tolist() == leaves.tolist()


@pytest.mark.parametrize("n_rows", [1, 8, 15, 16, 17, 40, 127, 128, 256, 300])
def test_any_number_of_rows(n_rows: int) -> None:
    values = rows(5, n_rows)
    assert digests(keccak.hash_rows(to_montgomery_array(values.reshape(-1)), 5, n_rows)) == expected_leaves(values)
    assert digests(keccak.hash_rows(values.reshape(-1), 5, n_rows, montgomery=False)) == expected_leaves(values)


def test_ranges_of_rows_make_up_the_whole() -> None:
    values = rows(5, 400).reshape(-1)
    out = np.zeros(1600, dtype=np.uint64)
    for part in ((256, 400), (0, 128), (128, 256)):
        keccak.hash_rows(values, 5, 400, out=out, rows=part)
    assert out.tolist() == keccak.hash_rows(values, 5, 400).tolist()


@pytest.mark.parametrize("part", [(-128, 0), (0, 401), (16, 128), (0, 300), (256, 128)])
def test_bad_ranges_of_rows_are_refused(part: tuple[int, int]) -> None:
    with pytest.raises(ProtocolError, match="range"):
        keccak.hash_rows(rows(5, 400).reshape(-1), 5, 400, rows=part)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 80), st.integers(1, 40), st.integers(0, 1 << 30))
def test_rows_equal_single_digests(n_cols: int, n_rows: int, seed: int) -> None:
    values = rows(n_cols, n_rows, seed)
    assert digests(keccak.hash_rows(to_montgomery_array(values.reshape(-1)), n_cols, n_rows)) == expected_leaves(values)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33])
def test_pairs(count: int) -> None:
    children = np.random.default_rng(2).integers(0, 1 << 64, 8 * count, dtype=np.uint64)
    single = digests(children)
    parents = digests(keccak.hash_pairs(children))
    assert parents == [keccak.keccak256(a + b) for a, b in zip(single[::2], single[1::2], strict=True)]


def test_work_is_split_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    values = rows(40, 400).reshape(-1)
    leaves = keccak.hash_rows(values, 40, 400)
    parents = keccak.hash_pairs(leaves)
    monkeypatch.setattr(keccak, "_PERMUTATIONS", 16)
    out = np.empty(1600, dtype=np.uint64)
    assert keccak.hash_rows(values, 40, 400, out=out) is out
    assert out.tolist() == leaves.tolist()
    assert keccak.hash_pairs(out).tolist() == parents.tolist()


@pytest.mark.parametrize("bits", [0, 1, 9])
def test_grinding_finds_the_first_nonce(bits: int) -> None:
    prefix = bytes(range(32))
    nonce = keccak.grind(prefix, bits)
    assert keccak.grinding_holds(prefix, nonce, bits)
    assert not any(keccak.grinding_holds(prefix, earlier, bits) for earlier in range(nonce))
    later = keccak.grind(prefix, bits, start=nonce + 1)
    assert later > nonce
    assert keccak.grinding_holds(prefix, later, bits)


def test_grinding_goes_on_past_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = keccak.grind(bytes(32), 9)
    monkeypatch.setattr(keccak, "_PERMUTATIONS", 16)
    assert keccak.grind(bytes(32), 9) == expected > 16


def test_nonces_out_of_range_do_not_hold() -> None:
    assert not keccak.grinding_holds(bytes(32), -1, 0)
    assert not keccak.grinding_holds(bytes(32), 1 << 64, 0)
    assert keccak.grinding_holds(bytes(32), (1 << 64) - 1, 0)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ProtocolError, match="32 bytes"):
        keccak.grind(b"short", 1)
    with pytest.raises(OutOfRange, match="bits"):
        keccak.grind(bytes(32), 41)
    with pytest.raises(ProtocolError, match="pairs"):
        keccak.hash_pairs(np.zeros(4, dtype=np.uint64))
    with pytest.raises(ProtocolError, match="uint64"):
        keccak.hash_pairs(np.zeros(8, dtype=np.uint32))
    with pytest.raises(ProtocolError, match="columns"):
        keccak.hash_rows(np.zeros(7, dtype=np.uint32), 2, 4)
    with pytest.raises(ProtocolError, match="out"):
        keccak.hash_rows(np.zeros(8, dtype=np.uint32), 2, 4, out=np.zeros(4, dtype=np.uint64))


@pytest.mark.parametrize("count", WIDTHS)
def test_batches_of_every_width(count: int) -> None:
    """Two batches take in a word of 2 ``count`` states, even and odd ones, and are permuted."""
    permute, absorb, load = permutation(count), absorption(count), lanes.load_of(2 * count)
    size = np.uint64(25 * count)

    @njit
    def run(state, low, high):
        absorb(state, np.uint64(3 * count), load(low, np.uint64(0)), load(high, np.uint64(0)))
        permute(state, np.uint64(0))
        permute(state, size)

    rng = np.random.default_rng(8)
    state = rng.integers(0, 1 << 64, 50 * count, dtype=np.uint64)
    low, high = (rng.integers(0, 1 << 32, 2 * count, dtype=np.uint32) for _ in range(2))
    before = state.reshape(2, 25, count).transpose(2, 0, 1).reshape(2 * count, 25).copy()
    before[:, 3] ^= low.astype(np.uint64) | high.astype(np.uint64) << np.uint64(32)
    run(state, low, high)
    after = state.reshape(2, 25, count).transpose(2, 0, 1).reshape(2 * count, 25)
    assert after.tolist() == [keccak_f1600(words) for words in before.tolist()]
