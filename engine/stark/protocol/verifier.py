"""The verifier. Order of checks, and the stage that a refusal names:

1. ``encoding``       magic, heights, total length, canonical elements
2. ``transcript``     the proof was made for this statement and these parameters; they reach the target security
3. ``public input``   the public inputs and terms at hand are well formed and the ones it was made for
4. ``lookup``         fractions per bus below p
5. ``grinding``       each nonce, as the transcript reaches it
6. ``lookup``         the tables' totals and the public terms cancel
7. ``constraint``     the constraint identity at z, table by table
8. ``trace opening``  rows and paths of the main, auxiliary and quotient trees
9. ``fri``            layers, folds, final polynomial

The transcript makes the order of 5 to 9 the order of the protocol. Nothing is drawn or trusted before what it depends
on was absorbed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import ProtocolError
from engine.field import extension
from engine.field.extension import Extension
from engine.field.koalabear import P
from engine.stark.air.constraints import Row, combine, constraint_values, identity_holds
from engine.stark.air.layout import Layout, layout_of
from engine.stark.air.lookup import LookupChallenges, check_counts, make_challenges, public_sum, step_of
from engine.stark.air.rings import ArrayRing, PointRing, Ring
from engine.stark.air.table import PublicTerm, Statement
from engine.stark.errors import Stage, VerificationError
from engine.stark.pcs.deep import evaluate_queries, make_batch
from engine.stark.pcs.fri import evaluate_final, fold_blocks, inverse_points, place
from engine.stark.pcs.merkle import openings_match
from engine.stark.pcs.schedule import Shape, phase_trees
from engine.stark.protocol import security
from engine.stark.protocol.inputs import check_publics
from engine.stark.protocol.parameters import Parameters
from engine.stark.protocol.proof import (
    Openings,
    Proof,
    TreeOpenings,
    decode,
    encode_extensions,
    fri_trees,
    public_digest,
    statement_digest,
)
from engine.stark.protocol.transcript import Transcript

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Challenges:
    """Everything the transcript yields. ``folds``: (b, lambda) per FRI layer; lambda only used where a table joins."""

    lookup: LookupChallenges | None
    zeta: Extension
    z: Extension
    gamma: Extension
    folds: tuple[tuple[Extension, Extension], ...]
    indices: Positions


def _refuse(condition: bool, stage: Stage, reason: str, value: object = None, limit: object = None) -> None:
    if condition:
        raise VerificationError(stage, reason, value=value, limit=limit)


def start(layout: Layout, parameters: Parameters, log_heights: tuple[int, ...], publics: bytes) -> Transcript:
    """A transcript that has absorbed statement, parameters, heights and public data."""
    transcript = Transcript()
    head = layout.digest + parameters.encode() + bytes([len(log_heights), *log_heights])
    transcript.absorb("start", head + publics)
    return transcript


def _grind(transcript: Transcript, nonce: int, bits: int, name: str) -> None:
    _refuse(
        not transcript.nonce_accepted(nonce, bits), "grinding", f"the {name} nonce does not do its work", nonce, bits
    )
    transcript.absorb_nonce(nonce)


def _check_sums(proof: Proof, public_terms: Sequence[PublicTerm], challenges: LookupChallenges) -> None:
    total = public_sum(public_terms, challenges)
    for value in proof.sums:
        total = extension.add(total, value)
    _refuse(total != extension.ZERO, "lookup", "the buses do not balance", total, extension.ZERO)


def _check_identity(
    layout: Layout, proof: Proof, public_inputs: Sequence[int], lookup: LookupChallenges | None, zeta: Extension,
    z: Extension,
) -> None:  # fmt: skip
    ring: Ring[Extension | int, Extension] = PointRing()
    sums = iter(proof.sums)
    for table, opened, height in zip(layout.tables, proof.openings, proof.log_heights, strict=True):
        step = step_of(next(sums), height) if table.groups else extension.ZERO
        following = dict(zip(table.next_columns, opened.next, strict=True))

        def column(index: int, offset: int, opened: Openings = opened, after: dict = following) -> Extension:
            value: Extension = after[index] if offset else opened.main[index]
            return value

        after_sum = next(iter(opened.sum_next), None)
        row: Row[Extension | int, Extension] = Row(column, public_inputs.__getitem__, opened.auxiliary, after_sum)
        values = constraint_values(ring, table, row, lookup, step)
        sides = combine(ring, table, values, zeta)
        _refuse(
            not identity_holds(sides, opened.quotient, z, height),
            "constraint",
            f"table {table.table.name}: the constraint identity fails at z",
        )


def _replay(
    layout: Layout, shape: Shape, parameters: Parameters, proof: Proof, transcript: Transcript,
    publics: tuple[Sequence[int], Sequence[PublicTerm]],
) -> Challenges:  # fmt: skip
    """Absorb the messages and draw the challenges in the order of the protocol, checking what can be on the way."""
    transcript.absorb("main root", proof.main_root)
    lookup = None
    if layout.bus_arity:
        _grind(transcript, proof.lookup_nonce, parameters.lookup_grinding, "lookup")
        lookup = make_challenges(layout, transcript.challenge(), transcript.challenge())
        transcript.absorb("auxiliary root", proof.auxiliary_root)
        transcript.absorb("sums", encode_extensions(proof.sums))
        _check_sums(proof, publics[1], lookup)
    zeta = transcript.challenge()
    transcript.absorb("quotient root", proof.quotient_root)
    _grind(transcript, proof.deep_nonce, parameters.deep_grinding, "deep")
    z = transcript.point()
    _check_identity(layout, proof, publics[0], lookup, zeta, z)
    transcript.absorb("openings", b"".join(encode_extensions(opened.flat()) for opened in proof.openings))
    _grind(transcript, proof.batching_nonce, parameters.batching_grinding, "batching")
    gamma, folds = transcript.challenge(), []
    for root, nonce in zip(proof.fri_roots, proof.fri_nonces, strict=True):
        transcript.absorb("fri root", root)
        _grind(transcript, nonce, parameters.folding_grinding, "folding")
        folds.append((transcript.challenge(), transcript.challenge()))
    transcript.absorb("final", encode_extensions(proof.final))
    _grind(transcript, proof.query_nonce, parameters.query_grinding, "query")
    indices = np.array(transcript.indices(parameters.queries, shape.log_domain), dtype=np.int64)
    return Challenges(lookup, zeta, z, gamma, tuple(folds), indices)


def _group_rows(
    layout: Layout, shape: Shape, opened: Sequence[TreeOpenings]
) -> list[tuple[NDArray[np.uint32], NDArray[np.uint32] | None, NDArray[np.uint32]]]:
    """Per group, tallest first: its opened rows in the three phases; None where it has no auxiliary columns."""
    trees = phase_trees(layout, shape)
    rows = [
        dict(zip((log for log, _ in tree.matrices), part.rows, strict=True))
        for tree, part in zip(trees, opened, strict=True)
    ]
    logs = [height + shape.log_blowup for height in shape.log_heights_present]
    return [(rows[0][log], rows[1].get(log), rows[2][log]) for log in logs]


def _check_rows(layout: Layout, shape: Shape, proof: Proof, indices: Positions) -> None:
    roots = (proof.main_root, proof.auxiliary_root, proof.quotient_root)
    names = ("main", "auxiliary", "quotient")
    for name, tree, opened, root in zip(names, phase_trees(layout, shape), proof.trees, roots, strict=True):
        if tree.matrices:
            at = indices >> (shape.log_domain - tree.depth)
            matches = openings_match(tree, opened, at, root)
            _refuse(not matches, "trace opening", f"{name} rows do not match their root")


def _check_fri(layout: Layout, shape: Shape, proof: Proof, drawn: Challenges) -> None:
    largest, ring = shape.log_domain, ArrayRing(len(drawn.indices))
    deep = {}
    for (height, tables), rows in zip(shape.groups, _group_rows(layout, shape, proof.trees), strict=True):
        log_domain = height + shape.log_blowup
        batch = make_batch(layout, tables, proof.openings, drawn.gamma)
        at = drawn.indices >> (largest - log_domain)
        deep[log_domain] = evaluate_queries(batch, rows, at, drawn.z, height, (log_domain, largest))
    values, log_size = deep[largest], largest
    folds = zip(fri_trees(shape), shape.schedule, proof.layers, proof.fri_roots, drawn.folds, strict=True)
    for number, (tree, log_arity, opened, root, (challenge, mixing)) in enumerate(folds, start=1):
        at = drawn.indices >> (largest - log_size)
        leaves = at >> log_arity
        blocks = place(opened.rows[0], values, at & ((1 << log_arity) - 1))
        full = np.ascontiguousarray(blocks.transpose(2, 1, 0).reshape(len(at), -1), dtype=np.uint32)
        matches = openings_match(tree, TreeOpenings((full,), opened.paths), leaves, root)
        _refuse(not matches, "fri", f"layer {number} does not continue the one before")
        values = fold_blocks(blocks, leaves, challenge, (log_arity, log_size, largest))
        log_size -= log_arity
        if log_size in deep:
            values = ring.add(values, ring.mul(ring.embed(mixing), deep[log_size]))
    inverse_x = inverse_points(drawn.indices >> (largest - log_size), log_size, largest)
    final = evaluate_final(proof.final, inverse_x)
    _refuse(not np.array_equal(final, values), "fri", "the final polynomial is not what the layers fold to")


def verify(
    statement: Statement,
    public_inputs: tuple[int, ...],
    public_terms: tuple[PublicTerm, ...],
    proof_bytes: bytes,
    parameters: Parameters,
) -> security.SecurityReport:
    """Accept a proof, returning its security, or raise :class:`VerificationError`.

    ``public_inputs``: canonical elements, as many as the statement says. ``public_terms``: what the verifier adds
    itself to the buses. Any bytes may be given as ``proof_bytes``; whatever does not prove exactly this is refused.
    """
    layout = layout_of(statement)
    proof, shape = decode(bytes(proof_bytes), layout, parameters)
    digest = statement_digest(layout, parameters)
    _refuse(proof.statement_digest != digest, "transcript", "made for another statement or other parameters")
    report = security.assess(layout, proof.log_heights, parameters, len(public_terms))
    level, target = report.proven_bits, parameters.target_bits
    _refuse(level < target, "transcript", "the parameters do not reach the target at these heights", level, target)
    problem = check_publics(layout, public_inputs, public_terms)
    _refuse(problem is not None, "public input", problem or "")
    publics = public_digest(public_inputs, public_terms)
    _refuse(proof.public_digest != publics, "public input", "made for other public inputs or terms")
    bus = check_counts(layout, proof.log_heights, public_terms)
    _refuse(bus is not None, "lookup", f"bus {bus} has p or more fractions", limit=P)
    transcript = start(layout, parameters, proof.log_heights, publics)
    try:
        drawn = _replay(layout, shape, parameters, proof, transcript, (public_inputs, public_terms))
        _check_rows(layout, shape, proof, drawn.indices)
        _check_fri(layout, shape, proof, drawn)
    except VerificationError:
        raise
    except ProtocolError as error:  # an inverse of zero, at a challenge that only a chance of 2^-140 yields
        raise VerificationError("constraint", error.message) from error
    return report
