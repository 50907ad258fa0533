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

from engine.field.lanes import BLOCK
from engine.hashing.keccak import hash_pairs, hash_rows, keccak256
from engine.stark.pcs.schedule import TreeOpenings, TreeShape

Digests = NDArray[np.uint64]


def path_root(tree: TreeShape, rows: list[bytes], index: int, path: list[bytes]) -> bytes:
    """Root that follows from the opened rows (encoded, tallest matrix first) and the siblings, leaf to root.

    The readable definition for one query; :func:`openings_match` does all queries at once.
    """
    digests = iter([keccak256(row) for row in rows])
    joins = {height for height, _ in tree.matrices[1:]}
    node = next(digests)
    for level, sibling in enumerate(path):
        node = keccak256(sibling + node if (index >> level) & 1 else node + sibling)
        if tree.depth - level - 1 in joins:
            node = keccak256(node + next(digests))
    return node


def _row_digests(rows: NDArray[np.uint32]) -> Digests:
    """(queries, 4) digests of canonical rows."""
    columns = np.ascontiguousarray(rows.T, dtype=np.uint32).reshape(-1)
    return hash_rows(columns, rows.shape[1], len(rows), montgomery=False).reshape(-1, 4)


def _parents(left: Digests, right: Digests) -> Digests:
    pairs = np.concatenate([left, right], axis=1)
    return hash_pairs(pairs.reshape(-1)).reshape(-1, 4)


def openings_match(tree: TreeShape, opened: TreeOpenings, indices: NDArray[np.int64], root: bytes) -> NDArray[np.bool_]:
    """(queries,) whether each query's rows and path lead to ``root``; ``indices`` are leaf indices.

    Level by level for all queries together, padded to whole vectors by repeating queries.
    """
    order = np.arange(-(-len(indices) // BLOCK) * BLOCK) % len(indices)
    at = indices[order]
    paths = np.ascontiguousarray(opened.paths[order]).view(np.uint64)
    rows = {log_rows: block for (log_rows, _), block in zip(tree.matrices, opened.rows, strict=True)}
    nodes = _row_digests(rows[tree.depth][order])
    for level in range(tree.depth):
        sibling = paths[:, level]
        on_right = (((at >> level) & 1) == 1)[:, None]
        nodes = _parents(np.where(on_right, sibling, nodes), np.where(on_right, nodes, sibling))
        joining = rows.get(tree.depth - level - 1)
        if joining is not None:
            nodes = _parents(nodes, _row_digests(joining[order]))
    found: NDArray[np.bool_] = np.all(nodes == np.frombuffer(root, dtype=np.uint64), axis=1)
    return found[: len(indices)]
