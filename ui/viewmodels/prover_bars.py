"""The prover's stages of each batch as one stacked bar, without the widget that paints it.

All bars share one scale, so that a slow proof is long; within a bar the slowest stage is named, so that it is known
without colour. A running proof shows the stages that ended, and the time since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.snapshot.rules import MAX_ATTEMPTS
from app.snapshot.views import BatchView
from ui.viewmodels.wording import NOTHING, Tone, bytes_text, seconds_text, share_text

BarKind = Literal["proved", "running", "waiting", "failed", "unknown"]
STAGE_NAMES: dict[str, tuple[str, str]] = {
    "witness": ("W", "witness"),
    "trace": ("T", "trace"),
    "extension": ("E", "extension"),
    "commitment": ("C", "commitment"),
    "lookup": ("L", "lookup"),
    "quotient": ("Q", "quotient"),
    "deep": ("D", "DEEP"),
    "fri": ("F", "FRI"),
    "openings": ("O", "openings"),
    "verifying": ("V", "verifying"),
}
"""Letter and name of each stage, in the order of the bar. The protocol returns to some stages: their times add up."""
LEGEND = tuple(names for key, names in STAGE_NAMES.items() if key != "verifying")
STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)


@dataclass(frozen=True, slots=True)
class Segment:
    """One stage of a bar. ``share`` of the bar's own stages, 0 to 1; one segment of a bar is the ``slowest``."""

    letter: str
    name: str
    seconds: float
    share: float
    slowest: bool


@dataclass(frozen=True, slots=True)
class ProofBar:
    """One batch. ``open_seconds``: of a running proof, since its last stage ended. ``words`` stand in the bar's place
    when there is none, and beside a running one."""

    number: int
    kind: BarKind
    segments: tuple[Segment, ...]
    open_seconds: float
    words: str
    tone: Tone
    slowest: str
    prove_time: str
    proof_size: str
    spoken: str

    @property
    def seconds(self) -> float:
        """Length of the bar."""
        return sum(segment.seconds for segment in self.segments) + self.open_seconds


class BarBook:
    """Bars of the closed batches in view, newest first; a batch that did not change keeps its bar."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[BatchView, ProofBar]] = {}

    def bars(self, batches: tuple[BatchView, ...]) -> tuple[ProofBar, ...]:
        """One bar per closed batch."""
        known: dict[int, tuple[BatchView, ProofBar]] = {}
        for batch in batches:
            if batch.status == "open":
                continue
            found = self._known.get(batch.number)
            known[batch.number] = found if found is not None and found[0] == batch else (batch, bar(batch))
        self._known = known
        return tuple(made for _, made in known.values())


def bar(batch: BatchView) -> ProofBar:
    """The bar of one closed batch."""
    kind = _kind(batch)
    segments = segments_of(batch.stage_seconds) if kind in ("proved", "running") else ()
    slowest = (
        next((f"{s.name} {share_text(s.share)}" for s in segments if s.slowest), NOTHING) if kind == "proved" else ""
    )
    words, tone = _words(batch, kind)
    prove = seconds_text(batch.prove_seconds) if batch.prove_seconds else NOTHING
    told = [f"batch {batch.number}, {kind}" if kind != "unknown" else f"batch {batch.number}, proved", words]
    told += [f"{segment.name} {seconds_text(segment.seconds)}" for segment in segments]
    return ProofBar(
        number=batch.number,
        kind=kind,
        segments=segments,
        open_seconds=max(0.0, batch.running_seconds - sum(s.seconds for s in segments)) if kind == "running" else 0.0,
        words=words,
        tone=tone,
        slowest=slowest,
        prove_time=seconds_text(batch.running_seconds) if kind == "running" else prove,
        proof_size=bytes_text(batch.proof_bytes) if batch.proof_bytes else NOTHING,
        spoken=", ".join(part for part in told if part),
    )


def _kind(batch: BatchView) -> BarKind:
    if batch.status == "proving":
        return "running"
    if "proved" in batch.stages:
        return "proved" if batch.stage_seconds else "unknown"
    return "failed" if batch.status == "failed" else "waiting"


def _words(batch: BatchView, kind: BarKind) -> tuple[str, Tone]:
    if kind == "running":
        ended = STAGE_NAMES[batch.proving_stage][1] if batch.proving_stage in STAGE_NAMES else ""
        attempt = f", attempt {batch.attempts + 1}" if batch.attempts else ""
        done = share_text(max(0.0, min(1.0, batch.progress)))
        return f"{done}, {ended} done{attempt}" if ended else f"{done}{attempt}", "accent"
    if kind == "failed":
        return f"attempt {max(1, batch.attempts)} failed, {next_words(batch)}: {reason_words(batch)}", "danger"
    if kind == "waiting":
        return "waiting for a worker", "pending"
    if kind == "unknown":
        return "stage times were not stored", "text_weak"
    return (f"attempt {batch.attempts}", "warn") if batch.attempts > 1 else ("", "text_weak")


def reason_words(batch: BatchView) -> str:
    """Why the last failed attempt failed."""
    return batch.failure or "no reason given"


def next_words(batch: BatchView) -> str:
    """What happens to a batch that failed."""
    if "proved" in batch.stages:
        return f"proved on attempt {batch.attempts}"
    if batch.status == "proving":
        return f"attempt {batch.attempts + 1} runs"
    return "given up" if is_given_up(batch) else "will be retried"


def is_given_up(batch: BatchView) -> bool:
    """Whether its attempts are used up: only a user or the next start has it proved again."""
    return batch.status == "failed" and batch.attempts >= MAX_ATTEMPTS


def segments_of(stage_seconds: dict[str, float]) -> tuple[Segment, ...]:
    """Segments in the order of ``STAGE_NAMES``; stages it does not know come last, by their own names."""
    total = sum(stage_seconds.values())
    if total <= 0:
        return ()
    known = [key for key in STAGE_NAMES if stage_seconds.get(key, 0.0) > 0]
    others = [key for key, seconds in stage_seconds.items() if key not in STAGE_NAMES and seconds > 0]
    longest = max(stage_seconds, key=lambda key: stage_seconds[key])
    return tuple(
        Segment(*_names(key), stage_seconds[key], stage_seconds[key] / total, key == longest)
        for key in (*known, *others)
    )


def _names(key: str) -> tuple[str, str]:
    return STAGE_NAMES.get(key, (key[:1].upper() or "?", key))


def scale(bars: tuple[ProofBar, ...], before: float = 0.0) -> float:
    """Seconds that the full width stands for, a round number, so that bars rarely change their length.

    A few much longer proofs are cut: the scale holds nine of ten. It shrinks only when far less would do.
    """
    totals = [shown.seconds for shown in bars if shown.kind == "proved"] or [shown.seconds for shown in bars]
    wanted = nice(float(np.percentile(totals, 90)) * 1.1) if totals else 1.0
    return before if wanted <= before <= 1.7 * wanted else wanted


def nice(seconds: float) -> float:
    """The next of ``STEPS`` times a power of ten at or above; at least 0.1."""
    power = 0.1
    while power * 10 < seconds:
        power *= 10
    return next((round(power * step, 3) for step in STEPS if power * step >= seconds), round(power * 10, 3))
