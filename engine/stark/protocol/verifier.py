"""The verifier. Order of checks, the stage that a refusal names, and what could be proved without the check:

1. ``encoding``       magic, heights, total length, canonical elements. Without it a proof has many byte strings, each
   with another digest; lengths are fixed before anything is allocated, so no bytes make the verifier read on.
2. ``transcript``     the proof was made for this statement and these parameters; they reach the target security.
   Without it a prover picks a weaker statement, or so few rows and queries that a false one passes by luck.
3. ``public input``   the public inputs and terms at hand are well formed and the ones it was made for. Without it a
   true proof of one claim is shown for another.
4. ``lookup``         fractions per bus below p. Without it a tuple is sent p times, which sums to nothing.
5. ``grinding``       each nonce, as the transcript reaches it. Without it challenges are drawn again for nothing until
   they suit, and the security report overstates the level by the bits of work.
6. ``lookup``         the tables' totals and the public terms cancel. Without it tables and verifier need not agree: a
   flow is told that no row holds, a hash is used that no row computes.
7. ``constraint``     the constraint identity at the out-of-domain point, table by table. Without it the traces are any
   columns of low degree.
8. ``trace opening``  rows and paths of the main, auxiliary and quotient trees. Without it rows are made up after the
   queries are known, to suit the values claimed out of domain.
9. ``fri``            layers, folds, final polynomial. Without it the columns are any functions, and the values claimed
   out of domain are not theirs.

The transcript makes the order of 5 to 9 the order of the protocol. Nothing is drawn or trusted before what it depends
on was absorbed. What is claimed here of 4 to 9 is what the tests of ``tests/soundness`` try against the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

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
from engine.stark.errors import NOWHERE, Stage, VerificationError, Where
from engine.stark.parameters import Parameters
from engine.stark.pcs.deep import Openings, evaluate_queries, make_batch
from engine.stark.pcs.fri import evaluate_final, fold_blocks, inverse_points, place, rows_as_committed
from engine.stark.pcs.merkle import openings_match
from engine.stark.pcs.schedule import Shape, TreeOpenings, phase_trees
from engine.stark.protocol import security
from engine.stark.protocol.inputs import check_publics
from engine.stark.protocol.proof import (
    TREES,
    Proof,
    decode,
    encode_extensions,
    fri_trees,
    public_digest,
    statement_digest,
)
from engine.stark.protocol.transcript import Transcript

Positions = NDArray[np.int64]
Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Challenges:
    """Everything the transcript yields; ``engine.stark`` has what others call them.

    ``folds``: the folding challenge and the mixing challenge of each FRI layer, the latter for tables that join.
    ``indices``: the queries, points of the largest domain.
    """

    lookup: LookupChallenges | None
    constraint_challenge: Extension
    ood_point: Extension
    deep_challenge: Extension
    folds: tuple[tuple[Extension, Extension], ...]
    indices: Positions


def _refuse(
    condition: bool, stage: Stage, reason: str, value: object = None, limit: object = None, where: Where = NOWHERE
) -> None:
    if condition:
        raise VerificationError(stage, reason, where=where, value=value, limit=limit)


def start(layout: Layout, parameters: Parameters, log_heights: tuple[int, ...], publics: bytes) -> Transcript:
    """A transcript that has absorbed statement, parameters, heights and public data."""
    transcript = Transcript()
    head = layout.digest + parameters.encode() + bytes([len(log_heights), *log_heights])
    transcript.absorb("start", head + publics)
    return transcript


def _grind(transcript: Transcript, nonce: int, bits: int, name: str, where: Where = NOWHERE) -> None:
    accepted = transcript.nonce_accepted(nonce, bits)
    _refuse(not accepted, "grinding", f"the {name} nonce does not do its work", nonce, bits, where)
    transcript.absorb_nonce(nonce)


def _check_sums(proof: Proof, public_terms: Sequence[PublicTerm], challenges: LookupChallenges) -> None:
    total = public_sum(public_terms, challenges)
    for value in proof.sums:
        total = extension.add(total, value)
    _refuse(total != extension.ZERO, "lookup", "the buses do not balance", total, extension.ZERO)


def _check_identity(
    layout: Layout, proof: Proof, public_inputs: Sequence[int], lookup: LookupChallenges | None,
    constraint_challenge: Extension, ood_point: Extension,
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
        sides = combine(ring, table, values, constraint_challenge)
        holds = identity_holds(sides, opened.quotient, ood_point, height)
        where = Where(tables=(table.table.name,), log_height=height)
        reason = "the constraint identity fails at the out-of-domain point"
        _refuse(not holds, "constraint", reason, where=where)


def _replay(
    layout: Layout, shape: Shape, parameters: Parameters, proof: Proof, transcript: Transcript,
    publics: tuple[Sequence[int], Sequence[PublicTerm]],
) -> Challenges:  # fmt: skip
    """Absorb the messages and draw the challenges in the order of the protocol: checks 5 to 7 on the way."""
    transcript.absorb("main root", proof.main_root)
    lookup = None
    if layout.bus_arity:
        _grind(transcript, proof.lookup_nonce, parameters.lookup_grinding, "lookup")
        lookup = make_challenges(layout, transcript.challenge(), transcript.challenge())
        transcript.absorb("auxiliary root", proof.auxiliary_root)
        transcript.absorb("sums", encode_extensions(proof.sums))
        _check_sums(proof, publics[1], lookup)
    constraint_challenge = transcript.challenge()
    transcript.absorb("quotient root", proof.quotient_root)
    _grind(transcript, proof.deep_nonce, parameters.deep_grinding, "deep")
    ood_point = transcript.point()
    _check_identity(layout, proof, publics[0], lookup, constraint_challenge, ood_point)
    transcript.absorb("openings", b"".join(encode_extensions(opened.flat()) for opened in proof.openings))
    _grind(transcript, proof.batching_nonce, parameters.batching_grinding, "batching")
    deep_challenge, folds = transcript.challenge(), []
    for number, (root, nonce) in enumerate(zip(proof.fri_roots, proof.fri_nonces, strict=True), start=1):
        transcript.absorb("fri root", root)
        _grind(transcript, nonce, parameters.folding_grinding, "folding", Where(round=number))
        folds.append((transcript.challenge(), transcript.challenge()))
    transcript.absorb("final", encode_extensions(proof.final))
    _grind(transcript, proof.query_nonce, parameters.query_grinding, "query")
    indices = np.array(transcript.indices(parameters.queries, shape.log_domain), dtype=np.int64)
    return Challenges(lookup, constraint_challenge, ood_point, deep_challenge, tuple(folds), indices)


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


def _deep_values(layout: Layout, shape: Shape, proof: Proof, drawn: Challenges) -> dict[int, Words]:
    """Each group's DEEP polynomial at the queries, (5, queries), from the opened rows; by log2 of its domain."""
    deep = {}
    for (height, tables), rows in zip(shape.groups, _group_rows(layout, shape, proof.trees), strict=True):
        log_domain = height + shape.log_blowup
        batch = make_batch(layout, tables, proof.openings, drawn.deep_challenge)
        at = drawn.indices >> (shape.log_domain - log_domain)
        deep[log_domain] = evaluate_queries(batch, rows, at, drawn.ood_point, height, (log_domain, shape.log_domain))
    return deep


def _fri_rounds(
    layout: Layout, shape: Shape, proof: Proof, drawn: Challenges
) -> Iterator[tuple[Where, NDArray[np.bool_], str]]:
    """What FRI finds, round by round, the final polynomial last: where, whether each query passes, why it does not.

    A round checks that the values which the one before folded to, and the DEEP values of the tables that join there,
    are in the committed layer.
    """
    largest, ring = shape.log_domain, ArrayRing(len(drawn.indices))
    deep = _deep_values(layout, shape, proof, drawn)
    values, log_size = deep[largest], largest
    folds = zip(fri_trees(shape), shape.schedule, proof.layers, proof.fri_roots, drawn.folds, strict=True)
    for number, (tree, log_arity, opened, root, (challenge, mixing)) in enumerate(folds, start=1):
        at = drawn.indices >> (largest - log_size)
        leaves = at >> log_arity
        blocks = place(opened.rows[0], values, at & ((1 << log_arity) - 1))
        full = TreeOpenings((rows_as_committed(blocks),), opened.paths)
        where = _joining(layout, shape, log_size - shape.log_blowup, number)
        yield where, openings_match(tree, full, leaves, root), f"layer {number} does not continue the one before"
        values = fold_blocks(blocks, leaves, challenge, (log_arity, log_size, largest))
        log_size -= log_arity
        if log_size in deep:
            values = ring.add(values, ring.mul(ring.embed(mixing), deep[log_size]))
    inverse_x = inverse_points(drawn.indices >> (largest - log_size), log_size, largest)
    passes = np.all(evaluate_final(proof.final, inverse_x) == values, axis=0)
    where = _joining(layout, shape, log_size - shape.log_blowup)
    yield where, passes, "the final polynomial is not what the layers fold to"


def _joining(layout: Layout, shape: Shape, log_height: int, number: int | None = None) -> Where:
    """A FRI round, with the tables whose DEEP polynomial it meets first."""
    members = dict(shape.groups).get(log_height, ())
    names = tuple(layout.tables[index].table.name for index in members)
    return Where(round=number, log_height=log_height, tables=names)


def _check_rows(layout: Layout, shape: Shape, proof: Proof, drawn: Challenges) -> None:
    roots = (proof.main_root, proof.auxiliary_root, proof.quotient_root)
    phases = zip(TREES, phase_trees(layout, shape), proof.trees, roots, strict=True)
    for name, tree, opened, root in phases:
        if not tree.matrices:
            continue
        at = drawn.indices >> (shape.log_domain - tree.depth)
        matches = openings_match(tree, opened, at, root)
        if not matches.all():
            where = _row_at_fault(layout, shape, proof, drawn, int(np.argmin(matches)))
            raise VerificationError(
                "trace opening", f"{name} rows do not match their root", where=replace(where, tree=name)
            )


def _row_at_fault(layout: Layout, shape: Shape, proof: Proof, drawn: Challenges, query: int) -> Where:
    """Whose rows a query's opening has wrong, as far as FRI can tell; nobody's, then its path is wrong.

    One path opens the rows of every height, so that a root alone does not say which are wrong; but wrong rows give
    another DEEP value, and that is not in the FRI layer where their tables join.
    """
    for where, passes, _ in _fri_rounds(layout, shape, proof, drawn):
        if not passes[query]:
            return Where(query=query, log_height=where.log_height if where.tables else None, tables=where.tables)
    return Where(query=query)


def _check_fri(layout: Layout, shape: Shape, proof: Proof, drawn: Challenges) -> None:
    for where, passes, reason in _fri_rounds(layout, shape, proof, drawn):
        if not passes.all():
            raise VerificationError("fri", reason, where=replace(where, query=int(np.argmin(passes))))


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
    proof, shape = decode(bytes(proof_bytes), layout, parameters)  # 1
    digest = statement_digest(layout, parameters)
    _refuse(proof.statement_digest != digest, "transcript", "made for another statement or other parameters")  # 2
    report = security.assess(layout, proof.log_heights, parameters, len(public_terms))
    level, target = report.proven_bits, parameters.target_bits
    _refuse(level < target, "transcript", "the parameters do not reach the target at these heights", level, target)
    problem = check_publics(layout, public_inputs, public_terms)
    _refuse(problem is not None, "public input", problem or "")  # 3
    publics = public_digest(public_inputs, public_terms)
    _refuse(proof.public_digest != publics, "public input", "made for other public inputs or terms")
    bus = check_counts(layout, proof.log_heights, public_terms)
    _refuse(bus is not None, "lookup", f"bus {bus} has p or more fractions", limit=P)  # 4
    transcript = start(layout, parameters, proof.log_heights, publics)
    try:
        drawn = _replay(layout, shape, parameters, proof, transcript, (public_inputs, public_terms))  # 5, 6, 7
        _check_rows(layout, shape, proof, drawn)  # 8
        _check_fri(layout, shape, proof, drawn)  # 9
    except VerificationError:
        raise
    except ProtocolError as error:  # an inverse of zero, at a challenge that only a chance of 2^-140 yields
        raise VerificationError("constraint", error.message) from error
    return report
