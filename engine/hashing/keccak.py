"""Keccak-256 as Ethereum uses it: single inputs, Merkle leaves and nodes in bulk, proof-of-work nonces.

Digests in bulk are uint64[4 n]: the four words of digest i at 4 i, each the little-endian reading of eight digest
bytes, so that the array's bytes are the digests' bytes one after the other on a little-endian machine.
"""

from __future__ import annotations

import numpy as np
from Crypto.Hash import keccak as _keccak

from engine.errors import ProtocolError, check_range
from engine.field.kernels import check_array, check_out, from_montgomery_array
from engine.field.koalabear import P
from engine.field.lanes import BLOCK, aligned_empty
from engine.hashing.keccak_kernels import NOT_FOUND, grind_kernel, hash_pairs_kernel, hash_rows_kernel
from engine.hashing.keccak_reference import keccak256_reference

__all__ = ["digest_bytes", "grind", "grinding_holds", "hash_pairs", "hash_rows", "keccak256", "keccak256_reference"]

DIGEST_WORDS = 4
MAX_GRINDING_BITS = 40
_PERMUTATIONS = 1 << 15
"""Permutations in one kernel call: a few milliseconds."""
_ROWS_TOGETHER = 128


def keccak256(data: bytes) -> bytes:
    """32-byte Keccak-256 digest of any bytes."""
    digest: bytes = _keccak.new(digest_bits=256, data=data).digest()
    return digest


def hash_rows(
    columns: np.ndarray,
    n_cols: int,
    n_rows: int,
    *,
    montgomery: bool = True,
    out: np.ndarray | None = None,
    rows: tuple[int, int] | None = None,
) -> np.ndarray:
    """Leaf digests uint64[4 n_rows]: leaf i hashes the canonical words of row i, 4 bytes little-endian each.

    columns : flat column-major uint32[n_cols * n_rows], in Montgomery form or canonical as ``montgomery`` says
    out : uint64[4 n_rows] to fill; allocated when None
    rows : first and last + 1 of the rows to hash, all of them when None; multiples of 128, or the ends
    """
    check_out("columns", columns, n_cols * n_rows)
    first, last = _row_range(rows, n_rows)
    digests = _digests("out", out, n_rows)
    factor = 1 if montgomery else (1 << 32) % P
    block = _ROWS_TOGETHER if n_rows >= _ROWS_TOGETHER else BLOCK
    state = aligned_empty(25 * block, np.uint64)
    bulk = last - last % block
    step = max(_PERMUTATIONS // (n_cols // 34 + 1) // block * block, block)
    for start in range(first, bulk, step):
        hash_rows_kernel(columns, n_cols, n_rows, start, min(start + step, bulk), factor, state, digests)
    if bulk < last:
        words = np.ascontiguousarray(columns.reshape(n_cols, n_rows)[:, bulk:last].T).reshape(-1)
        canonical = (from_montgomery_array(words) if montgomery else words).astype("<u4").reshape(-1, n_cols)
        for i, row in enumerate(canonical):
            _put(digests, bulk + i, keccak256(row.tobytes()))
    return digests


def hash_pairs(digests: np.ndarray, *, out: np.ndarray | None = None) -> np.ndarray:
    """Parents uint64[4 n] of 2 n digests uint64[8 n]: keccak256(left 32 bytes || right 32 bytes)."""
    if digests.size % 8:
        raise ProtocolError("digests come in pairs", field="digests", value=digests.size, limit="a multiple of 8 words")
    count = _digests("digests", digests, digests.size // 4).size // 8
    parents = _digests("out", out, count)
    state = aligned_empty(25 * BLOCK, np.uint64)
    bulk = count & -BLOCK
    for start in range(0, bulk, _PERMUTATIONS):
        hash_pairs_kernel(digests, start, min(start + _PERMUTATIONS, bulk), state, parents)
    for i in range(bulk, count):
        _put(parents, i, keccak256(digest_bytes(digests, 2 * i) + digest_bytes(digests, 2 * i + 1)))
    return parents


def digest_bytes(digests: np.ndarray, index: int) -> bytes:
    """The 32 bytes of digest ``index``."""
    return digests[DIGEST_WORDS * index : DIGEST_WORDS * (index + 1)].astype("<u8").tobytes()


def grind(prefix: bytes, bits: int, *, start: int = 0) -> int:
    """Smallest nonce >= start whose keccak256(prefix || nonce) has ``bits`` zero bits.

    prefix : 32 bytes; the nonce follows as 8 bytes little-endian
    bits : 0..40, the lowest of the first 8 digest bytes read little-endian; about 2^bits hashes are needed
    """
    if len(prefix) != 32:
        raise ProtocolError("the prefix is 32 bytes", field="prefix", value=len(prefix), limit=32)
    check_range("bits", bits, 0, MAX_GRINDING_BITS)
    check_range("start", start, 0, 1 << 62)
    words = np.frombuffer(prefix, dtype="<u8").astype(np.uint64)
    state = aligned_empty(25 * BLOCK, np.uint64)
    while True:
        nonce = int(grind_kernel(words, start, _PERMUTATIONS, (1 << bits) - 1, state))
        if nonce != int(NOT_FOUND):
            return nonce
        start += _PERMUTATIONS


def grinding_holds(prefix: bytes, nonce: int, bits: int) -> bool:
    """Whether a nonce in [0, 2^64) passes the test of :func:`grind`; False outside that range."""
    if not 0 <= nonce < 1 << 64:
        return False
    digest = keccak256(prefix + nonce.to_bytes(8, "little"))
    return int.from_bytes(digest[:8], "little") & ((1 << bits) - 1) == 0


def _row_range(rows: tuple[int, int] | None, n_rows: int) -> tuple[int, int]:
    first, last = (0, n_rows) if rows is None else rows
    if not 0 <= first <= last <= n_rows or first % _ROWS_TOGETHER or (last % _ROWS_TOGETHER and last != n_rows):
        raise ProtocolError("rows is no such range", field="rows", value=rows, limit=f"0 to {n_rows}, by 128")
    return first, last


def _digests(name: str, array: np.ndarray | None, count: int) -> np.ndarray:
    """A fresh array of ``count`` digests, or the given one once checked."""
    if array is None:
        return aligned_empty(DIGEST_WORDS * count, np.uint64)
    if check_array(name, array, np.uint64).size != DIGEST_WORDS * count:
        raise ProtocolError(
            f"{name} holds {array.size} words", field=name, value=array.size, limit=DIGEST_WORDS * count
        )
    return array


def _put(digests: np.ndarray, index: int, digest: bytes) -> None:
    digests[DIGEST_WORDS * index : DIGEST_WORDS * (index + 1)] = np.frombuffer(digest, dtype="<u8")
