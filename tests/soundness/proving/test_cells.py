"""Changes at random: one cell of an honest trace, one byte of an honest proof."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.field.koalabear import P
from engine.proving.statement import build_statement
from engine.stark.errors import VerificationError
from engine.stark.parameters import Parameters
from engine.stark.protocol.prover import prove
from engine.stark.protocol.verifier import verify
from tests.support.soundness.forgery import SMALL, Forgery, honest, sample_batch

QUICK = Parameters(queries=12, query_grinding=4, batching_grinding=3, target_bits=0)
REAL_ROWS = len(sample_batch().updates)
USED_SLOTS = {(2, 0), (2, 1), (3, 0)}
"""(row, slot) of the positions in the sample's new leaves; elsewhere a size's inverse stands for nothing."""


@pytest.fixture(scope="module")
def forgery() -> Forgery:
    return honest()


@pytest.fixture(scope="module")
def proof(forgery: Forgery) -> bytes:
    return prove(build_statement(SMALL), forgery.traces, forgery.publics, forgery.terms, QUICK).bytes


def is_free(table: str, column: str, row: int) -> bool:
    """Cells that mean nothing: what padding rows do not look up, inverses of unused slots."""
    if table == "path":
        return row >= REAL_ROWS * SMALL.tree_height and column not in ("real", "start", "end", "bit")
    if table != "update":
        return False
    if column.startswith("size_inverse"):
        return (row, int(column[-1])) not in USED_SLOTS
    padding = ("account", "key", "address", "old_capacity", "new_capacity", "old_digest", "new_digest")
    return row >= REAL_ROWS and column.startswith(padding)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_cell_that_means_something_is_bound(forgery: Forgery, data: st.DataObject):
    tables = {table.name: table for table in build_statement(SMALL).tables}
    name = data.draw(st.sampled_from(["update", "update", "update", "path", "path", "poseidon", "range"]))
    trace = forgery.traces[name]
    column = data.draw(st.integers(0, trace.shape[0] - 1))
    row = data.draw(st.integers(0, min(trace.shape[1], REAL_ROWS + 3) - 1) | st.integers(0, trace.shape[1] - 1))
    changed = forgery.copy()
    changed.traces[name][column, row] = (int(trace[column, row]) + data.draw(st.integers(1, P - 1))) % P
    assert bool(changed.broken()) != is_free(name, tables[name].columns[column], row)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_byte_of_a_proof_is_refused(forgery: Forgery, proof: bytes, data: st.DataObject):
    index = data.draw(st.integers(0, 3000) | st.integers(0, len(proof) - 1))
    flipped = bytearray(proof)
    flipped[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VerificationError):
        verify(build_statement(SMALL), forgery.publics, forgery.terms, bytes(flipped), QUICK)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_proof_serves_no_other_public_input_or_term(forgery: Forgery, proof: bytes, data: st.DataObject):
    publics, terms = list(forgery.publics), list(forgery.terms)
    if data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(publics) - 1))
        publics[index] = (publics[index] + data.draw(st.integers(1, P - 1))) % P
    else:
        terms.pop(data.draw(st.integers(0, len(terms) - 1)))
    with pytest.raises(VerificationError) as caught:
        verify(build_statement(SMALL), tuple(publics), tuple(terms), proof, QUICK)
    assert caught.value.stage == "public input"
