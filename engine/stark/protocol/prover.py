"""The prover: from traces to proof bytes.

It checks the shape of its input and nothing else: given traces that break the statement it still finishes the protocol,
with a quotient that is no polynomial, and it is the verifier that refuses (``protocol.witness`` says what is wrong
with a witness). Steps are methods that tests override to make dishonest provers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.kernels import from_montgomery_array, to_montgomery_array
from engine.stark.air.layout import QUOTIENT_CHUNKS, layout_of
from engine.stark.air.lookup import LookupChallenges, make_challenges
from engine.stark.air.table import PublicTerm, Statement
from engine.stark.domain import shift
from engine.stark.errors import ProvingCancelled, StatementError
from engine.stark.parameters import Parameters
from engine.stark.pcs.commitment import Commitment, Matrix, Phase, commit
from engine.stark.pcs.deep import Batch, Openings, make_batch, next_point
from engine.stark.pcs.folding import blocks, fold, mix
from engine.stark.pcs.fri import interpolate_final
from engine.stark.pcs.opening import (
    barycentric_weights,
    combine_columns,
    deep_quotient,
    evaluate_columns,
    inverse_distances,
    join_coordinates,
)
from engine.stark.pcs.schedule import Shape, TreeOpenings, make_shape, phase_trees, phase_widths
from engine.stark.pcs.transforms import extend, quotient_chunks
from engine.stark.protocol import reference
from engine.stark.protocol.grinding import least_nonce
from engine.stark.protocol.inputs import check_publics, check_traces
from engine.stark.protocol.proof import (
    Proof,
    encode,
    encode_extensions,
    fri_trees,
    public_digest,
    statement_digest,
)
from engine.stark.protocol.verifier import start
from engine.stark.runtime import evaluator
from engine.stark.runtime.evaluator import Machine, machines_of
from engine.stark.runtime.memory import SHARED, Lease
from engine.stark.runtime.workers import ALONE, Workers

Words = NDArray[np.uint32]
Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]
_STEPS = 12
"""Calls of ``Prover.done``: extension and commitment come once per phase; without lookups there are three fewer."""
STAGES = ("trace", "extension", "commitment", "lookup", "quotient", "deep", "fri", "openings")


@dataclass(frozen=True, slots=True)
class ProofResult:
    """Proof bytes, and the seconds that each of ``STAGES`` took."""

    bytes: bytes
    stage_seconds: dict[str, float]


def _flat(words: NDArray[np.uint64]) -> Words:
    """Canonical words as flat Montgomery words."""
    return to_montgomery_array(words.astype(np.uint32).reshape(-1))


def _canonical(words: Words) -> NDArray[np.uint64]:
    return from_montgomery_array(words).astype(np.uint64)


class Prover:
    """One proof in the making; :func:`prove` is the way to use it."""

    def __init__(
        self,
        statement: Statement,
        traces: dict[str, NDArray[np.uint32]],
        public_inputs: Sequence[int],
        public_terms: Sequence[PublicTerm],
        parameters: Parameters,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        plain: bool = False,
        workers: Workers = ALONE,
    ) -> None:
        self.layout = layout_of(statement)
        self.heights = check_traces(self.layout, traces, parameters)
        self.shape: Shape = make_shape(self.layout, self.heights, parameters)
        self.parameters = parameters
        self.public_inputs, self.public_terms = tuple(public_inputs), tuple(public_terms)
        problem = check_publics(self.layout, self.public_inputs, self.public_terms)
        if problem:
            raise StatementError(problem, field="public inputs")
        self.workers = workers
        self.traces = [traces[table.table.name] for table in self.layout.tables]
        self.progress, self.cancelled, self.plain = progress, cancelled, plain
        self.publics = public_digest(self.public_inputs, self.public_terms)
        self.transcript = start(self.layout, parameters, self.heights, self.publics)
        self.lease = Lease(SHARED)
        self.phases: list[Phase] = []
        self.totals: dict[int, Extension] = {}
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._clock = time.perf_counter()
        self._steps = 0

    def done(self, stage: str) -> None:
        """Charge the time since the last call to ``stage``; report progress; stop if asked to."""
        now = time.perf_counter()
        self.seconds[stage] += now - self._clock
        self._clock = now
        self._steps += 1
        if self.progress is not None:
            self.progress(stage, self._steps / (_STEPS if self.layout.bus_arity else _STEPS - 3))
        self.pause()

    def pause(self) -> None:
        """Stop here if the caller wants to."""
        if self.cancelled is not None and self.cancelled():
            raise ProvingCancelled("proving was cancelled", field="cancelled")

    def shift_of(self, height: int) -> int:
        """Coset shift of the domain of tables of this height."""
        return shift(height + self.shape.log_blowup, self.shape.log_domain)

    def side_by_side(self, tables: Sequence[Words], members: Sequence[int]) -> Words:
        """Columns of a group's tables in one array."""
        if len(members) == 1:
            return tables[members[0]]
        out = self.lease.take(sum(tables[i].size for i in members))
        return np.concatenate([tables[i] for i in members], out=out)

    def commit_phase(self, number: int, tables: list[Words]) -> Phase:
        """Extend and commit one phase; ``tables``: flat Montgomery values on H of each table, maybe empty."""
        widths = phase_widths(self.layout)[number]
        phase, matrices = Phase(tables), []
        for height, members in self.shape.groups:
            width = sum(widths[i] for i in members)
            log_rows = height + self.shape.log_blowup
            if width:
                values = self.side_by_side(tables, members)
                extended = extend(
                    values, width, height, self.shape.log_blowup, self.shift_of(height), self.lease, self.workers
                )
                matrices.append(Matrix(extended, width, log_rows))
                ends = np.cumsum([widths[i] << log_rows for i in members])
                phase.extended.update(zip(members, np.split(extended, ends[:-1]), strict=True))
            self.pause()
        self.done("extension")
        phase.commitment = commit(tuple(matrices), self.lease, self.workers)
        self.phases.append(phase)
        self.done("commitment")
        return phase

    def trace_words(self) -> list[Words]:
        """Main columns on H, Montgomery."""
        return [
            to_montgomery_array(np.ascontiguousarray(trace).reshape(-1), out=self.lease.take(trace.size))
            for trace in self.traces
        ]

    def machine(self, index: int) -> Machine:
        """The compiled evaluator's program of one table."""
        return machines_of(self.layout)[index]

    def auxiliary(self, index: int, challenges: LookupChallenges) -> tuple[Words, Extension]:
        """Auxiliary columns of one table on H (flat Montgomery) and its total."""
        height = self.heights[index]
        if self.plain or height < 4:
            table = self.layout.tables[index]
            columns, total = reference.auxiliary_columns(table, self.traces[index], self.public_inputs, challenges)
            return _flat(columns), total
        main = self.phases[0].tables[index]
        return evaluator.auxiliary_columns(
            self.machine(index), main, height, self.public_inputs, challenges, self.pause
        )

    def quotient(self, index: int, challenges: LookupChallenges | None, constraint_challenge: Extension) -> Words:
        """Q's coordinates on the first 2N points of the table's domain, flat Montgomery."""
        table, height = self.layout.tables[index], self.heights[index]
        logs = (height, height + self.shape.log_blowup, self.shape.log_domain)
        total = self.totals.get(index, extension.ZERO)
        empty = np.zeros(0, dtype=np.uint32)
        matrices = (self.phases[0].extended[index], self.phases[1].extended.get(index, empty))
        if not self.plain:
            return evaluator.quotient_values(
                self.machine(index), logs, matrices, self.public_inputs, challenges, constraint_challenge, total,
                self.pause, self.workers,
            )  # fmt: skip
        main, auxiliary = (_canonical(words).reshape(-1, 1 << logs[1]) for words in matrices)
        values = reference.quotient_values(
            table, logs, (main, auxiliary), self.public_inputs, challenges, constraint_challenge, total
        )
        return _flat(values)

    def grind(self, bits: int) -> int:
        """Find and absorb a nonce."""
        nonce = least_nonce(self.transcript.state, bits, self.workers) if bits else 0
        self.transcript.absorb_nonce(nonce)
        return nonce

    def open_table(self, index: int, weights: tuple[Words, Words]) -> Openings:
        """Values of one table's polynomials at zeta and zeta*w, given barycentric weights of both."""
        table, (here, there) = self.layout.tables[index], weights
        main, auxiliary, quotient = (phase.tables[index] for phase in self.phases)
        rows = 1 << self.heights[index]
        following = [evaluate_columns(main[c * rows : (c + 1) * rows], there)[0] for c in table.next_columns]
        helpers = join_coordinates(evaluate_columns(auxiliary, here))
        sums = join_coordinates(evaluate_columns(auxiliary[-DEGREE * rows :], there)) if table.groups else ()
        chunks = join_coordinates(evaluate_columns(quotient, here))
        return Openings(evaluate_columns(main, here), helpers, chunks, tuple(following), sums)

    def deep_values(self, members: Sequence[int], height: int, batch: Batch, inverses: tuple[Words, Words]) -> Words:
        """G on H of one group, flat Montgomery; ``inverses``: 1 / (w^i - zeta), 1 / (w^i - zeta*w)."""
        columns = [self.side_by_side(phase.tables, members) for phase in self.phases]
        rows = 1 << height
        now, following = (
            combine_columns(columns, weights, rows, self.pause, self.workers)
            for weights in (batch.at_point, batch.at_next)
        )
        return deep_quotient((now, following), inverses, batch, height)

    def fri(self, layers: dict[int, Words]) -> tuple[list[Commitment], list[int], list[Extension]]:
        """Commit phase: commitments, nonces and the final polynomial. ``layers``: G by log2 of its domain."""
        largest = log_size = self.shape.log_domain
        current, commitments, nonces = layers[largest], [], []
        for log_arity in self.shape.schedule:
            committed = commit((blocks(current, log_arity),), self.lease, self.workers)
            commitments.append(committed)
            self.transcript.absorb("fri root", committed.root)
            nonces.append(self.grind(self.parameters.folding_grinding))
            challenge, mixing = self.transcript.challenge(), self.transcript.challenge()
            current = fold(current, log_arity, challenge, log_size, largest)
            log_size -= log_arity
            if log_size in layers:
                current = mix(current, layers[log_size], mixing)
            self.pause()
        values = _canonical(current).reshape(DEGREE, -1)
        return commitments, nonces, interpolate_final(values, self.shape.log_final, log_size, largest)

    def prove_main(self) -> None:
        """Commit the traces."""
        words = self.trace_words()
        self.done("trace")
        phase = self.commit_phase(0, words)
        self.transcript.absorb("main root", phase.root)

    def prove_lookups(self) -> tuple[int, LookupChallenges | None]:
        """Draw the LogUp challenges, commit auxiliary columns and totals."""
        empty = np.zeros(0, dtype=np.uint32)
        if not self.layout.bus_arity:
            self.phases.append(Phase([empty for _ in self.heights]))
            return 0, None
        nonce = self.grind(self.parameters.lookup_grinding)
        challenges = make_challenges(self.layout, self.transcript.challenge(), self.transcript.challenge())
        built = []
        for index, table in enumerate(self.layout.tables):
            columns = empty
            if table.groups:
                columns, self.totals[index] = self.auxiliary(index, challenges)
            built.append(columns)
            self.pause()
        self.done("lookup")
        phase = self.commit_phase(1, built)
        self.transcript.absorb("auxiliary root", phase.root)
        self.transcript.absorb("sums", encode_extensions(list(self.totals.values())))
        return nonce, challenges

    def prove_quotient(self, challenges: LookupChallenges | None) -> None:
        """Draw the constraint challenge, commit the quotient polynomial's chunks."""
        constraint_challenge, chunks = self.transcript.challenge(), []
        for index, height in enumerate(self.heights):
            values = self.quotient(index, challenges, constraint_challenge)
            chunks.append(quotient_chunks(values, height, self.shift_of(height), QUOTIENT_CHUNKS))
            self.pause()
        self.done("quotient")
        phase = self.commit_phase(2, chunks)
        self.transcript.absorb("quotient root", phase.root)

    def prove_openings(self) -> tuple[int, tuple[Openings, ...], int, dict[int, Words]]:
        """Draw the out-of-domain point, open, draw the DEEP challenge: nonces, openings, G on its domain per group."""
        deep_nonce = self.grind(self.parameters.deep_grinding)
        ood_point = self.transcript.point()
        points = {height: (ood_point, next_point(ood_point, height)) for height in set(self.heights)}
        inverses = {h: (inverse_distances(h, here), inverse_distances(h, after)) for h, (here, after) in points.items()}
        weights = {
            h: (barycentric_weights(h, here, inverses[h][0]), barycentric_weights(h, after, inverses[h][1]))
            for h, (here, after) in points.items()
        }
        openings = tuple(self.open_table(index, weights[height]) for index, height in enumerate(self.heights))
        self.transcript.absorb("openings", b"".join(encode_extensions(opened.flat()) for opened in openings))
        batching_nonce = self.grind(self.parameters.batching_grinding)
        deep_challenge, layers = self.transcript.challenge(), {}
        for height, members in self.shape.groups:
            batch = make_batch(self.layout, members, openings, deep_challenge)
            values = self.deep_values(members, height, batch, inverses[height])
            shift_here = self.shift_of(height)
            extended = extend(values, DEGREE, height, self.shape.log_blowup, shift_here, self.lease, self.workers)
            layers[height + self.shape.log_blowup] = extended
            self.pause()
        self.done("deep")
        return deep_nonce, openings, batching_nonce, layers

    def open_trees(self, indices: NDArray[np.int64]) -> tuple[TreeOpenings, ...]:
        """Openings of the three phases' trees."""
        opened = []
        for phase, tree in zip(self.phases, phase_trees(self.layout, self.shape), strict=True):
            if phase.commitment is None:
                opened.append(TreeOpenings((), np.zeros((len(indices), 0, 32), dtype=np.uint8)))
            else:
                opened.append(phase.commitment.open(tree, indices >> (self.shape.log_domain - tree.depth)))
        return tuple(opened)

    def open_layers(self, commitments: list[Commitment], indices: NDArray[np.int64]) -> tuple[TreeOpenings, ...]:
        """Siblings and paths of the FRI layers."""
        opened, at = [], indices
        for committed, tree, log_arity in zip(commitments, fri_trees(self.shape), self.shape.schedule, strict=True):
            slots, at = at & ((1 << log_arity) - 1), at >> log_arity
            leaf = committed.open(tree, at)
            keep = np.arange(1 << log_arity)[None] != slots[:, None]
            blocks = leaf.rows[0].reshape(len(at), -1, DEGREE)[keep]
            opened.append(TreeOpenings((blocks.reshape(len(at), -1),), leaf.paths))
        return tuple(opened)

    def run(self) -> ProofResult:
        """The proof; working memory goes back to the pool whatever happens."""
        try:
            return self.protocol()
        finally:
            self.lease.close()

    def protocol(self) -> ProofResult:
        """The whole protocol, in its order."""
        layout, transcript, parameters = self.layout, self.transcript, self.parameters
        self.prove_main()
        lookup_nonce, challenges = self.prove_lookups()
        self.prove_quotient(challenges)
        deep_nonce, openings, batching_nonce, layers = self.prove_openings()
        commitments, nonces, final = self.fri(layers)
        transcript.absorb("final", encode_extensions(final))
        query_nonce = self.grind(parameters.query_grinding)
        self.done("fri")
        indices = np.array(transcript.indices(parameters.queries, self.shape.log_domain), dtype=np.int64)
        main, auxiliary, quotient = (phase.root for phase in self.phases)
        proof = Proof(
            statement_digest(layout, parameters), self.publics, self.heights, main, lookup_nonce, auxiliary,
            tuple(self.totals.values()), quotient, deep_nonce, openings, batching_nonce,
            tuple(item.root for item in commitments), tuple(nonces), tuple(final), query_nonce,
            self.open_trees(indices), self.open_layers(commitments, indices),
        )  # fmt: skip
        data = encode(proof, layout)
        self.done("openings")
        return ProofResult(data, dict(self.seconds))


def prove(
    statement: Statement,
    traces: dict[str, NDArray[np.uint32]],
    public_inputs: tuple[int, ...],
    public_terms: tuple[PublicTerm, ...],
    parameters: Parameters,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    plain: bool = False,
    threads: int = 1,
) -> ProofResult:
    """Prove a statement. ``traces``: canonical uint32[columns, rows] per table name, rows a power of two.

    ``progress(stage, fraction done)`` is called after each stage; ``cancelled`` is asked often, by any thread, and true
    ends the work with :class:`ProvingCancelled`. Raises :class:`StatementError` for input of the wrong shape; that the
    traces satisfy the statement is not checked here. ``plain`` evaluates constraints by numpy, to the same bytes.
    ``threads`` share the work of most stages; the bytes do not depend on their number.
    """
    with Workers(threads, cancelled) as workers:
        return Prover(
            statement, traces, public_inputs, public_terms, parameters, progress, cancelled, plain, workers
        ).run()
