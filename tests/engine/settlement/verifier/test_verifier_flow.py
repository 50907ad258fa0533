"""A real proof through all contracts, in several transactions."""

from __future__ import annotations

import pytest
from verifier_bench import SHAPE, Bench, Proved, prove_sample

from engine.proving.statement import build_statement, claim_inputs, claim_terms
from engine.settlement.abi import encode_call
from engine.settlement.artifacts import MAX_RUNTIME_BYTES
from engine.settlement.verifier.client import check_data, open_data, query_batches
from engine.stark.verifier import verify


@pytest.fixture(scope="module")
def proved() -> Proved:
    return prove_sample(1, 3)


def test_the_native_verifier_accepts_it(bench: Bench, proved: Proved) -> None:
    terms = claim_terms(proved.claim, SHAPE)
    verify(build_statement(SHAPE), claim_inputs(proved.claim), terms, proved.proof, bench.setup.parameters)


def test_every_contract_fits_the_code_limit(bench: Bench) -> None:
    assert all(receipt.status for receipt in bench.deployed)
    for address in (*bench.addresses.evaluators, bench.addresses.queries, bench.addresses.opening):
        assert 0 < len(bench.chain.code(address)) <= MAX_RUNTIME_BYTES


def test_all_transactions_together_register_the_fact(bench: Bench, proved: Proved) -> None:
    proof = bench.split(proved)
    assert not bench.client.is_valid(proof.fact)
    receipts = bench.run(proof)
    assert [receipt.status for receipt in receipts] == [1] * len(receipts)
    assert bench.client.is_valid(proof.fact)


def test_query_batches_cover_every_query_once_within_the_limit(bench: Bench, proved: Proved) -> None:
    proof = bench.split(proved)
    for limit in (120_000, 40_000, 12_000):
        pieces = query_batches(proof, limit)
        assert [q for first, count in pieces for q in range(first, first + count)] == list(range(len(proof.openings)))
        assert all(len(check_data(proof, *piece)) <= limit for piece in pieces)


def test_a_missing_query_keeps_the_fact_out(bench: Bench) -> None:
    proof = bench.split(prove_sample(2, 2))
    opening, queries = bench.addresses.opening, bench.addresses.queries
    register = encode_call("register(bytes32)", proof.context)
    assert bench.send(opening, register).reason == "not opened"
    total = len(proof.openings)
    assert bench.send(queries, check_data(proof, 1, total - 1)).status
    assert bench.send(opening, register).reason == "not opened"
    assert bench.send(opening, open_data(proof)).status
    assert bench.send(opening, register).reason == "queries missing"
    for _ in range(2):  # again and again the same queries
        assert bench.send(queries, check_data(proof, 1, total - 1)).status
        assert bench.send(opening, register).reason == "queries missing"
    assert not bench.client.is_valid(proof.fact)
    assert bench.send(queries, check_data(proof, 0, 1)).status
    assert bench.send(opening, register).status
    assert bench.client.is_valid(proof.fact)


def test_queries_of_another_proof_do_not_complete_one(bench: Bench) -> None:
    first, second = (bench.split(prove_sample(seed, 2)) for seed in (3, 4))
    opening, queries = bench.addresses.opening, bench.addresses.queries
    assert bench.send(opening, open_data(first)).status
    assert bench.send(queries, check_data(second, 0, len(second.openings))).status
    for context in (first.context, second.context):
        assert not bench.send(opening, encode_call("register(bytes32)", context)).status
    assert not bench.client.is_valid(first.fact)
    assert not bench.client.is_valid(second.fact)


def test_openings_of_one_proof_fail_under_the_context_of_another(bench: Bench) -> None:
    first, second = (bench.split(prove_sample(seed, 2)) for seed in (5, 6))
    mixed = type(first)(**{**{name: getattr(first, name) for name in first.__slots__}, "openings": second.openings})
    receipt = bench.send(bench.addresses.queries, check_data(mixed, 0, 1))
    assert (receipt.status, receipt.reason) == (0, "trace opening")


def test_queries_beyond_the_last_are_refused(bench: Bench, proved: Proved) -> None:
    proof = bench.split(proved)
    moved = encode_call(
        "check(uint256[],uint256,bytes[],bytes32[])",
        list(proof.words),
        len(proof.openings),
        [proof.openings[0].row],
        list(proof.openings[0].nodes),
    )
    assert not bench.send(bench.addresses.queries, moved).status
