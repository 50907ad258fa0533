"""What a proof file says of itself: every byte accounted for, every figure the proof's own."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.proving.parameters import DEFAULT_PROFILE, PARAMETERS
from engine.proving.prover import prove_batch, verify_file
from engine.proving.summary import summarise
from engine.stark.errors import STAGE_MEANINGS, VerificationError
from tests.support.proving_batches import close_batch, trader


@pytest.fixture(scope="module")
def file() -> bytes:
    tree = AccountTree(DEFAULT_CONFIG.tree_height, 2)
    batch = close_batch(tree, {16: trader(1, 900), 3: replace(trader(0, 0), l1_address=bytes(20))}, deposits={16: 900})
    return prove_batch(batch, DEFAULT_CONFIG).file


def test_a_summary_says_what_verification_says(file: bytes) -> None:
    summary, verified = summarise(file), verify_file(file)
    assert (summary.claim, summary.public_inputs) == (verified.claim, verified.public_inputs)
    assert (summary.statement_id, summary.profile) == (verified.statement_id, verified.profile)
    assert summary.security == verified.security
    assert (summary.profile, summary.parameters) == (DEFAULT_PROFILE, PARAMETERS)
    assert summary.digest == hashlib.sha256(file).hexdigest()


def test_every_byte_belongs_to_a_part(file: bytes) -> None:
    summary = summarise(file)
    sizes = {part.name: part.size for part in summary.parts}
    assert sum(sizes.values()) == summary.size == len(file)
    assert min(sizes.values()) > 0
    roots = 3 * 32 + len(summary.layers) * 32
    sums, nonces = 4 * 20, len(summary.nonces) * 8
    assert sizes["digests, roots, sums, nonces"] == 8 + 2 * 32 + len(summary.tables) + roots + sums + nonces
    assert sizes["last polynomial"] == 20 * len(summary.final)


def test_commitments_are_in_the_file(file: bytes) -> None:
    summary = summarise(file)
    assert [name for name, _ in summary.commitments] == ["main", "auxiliary", "quotient"]
    for root in (*(root for _, root in summary.commitments), *(layer.root for layer in summary.layers)):
        assert file.count(root) == 1
    assert [table.name for table in summary.tables] == ["poseidon", "path", "update", "range"]
    work = {nonce.name: nonce.bits for nonce in summary.nonces}
    assert (work["query"], work["batching"]) == (PARAMETERS.query_grinding, PARAMETERS.batching_grinding)
    assert summary.layers[0].log_leaves + summary.layers[0].log_arity == max(t.log_height for t in summary.tables) + 2


def test_a_false_proof_has_an_orderly_summary_and_a_broken_file_none(file: bytes) -> None:
    false = bytearray(file)
    false[-1] ^= 1
    assert summarise(bytes(false)).claim == summarise(file).claim
    with pytest.raises(VerificationError):
        verify_file(bytes(false))
    for broken in (b"", file[:-1], file[:500], file.replace(b"PLSTARK1", b"PLSTARK2", 1)):
        with pytest.raises(VerificationError) as refused:
            summarise(broken)
        assert refused.value.stage == "encoding"


def test_every_stage_has_its_meaning(file: bytes) -> None:
    from typing import get_args

    from engine.stark.errors import Stage

    assert set(STAGE_MEANINGS) == set(get_args(Stage))


def test_the_lines_name_every_part(file: bytes) -> None:
    text = "\n".join(summarise(file).lines())
    for word in (
        "queries 85",
        "52 field elements",
        "poseidon",
        f"FRI 1, fold by {1 << PARAMETERS.log_arity}",
        "coefficients",
        "out-of-domain values",
    ):
        assert word in text
