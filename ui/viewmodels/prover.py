"""The prover panel without its widgets: percentiles, costs, security terms, failures and workers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.snapshot.rules import MAX_ATTEMPTS
from app.snapshot.views import BatchView, SecurityTerm, Snapshot, WorkerView
from ui.viewmodels.header import Fact
from ui.viewmodels.prover_bars import is_given_up, next_words, reason_words
from ui.viewmodels.tables import Cell, Column, Row, TableSpec
from ui.viewmodels.wording import NOTHING, Tone, bytes_text, plural, seconds_text, share_text

WINDOW = 200
"""Proofs over which percentiles are taken."""
GAS_WINDOW = 20
"""Posted batches over which the cost is taken."""
PERCENTILES = (50, 95, 99)

WORKERS = TableSpec(
    "workers",
    (
        Column("name", "Worker", "tcp://10.0.0.12:40123", numeric=False),
        Column("kind", "Kind", "process", numeric=False, rank=4),
        Column("state", "State", "batch 1000, commitment 100 %", numeric=False),
        Column("load", "Load", "100 %", tip="share of the last minute spent proving"),
        Column("proofs", "Proofs", "1,000", rank=2, tip="since the start"),
        Column("failures", "Failed", "1,000", rank=1, tip="failed attempts since the start"),
        Column("last", "Last failure", "a worker was lost in the middle of it", numeric=False, rank=3),
    ),
    "No workers: batches wait until one joins. Trading goes on.",
)
FAILURES = TableSpec(
    "failures",
    (
        Column("batch", "Batch", "#1000"),
        Column("attempts", "Attempts", "5"),
        Column("next", "Outcome", "proved on attempt 2", numeric=False, rank=1),
        Column("reason", "Last failure", "proof refused at fri: layer 2 does", numeric=False),
        Column("again", "", "Prove again", numeric=False, action=True),
    ),
    "No failed attempts in the batches shown.",
)
TERMS = TableSpec(
    "security terms",
    (
        Column("term", "Step", "batching, the weakest", numeric=False),
        Column("bits", "Bits", "128.0", tip="-log2 of the chance that a false proof passes this step"),
        Column("grinding", "By grinding", "16", rank=1, tip="of which from proof of work (grinding)"),
    ),
    "No proof yet, or its security terms were not stored.",
)


@dataclass(frozen=True, slots=True)
class ProveTimes:
    """Seconds of the newest proofs, oldest first, and their percentiles (empty without a proof)."""

    seconds: tuple[float, ...]
    percentiles: tuple[float, ...]
    words: str


def prove_times(snapshot: Snapshot) -> ProveTimes:
    """Percentiles over the newest ``WINDOW`` proofs."""
    seconds = np.asarray(snapshot.prove_seconds[-WINDOW:], dtype=np.float64)
    if not len(seconds):
        return ProveTimes((), (), "no proof yet")
    found = tuple(float(value) for value in np.percentile(seconds, PERCENTILES))
    told = ", ".join(f"p{name} {seconds_text(value)}" for name, value in zip(PERCENTILES, found, strict=True))
    return ProveTimes(tuple(seconds.tolist()), found, f"{told}, last {plural(len(seconds), 'proof')}")


def headline(snapshot: Snapshot, times: ProveTimes) -> tuple[Fact, ...]:
    """What is asked first, most asked first."""
    window = f"wall time of the last {plural(len(times.seconds), 'proof')}" if times.seconds else "no proof yet"
    of_last = f" of last {len(times.seconds)}" if times.seconds else ""
    values = times.percentiles or (0.0,) * len(PERCENTILES)
    facts = [
        Fact(
            f"p{name}{of_last}" if place == 0 else f"p{name}",
            seconds_text(value) if times.seconds else NOTHING,
            "strong" if place == 0 else "normal",
            f"{name}th percentile; {window}",
        )
        for place, (name, value) in enumerate(zip(PERCENTILES, values, strict=True))
    ]
    newest = newest_proof(snapshot)
    facts.append(_size(newest))
    facts += [*_security(newest), *cost_facts(snapshot.batches)]
    failed = snapshot.proof_failures
    facts.append(Fact("waiting", plural_batches(snapshot.proofs_waiting), "normal", "batches no worker has taken yet"))
    told = (
        f"attempts without an accepted proof; a batch gets up to {MAX_ATTEMPTS}"
        if failed
        else "every attempt produced a proof"
    )
    facts.append(Fact("failed", plural(failed, "attempt"), "warn" if failed else "normal", told))
    return tuple(facts)


def plural_batches(count: int) -> str:
    """``1 batch``, ``2 batches``."""
    return "1 batch" if count == 1 else f"{count:,} batches"


def newest_proof(snapshot: Snapshot) -> BatchView | None:
    """The newest batch with a proof."""
    return next((batch for batch in snapshot.batches if batch.proof_bytes), None)


def _size(newest: BatchView | None) -> Fact:
    if newest is None:
        return Fact("proof size", NOTHING, "normal", "no proof yet")
    return Fact("proof size", bytes_text(newest.proof_bytes), "normal", f"batch {newest.number}, the newest proof")


def _security(newest: BatchView | None) -> tuple[Fact, ...]:
    if newest is None or not newest.bits_proven:
        return (Fact("proven", NOTHING, "normal", "no proof yet, or its figures were not stored"),)
    told = (
        f"batch {newest.number}: {newest.bits_proven:.1f} bits by proved theorems, "
        f"{newest.bits_conjectured:.1f} conjectured; {weakest_words(newest.security_terms)}"
    )
    return (Fact("proven", f"{newest.bits_proven:.1f} bits", "proved", told),)


def weakest_words(terms: tuple[SecurityTerm, ...]) -> str:
    """``the weakest step is folding 1 with 100.5 bits``."""
    if not terms:
        return "its terms were not stored"
    weakest = min(terms, key=lambda term: term.bits)
    return f"the weakest step is {weakest.name} with {weakest.bits:.1f} bits"


def cost_facts(batches: tuple[BatchView, ...]) -> tuple[Fact, Fact]:
    """Median gas of the newest posted batches, and of one transaction in them."""
    posted = [batch for batch in batches if batch.gas][:GAS_WINDOW]
    if not posted:
        told = "no batches on L1 yet"
        return Fact("gas per batch", NOTHING, "normal", told), Fact("gas per tx", NOTHING, "normal", told)
    source = f"median of the newest {plural_batches(len(posted))} on L1"
    per_batch = float(np.median([batch.gas for batch in posted]))
    per_transaction = float(np.median([batch.gas / max(1, batch.transactions) for batch in posted]))
    counted = "a batch's gas over its transactions: fills, deposits, withdrawals, funding and insurance payments"
    return (
        Fact("gas per batch", gas_figure(per_batch), "normal", f"{source}, all its L1 transactions"),
        Fact("gas per tx", gas_figure(per_transaction), "normal", f"{source}; {counted}"),
    )


def gas_figure(gas: float) -> str:
    """Gas with three significant digits: ``17.3 M``, ``214 k``, ``980``."""
    if gas >= 999_500:
        return f"{gas / 1e6:.1f} M"
    if gas >= 9_950:
        return f"{gas / 1e3:.0f} k"
    return f"{gas / 1e3:.1f} k" if gas >= 1_000 else f"{gas:.0f}"


# -- workers -----------------------------------------------------------------------------------------------------------

STATE_TONES: dict[str, Tone] = {
    "proving": "accent", "starting": "pending", "set aside": "warn", "lost": "danger", "idle": "text",
}  # fmt: skip
STATE_WORDS = {
    "set aside": "set aside after failures",
    "lost": "lost; its batch goes to another worker",
}


def worker_rows(workers: tuple[WorkerView, ...]) -> tuple[Row, ...]:
    """One row per worker, in the order of the engine."""
    return tuple(_worker_row(worker) for worker in workers)


def _worker_row(worker: WorkerView) -> Row:
    words = STATE_WORDS.get(worker.state, worker.state)
    if worker.batch is not None and worker.state == "proving":
        words = f"batch {worker.batch}, {worker.stage} {share_text(worker.fraction)}"
    elif worker.state == "starting" and worker.fraction:
        words = f"starting, {share_text(worker.fraction)}"
    tone = STATE_TONES.get(worker.state, "text")
    failed: Tone = "warn" if worker.failures else "text_weak"
    return Row(
        worker.name,
        (
            Cell(worker.name, worker.name, "text_strong"),
            Cell(worker.kind, worker.kind, "text_weak"),
            Cell(words, words, tone, worker.stage or words),
            Cell(share_text(worker.busy), worker.busy, "text"),
            Cell(f"{worker.proofs:,}", worker.proofs),
            Cell(f"{worker.failures:,}", worker.failures, failed),
            Cell(worker.last_failure or NOTHING, worker.last_failure, failed, worker.last_failure),
        ),
    )


def workers_title(snapshot: Snapshot) -> str:
    """The tab's words: how many there are, and how many of them do not work."""
    missing = sum(worker.state in ("lost", "set aside") for worker in snapshot.workers)
    return f"Workers {len(snapshot.workers)}" + (f", {missing} out" if missing else "")


# -- failures and terms ------------------------------------------------------------------------------------------------


def failure_rows(batches: tuple[BatchView, ...]) -> tuple[Row, ...]:
    """Batches in view with a failed attempt, newest first."""
    return tuple(_failure_row(batch) for batch in batches if batch.failure or batch.status == "failed")


def _failure_row(batch: BatchView) -> Row:
    tone: Tone = "text" if "proved" in batch.stages else "danger" if batch.status == "failed" else "warn"
    words, reason = next_words(batch), reason_words(batch)
    return Row(
        batch.number,
        (
            Cell(f"#{batch.number}", batch.number, "text_strong"),
            Cell(f"{batch.attempts}", batch.attempts),
            Cell(words, words, tone, words),
            Cell(reason, reason, "text", reason),
            Cell("Prove again" if is_given_up(batch) else NOTHING, tone="accent"),
        ),
    )


def term_rows(terms: tuple[SecurityTerm, ...]) -> tuple[Row, ...]:
    """The steps, weakest first and marked in words."""
    ordered = sorted(terms, key=lambda term: term.bits)
    return tuple(_term_row(term, index == 0) for index, term in enumerate(ordered))


def _term_row(term: SecurityTerm, weakest: bool) -> Row:
    tone: Tone = "proved" if weakest else "text"
    return Row(
        term.name,
        (
            Cell(f"{term.name}, the weakest" if weakest else term.name, term.name, tone),
            Cell(f"{term.bits:.1f}", term.bits, tone),
            Cell(f"{term.grinding}" if term.grinding else NOTHING, term.grinding, "text_weak"),
        ),
    )
