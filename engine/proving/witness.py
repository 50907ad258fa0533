"""The hashing behind a batch: leaves, paths and the Poseidon table.

Permutations that occur more than once (unchanged leaf blocks, the nodes that consecutive updates share near the root)
get one row with a multiplicity, which about halves the Poseidon table. Nothing here is trusted: the constraints decide
what a trace proves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.exchange.accounts import Account, AccountUpdate
from engine.exchange.leaf import BLOCK, LEAF_DOMAIN, leaf_words
from engine.field.koalabear import P
from engine.hashing.poseidon_constants import WIDTH
from engine.hashing.poseidon_kernels import permute_many, witness_rows
from engine.proving.shape import StatementShape
from engine.proving.tables.poseidon import CAPACITY_HALF, RATE_HALF, poseidon_columns
from engine.stark.runtime.workers import ALONE, Workers

Words = NDArray[np.uint32]
MIN_ROWS = 8
PIECE = 1 << 12
"""Rows of the Poseidon table that are filled between two pauses: some ten milliseconds."""


def permute_rows(inputs: Words) -> Words:
    """Poseidon of every row of [n, 16]."""
    return permute_many(np.ascontiguousarray(inputs).reshape(-1)).reshape(-1, WIDTH)


def permutation_columns(inputs: Words) -> Words:
    """Columns [164, n] of the Poseidon table for inputs [n, 16]."""
    return witness_rows(np.ascontiguousarray(inputs).reshape(-1), montgomery=False).reshape(-1, len(inputs))


class PermutationLog:
    """Runs permutations and remembers each with the half of its output that was used."""

    def __init__(self, workers: Workers = ALONE) -> None:
        self._workers = workers
        self._inputs: dict[int, list[Words]] = {RATE_HALF: [], CAPACITY_HALF: []}

    def half(self, inputs: Words, half: int) -> Words:
        """Outputs [n, 8] of inputs [n, 16]."""
        self._workers.pause()
        self._inputs[half].append(inputs)
        return permute_rows(inputs)[:, BLOCK * half : BLOCK * (half + 1)]

    def trace(self, least_rows: int = MIN_ROWS) -> Words:
        """The Poseidon table: each distinct input once, padded with permutations of zero that nobody uses."""
        c = poseidon_columns()
        rate, capacity = (_stacked(self._inputs[half]) for half in (RATE_HALF, CAPACITY_HALF))
        distinct, numbers = _distinct_rows(np.concatenate([rate, capacity]))
        rows = max(least_rows, padded_height(len(distinct)))
        inputs = np.zeros((rows, WIDTH), dtype=np.uint32)
        inputs[: len(distinct)] = distinct
        trace = np.empty((len(c.names), rows), dtype=np.uint32)

        def part(start: int, stop: int) -> None:
            trace[: len(c.permutation), start:stop] = permutation_columns(inputs[start:stop])

        self._workers.spread(rows, part, MIN_ROWS, PIECE)
        trace[c.rate_multiplicity.index] = np.bincount(numbers[: len(rate)], minlength=rows)
        trace[c.capacity_multiplicity.index] = np.bincount(numbers[len(rate) :], minlength=rows)
        return trace


def _stacked(parts: Sequence[Words]) -> Words:
    return np.concatenate(parts) if parts else np.zeros((0, WIDTH), dtype=np.uint32)


def _distinct_rows(rows: Words) -> tuple[Words, NDArray[np.intp]]:
    """Distinct rows in some order, and for each row the number of its equal."""
    keys = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * WIDTH))).ravel()
    _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first], numbers.ravel()


def padded_height(rows: int) -> int:
    """Least power of two that holds ``rows`` and is at least 8."""
    return max(MIN_ROWS, 1 << (max(rows, 1) - 1).bit_length())


@dataclass(frozen=True, slots=True)
class Leaves:
    """Leaves [n, words] of one side, capacities before blocks 1, 2, ... [n, blocks - 1, 8], digests [n, 8]."""

    words: Words
    capacities: Words
    digests: Words


def encode_leaves(accounts: Sequence[Account], shape: StatementShape) -> Words:
    """Words [n, words] of accounts."""
    encoded = [leaf_words(account, shape.max_positions, shape.limb_bits) for account in accounts]
    return np.array(encoded, dtype=np.uint32).reshape(len(accounts), shape.words)


def hash_leaves(words: Words, shape: StatementShape, log: PermutationLog) -> Leaves:
    """Run the sponge over all leaves at once, block by block."""
    state = np.zeros((len(words), WIDTH), dtype=np.uint32)
    state[:, BLOCK : BLOCK + 2] = LEAF_DOMAIN, shape.words
    capacities = np.zeros((len(words), shape.blocks - 1, BLOCK), dtype=np.uint32)
    for block in range(shape.blocks - 1):
        state[:, :BLOCK] = words[:, BLOCK * block : BLOCK * (block + 1)]
        capacities[:, block] = state[:, BLOCK:] = log.half(state.copy(), CAPACITY_HALF)
    state[:, :BLOCK] = words[:, -BLOCK:]
    return Leaves(words, capacities, log.half(state, RATE_HALF))


@dataclass(frozen=True, slots=True)
class Paths:
    """Nodes of every update's path: [height + 1, n, 8], leaves first; siblings [height, n, 8]."""

    old: Words
    new: Words
    siblings: Words


def climb_paths(
    updates: Sequence[AccountUpdate], old: Words, new: Words, shape: StatementShape, log: PermutationLog
) -> Paths:
    """All paths at once, level by level."""
    count, height = len(updates), shape.tree_height
    siblings = np.array([u.siblings for u in updates], dtype=np.uint32).reshape(count, height, BLOCK)
    siblings = np.ascontiguousarray(siblings.transpose(1, 0, 2))
    accounts = np.array([u.account for u in updates], dtype=np.int64)
    nodes = np.zeros((2, height + 1, count, BLOCK), dtype=np.uint32)
    nodes[:, 0] = old, new
    for level in range(height):
        right = ((accounts >> level) & 1).astype(bool)[None, :, None]
        node, sibling = nodes[:, level], siblings[level][None]
        pairs = np.concatenate([np.where(right, sibling, node), np.where(right, node, sibling)], axis=2)
        outputs = log.half(pairs.reshape(-1, WIDTH), RATE_HALF).reshape(2, count, BLOCK)
        nodes[:, level + 1] = (outputs.astype(np.uint64) + pairs[:, :, :BLOCK]) % P
    return Paths(nodes[0], nodes[1], siblings)
