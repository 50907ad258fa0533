"""Corrupted proofs: the native verifier and the contracts refuse the same ones, at the same stage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.settlement.contracts.abi import encode_call
from engine.settlement.verifier.client import CHECK, check_data, open_data
from engine.settlement.verifier.encoding import joined_rows
from tests.support.soundness.contract_verdicts import (
    ACCEPTED,
    contract_verdict,
    flipped,
    leaf_sizes,
    native_verdict,
    places,
    same_transactions,
    split_head,
    trace_bytes,
)
from tests.support.verifier_bench import Bench, Proved


def test_both_accept_the_proof_as_it_was_made(bench: Bench, proved: Proved) -> None:
    assert native_verdict(bench, proved) == contract_verdict(bench, proved) == ACCEPTED


@pytest.mark.parametrize("part", range(8))
def test_flipped_bits_of_the_head_are_refused_alike(bench: Bench, proved: Proved, part: int) -> None:
    """Every field before the queries, sampled; the last polynomial and nonces too."""
    _, stop = split_head(bench, proved.proof)
    numbers = np.random.default_rng(part)
    edges = [0, 8, 40, 76, 148, 268, stop - 1000, stop - 300, stop]
    for place in places(numbers, edges[part], edges[part + 1], 12):
        bad = replace(proved, proof=flipped(proved.proof, place, int(numbers.integers(8))))
        native, contract = native_verdict(bench, bad), contract_verdict(bench, bad)
        assert native == contract, place
        assert native != ACCEPTED


def test_flipped_bits_of_the_queries_are_refused_alike(bench: Bench, proved: Proved) -> None:
    """But for siblings that transactions leave out because another path has them: those never reach the contracts."""
    _, start = split_head(bench, proved.proof)
    numbers, refused = np.random.default_rng(99), 0
    for place in places(numbers, start, len(proved.proof), 60):
        bad = replace(proved, proof=flipped(proved.proof, place, int(numbers.integers(8))))
        native, contract = native_verdict(bench, bad), contract_verdict(bench, bad)
        assert native != ACCEPTED
        assert native == contract or same_transactions(bench, bad, proved), place
        refused += contract != ACCEPTED
    assert refused > 40


def test_elements_that_are_not_canonical_are_refused(bench: Bench, proved: Proved) -> None:
    """In the calls themselves, where the client's decoder cannot stand before the contract."""
    proof = bench.split(proved)
    row = bytearray(proof.openings[0].row)
    number = int.from_bytes(row[:4], "little")
    row[:4] = (number | 1 << 31).to_bytes(4, "little")
    bad = replace(proof, openings=(replace(proof.openings[0], row=bytes(row)), *proof.openings[1:]))
    result = bench.chain.simulate(bench.addresses.queries, check_data(bad, [0]))
    assert not result.success
    head = bytearray(proof.head)
    head[268:272] = (2**31 - 2**24 + 1).to_bytes(4, "little")
    assert not bench.chain.simulate(bench.addresses.opening, open_data(replace(proof, head=bytes(head)))).success


def test_a_wrong_value_in_a_leaf_is_refused(bench: Bench, proved: Proved) -> None:
    """The value that a file leaves out of a leaf is what DEEP, or the fold before, leads to: another one, or the same
    with a coordinate raised by p, is refused in every layer."""
    proof = bench.split(proved)
    first, start = proof.openings[0], trace_bytes(bench, proved)
    position = first.index
    for layer, (size, arity) in enumerate(leaf_sizes(bench, proved)):
        place = start + 20 * (position & ((1 << arity) - 1))
        value = int.from_bytes(first.row[place : place + 4], "little")
        for other in (value ^ 1, value + 2**31 - 2**24 + 1, value | 1 << 31):
            row = first.row[:place] + other.to_bytes(4, "little") + first.row[place + 4 :]
            bad = replace(proof, openings=(replace(first, row=row),))
            assert bench.chain.simulate(bench.addresses.queries, check_data(bad, [0])).reason == "fri", layer
        start += size
        position >>= arity


def test_another_claim_is_refused_at_public_input(bench: Bench, proved: Proved) -> None:
    """Number, roots, configuration, deposits: the proof says which it was made for."""
    proof = bench.split(proved)
    number, old, new, config = proof.claim
    other = bytes([1]) * 32
    claims = [(number + 1, old, new, config), (number, other, new, config), (number, old, other, config)]
    claims.append((number, old, new, other))
    for claim in claims:
        bad = open_data(replace(proof, claim=claim))
        assert bench.chain.simulate(bench.addresses.opening, bad).reason == "public input"
    for outputs in (proof.outputs[:-1] + b"\x00", proof.outputs[37:], b""):
        bad = open_data(replace(proof, outputs=outputs))
        assert bench.chain.simulate(bench.addresses.opening, bad).reason == "public input"


def test_heads_of_the_wrong_length_are_refused(bench: Bench, proved: Proved) -> None:
    proof = bench.split(proved)
    for head in (proof.head[:-1], proof.head + b"\x00", proof.head[:100], b""):
        bad = open_data(replace(proof, head=head))
        assert not bench.chain.simulate(bench.addresses.opening, bad).success


def test_missing_or_spare_nodes_are_refused(bench: Bench, proved: Proved) -> None:
    proof = bench.split(proved)
    first = proof.openings[0]
    nodes = first.nodes(None)
    for changed in (nodes[:-1], [*nodes, bytes(32)]):
        data = encode_call(CHECK, list(proof.words), [0], joined_rows([first]), changed)
        assert not bench.chain.simulate(bench.addresses.queries, data).success
