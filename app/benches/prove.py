"""``bench prove``: seconds to prove a batch of account updates, from batch to proof file, stage by stage.

``--updates``, ``--profile`` and ``--threads`` choose the case; without ``--updates`` the growth over several sizes is
in the details. Every size runs in a process of its own.
"""

from __future__ import annotations

import math
import resource
import time
from dataclasses import asdict, dataclass
from typing import Any

from app.benches.apart import apart
from app.benches.batches import venue_batch
from app.commands.bench import result
from app.proving.workers.threads import THREADS
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.job import ProofJob, verify_answer
from engine.proving.parameters import DEFAULT_PROFILE, profile_named
from engine.proving.prover import ProvedBatch, prove_batch
from engine.sequencer.batch import Batch

UPDATES = 64
OTHER_SIZES = (256, 1024, 4096)
ROUNDS, QUICK_ROUNDS = 5, 1
DEPOSITS, WITHDRAWALS = 16, 32
"""One of so many updates has such a flow."""


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement."""

    updates: int = UPDATES
    profile: str = DEFAULT_PROFILE.name
    threads: int = THREADS
    rounds: int = ROUNDS


def measure(
    *,
    quick: bool,
    updates: int | None = None,
    profile: str = DEFAULT_PROFILE.name,
    threads: int = THREADS,
) -> dict[str, Any]:
    """The median of several proofs of one batch, 64 updates by default, and then of larger ones too."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    others = () if quick or updates else OTHER_SIZES
    cases = [Case(size, profile, threads, rounds) for size in (updates or UPDATES, *others)]
    rows = [apart(measure_case, case) for case in cases]
    parameters = {"account_updates": cases[0].updates, "profile": profile, "threads": threads}
    details = {**rows[0], **({"growth": [growth(row, rows[0]) for row in rows]} if others else {})}
    return result("prove", rows[0]["seconds"], "seconds", parameters, details)


def growth(row: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """How a size compares with the smallest; at most 1 in the last column: no worse than n log n."""
    n, n_first = row["updates"], first["updates"]
    work = n * math.log2(2 * n) / (n_first * math.log2(2 * n_first))
    times = row["processor_seconds"] / first["processor_seconds"]
    keys = ("updates", "seconds", "processor_seconds", "stages", "proof_bytes", "peak_resident_bytes")
    return {**{key: row[key] for key in keys}, "times_n_log_n": times / work}


def measure_case(case: Case) -> dict[str, Any]:
    """Median of the rounds, after one that is not counted; the proof is verified."""
    batch = venue_batch(case.updates, case.updates // DEPOSITS, case.updates // WITHDRAWALS)
    runs = sorted([_prove(batch, case) for _ in range(1 + case.rounds)][1:], key=lambda run: run[0])
    seconds, processor_seconds, proved = runs[len(runs) // 2]
    started = time.perf_counter()
    verified = verify_answer(proved.file, ProofJob(batch, DEFAULT_CONFIG, case.profile))
    return {
        **asdict(case),
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "stages": proved.stage_seconds,
        "all_rounds": [run[0] for run in runs],
        "verify_seconds": time.perf_counter() - started,
        "proof_bytes": len(proved.file),
        "bits_proven": verified.bits_proven,
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _prove(batch: Batch, case: Case) -> tuple[float, float, ProvedBatch]:
    """Seconds in all, seconds on processors, what was proved."""
    started, on_processor = time.perf_counter(), time.process_time()
    profile = profile_named(case.profile)
    proved = prove_batch(batch, DEFAULT_CONFIG, profile=profile, threads=case.threads)
    return time.perf_counter() - started, time.process_time() - on_processor, proved
