"""Merkle trees over matrices of different heights, Keccak-256.

The leaves are the row digests of the tallest matrix. Where a layer reaches the height of a shorter matrix, that
matrix's row digest joins: node = keccak(keccak(left || right) || row digest). A query at leaf i opens row i >> k of a
matrix 2^k times shorter, so one path per phase opens every table. A row digest is keccak of the row's canonical
elements, four bytes little-endian each; where a row digest joins follows from the heights, which the transcript holds,
so a node is never mistaken for a leaf.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.hashing.keccak import keccak256
from engine.stark.proof import TreeOpenings
from engine.stark.schedule import TreeShape

Bytes = NDArray[np.uint8]


def row_digest(row: bytes) -> bytes:
    """Digest of one matrix row, already encoded."""
    return keccak256(row)


def path_root(tree: TreeShape, rows: list[bytes], index: int, path: list[bytes]) -> bytes:
    """Root that follows from the opened rows (tallest matrix first) and the siblings, leaf to root."""
    digests = iter([row_digest(row) for row in rows])
    joins = {height for height, _ in tree.matrices[1:]}
    node = next(digests)
    for level, sibling in enumerate(path):
        node = keccak256(sibling + node if (index >> level) & 1 else node + sibling)
        if tree.depth - level - 1 in joins:
            node = keccak256(node + next(digests))
    return node


def openings_match(tree: TreeShape, opened: TreeOpenings, indices: NDArray[np.int64], root: bytes) -> bool:
    """Whether every query's rows and path lead to ``root``; ``indices`` are leaf indices."""
    encoded = [np.ascontiguousarray(rows, dtype="<u4").view(np.uint8) for rows in opened.rows]
    for query, index in enumerate(indices.tolist()):
        rows = [block[query].tobytes() for block in encoded]
        path = [opened.paths[query, level].tobytes() for level in range(tree.depth)]
        if path_root(tree, rows, index, path) != root:
            return False
    return True
