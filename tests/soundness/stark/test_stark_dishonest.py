"""Proofs of false statements: every constraint, every bus, every promise of the prover, broken one at a time."""

from __future__ import annotations

import numpy as np
import pytest

from engine.field import extension
from engine.field.extension import Extension
from engine.field.kernels import to_montgomery_array
from engine.field.koalabear import P
from engine.stark.air.constraints import Row, combine, constraint_values
from engine.stark.air.lookup import LookupChallenges, public_sum
from engine.stark.air.rings import PointRing
from engine.stark.air.table import PublicTerm
from engine.stark.pcs.deep import Openings
from engine.stark.protocol.prover import Prover
from engine.stark.protocol.verifier import verify
from engine.stark.protocol.witness import check_witness
from tests.support.soundness.stark_adversaries import (
    ADVERSARIES,
    Witness,
    honest_cubes,
    honest_fibonacci,
    proof_of,
    refusal,
    without,
)
from tests.support.stark_toys import FAST

Words = np.ndarray


def test_the_honest_witnesses_are_accepted() -> None:
    for witness in (honest_cubes(), honest_fibonacci()):
        assert check_witness(*witness) == []
        statement, _, publics, terms = witness
        verify(statement, publics, terms, proof_of(witness), FAST)


def test_every_constraint_has_an_adversary() -> None:
    constraints = {
        (table.name, constraint.name)
        for statement in (honest_cubes()[0], honest_fibonacci()[0])
        for table in statement.tables
        for constraint in table.constraints
    }
    assert constraints == set(ADVERSARIES)


@pytest.mark.parametrize("target", list(ADVERSARIES), ids=lambda target: "-".join(target).replace(" ", "_"))
def test_a_trace_that_violates_one_constraint_is_refused(target: tuple[str, str]) -> None:
    witness = ADVERSARIES[target]()
    assert [(found.table, found.name) for found in check_witness(*witness)] == [target]
    caught = refusal(witness, proof_of(witness))
    assert caught.stage == "constraint"
    assert caught.where.tables == (target[0],)


@pytest.mark.parametrize("target", list(ADVERSARIES), ids=lambda target: "-".join(target).replace(" ", "_"))
def test_without_the_constraint_the_same_trace_would_pass(target: tuple[str, str]) -> None:
    _, traces, publics, terms = ADVERSARIES[target]()
    weaker = without(ADVERSARIES[target]()[0], *target)
    verify(weaker, publics, terms, proof_of((weaker, traces, publics, terms)), FAST)


def _with_trace(table: str, column: int, row: int, change: int) -> Witness:
    statement, traces, publics, terms = honest_cubes()
    traces[table][column, row] = (int(traces[table][column, row]) + change) % P
    return statement, traces, publics, terms


@pytest.mark.parametrize(
    ("table", "column", "bus"), [("cuber", 2, "cubes"), ("range", 1, "range"), ("caller", 0, "cubes")]
)
def test_an_unbalanced_bus_is_refused(table: str, column: int, bus: str) -> None:
    witness = _with_trace(table, column, 3, 1)
    assert bus in [found.name for found in check_witness(*witness) if not found.table]
    assert refusal(witness, proof_of(witness)).stage == "lookup"


def test_other_public_terms_are_refused() -> None:
    statement, traces, publics, terms = honest_cubes()
    first = terms[0]
    changed = [
        (),
        (*terms, first),
        (PublicTerm(first.bus, -1, first.values),),
        (PublicTerm(first.bus, 1, (first.values[0], first.values[1] + 1)),),
    ]
    for wrong in changed:
        witness = (statement, traces, publics, wrong)
        assert refusal(witness, proof_of(witness)).stage == "lookup"


class WrongTotal(Prover):
    """Moves what is missing from the balance into the last table's total."""

    def auxiliary(self, index: int, challenges: LookupChallenges) -> tuple[Words, Extension]:
        columns, total = super().auxiliary(index, challenges)
        if index == 2:
            total = extension.sub(extension.ZERO, public_sum(self.public_terms, challenges))
            for known in self.totals.values():
                total = extension.sub(total, known)
        return columns, total


def test_a_total_that_hides_an_imbalance_is_refused() -> None:
    witness = _with_trace("cuber", 2, 3, 1)
    caught = refusal(witness, proof_of(witness, WrongTotal))
    assert caught.stage == "constraint"
    assert caught.where.tables == ("range",)


class WrongHelper(Prover):
    """Adds 1 to a helper column and takes it out of the running sum, which keeps the total."""

    def auxiliary(self, index: int, challenges: LookupChallenges) -> tuple[Words, Extension]:
        columns, total = super().auxiliary(index, challenges)
        if index == 0:
            columns = columns.copy()
            columns[3] = (int(columns[3]) + 1) % P
        return columns, total


def test_a_wrong_auxiliary_column_is_refused() -> None:
    witness = honest_cubes()
    assert refusal(witness, proof_of(witness, WrongHelper)).stage == "constraint"


class RandomQuotient(Prover):
    """Commits to noise instead of a quotient."""

    def quotient(self, index: int, challenges: LookupChallenges | None, constraint_challenge: Extension) -> Words:
        honest = super().quotient(index, challenges, constraint_challenge)
        noise = np.random.default_rng(index).integers(0, P, honest.size, dtype=np.uint32)
        return to_montgomery_array(noise)


def test_a_random_quotient_is_refused() -> None:
    witness = honest_cubes()
    assert refusal(witness, proof_of(witness, RandomQuotient)).stage == "constraint"


class LyingOpenings(Prover):
    """Breaks a constraint, then claims the quotient value out of domain that would make the identity hold."""

    constraint_challenge: Extension = extension.ZERO

    def quotient(self, index: int, challenges: LookupChallenges | None, constraint_challenge: Extension) -> Words:
        self.constraint_challenge = constraint_challenge
        return super().quotient(index, challenges, constraint_challenge)

    def prove_openings(self):  # type: ignore[no-untyped-def]
        point = self.transcript.point

        def remember() -> Extension:
            self.ood_point = point()
            return self.ood_point

        self.transcript.point = remember  # type: ignore[method-assign]
        return super().prove_openings()

    def open_table(self, index: int, weights: tuple[Words, Words]) -> Openings:
        honest = super().open_table(index, weights)
        table = self.layout.tables[index]
        after = dict(zip(table.next_columns, honest.next, strict=True))
        row = Row(lambda c, offset: after[c] if offset else honest.main[c], self.public_inputs.__getitem__, (), None)
        sums = combine(
            PointRing(),
            table,
            constraint_values(PointRing(), table, row, None, extension.ZERO),
            self.constraint_challenge,
        )
        wanted = needed_quotient(sums, self.ood_point, self.heights[index])
        return Openings(honest.main, (), (wanted, extension.ZERO), honest.next, ())


def needed_quotient(sums: dict[str, Extension], ood_point: Extension, log_height: int) -> Extension:
    """Q(zeta) from the constraint sums: the identity of ``engine.stark.air.constraints`` solved for Q."""
    last = extension.embed(pow(pow(3, (P - 1) >> log_height, P), -1, P))
    vanishing = extension.sub(extension.power(ood_point, 1 << log_height), extension.ONE)
    from_last = extension.sub(ood_point, last)
    inner = extension.add(sums["every"], extension.mul(from_last, sums["transition"]))
    total = extension.mul(inner, extension.inverse(vanishing))
    first = extension.inverse(extension.sub(ood_point, extension.ONE))
    total = extension.add(total, extension.mul(sums["first"], first))
    return extension.add(total, extension.mul(sums["last"], extension.inverse(from_last)))


def test_openings_that_satisfy_the_identity_but_are_not_the_committed_values_are_refused() -> None:
    witness = ADVERSARIES["fibonacci", "sum"]()
    assert refusal(witness, proof_of(witness, LyingOpenings)).stage == "fri"


class WrongMainValue(Prover):
    """Claims a wrong value for a column that no constraint reads on the next row."""

    def open_table(self, index: int, weights: tuple[Words, Words]) -> Openings:
        honest = super().open_table(index, weights)
        return Openings(honest.main[::-1], honest.auxiliary, honest.quotient, honest.next, honest.sum_next)


def test_a_wrong_out_of_domain_value_is_refused() -> None:
    for witness in (honest_cubes(), honest_fibonacci()):
        assert refusal(witness, proof_of(witness, WrongMainValue)).stage == "constraint"


class FarLayer(Prover):
    """Runs FRI on a word that is far from the code."""

    def fri(self, layers):  # type: ignore[no-untyped-def]
        rng = np.random.default_rng(5)
        noise = {log: rng.integers(0, P, layer.size, dtype=np.uint32) for log, layer in layers.items()}
        return super().fri(noise)


class FarJoiningLayer(Prover):
    """Replaces the deep polynomial of the smallest tables only."""

    def fri(self, layers):  # type: ignore[no-untyped-def]
        smallest = min(layers)
        noise = np.random.default_rng(6).integers(0, P, layers[smallest].size, dtype=np.uint32)
        return super().fri({**layers, smallest: noise})


class WrongFinal(Prover):
    """Sends another last polynomial."""

    def fri(self, layers):  # type: ignore[no-untyped-def]
        commitments, nonces, final = super().fri(layers)
        return commitments, nonces, [extension.add(final[0], extension.ONE), *final[1:]]


@pytest.mark.parametrize("prover", [FarLayer, FarJoiningLayer, WrongFinal])
def test_a_dishonest_low_degree_test_is_refused(prover: type[Prover]) -> None:
    witness = honest_cubes()
    assert refusal(witness, proof_of(witness, prover)).stage == "fri"


class LazyGrinding(Prover):
    """Does no work."""

    def grind(self, bits: int) -> int:
        nonce = 0
        while self.transcript.nonce_accepted(nonce, bits):
            nonce += 1
        self.transcript.absorb_nonce(nonce)
        return nonce


def test_missing_work_is_refused() -> None:
    witness = honest_cubes()
    assert refusal(witness, proof_of(witness, LazyGrinding)).stage == "grinding"
