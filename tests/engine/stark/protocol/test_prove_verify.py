"""Whole proofs of small statements: accepted when honest, at all kinds of heights; deterministic; input checked."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from engine.hashing.keccak import grind
from engine.stark.air.table import PublicTerm
from engine.stark.errors import ProvingCancelled, StatementError, VerificationError
from engine.stark.protocol.grinding import least_nonce
from engine.stark.protocol.prover import STAGES, prove
from engine.stark.protocol.verifier import verify
from engine.stark.protocol.witness import check_witness
from engine.stark.runtime.workers import Workers
from tests.support.stark_toys import FAST, cubes, cubes_witness, fibonacci, fibonacci_witness


@pytest.mark.parametrize("log_height", [3, 4, 6, 9])
def test_fibonacci_is_proved(log_height: int) -> None:
    statement = fibonacci()
    traces, publics = fibonacci_witness(log_height)
    assert check_witness(statement, traces, publics, ()) == []
    result = prove(statement, traces, publics, (), FAST)
    report = verify(statement, publics, (), result.bytes, FAST)
    assert min(term.bits for term in report.terms) == report.proven_bits


@pytest.mark.parametrize("heights", [(3, 3, 3), (4, 3, 5), (7, 3, 5), (4, 7, 4), (3, 4, 9)])
def test_tables_of_different_heights_are_proved(heights: tuple[int, int, int]) -> None:
    statement = cubes()
    traces, publics, terms = cubes_witness(*heights)
    assert check_witness(statement, traces, publics, terms) == []
    result = prove(statement, traces, publics, terms, FAST)
    verify(statement, publics, terms, result.bytes, FAST)
    assert set(result.stage_seconds) == set(STAGES)


@pytest.mark.parametrize("arity", [1, 2, 3, 4])
@pytest.mark.parametrize("log_final", [0, 3, 10])
def test_every_folding_schedule_works(arity: int, log_final: int) -> None:
    parameters = dataclasses.replace(FAST, log_arity=arity, log_final=log_final, log_blowup=3)
    statement = cubes()
    traces, publics, terms = cubes_witness(6, 3, 4)
    verify(statement, publics, terms, prove(statement, traces, publics, terms, parameters).bytes, parameters)


@pytest.mark.parametrize("log_blowup", [1, 2, 3, 4])
@pytest.mark.parametrize("heights", [(3, 3, 3), (7, 3, 5), (4, 7, 4)])
def test_every_blowup_holds_the_quotient(log_blowup: int, heights: tuple[int, int, int]) -> None:
    """Cubic constraints and lookups fill the quotient's two chunks: at a blowup of two no point is to spare."""
    parameters = dataclasses.replace(FAST, log_blowup=log_blowup)
    statement = cubes()
    traces, publics, terms = cubes_witness(*heights)
    proof = prove(statement, traces, publics, terms, parameters).bytes
    verify(statement, publics, terms, proof, parameters)
    with pytest.raises(VerificationError):
        verify(statement, (publics[0] + 1, *publics[1:]), terms, proof, parameters)
    traces[statement.tables[0].name][0, 1] ^= 1
    wrong = prove(statement, traces, publics, terms, parameters).bytes
    with pytest.raises(VerificationError):
        verify(statement, publics, terms, wrong, parameters)


def test_a_proof_is_a_function_of_its_input() -> None:
    statement = cubes()
    traces, publics, terms = cubes_witness()
    first = prove(statement, traces, publics, terms, FAST).bytes
    assert first == prove(cubes(), traces, publics, terms, FAST).bytes


@pytest.mark.parametrize("heights", [(3, 3, 3), (11, 3, 9)])
def test_threads_do_not_change_a_proof(heights: tuple[int, int, int]) -> None:
    statement = cubes()
    traces, publics, terms = cubes_witness(*heights)
    alone = prove(statement, traces, publics, terms, FAST)
    assert prove(statement, traces, publics, terms, FAST, threads=3).bytes == alone.bytes


def test_cancelling_ends_all_threads() -> None:
    traces, publics = fibonacci_witness(9)
    before = threading.active_count()
    asked = iter([False, False, True])
    with pytest.raises(ProvingCancelled):
        prove(fibonacci(), traces, publics, (), FAST, cancelled=lambda: next(asked, True), threads=3)
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_least_nonce_is_found_whatever_the_threads(threads: int) -> None:
    with Workers(threads) as workers:
        for bits, prefix in ((0, bytes(32)), (9, bytes(32)), (17, bytes(range(32)))):
            assert least_nonce(prefix, bits, workers) == grind(prefix, bits)
    asked = iter([False, True])
    with Workers(threads, lambda: next(asked, True)) as workers, pytest.raises(ProvingCancelled):
        least_nonce(bytes(32), 60, workers)  # would take an age


def test_progress_is_reported_and_cancelling_stops() -> None:
    statement = fibonacci()
    traces, publics = fibonacci_witness(4)
    seen: list[tuple[str, float]] = []
    prove(statement, traces, publics, (), FAST, progress=lambda stage, share: seen.append((stage, share)))
    assert seen[0][0] == "trace"
    assert seen[-1] == ("openings", 1.0)
    lookups: list[tuple[str, float]] = []
    tables, inputs, terms = cubes_witness()
    prove(cubes(), tables, inputs, terms, FAST, progress=lambda stage, share: lookups.append((stage, share)))
    assert {stage for stage, _ in lookups} == set(STAGES)
    for run in (seen, lookups):
        shares = [share for _, share in run]
        assert shares == sorted(set(shares))
        assert shares[-1] == 1.0
    with pytest.raises(ProvingCancelled):
        prove(statement, traces, publics, (), FAST, cancelled=lambda: True)


def test_wrongly_shaped_traces_are_refused() -> None:
    statement = fibonacci()
    traces, publics = fibonacci_witness(4)
    trace = traces["fibonacci"]
    bad = [{}, {"fibonacci": trace[:1]}, {"fibonacci": trace[:, :12]}, {"fibonacci": trace[:, :4]}]
    bad += [{"fibonacci": trace.astype(np.uint64)}, {"fibonacci": np.full_like(trace, 0xFFFFFFFF)}]
    for broken in bad:
        with pytest.raises(StatementError):
            prove(statement, broken, publics, (), FAST)
    for wrong in [(), (1, 2), (1, 2, -1)]:
        with pytest.raises(StatementError):
            prove(statement, traces, wrong, (), FAST)
    with pytest.raises(StatementError):
        prove(statement, traces, publics, (PublicTerm(1, 1, (1,)),), FAST)


def test_another_statement_parameter_or_public_input_is_refused() -> None:
    statement = cubes()
    traces, publics, terms = cubes_witness()
    data = prove(statement, traces, publics, terms, FAST).bytes
    other = dataclasses.replace(statement, identity=b"another")
    cases = [
        (other, publics, terms, FAST, "transcript"),
        (statement, (publics[0] + 1,), terms, FAST, "public input"),
        (statement, (), terms, FAST, "public input"),
        (statement, publics, (), FAST, "public input"),
        (statement, publics, (*terms, *terms), FAST, "public input"),
        (statement, publics, terms, dataclasses.replace(FAST, folding_grinding=0), "transcript"),
        (statement, publics, terms, dataclasses.replace(FAST, queries=7), "encoding"),
        (statement, publics, terms, dataclasses.replace(FAST, target_bits=10), "transcript"),
    ]
    for given, inputs, extra, parameters, stage in cases:
        with pytest.raises(VerificationError) as caught:
            verify(given, inputs, extra, data, parameters)
        assert caught.value.stage == stage


@pytest.mark.parametrize("heights", [(3, 4, 5), (4, 3, 6), (7, 5, 3)])
def test_compiled_and_plain_evaluation_give_the_same_bytes(heights: tuple[int, int, int]) -> None:
    statement = cubes()
    traces, publics, terms = cubes_witness(*heights)
    compiled = prove(statement, traces, publics, terms, FAST).bytes
    assert compiled == prove(statement, traces, publics, terms, FAST, plain=True).bytes
