"""Trees over matrices of different heights: prover, verifier of all queries, and the one-query definition agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.field.kernels import to_montgomery_array
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.stark.pcs.commitment import Commitment, Matrix, commit
from engine.stark.pcs.merkle import openings_match, path_root
from engine.stark.pcs.schedule import TreeOpenings, TreeShape
from engine.stark.runtime.memory import Lease, Pool


def _committed(shape: TreeShape, seed: int) -> tuple[list[np.ndarray], Commitment]:
    rng = np.random.default_rng(seed)
    plain = [rng.integers(0, P, (width, 1 << log), dtype=np.uint32) for log, width in shape.matrices]
    matrices = tuple(
        Matrix(to_montgomery_array(words.reshape(-1)), width, log)
        for words, (log, width) in zip(plain, shape.matrices, strict=True)
    )
    return plain, commit(matrices, Lease(Pool()))


def _root_by_hand(plain: list[np.ndarray]) -> bytes:
    digests = {
        words.shape[1]: [keccak256(row.astype("<u4").tobytes()) for row in np.ascontiguousarray(words.T)]
        for words in plain
    }
    size = max(digests)
    layer = digests.pop(size)
    while size > 1:
        size //= 2
        layer = [keccak256(layer[2 * i] + layer[2 * i + 1]) for i in range(size)]
        if size in digests:
            layer = [keccak256(node + row) for node, row in zip(layer, digests[size], strict=True)]
    return layer[0]


SHAPES = [
    TreeShape(((5, 3),)),
    TreeShape(((6, 4), (5, 16), (3, 2))),
    TreeShape(((7, 40), (3, 1))),
    TreeShape(((4, 2), (3, 2), (2, 2), (1, 1))),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_root_is_the_documented_one_and_openings_lead_to_it(shape: TreeShape) -> None:
    plain, committed = _committed(shape, 1)
    assert committed.root == _root_by_hand(plain)
    indices = np.array([0, 1, (1 << shape.depth) - 1, 5 % (1 << shape.depth), 0], dtype=np.int64)
    opened = committed.open(shape, indices)
    assert openings_match(shape, opened, indices, committed.root).tolist() == [True] * len(indices)
    for query, index in enumerate(indices.tolist()):
        rows = [np.ascontiguousarray(block[query], dtype="<u4").tobytes() for block in opened.rows]
        path = [opened.paths[query, level].tobytes() for level in range(shape.depth)]
        assert path_root(shape, rows, index, path) == committed.root


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2**20), st.data())
def test_any_change_of_an_opening_is_seen(shape: TreeShape, seed: int, data: st.DataObject) -> None:
    _, committed = _committed(shape, seed)
    rng = np.random.default_rng(seed)
    indices = rng.integers(0, 1 << shape.depth, 20)
    opened = committed.open(shape, indices)
    query = data.draw(st.integers(0, 19))
    if data.draw(st.booleans()):
        paths = opened.paths.copy()
        paths[query, data.draw(st.integers(0, shape.depth - 1)), data.draw(st.integers(0, 31))] ^= 1
        changed = TreeOpenings(opened.rows, paths)
    else:
        rows = [block.copy() for block in opened.rows]
        block = rows[data.draw(st.integers(0, len(rows) - 1))]
        column = data.draw(st.integers(0, block.shape[1] - 1))
        block[query, column] = (int(block[query, column]) + 1) % P
        changed = TreeOpenings(tuple(rows), opened.paths)
    others = [number != query for number in range(20)]
    assert openings_match(shape, changed, indices, committed.root).tolist() == others
    elsewhere = indices.copy()
    elsewhere[query] ^= 1
    assert openings_match(shape, opened, elsewhere, committed.root).tolist() == others
