"""What the opening contract derives from a proof, derived here too: the words that query transactions carry.

Nothing is verified here. The words follow the same transcript as ``stark.protocol.verifier``; for a bad proof they are
what the contracts would come to, so that it is they that refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.field.extension import Extension
from engine.hashing.keccak import keccak256
from engine.settlement.contracts.abi import encode_arguments
from engine.settlement.verifier.packing import pack
from engine.stark.air.layout import Layout
from engine.stark.errors import VerificationError
from engine.stark.parameters import Parameters
from engine.stark.pcs.deep import Batch, make_batch
from engine.stark.pcs.schedule import Shape
from engine.stark.protocol.proof import Proof, encode_extensions
from engine.stark.protocol.verifier import start

MAX_GROUPS = 3
FACT_WORD = 7 + 2 * MAX_GROUPS
"""Where the fact stands; the number of layers follows, then the layers."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """All challenges of a proof, and the transcript's state when the queries are drawn."""

    denominator_challenge: Extension
    tuple_challenge: Extension
    constraint_challenge: Extension
    ood_point: Extension
    deep_challenge: Extension
    folds: tuple[tuple[Extension, Extension], ...]
    state: bytes
    indices: NDArray[np.int64]


def draw(layout: Layout, shape: Shape, parameters: Parameters, proof: Proof, publics: bytes) -> Drawn:
    """Replay the transcript of a decoded proof; ``publics``: its public digest."""
    transcript = start(layout, parameters, proof.log_heights, publics)
    transcript.absorb("main root", proof.main_root)
    transcript.absorb_nonce(proof.lookup_nonce)
    denominator_challenge, tuple_challenge = transcript.challenge(), transcript.challenge()
    transcript.absorb("auxiliary root", proof.auxiliary_root)
    transcript.absorb("sums", encode_extensions(proof.sums))
    constraint_challenge = transcript.challenge()
    transcript.absorb("quotient root", proof.quotient_root)
    transcript.absorb_nonce(proof.deep_nonce)
    ood_point = transcript.point()
    transcript.absorb("openings", b"".join(encode_extensions(opened.flat()) for opened in proof.openings))
    transcript.absorb_nonce(proof.batching_nonce)
    deep_challenge, folds = transcript.challenge(), []
    for root, nonce in zip(proof.fri_roots, proof.fri_nonces, strict=True):
        transcript.absorb("fri root", root)
        transcript.absorb_nonce(nonce)
        folds.append((transcript.challenge(), transcript.challenge()))
    transcript.absorb("final", encode_extensions(proof.final))
    transcript.absorb_nonce(proof.query_nonce)
    state = transcript.state
    indices = np.array(transcript.indices(parameters.queries, shape.log_domain), dtype=np.int64)
    return Drawn(
        denominator_challenge=denominator_challenge,
        tuple_challenge=tuple_challenge,
        constraint_challenge=constraint_challenge,
        ood_point=ood_point,
        deep_challenge=deep_challenge,
        folds=tuple(folds),
        state=state,
        indices=indices,
    )


def batches(layout: Layout, shape: Shape, proof: Proof, deep_challenge: Extension) -> list[Batch]:
    """The DEEP combinations of every group, tallest first."""
    return [make_batch(layout, tables, proof.openings, deep_challenge) for _, tables in shape.groups]


def context_words(shape: Shape, proof: Proof, drawn: Drawn, combined: Sequence[Batch], fact: bytes) -> list[int]:
    """The words, in the order that ``queries.vy`` documents. Raises for more groups than the contracts take."""
    if len(shape.groups) > MAX_GROUPS:
        raise VerificationError("encoding", "too many table heights", value=len(shape.groups), limit=MAX_GROUPS)
    heights = sum(height << (8 * table) for table, height in enumerate(shape.log_heights))
    roots = (proof.main_root, proof.auxiliary_root, proof.quotient_root)
    claims = [pack(claim) for batch in combined for claim in (batch.claimed, batch.claimed_next)]
    words = [int.from_bytes(drawn.state, "big"), heights, *(int.from_bytes(root, "big") for root in roots)]
    words += [pack(drawn.ood_point), pack(drawn.deep_challenge), *claims, *[0] * (2 * MAX_GROUPS - len(claims))]
    words += [int.from_bytes(fact, "big"), len(shape.schedule)]
    for root, (challenge, mixing) in zip(proof.fri_roots, drawn.folds, strict=True):
        words += [int.from_bytes(root, "big"), pack(challenge), pack(mixing)]
    return words + [pack(coefficient) for coefficient in proof.final]


def context_digest(words: Sequence[int]) -> bytes:
    """What facts name a context by."""
    return keccak256(encode_arguments(("uint256[]",), list(words)))
