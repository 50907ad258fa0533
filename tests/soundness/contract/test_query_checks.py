"""Checks of the query contract that no proof file reaches: the decoder or the honest layout stands before them.

Each forgery breaks one check and keeps all others: without that check the contract would accept it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.field.koalabear import P
from engine.settlement.verifier.client import check_data
from engine.settlement.verifier.encoding import QueryOpening
from tests.support.soundness.query_records import LAYERS_AT, Records, changed, element, rows_data
from tests.support.verifier_bench import PARAMETERS, Bench, Proved, make_setup, prove_sample


@pytest.fixture(scope="module")
def records(bench: Bench, proved: Proved) -> Records:
    return Records.of(bench, proved)


@pytest.fixture(scope="module")
def low() -> tuple[Bench, Records]:
    """Folds by eight, down to fewer coefficients than any table has rows: no group joins at the last polynomial."""
    parameters = replace(PARAMETERS, queries=2, log_arity=3, log_final=3)
    bench = Bench(make_setup(parameters))
    return bench, Records.of(bench, prove_sample(8, 2, parameters))


def verdict(bench: Bench, data: bytes) -> str:
    result = bench.chain.simulate(bench.addresses.queries, data)
    return "accepted" if result.success else result.reason


def twice(bench: Bench, records: Records, second: QueryOpening) -> str:
    """One query sent twice, the second time with another opening of the same index."""
    return verdict(bench, rows_data(records.proof, [0, 0], [records.proof.openings[0], second]))


def raised(bench: Bench, records: Records, number: int, place: int) -> str:
    """The verdict on one element raised by p, in a query whose paths and roots fit."""
    opening = records.proof.openings[number]
    proof = records.with_roots(changed(opening, place, element(opening, place) + P))
    return verdict(bench, rows_data(proof, [number], proof.openings))


def test_an_opening_with_its_own_roots_is_accepted(bench: Bench, records: Records) -> None:
    """What the forgeries below start from."""
    proof = records.with_roots(records.proof.openings[0])
    assert proof.words == records.proof.words
    assert verdict(bench, check_data(proof, [0])) == "accepted"


def test_row_elements_raised_by_p_are_refused_though_paths_and_roots_fit(bench: Bench, records: Records) -> None:
    """The same field element, other bytes, properly hashed: rows have one encoding."""
    for part in records.parts:
        if part.phase != 3:
            count = part.size // 4
            for index in {*range(min(8, count)), count // 2, *range(max(0, count - 8), count)}:
                assert raised(bench, records, 0, part.start + 4 * index) == "encoding", (part, index)


def test_leaf_elements_raised_by_p_are_refused_though_paths_and_roots_fit(bench: Bench, records: Records) -> None:
    """Likewise leaves. A large coordinate may also borrow from its neighbour and make the fold wrong ("fri"); for each
    element there is one that does not."""
    for part in records.parts:
        if part.phase == 3:
            for slot in range(part.size // 20):
                places = [part.start + 20 * slot + 4 * coordinate for coordinate in range(5)]
                tries = (raised(bench, records, number, place) for number in range(9) for place in places)
                assert next(found for found in tries if found != "fri") == "encoding", (part, slot)


def test_other_folds_and_final_lengths_are_verified_too(low: tuple[Bench, Records]) -> None:
    bench, records = low
    assert all(receipt.status for receipt in bench.run(records.proof))
    assert bench.client.is_valid(records.proof.fact)


def test_a_query_sent_twice_has_the_same_rows(bench: Bench, records: Records) -> None:
    """Other rows that lead to the same DEEP sums, where no path is sent: only their digests tell."""
    first = records.proof.openings[0]
    assert twice(bench, records, first) == "accepted"
    rows = [part for part in records.parts if part.phase != 3 and len(records.here_only(part)) >= 6]
    assert {part.phase for part in rows} == {0, 1, 2}
    for part in rows:
        forged = records.same_sum(first, part)
        assert forged.row != first.row
        assert twice(bench, records, forged) == "trace opening", part


def test_a_query_sent_twice_has_the_same_leaves(bench: Bench, records: Records) -> None:
    """Another leaf that folds to the same value. A leaf of two has none: its fold says what the other one is."""
    first = records.proof.openings[0]
    for part in records.parts:
        if part.phase == 3 and part.size > 40:
            forged = records.same_fold(first, part)
            assert forged.row != first.row
            assert twice(bench, records, forged) == "fri", part


@pytest.mark.parametrize("joined", [True, False], ids=["joined", "free"])
def test_only_words_that_no_query_uses_may_be_changed(
    bench: Bench, records: Records, low: tuple[Bench, Records], joined: bool
) -> None:
    """Every word of the context, the last polynomial's too. Unused are the fact and what mixes in no group; and even
    then the facts go to a context that was never opened."""
    bench, records = (bench, records) if joined else low
    assert records.joins(len(records.shape.schedule) - 1) == joined
    proof, layers = records.proof, range(len(records.shape.schedule))
    unused = {13} | {LAYERS_AT + 3 * layer + 2 for layer in layers if not records.joins(layer)}
    for place in range(len(proof.words)):
        words = list(proof.words)
        words[place] ^= 1
        data = rows_data(records.with_words(words), [0], proof.openings[:1])
        result = bench.chain.simulate(bench.addresses.queries, data)
        assert result.success == (place in unused), place
        assert proof.context not in {log.topics[1] for log in result.logs}


def test_a_query_with_a_number_beyond_the_last_is_refused_as_such(bench: Bench, records: Records) -> None:
    """Its bit would keep the context from ever being complete."""
    proof = records.proof
    for number in (len(proof.openings), 255, 2**256 - 1):
        assert verdict(bench, rows_data(proof, [number], proof.openings[:1])) == "encoding"
