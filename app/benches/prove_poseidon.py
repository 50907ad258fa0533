"""``bench prove-poseidon``: Poseidon permutations proved a second, from input states to proof bytes, on one thread.

The statement: a table of Poseidon permutations, one a row, whose last one gives a public output. It is the Poseidon
table of a batch (its 164 columns, its 148 constraints) without the bus, and the parameters are the batches' own. Every
size runs in a process of its own, so that its peak of resident memory is its own too.
"""

from __future__ import annotations

import resource
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from app.benches.apart import apart
from app.commands.bench import result
from engine.field.koalabear import P
from engine.field.lanes import aligned_empty
from engine.hashing.poseidon import DIGEST_WORDS, WITNESS_COLUMNS
from engine.hashing.poseidon_constants import WIDTH
from engine.hashing.poseidon_kernels import witness_rows
from engine.proving.parameters import PARAMETERS
from engine.proving.tables.poseidon import poseidon_columns, round_constraints
from engine.stark.air.expression import Public
from engine.stark.air.layout import layout_of
from engine.stark.air.table import Constraint, Statement, Table
from engine.stark.parameters import Parameters
from engine.stark.protocol.prover import prove
from engine.stark.protocol.security import assess, choose_parameters
from engine.stark.protocol.verifier import verify

LOG_SIZE = 16
OTHER_SIZES = (14, 15, 17, 18)
OTHER_BLOWUPS = (1, 3, 4)
ROUNDS, QUICK_ROUNDS = 5, 1
SEED = 5

BUDGET_NANOSECONDS = {
    "trace": 169,
    "extension": 809 + 82,
    "commitment": 827 + 121 + 241,
    "quotient": 391,
    "deep": 99 + 29 + 150,
    "fri": 76 + 29,
}
"""Nanoseconds per permutation of bare kernels in pipeline order, 2^16 rows, blowup 4, one 3.7 GHz Zen 5 core: what each
stage is held against. Trace and quotient phase are added up; the opening of queries has no budget."""


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: 2**log_size permutations under these parameters."""

    log_size: int
    parameters: Parameters
    rounds: int


@lru_cache(maxsize=1)
def poseidon_statement() -> Statement:
    """2^k permutations; public: the first half of the last one's output."""
    columns = poseidon_columns()
    claims = [Constraint(f"public word {i}", columns.output[i] - Public(i), rows="last") for i in range(DIGEST_WORDS)]
    table = Table(
        name="poseidon",
        columns=columns.names[:WITNESS_COLUMNS],
        constraints=(*round_constraints(columns.permutation), *claims),
        interactions=(),
    )
    return Statement(b"proofline-bench-poseidon", (table,), {}, DIGEST_WORDS)


def measure(*, quick: bool, blowup: str | None = None) -> dict[str, Any]:
    """The rate at 2^16 permutations and the batches' parameters; details have every size and every rate.

    With ``blowup`` (evaluations per row) that one alone, under :func:`parameters_for`.
    """
    rounds = QUICK_ROUNDS if quick else ROUNDS
    chosen = PARAMETERS if blowup is None else parameters_for(int(blowup))
    cases = [Case(LOG_SIZE, chosen, rounds)]
    if not quick and blowup is None:
        cases += [Case(size, _parameters(size), rounds) for size in OTHER_SIZES]
        cases += [Case(LOG_SIZE, _chosen(LOG_SIZE, blowup), rounds) for blowup in OTHER_BLOWUPS]
    rows = [apart(measure_case, case) for case in cases]
    parameters = {"permutations": 1 << LOG_SIZE, "threads": 1, "hash": "Keccak-256", "extension_degree": 5}
    details = {"rows": rows, "budget_nanoseconds": BUDGET_NANOSECONDS}
    return result(
        "prove-poseidon",
        rows[0]["permutations_per_second"],
        "permutations/s",
        {**parameters, **asdict(chosen)},
        {**rows[0], **details},
    )


def parameters_for(blowup: int) -> Parameters:
    """The batches' parameters at their blowup; at another, the fewest queries that prove as many bits."""
    log_blowup = blowup.bit_length() - 1
    return PARAMETERS if log_blowup == PARAMETERS.log_blowup else _chosen(LOG_SIZE, log_blowup)


def _parameters(log_size: int) -> Parameters:
    """The batches' parameters where they prove their target, which they need not beyond the heights of batches."""
    level = assess(layout_of(poseidon_statement()), (log_size,), PARAMETERS).proven_bits
    return PARAMETERS if level >= PARAMETERS.target_bits else _chosen(log_size, PARAMETERS.log_blowup)


def _chosen(log_size: int, log_blowup: int) -> Parameters:
    return choose_parameters(layout_of(poseidon_statement()), (log_size,), log_blowup=log_blowup)


def measure_case(case: Case) -> dict[str, Any]:
    """Median of the rounds, after one that is not counted; the proof is verified."""
    states = np.random.default_rng(SEED).integers(0, P, size=WIDTH << case.log_size, dtype=np.uint32)
    room = aligned_empty(WITNESS_COLUMNS << case.log_size)
    runs = [_prove(states, case.parameters, room) for _ in range(1 + case.rounds)][1:]
    runs.sort(key=lambda run: run[0])
    seconds, processor_seconds, stages, proof, claim = runs[len(runs) // 2]
    verify(poseidon_statement(), claim, (), proof, case.parameters)
    security = assess(layout_of(poseidon_statement()), (case.log_size,), case.parameters)
    count = 1 << case.log_size
    nanoseconds = {stage: 1e9 * spent / count for stage, spent in stages.items()}
    return {
        "log_size": case.log_size,
        "log_blowup": case.parameters.log_blowup,
        "queries": case.parameters.queries,
        "permutations_per_second": count / seconds,
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "rounds": [run[0] for run in runs],
        "stages": stages,
        "stage_nanoseconds": nanoseconds,
        "budget_ratio": {stage: nanoseconds[stage] / budget for stage, budget in BUDGET_NANOSECONDS.items()},
        "bits_proven": security.proven_bits,
        "bits_conjectured": security.conjectured_bits,
        "proof_bytes": len(proof),
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _prove(
    states: np.ndarray, parameters: Parameters, room: np.ndarray | None = None
) -> tuple[float, float, dict[str, float], bytes, tuple[int, ...]]:
    """Seconds in all, of which on a processor, by stage (filling the trace, in ``room``, is trace); proof; claim."""
    started, on_processor = time.perf_counter(), time.process_time()
    trace = witness_rows(states, montgomery=False, out=room).reshape(WITNESS_COLUMNS, -1)
    claim = tuple(trace[-WIDTH : DIGEST_WORDS - WIDTH, -1].tolist())
    filled = time.perf_counter() - started
    proof = prove(poseidon_statement(), {"poseidon": trace}, claim, (), parameters)
    seconds, spent = time.perf_counter() - started, time.process_time() - on_processor
    stages = dict(proof.stage_seconds)
    stages["trace"] += filled
    return seconds, spent, stages, proof.bytes, claim
