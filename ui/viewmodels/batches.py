"""The batch pipeline without its widgets: one lane per batch, its steps, and the prove times of the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.snapshot.views import BatchView, Snapshot
from engine.units import SECOND
from ui.viewmodels.wording import NOTHING, Tone, bytes_text, gas_text, plural, seconds_text, share_text, stamp_text

StepState = Literal["waiting", "active", "done", "failed"]
STEP_NAMES = ("sequenced", "proving", "proved", "on L1", "final")
_REACHED = {"open": 0, "sequenced": 1, "proving": 1, "failed": 1, "proved": 3, "posted": 4, "final": 5}


@dataclass(frozen=True, slots=True)
class LaneStep:
    """One step of a lane: its state, the words in it, and how much of it is done (0 to 1)."""

    state: StepState
    words: str
    progress: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Lane:
    """One batch. ``steps`` in the order of ``STEP_NAMES``; the figures are ready to paint; ``note`` is a failure."""

    number: int
    contents: str
    steps: tuple[LaneStep, ...]
    prove_time: str
    proof_size: str
    gas: str
    note: str
    spoken: str


@dataclass(frozen=True, slots=True)
class PipelineSummary:
    """What the pipeline's head says. ``waiting``: closed batches without a proof."""

    prove_times: str
    queue: str
    failures: str
    failures_tone: Tone
    history: tuple[float, ...]


class LaneBook:
    """Lanes of the batches in view, newest first; a batch that did not change keeps its lane."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[BatchView, Lane]] = {}

    def lanes(self, batches: tuple[BatchView, ...]) -> tuple[Lane, ...]:
        """One lane per batch."""
        known: dict[int, tuple[BatchView, Lane]] = {}
        for batch in batches:
            found = self._known.get(batch.number)
            known[batch.number] = found if found is not None and found[0] == batch else (batch, lane(batch))
        self._known = known
        return tuple(made for _, made in known.values())


def batch_by_number(snapshot: Snapshot, number: int | None) -> BatchView | None:
    """The batch with this number while it is in view; without a number the newest one that is proved."""
    if number is not None:
        return next((batch for batch in snapshot.batches if batch.number == number), None)
    return next((batch for batch in snapshot.batches if batch.proof_bytes), None)


def status_words(batch: BatchView) -> str:
    """Status and since when."""
    stage = {"proving": "sequenced", "failed": "sequenced", "open": "opened"}.get(batch.status, batch.status)
    since = f" since {stamp_text(batch.stages[stage])}" if stage in batch.stages else ""
    return f"{batch.status}{since}"


def lane(batch: BatchView) -> Lane:
    """The lane of one batch."""
    steps = tuple(_step(batch, index) for index in range(len(STEP_NAMES)))
    note = _note(batch)
    spoken = f"batch {batch.number}, {batch.status}" + (f", {note}" if note else "")
    return Lane(
        number=batch.number,
        contents=f"{batch.transactions} tx, {batch.accounts} acc",
        steps=steps,
        prove_time=seconds_text(batch.prove_seconds) if batch.prove_seconds else NOTHING,
        proof_size=bytes_text(batch.proof_bytes) if batch.proof_bytes else NOTHING,
        gas=gas_text(batch.gas),
        note=note,
        spoken=spoken,
    )


def _note(batch: BatchView) -> str:
    if "proved" in batch.stages:
        if batch.attempts < 2:
            return ""
        return f"proved on attempt {batch.attempts}" + (f"; before: {batch.failure}" if batch.failure else "")
    if batch.status == "failed" or batch.failure:
        return f"attempt {max(1, batch.attempts)} failed: {batch.failure or 'no reason given'}"
    return ""


def _step(batch: BatchView, index: int) -> LaneStep:
    reached = _REACHED.get(batch.status, 0)
    if batch.status == "open":
        return LaneStep("active", "open", 0.0, "pending") if index == 0 else LaneStep("waiting", "", 0.0, "text_weak")
    if index < reached:
        return LaneStep("done", _stamp(batch, index), 1.0, "proved" if index >= 2 else "text")
    if index > reached:
        return LaneStep("waiting", "", 0.0, "text_weak")
    if batch.status == "failed":
        return LaneStep("failed", f"failed, attempt {max(1, batch.attempts)}", 1.0, "danger")
    if batch.status == "proving":
        progress = max(0.0, min(1.0, batch.progress))
        return LaneStep("active", f"{batch.proving_stage or 'starting'} {share_text(progress)}", progress, "accent")
    return LaneStep("waiting", "queued" if index == 1 else "next", 0.0, "pending")


def _stamp(batch: BatchView, index: int) -> str:
    if index == 1:
        return seconds_text(batch.prove_seconds) if batch.prove_seconds else "done"
    key = ("sequenced", "", "proved", "posted", "final")[index]
    return stamp_text(batch.stages[key]) if key in batch.stages else "done"


def summary(snapshot: Snapshot) -> PipelineSummary:
    """Prove-time percentiles over the whole history in view, the prover's queue, and its failures."""
    waiting = sum(batch.status in ("sequenced", "proving", "failed") for batch in snapshot.batches)
    times = np.asarray(snapshot.prove_seconds, dtype=np.float64)
    failures = snapshot.proof_failures
    return PipelineSummary(
        prove_times=percentile_words(times),
        queue=f"{waiting:,} to prove",
        failures="no failures" if not failures else plural(failures, "failed attempt"),
        failures_tone="text_weak" if not failures else "warn",
        history=tuple(float(value) for value in times[-120:]),
    )


def percentile_words(times: np.ndarray) -> str:
    """``p50 4.1 s, p95 5.0 s, 42 proofs``. ``times``: float64 seconds."""
    if not len(times):
        return "no proof yet"
    p50, p95 = (float(value) for value in np.percentile(times, (50, 95)))
    return f"p50 {seconds_text(p50)}, p95 {seconds_text(p95)}, {plural(len(times), 'proof')}"


def stage_durations(batches: tuple[BatchView, ...], first: str, last: str, limit: int) -> list[float]:
    """Seconds between two stages of the newest ``limit`` batches that passed both."""
    spans = [
        (batch.stages[last] - batch.stages[first]) / SECOND
        for batch in batches
        if first in batch.stages and last in batch.stages
    ]
    return spans[:limit]
