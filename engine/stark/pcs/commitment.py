"""The prover's side of a phase: matrices grouped by height, their extensions, one Merkle tree."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.field.kernels import from_montgomery_array
from engine.hashing.keccak import hash_pairs, hash_rows
from engine.stark.pcs.schedule import TreeOpenings, TreeShape
from engine.stark.runtime.memory import Lease
from engine.stark.runtime.workers import ALONE, Workers

Words = NDArray[np.uint32]
Digests = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Matrix:
    """``values``: flat column-major Montgomery words, ``width`` columns of 2**log_rows rows in memory order."""

    values: Words
    width: int
    log_rows: int


@dataclass(frozen=True, slots=True)
class Commitment:
    """Committed matrices, tallest first, and every layer of their tree, leaves first (4 words per digest)."""

    matrices: tuple[Matrix, ...]
    layers: tuple[Digests, ...]

    @property
    def root(self) -> bytes:
        return self.layers[-1].tobytes()

    def open(self, tree: TreeShape, indices: NDArray[np.int64]) -> TreeOpenings:
        """Rows and paths at leaf indices."""
        rows = []
        for matrix in self.matrices:
            at = indices >> (tree.depth - matrix.log_rows)
            table = matrix.values.reshape(matrix.width, -1)
            picked = from_montgomery_array(np.ascontiguousarray(table[:, at].T).reshape(-1))
            rows.append(picked.reshape(len(indices), matrix.width))
        paths = np.empty((len(indices), tree.depth, 4), dtype=np.uint64)
        for level in range(tree.depth):
            paths[:, level] = self.layers[level].reshape(-1, 4)[(indices >> level) ^ 1]
        return TreeOpenings(tuple(rows), paths.view(np.uint8).reshape(len(indices), tree.depth, 32))


@dataclass(slots=True)
class Phase:
    """One phase's matrices on H per table (Montgomery, flat) and its commitment."""

    tables: list[Words]
    commitment: Commitment | None = None
    extended: dict[int, Words] = field(default_factory=dict)

    @property
    def root(self) -> bytes:
        """Root of the tree, empty if nothing was committed."""
        return b"" if self.commitment is None else self.commitment.root


_ROWS, _PAIRS = 128, 1 << 12
"""Threads share the work in multiples of these."""
_WORDS, _MOST_PAIRS = 1 << 21, 1 << 15
"""Words of rows, and pairs, that are hashed between two pauses: some ten milliseconds."""


def _hash_matrix(matrix: Matrix, lease: Lease, workers: Workers) -> Digests:
    rows = 1 << matrix.log_rows
    out = lease.digests(rows)

    def part(start: int, stop: int) -> None:
        hash_rows(matrix.values, matrix.width, rows, out=out, rows=(start, stop))

    workers.spread(rows, part, _ROWS, max(_WORDS // matrix.width // _ROWS, 1) * _ROWS)
    return out


def _hash_layer(layer: Digests, lease: Lease, workers: Workers) -> Digests:
    pairs = layer.size // 8
    out = lease.digests(pairs)

    def part(start: int, stop: int) -> None:
        hash_pairs(layer[8 * start : 8 * stop], out=out[4 * start : 4 * stop])

    workers.spread(pairs, part, _PAIRS, _MOST_PAIRS)
    return out


def commit(matrices: tuple[Matrix, ...], lease: Lease, workers: Workers = ALONE) -> Commitment:
    """Build the tree of matrices given tallest first."""
    waiting = {matrix.log_rows: matrix for matrix in matrices[1:]}
    layers = [_hash_matrix(matrices[0], lease, workers)]
    for log_size in range(matrices[0].log_rows - 1, -1, -1):
        nodes = _hash_layer(layers[-1], lease, workers)
        joining = waiting.get(log_size)
        if joining is not None:
            pairs = np.concatenate([nodes.reshape(-1, 4), _hash_matrix(joining, lease, workers).reshape(-1, 4)], axis=1)
            nodes = hash_pairs(pairs.reshape(-1))
        layers.append(nodes)
    return Commitment(matrices, tuple(layers))
