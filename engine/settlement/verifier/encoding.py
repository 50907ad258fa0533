"""The openings of a proof as query transactions carry them.

The same values as in the file, arranged for the contract: rows group by group, FRI's leaves with the value in its
place that the file leaves out, groups and leaves in whole words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.settlement.verifier.context import Drawn
from engine.stark.air.layout import Layout
from engine.stark.air.rings import ArrayRing
from engine.stark.errors import StatementError
from engine.stark.pcs.deep import Batch, evaluate_queries
from engine.stark.pcs.fri import fold_blocks, place
from engine.stark.pcs.schedule import Shape, phase_trees
from engine.stark.protocol.proof import Proof

WORD = 32
ROW_WORDS = 117
"""Greatest length of a query's row record, as the contract has it: no heights of the venue's tables need more."""
Words = NDArray[np.uint64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class QueryOpening:
    """One query: its index, the record of its rows and leaves (at most ``ROW_WORDS`` words).

    ``siblings``: per level those in the three trees, from the rows to the roots. ``paths``: per FRI layer the level
    where it starts, and the siblings from there to its root.
    """

    index: int
    row: bytes
    siblings: tuple[tuple[bytes, ...], ...]
    paths: tuple[tuple[int, tuple[bytes, ...]], ...]

    def nodes(self, before: int | None) -> list[bytes]:
        """What a transaction carries after the query with index ``before``, or None for its first query."""
        shared = None if before is None else (self.index ^ before).bit_length()

        def cut(start: int, path: Sequence[T]) -> Sequence[T]:
            return path if shared is None else path[: max(0, shared - 1 - start)]

        out = [node for level in cut(0, self.siblings) for node in level]
        for start, path in self.paths:
            out += cut(start, path)
        return out


def _row(block: NDArray[np.uint32], query: int) -> bytes:
    return block[query].astype("<u4").tobytes()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % WORD)


def _group_rows(layout: Layout, shape: Shape, proof: Proof) -> list[list[NDArray[np.uint32] | None]]:
    """Per group, tallest first: opened rows of the three phases, all queries; None for a phase without columns."""
    trees = phase_trees(layout, shape)
    rows = [
        dict(zip((log for log, _ in tree.matrices), part.rows, strict=True))
        for tree, part in zip(trees, proof.trees, strict=True)
    ]
    return [[phase.get(height + shape.log_blowup) for phase in rows] for height in shape.log_heights_present]


def _deep_values(
    shape: Shape, groups: list[list[NDArray[np.uint32] | None]], drawn: Drawn, combined: Sequence[Batch]
) -> list[Words]:
    values = []
    for (height, _), rows, batch in zip(shape.groups, groups, combined, strict=True):
        log_domain = height + shape.log_blowup
        at = drawn.indices >> (shape.log_domain - log_domain)
        main, auxiliary, quotient = rows
        assert main is not None, "every table has main columns"
        assert quotient is not None, "every table has quotient columns"
        logs = (log_domain, shape.log_domain)
        values.append(evaluate_queries(batch, (main, auxiliary, quotient), at, drawn.ood_point, height, logs))
    return values


def _leaves(shape: Shape, proof: Proof, drawn: Drawn, deep: Sequence[Words]) -> list[NDArray[np.uint32]]:
    """FRI leaves (queries, 5 * arity) of each layer, with the values that folding leads to in their places."""
    joining = dict(zip(shape.log_heights_present, deep, strict=True))
    ring, level, values, out = ArrayRing(len(drawn.indices)), shape.groups[0][0], deep[0], []
    for log_arity, opened, (challenge, mixing) in zip(shape.schedule, proof.layers, drawn.folds, strict=True):
        log_size = level + shape.log_blowup
        at = drawn.indices >> (shape.log_domain - log_size)
        blocks = place(opened.rows[0], values, at & ((1 << log_arity) - 1))
        out.append(np.ascontiguousarray(blocks.transpose(2, 1, 0).reshape(len(at), -1), dtype="<u4"))
        values = fold_blocks(blocks, at >> log_arity, challenge, (log_arity, log_size, shape.log_domain))
        level -= log_arity
        if level in joining:
            values = ring.add(values, ring.mul(ring.embed(mixing), joining[level]))
    return out


def joined_rows(openings: Sequence[QueryOpening]) -> bytes:
    """The records of a transaction's queries one after the other, and what the last one lacks to ``ROW_WORDS``."""
    spare = WORD * ROW_WORDS - len(openings[-1].row) if openings else 0
    return b"".join(opening.row for opening in openings) + bytes(spare)


def query_openings(
    layout: Layout, shape: Shape, proof: Proof, drawn: Drawn, combined: Sequence[Batch]
) -> list[QueryOpening]:
    """The openings of every query, in the order of the transcript."""
    groups = _group_rows(layout, shape, proof)
    deep = _deep_values(shape, groups, drawn, combined)
    leaves = _leaves(shape, proof, drawn, deep)
    out = []
    for query in range(len(drawn.indices)):
        parts = [b"".join(_row(block, query) for block in group if block is not None) for group in groups]
        row = b"".join(map(_padded, (*parts, *(layer[query].tobytes() for layer in leaves))))
        if len(row) > WORD * ROW_WORDS:
            reason = "a query's rows are too long for the contract"
            raise StatementError(reason, field="row", value=len(row), limit=WORD * ROW_WORDS)
        trees = zip(*(part.paths[query] for part in proof.trees), strict=True)
        paths, level = [], 0
        for log_arity, part in zip(shape.schedule, proof.layers, strict=True):
            level += log_arity
            paths.append((level, tuple(node.tobytes() for node in part.paths[query])))
        siblings = tuple(tuple(node.tobytes() for node in level_nodes) for level_nodes in trees)
        out.append(QueryOpening(int(drawn.indices[query]), row, siblings, tuple(paths)))
    return out
