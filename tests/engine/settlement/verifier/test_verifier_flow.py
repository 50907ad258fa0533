"""A real proof through all contracts, in several transactions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.proving.statement import build_statement, claim_inputs, claim_terms
from engine.settlement.contracts.abi import encode_call
from engine.settlement.contracts.artifacts import MAX_RUNTIME_BYTES
from engine.settlement.verifier import client
from engine.settlement.verifier.client import CHECK, check_data, in_order, open_data, query_batches
from engine.settlement.verifier.encoding import joined_rows
from engine.stark.protocol.verifier import verify
from tests.support.verifier_bench import PARAMETERS, SHAPE, Bench, Proved, make_setup, prove_sample


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


def test_a_batch_of_one_update_is_verified(bench: Bench) -> None:
    """Its tables are the lowest there are, its records the longest."""
    proof = bench.split(prove_sample(9, 1))
    assert all(receipt.status for receipt in bench.run(proof))
    assert bench.client.is_valid(proof.fact)


def test_folds_by_two_are_verified_too() -> None:
    parameters = replace(PARAMETERS, log_arity=1, queries=2)
    other = Bench(make_setup(parameters))
    proof = other.split(prove_sample(8, 2, parameters))
    assert [receipt.status for receipt in other.run(proof)] == [1, 1, 1]
    assert other.client.is_valid(proof.fact)


def test_query_batches_cover_every_query_once_within_the_limit(bench: Bench, proved: Proved) -> None:
    proof = bench.split(proved)
    for limit in (130_000, 40_000, 12_000):
        pieces = query_batches(proof, limit)
        assert sorted(number for piece in pieces for number in piece) == list(range(len(proof.openings)))
        assert all(len(check_data(proof, piece)) <= limit for piece in pieces)


def test_query_batches_send_no_more_siblings_than_the_contract_takes(
    bench: Bench, proved: Proved, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = bench.split(proved)
    most = max(len(opening.nodes(None)) for opening in proof.openings)
    monkeypatch.setattr(client, "MAX_NODES", 2 * most)
    pieces = query_batches(proof)
    assert 1 < len(pieces) < len(proof.openings)
    assert sorted(number for piece in pieces for number in piece) == list(range(len(proof.openings)))
    for piece in pieces:
        chosen = [proof.openings[number] for number in piece]
        before = [None, *(opening.index for opening in chosen)]
        assert sum(len(opening.nodes(index)) for opening, index in zip(chosen, before, strict=False)) <= 2 * most


def test_a_missing_query_keeps_the_fact_out(bench: Bench) -> None:
    proof = bench.split(prove_sample(2, 2))
    opening, queries = bench.addresses.opening, bench.addresses.queries
    register = encode_call("register(bytes32)", proof.context)
    assert bench.send(opening, register).reason == "not opened"
    missing, *others = in_order(proof)
    assert bench.send(queries, check_data(proof, others)).status
    assert bench.send(opening, register).reason == "not opened"
    assert bench.send(opening, open_data(proof)).status
    assert bench.send(opening, register).reason == "queries missing"
    for _ in range(2):  # again and again the same queries
        assert bench.send(queries, check_data(proof, others)).status
        assert bench.send(opening, register).reason == "queries missing"
    assert not bench.client.is_valid(proof.fact)
    assert bench.send(queries, check_data(proof, [missing])).status
    assert bench.send(opening, register).status
    assert bench.client.is_valid(proof.fact)


def test_queries_of_another_proof_do_not_complete_one(bench: Bench) -> None:
    first, second = (bench.split(prove_sample(seed, 2)) for seed in (3, 4))
    opening, queries = bench.addresses.opening, bench.addresses.queries
    assert bench.send(opening, open_data(first)).status
    assert bench.send(queries, check_data(second, in_order(second))).status
    for context in (first.context, second.context):
        assert not bench.send(opening, encode_call("register(bytes32)", context)).status
    assert not bench.client.is_valid(first.fact)
    assert not bench.client.is_valid(second.fact)


def test_openings_of_one_proof_fail_under_the_context_of_another(bench: Bench) -> None:
    first, second = (bench.split(prove_sample(seed, 2)) for seed in (5, 6))
    mixed = type(first)(**{**{name: getattr(first, name) for name in first.__slots__}, "openings": second.openings})
    receipt = bench.send(bench.addresses.queries, check_data(mixed, [0]))
    assert (receipt.status, receipt.reason) == (0, "trace opening")


def test_queries_beyond_the_last_are_refused(bench: Bench, proved: Proved) -> None:
    proof = bench.split(proved)
    first = proof.openings[0]
    for number, status in ((0, 1), (len(proof.openings), 0), (2**256 - 1, 0)):
        data = encode_call(CHECK, list(proof.words), [number], joined_rows([first]), first.nodes(None))
        assert bench.send(bench.addresses.queries, data).status == status


def test_queries_out_of_order_are_refused(bench: Bench, proved: Proved) -> None:
    """A path may only be cut short where it meets one with a smaller index."""
    proof = bench.split(proved)
    order = in_order(proof)
    data = check_data(proof, [order[1], order[0]])
    assert bench.send(bench.addresses.queries, data).reason == "encoding"


def test_a_cut_path_does_not_vouch_for_a_row_from_elsewhere(bench: Bench, proved: Proved) -> None:
    """The second query's rows replaced by the first one's, with paths to fit: the meeting point tells."""
    proof = bench.split(proved)
    one, two = (proof.openings[number] for number in in_order(proof)[:2])
    forged = [*one.nodes(None), *replace(one, index=two.index).nodes(one.index)]
    numbers = in_order(proof)[:2]
    data = encode_call(CHECK, list(proof.words), numbers, joined_rows([one, one]), forged)
    assert bench.send(bench.addresses.queries, data).status == 0


def test_the_same_query_twice_is_harmless(bench: Bench, proved: Proved) -> None:
    """Equal indices occur by chance; their rows have to be equal too."""
    proof = bench.split(proved)
    one, other = (proof.openings[number] for number in in_order(proof)[:2])
    twice = [*one.nodes(None), *one.nodes(one.index)]
    for second, status in ((one, 1), (other, 0)):
        data = encode_call(CHECK, list(proof.words), [in_order(proof)[0]] * 2, joined_rows([one, second]), twice)
        assert bench.send(bench.addresses.queries, data).status == status
