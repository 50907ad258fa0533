"""Changed proof bytes: every field substituted, bits flipped everywhere, lengths, orders, random mutations."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import numpy as np
import pytest

from engine.field import extension
from engine.field.koalabear import P
from engine.stark.air.expression import Column
from engine.stark.air.layout import layout_of
from engine.stark.air.table import Constraint, Statement, Table
from engine.stark.errors import VerificationError
from engine.stark.pcs.deep import Openings
from engine.stark.pcs.schedule import TreeOpenings
from engine.stark.protocol.proof import Proof, decode, encode
from engine.stark.protocol.verifier import verify
from tests.support.soundness.stark_adversaries import Witness, honest_cubes, honest_fibonacci, proof_of
from tests.support.soundness.stark_fuzz import fuzz
from tests.support.stark_toys import FAST


def stage_of(witness: Witness, data: bytes) -> str:
    """Stage of the refusal, or "accepted"."""
    statement, _, publics, terms = witness
    try:
        verify(statement, publics, terms, data, FAST)
    except VerificationError as refusal:
        return refusal.stage
    return "accepted"


@pytest.fixture(scope="module")
def witness() -> Witness:
    return honest_cubes()


@pytest.fixture(scope="module")
def data(witness: Witness) -> bytes:
    return proof_of(witness)


@pytest.fixture(scope="module")
def proof(witness: Witness, data: bytes) -> Proof:
    return decode(data, layout_of(witness[0]), FAST)[0]


def _other(digest: bytes) -> bytes:
    return bytes([digest[0] ^ 1]) + digest[1:]


def _bumped(values: tuple, index: int = 0) -> tuple:
    changed = list(values)
    changed[index] = extension.add(changed[index], extension.ONE)
    return tuple(changed)


def _in_openings(name: str, table: int = 0) -> Callable[[Proof], Proof]:
    def change(proof: Proof) -> Proof:
        openings = list(proof.openings)
        opened: Openings = openings[table]
        openings[table] = dataclasses.replace(opened, **{name: _bumped(getattr(opened, name))})
        return dataclasses.replace(proof, openings=tuple(openings))

    return change


def _in_rows(part: TreeOpenings, matrix: int) -> TreeOpenings:
    rows = [block.copy() for block in part.rows]
    rows[matrix][2, 0] = (int(rows[matrix][2, 0]) + 1) % P
    return TreeOpenings(tuple(rows), part.paths)


def _in_path(part: TreeOpenings, level: int) -> TreeOpenings:
    paths = part.paths.copy()
    paths[3, level, 7] ^= 16
    return TreeOpenings(part.rows, paths)


def _in_tree(field: str, index: int, change: Callable[[TreeOpenings], TreeOpenings]) -> Callable[[Proof], Proof]:
    def apply(proof: Proof) -> Proof:
        parts = list(getattr(proof, field))
        parts[index] = change(parts[index])
        return dataclasses.replace(proof, **{field: tuple(parts)})

    return apply


def _permuted(part: TreeOpenings) -> TreeOpenings:
    order = [1, 0, *range(2, len(part.paths))]
    return TreeOpenings(tuple(block[order] for block in part.rows), part.paths[order])


def _duplicated(part: TreeOpenings) -> TreeOpenings:
    order = [0, 0, *range(2, len(part.paths))]
    return TreeOpenings(tuple(block[order] for block in part.rows), part.paths[order])


CHANGES: dict[str, tuple[str, Callable[[Proof], Proof]]] = {
    "statement digest": ("transcript", lambda p: dataclasses.replace(p, statement_digest=_other(p.statement_digest))),
    "public digest": ("public input", lambda p: dataclasses.replace(p, public_digest=_other(p.public_digest))),
    "main root": ("grinding", lambda p: dataclasses.replace(p, main_root=_other(p.main_root))),
    "lookup nonce": ("grinding", lambda p: dataclasses.replace(p, lookup_nonce=p.lookup_nonce + 1)),
    "auxiliary root": ("grinding", lambda p: dataclasses.replace(p, auxiliary_root=_other(p.auxiliary_root))),
    "sum": ("lookup", lambda p: dataclasses.replace(p, sums=_bumped(p.sums, 1))),
    "quotient root": ("grinding", lambda p: dataclasses.replace(p, quotient_root=_other(p.quotient_root))),
    "deep nonce": ("grinding", lambda p: dataclasses.replace(p, deep_nonce=p.deep_nonce + 1)),
    "main opening": ("constraint", _in_openings("main")),
    "auxiliary opening": ("constraint", _in_openings("auxiliary")),
    "quotient opening": ("constraint", _in_openings("quotient", 1)),
    "next opening": ("constraint", _in_openings("next", 2)),
    "next sum opening": ("constraint", _in_openings("sum_next", 1)),
    "batching nonce": ("grinding", lambda p: dataclasses.replace(p, batching_nonce=p.batching_nonce + 1)),
    "fri root": ("grinding", lambda p: dataclasses.replace(p, fri_roots=(*p.fri_roots[:-1], _other(p.fri_roots[-1])))),
    "final": ("grinding", lambda p: dataclasses.replace(p, final=_bumped(p.final, -1))),
    "query nonce": ("grinding", lambda p: dataclasses.replace(p, query_nonce=p.query_nonce + 1)),
    "main row": ("trace opening", _in_tree("trees", 0, lambda part: _in_rows(part, 0))),
    "main row of a short table": ("trace opening", _in_tree("trees", 0, lambda part: _in_rows(part, 2))),
    "auxiliary row": ("trace opening", _in_tree("trees", 1, lambda part: _in_rows(part, 1))),
    "quotient row": ("trace opening", _in_tree("trees", 2, lambda part: _in_rows(part, 0))),
    "main path": ("trace opening", _in_tree("trees", 0, lambda part: _in_path(part, 2))),
    "quotient path": ("trace opening", _in_tree("trees", 2, lambda part: _in_path(part, 0))),
    "fri sibling": ("fri", _in_tree("layers", 0, lambda part: _in_rows(part, 0))),
    "fri path": ("fri", _in_tree("layers", 1, lambda part: _in_path(part, 1))),
    "permuted queries": ("trace opening", _in_tree("trees", 0, _permuted)),
    "duplicated query": ("trace opening", _in_tree("trees", 2, _duplicated)),
    "permuted fri queries": ("fri", _in_tree("layers", 0, _permuted)),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_every_field_substituted_is_refused(witness: Witness, proof: Proof, name: str) -> None:
    expected, change = CHANGES[name]
    changed = encode(change(proof), layout_of(witness[0]))
    stage = stage_of(witness, changed)
    # What changes the transcript is first noticed by whatever random check comes next: nearly always by a nonce.
    later = {"grinding", "lookup", "constraint", "trace opening", "fri"}
    assert stage == expected or (expected == "grinding" and stage in later)


def test_every_field_of_a_proof_is_substituted() -> None:
    words = {"statement digest", "public digest", "main root", "lookup nonce", "auxiliary root", "sum", "quotient root",
             "deep nonce", "batching nonce", "fri root", "final", "query nonce"}  # fmt: skip
    nested = {"openings", "trees", "layers", "log_heights", "fri_nonces"}
    named = {name.replace(" ", "_") for name in words} - {"sum", "fri_root"} | {"sums", "fri_roots"}
    assert words <= set(CHANGES)
    assert {field.name for field in dataclasses.fields(Proof)} == named | nested


def test_a_fri_nonce_that_does_no_work_is_refused(witness: Witness, proof: Proof) -> None:
    stages = set()
    for nonce in range(8):
        nonces = (nonce, *proof.fri_nonces[1:])
        if nonces != proof.fri_nonces:
            changed = dataclasses.replace(proof, fri_nonces=nonces)
            stages.add(stage_of(witness, encode(changed, layout_of(witness[0]))))
    assert "accepted" not in stages
    assert "grinding" in stages


def test_other_heights_are_refused(witness: Witness, data: bytes) -> None:
    start = 8 + 32 + 32
    for table in range(3):
        for height in (0, 2, data[start + table] ^ 1, 23, 255):
            changed = bytearray(data)
            changed[start + table] = height
            assert stage_of(witness, bytes(changed)) == "encoding"


def test_heights_that_give_the_same_length_are_refused() -> None:
    """Two tables of one shape swap heights, so that only the transcript can tell."""
    constraints = (Constraint("doubles", Column(0).next - Column(0) - Column(0), "transition"),)
    tables = tuple(Table(name, ("a",), constraints, ()) for name in ("one", "two"))
    statement = Statement(b"test swap", tables, {}, 0)
    traces = {
        name: np.array([[1 << i for i in range(rows)]], dtype=np.uint32) for name, rows in (("one", 8), ("two", 16))
    }
    witness = (statement, traces, (), ())
    data = proof_of(witness)
    assert stage_of(witness, data) == "accepted"
    at = 8 + 32 + 32
    swapped = data[:at] + data[at : at + 2][::-1] + data[at + 2 :]
    assert stage_of(witness, swapped) in ("grinding", "constraint")


def test_other_lengths_are_refused(witness: Witness, data: bytes) -> None:
    for size in [0, 1, 7, 8, 40, 71, 72, 74, 75, 100, len(data) // 2, len(data) - 32, len(data) - 1]:
        assert stage_of(witness, data[:size]) == "encoding"
    for tail in (b"\0", data[-32:], data):
        assert stage_of(witness, data + tail) == "encoding"


def test_words_that_are_not_canonical_are_refused(witness: Witness, proof: Proof) -> None:
    layout = layout_of(witness[0])
    low = min(proof.final, key=lambda value: value[0])
    same = tuple((value[0] + P, *value[1:]) if value == low else value for value in proof.final)
    assert stage_of(witness, encode(dataclasses.replace(proof, final=same), layout)) == "encoding"
    rows = [block.copy() for block in proof.trees[0].rows]
    rows[0][0, 0] += P
    trees = (TreeOpenings(tuple(rows), proof.trees[0].paths), *proof.trees[1:])
    assert stage_of(witness, encode(dataclasses.replace(proof, trees=trees), layout)) == "encoding"


def test_a_bit_flipped_anywhere_is_refused() -> None:
    witness = honest_fibonacci()
    data = proof_of(witness)
    rng = random.Random(1)
    for at in range(0, len(data), 3):
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        assert stage_of(witness, bytes(changed)) != "accepted", at


def test_another_statements_proof_is_refused(witness: Witness) -> None:
    assert stage_of(witness, proof_of(honest_fibonacci())) in ("encoding", "transcript")


def test_random_mutations_are_refused_without_other_errors(witness: Witness, data: bytes) -> None:
    stages = fuzz(data, lambda changed: stage_of(witness, changed), 1500, seed=7)
    assert stages["accepted"] == 0
    assert {"encoding", "transcript", "grinding", "trace opening", "fri"} <= set(stages)


def test_random_bytes_are_refused(witness: Witness) -> None:
    rng = np.random.default_rng(3)
    for size in (0, 5, 72, 200, 5000):
        assert stage_of(witness, b"PLSTARK1" + rng.bytes(size)) in ("encoding", "transcript")
