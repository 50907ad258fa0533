"""The order of the protocol, and a prover whose columns are one degree too high but right everywhere else."""

from __future__ import annotations

import struct
from typing import Any
from unittest import mock

import numpy as np
import pytest

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.kernels import from_montgomery_array, to_montgomery_array
from engine.field.koalabear import P
from engine.stark.air.layout import layout_of
from engine.stark.domain import domain_points
from engine.stark.pcs import deep
from engine.stark.pcs.deep import Openings
from engine.stark.protocol import prover, verifier
from engine.stark.protocol.proof import decode, encode_extensions, public_digest
from engine.stark.protocol.prover import Prover
from engine.stark.protocol.transcript import Transcript
from engine.stark.protocol.verifier import verify
from tests.support.soundness.stark_adversaries import Witness, honest_cubes, honest_fibonacci, proof_of, refusal
from tests.support.stark_toys import FAST


class Recorder(Transcript):
    """Remembers what is absorbed and drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, Any]] = []

    def absorb(self, kind: str, data: bytes) -> None:
        self.events.append((kind, data))
        super().absorb(kind, data)

    def challenge(self) -> Extension:
        self.events.append(("draw", None))
        return super().challenge()

    def point(self) -> Extension:
        value = super().point()
        while self.events[-1] == ("draw", None):
            self.events.pop()
        self.events.append(("draw point", None))
        return value

    def indices(self, count: int, bits: int) -> list[int]:
        self.events.append(("draw indices", (count, bits)))
        return super().indices(count, bits)


def test_everything_is_absorbed_before_what_depends_on_it() -> None:
    statement, _, publics, terms = witness = honest_cubes()
    data, layout = proof_of(witness), layout_of(statement)
    proof, shape = decode(data, layout, FAST)
    recorders: list[Recorder] = []

    def record() -> Recorder:
        recorders.append(Recorder())
        return recorders[-1]

    with mock.patch.object(verifier, "Transcript", record):
        verify(statement, publics, terms, data, FAST)
    (recorder,) = recorders

    def nonce(value: int) -> tuple[str, bytes]:
        return "nonce", struct.pack("<Q", value)

    head = layout.digest + FAST.encode() + bytes([3, *proof.log_heights]) + public_digest(publics, terms)
    layers = [
        event
        for root, own in zip(proof.fri_roots, proof.fri_nonces, strict=True)
        for event in (("fri root", root), nonce(own), ("draw", None), ("draw", None))
    ]
    assert len(proof.fri_roots) == len(shape.schedule) > 1
    assert recorder.events == [
        ("start", head),
        ("main root", proof.main_root),
        nonce(proof.lookup_nonce),
        ("draw", None),
        ("draw", None),
        ("auxiliary root", proof.auxiliary_root),
        ("sums", encode_extensions(proof.sums)),
        ("draw", None),
        ("quotient root", proof.quotient_root),
        nonce(proof.deep_nonce),
        ("draw point", None),
        ("openings", b"".join(encode_extensions(opened.flat()) for opened in proof.openings)),
        nonce(proof.batching_nonce),
        ("draw", None),
        *layers,
        ("final", encode_extensions(proof.final)),
        nonce(proof.query_nonce),
        ("draw indices", (FAST.queries, shape.log_domain)),
    ]


def test_prover_and_verifier_keep_the_same_transcript() -> None:
    """Every byte of a proof before its queries is absorbed, or compared with what the verifier computes itself."""
    statement, _, _, _ = witness = honest_cubes()
    data, layout = proof_of(witness), layout_of(statement)
    proof, _ = decode(data, layout, FAST)
    absorbed = 8 * (4 + len(proof.fri_nonces)) + 32 * (3 + len(proof.fri_roots)) + len(proof.log_heights)
    values = len(proof.sums) + sum(len(opened.flat()) for opened in proof.openings) + len(proof.final)
    compared = len(b"PLSTARK1") + 2 * 32
    queries = sum(part.paths.nbytes + sum(rows.nbytes for rows in part.rows) for part in (*proof.trees, *proof.layers))
    assert absorbed + 4 * DEGREE * values + compared + queries == len(data)


def tall_prover(group: int, factor: int) -> type[Prover]:
    """Adds ``factor`` * (X^N - 1) to the first column of a group's first table: zero on H, degree N off it.

    Openings and DEEP polynomial are those of the tall column, and FRI runs honestly on what the committed rows give.
    """

    class Tall(Prover):
        ood_point: Extension = extension.ZERO

        def run(self) -> Any:
            self.batches: list[deep.Batch] = []
            calls, honest_extend, honest_batch = iter(range(1000)), prover.extend, prover.make_batch

            def extend(values: Any, width: int, height: int, *rest: Any) -> np.ndarray:
                extended = honest_extend(values, width, height, *rest)
                if next(calls) == group:
                    points = domain_points(height + FAST.log_blowup, self.shape.log_domain)
                    change = [factor * (pow(int(x), 1 << height, P) - 1) % P for x in points]
                    words = to_montgomery_array(np.array(change, dtype=np.uint32)).astype(np.uint64)
                    extended = extended.copy()
                    extended[: len(points)] = (extended[: len(points)] + words) % np.uint64(P)
                return extended

            def batch(*arguments: Any) -> deep.Batch:
                self.batches.append(honest_batch(*arguments))
                return self.batches[-1]

            point = self.transcript.point

            def remember() -> Extension:
                self.ood_point = point()
                return self.ood_point

            self.transcript.point = remember  # type: ignore[method-assign]
            with mock.patch.object(prover, "extend", extend), mock.patch.object(prover, "make_batch", batch):
                return super().run()

        def open_table(self, index: int, weights: Any) -> Openings:
            honest = super().open_table(index, weights)
            height, members = self.shape.groups[group]
            if index != members[0]:
                return honest
            change = extension.sub(extension.power(self.ood_point, 1 << height), extension.ONE)
            change = extension.scale(change, factor)
            main, after = list(honest.main), list(honest.next)
            main[0] = extension.add(main[0], change)
            if self.layout.tables[index].next_columns[:1] == (0,):
                after[0] = extension.add(after[0], change)
            return Openings(tuple(main), honest.auxiliary, honest.quotient, tuple(after), honest.sum_next)

        def fri(self, layers: dict[int, np.ndarray]) -> Any:
            largest, real = self.shape.log_domain, {}
            for (height, _), batch in zip(self.shape.groups, self.batches, strict=True):
                log_domain = height + FAST.log_blowup
                rows = [self.committed_rows(number, log_domain) for number in range(3)]
                positions = np.arange(1 << log_domain)
                opened = (rows[0], rows[1], rows[2])
                values = deep.evaluate_queries(batch, opened, positions, self.ood_point, height, (log_domain, largest))
                real[log_domain] = to_montgomery_array(values.astype(np.uint32).reshape(-1))
            return super().fri(real)

        def committed_rows(self, number: int, log_rows: int) -> Any:
            commitment = self.phases[number].commitment
            for matrix in commitment.matrices if commitment else ():
                if matrix.log_rows == log_rows:
                    return np.ascontiguousarray(from_montgomery_array(matrix.values).reshape(matrix.width, -1).T)
            return None

    return Tall


CASES: list[tuple[Witness, int]] = [(honest_fibonacci(), 0), (honest_cubes(), 0), (honest_cubes(), 1)]


@pytest.mark.parametrize(("witness", "group"), CASES, ids=["fibonacci", "tallest table", "shorter table"])
def test_a_column_of_one_degree_too_many_is_refused(witness: Witness, group: int) -> None:
    statement, _, publics, terms = witness
    verify(statement, publics, terms, proof_of(witness, tall_prover(group, 0)), FAST)
    caught = refusal(witness, proof_of(witness, tall_prover(group, 1)))
    assert (caught.stage, caught.reason) == ("fri", "the final polynomial is not what the layers fold to")
