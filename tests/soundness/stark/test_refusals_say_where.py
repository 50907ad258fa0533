"""A refusal names the query, the tree, the round, the table and the height at which the proof was changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from engine.field import extension
from engine.field.koalabear import P
from engine.stark.air.layout import layout_of
from engine.stark.errors import NOWHERE, Tree, VerificationError, Where
from engine.stark.pcs.deep import Openings
from engine.stark.pcs.schedule import TreeOpenings
from engine.stark.protocol.proof import TREES, Proof, decode, encode
from engine.stark.protocol.prover import Prover
from tests.support.soundness.stark_adversaries import Witness, honest_cubes, proof_of, refusal
from tests.support.stark_toys import FAST, cubes, cubes_witness

HEIGHTS = {"caller": 4, "cuber": 3, "range": 5}
"""log2 rows of the cubes statement's tables, all different."""


@pytest.fixture(scope="module")
def witness() -> Witness:
    return honest_cubes()


@pytest.fixture(scope="module")
def data(witness: Witness) -> bytes:
    return proof_of(witness)


@pytest.fixture(scope="module")
def proof(witness: Witness, data: bytes) -> Proof:
    return decode(data, layout_of(witness[0]), FAST)[0]


@pytest.fixture(scope="module")
def refused(witness: Witness, proof: Proof) -> Callable[..., VerificationError]:
    """The refusal of the honest proof with these fields replaced."""

    def verdict(**changes: object) -> VerificationError:
        return refusal(witness, encode(dataclasses.replace(proof, **changes), layout_of(witness[0])))

    return verdict


def _row_changed(part: TreeOpenings, matrix: int, query: int, by: int = 1) -> TreeOpenings:
    rows = [block.copy() for block in part.rows]
    rows[matrix][query, 0] = (int(rows[matrix][query, 0]) + by) % P
    return TreeOpenings(tuple(rows), part.paths)


def _path_changed(part: TreeOpenings, query: int, level: int) -> TreeOpenings:
    paths = part.paths.copy()
    paths[query, level, 7] ^= 16
    return TreeOpenings(part.rows, paths)


def _with(parts: tuple[TreeOpenings, ...], index: int, changed: TreeOpenings) -> tuple[TreeOpenings, ...]:
    return tuple(changed if at == index else part for at, part in enumerate(parts))


@pytest.mark.parametrize("query", [0, 3, FAST.queries - 1])
@pytest.mark.parametrize("tree", TREES)
def test_a_wrong_row_names_query_tree_table_and_height(
    proof: Proof, refused: Callable[..., VerificationError], tree: Tree, query: int
) -> None:
    phase = TREES.index(tree)
    tallest_first = sorted(HEIGHTS, key=lambda name: -HEIGHTS[name])
    assert len(proof.trees[phase].rows) == len(tallest_first)
    for matrix, table in enumerate(tallest_first):
        caught = refused(trees=_with(proof.trees, phase, _row_changed(proof.trees[phase], matrix, query)))
        assert caught.stage == "trace opening"
        assert caught.where == Where(query=query, tree=tree, log_height=HEIGHTS[table], tables=(table,)), table


@pytest.mark.parametrize("query", [1, 4])
@pytest.mark.parametrize("tree", TREES)
def test_a_wrong_path_names_query_and_tree_and_no_table(
    proof: Proof, refused: Callable[..., VerificationError], tree: Tree, query: int
) -> None:
    phase = TREES.index(tree)
    for level in range(proof.trees[phase].paths.shape[1]):
        caught = refused(trees=_with(proof.trees, phase, _path_changed(proof.trees[phase], query, level)))
        assert (caught.stage, caught.where) == ("trace opening", Where(query=query, tree=tree)), level


@pytest.mark.parametrize("change", [lambda p, q: _row_changed(p, 0, q), lambda p, q: _path_changed(p, q, 0)])
def test_a_wrong_fri_layer_names_query_round_and_height(
    proof: Proof, refused: Callable[..., VerificationError], change: Callable[[TreeOpenings, int], TreeOpenings]
) -> None:
    _, shape = decode(encode(proof, layout_of(cubes())), layout_of(cubes()), FAST)
    height = shape.log_heights_present[0]
    assert len(proof.layers) == len(shape.schedule) > 1
    for number, (layer, log_arity) in enumerate(zip(proof.layers, shape.schedule, strict=True), start=1):
        caught = refused(layers=_with(proof.layers, number - 1, change(layer, 2)))
        found = (caught.stage, caught.where.query, caught.where.round, caught.where.log_height)
        assert found == ("fri", 2, number, height)
        height -= log_arity


def test_the_first_refused_query_is_named(proof: Proof, refused: Callable[..., VerificationError]) -> None:
    both = _row_changed(_row_changed(proof.trees[0], 1, 5), 0, 2)
    caught = refused(trees=_with(proof.trees, 0, both))
    assert caught.where == Where(query=2, tree="main", log_height=5, tables=("range",))


class WrongFinal(Prover):
    """Sends another last polynomial, and queries honestly."""

    def fri(self, layers):  # type: ignore[no-untyped-def]
        commitments, nonces, final = super().fri(layers)
        return commitments, nonces, [extension.add(final[0], extension.ONE), *final[1:]]


def test_a_wrong_final_polynomial_is_refused_at_the_first_query(witness: Witness) -> None:
    caught = refusal(witness, proof_of(witness, WrongFinal))
    assert (caught.stage, caught.where) == ("fri", Where(query=0, log_height=FAST.log_final))


def _openings_changed(proof: Proof, table: int, name: str) -> tuple[Openings, ...]:
    openings = list(proof.openings)
    values = getattr(openings[table], name)
    changed = (extension.add(values[0], extension.ONE), *values[1:])
    openings[table] = dataclasses.replace(openings[table], **{name: changed})
    return tuple(openings)


@pytest.mark.parametrize("table", list(HEIGHTS))
@pytest.mark.parametrize("name", ["main", "auxiliary", "quotient"])
def test_a_wrong_out_of_domain_value_names_its_table(
    proof: Proof, refused: Callable[..., VerificationError], table: str, name: str
) -> None:
    index = [own.table.name for own in layout_of(cubes()).tables].index(table)
    caught = refused(openings=_openings_changed(proof, index, name))
    assert (caught.stage, caught.where) == ("constraint", Where(tables=(table,), log_height=HEIGHTS[table]))


@pytest.mark.parametrize("table", list(HEIGHTS))
def test_a_lie_out_of_domain_that_keeps_the_identity_is_refused_where_its_table_joins(table: str) -> None:
    """Two chunks of the quotient, changed so that q_0 + x^N q_1 stays: only FRI can tell."""

    class Lying(Prover):
        def prove_openings(self):  # type: ignore[no-untyped-def]
            point = self.transcript.point

            def remember():  # type: ignore[no-untyped-def]
                self.ood_point = point()
                return self.ood_point

            self.transcript.point = remember  # type: ignore[method-assign]
            return super().prove_openings()

        def open_table(self, index, weights):  # type: ignore[no-untyped-def]
            honest = super().open_table(index, weights)
            if self.layout.tables[index].table.name != table:
                return honest
            to_the_n = extension.power(self.ood_point, 1 << self.heights[index])
            first, second = honest.quotient
            lie = (extension.sub(first, to_the_n), extension.add(second, extension.ONE))
            return dataclasses.replace(honest, quotient=lie)

    witness = honest_cubes()
    caught = refusal(witness, proof_of(witness, Lying))
    assert (caught.stage, caught.where.tables, caught.where.log_height) == ("fri", (table,), HEIGHTS[table])


def test_missing_work_of_a_fold_names_its_round(proof: Proof, refused: Callable[..., VerificationError]) -> None:
    for number in range(1, len(proof.fri_nonces) + 1):
        places = set()
        for nonce in range(8):
            nonces = [nonce if at == number - 1 else own for at, own in enumerate(proof.fri_nonces)]
            if tuple(nonces) != proof.fri_nonces:
                caught = refused(fri_nonces=tuple(nonces))
                places |= {caught.where.round} if "folding" in caught.reason else set()
        assert number in places


def test_a_word_that_is_not_canonical_is_named(proof: Proof, refused: Callable[..., VerificationError]) -> None:
    layer = refused(layers=_with(proof.layers, 1, _not_canonical(proof.layers[1], 4)))
    assert (layer.stage, layer.where) == ("encoding", Where(query=4, round=2))
    row = refused(trees=_with(proof.trees, 2, _not_canonical(proof.trees[2], 1)))
    assert (row.stage, row.where) == ("encoding", Where(query=1, tree="quotient", log_height=5))


def _not_canonical(part: TreeOpenings, query: int) -> TreeOpenings:
    rows = [block.copy() for block in part.rows]
    rows[0][query, 0] = P
    return TreeOpenings(tuple(rows), part.paths)


def test_tables_of_one_height_are_named_together() -> None:
    """Their rows lie side by side under one digest: which of them is wrong cannot be told."""
    traces, publics, terms = cubes_witness(4, 3, 4)
    witness: Witness = (cubes(), traces, publics, terms)
    data = proof_of(witness)
    proof, _ = decode(data, layout_of(witness[0]), FAST)
    changed = dataclasses.replace(proof, trees=_with(proof.trees, 0, _row_changed(proof.trees[0], 0, 3)))
    caught = refusal(witness, encode(changed, layout_of(witness[0])))
    assert caught.where == Where(query=3, tree="main", log_height=4, tables=("caller", "range"))


def test_the_message_says_it_in_words() -> None:
    where = Where(query=3, tree="main", log_height=4, tables=("caller", "range"))
    error = VerificationError("trace opening", "main rows do not match their root", where=where)
    words = "main rows do not match their root (query 3, main tree, tables caller, range, height 2^4)"
    assert (error.reason, error.located) == ("main rows do not match their root", words)
    assert error.message == f"proof refused at trace opening: {words}"
    whole = VerificationError("encoding", "wrong proof length")
    assert (whole.where, whole.located) == (NOWHERE, "wrong proof length")
    assert str(Where(round=2, tables=("path",))) == "round 2, table path"
