"""The status bar without its widgets."""

from __future__ import annotations

from dataclasses import dataclass

from app.snapshot.views import Snapshot, ThreadView, WorkerView
from ui.viewmodels.header import speed_text
from ui.viewmodels.wording import count_text, plural, seconds_text, share_text

LAG_WARN_MS, LAG_DANGER_MS = 50.0, 250.0
SILENT_SECONDS, COMPILING_SECONDS, BLOCKS_SECONDS = 5.0, 120.0, 240.0
REMEDY = "Restart Proofline: the venue is rebuilt from its journal and nothing acknowledged is lost."


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One cell: stable id, words, tone, and an explanation for the pointer and for screen readers."""

    item_id: str
    text: str
    tone: str = "weak"
    help: str = ""


def make_status(snapshot: Snapshot, fps: float, frame_ms: float) -> tuple[StatusItem, ...]:
    """The bar's cells, left to right."""
    return (
        _engine(snapshot),
        _prover(snapshot),
        _l1(snapshot),
        _threads(snapshot),
        _faults(snapshot),
        _clock(snapshot),
        StatusItem(
            "fps",
            f"{fps:.0f} fps · {frame_ms:.1f} ms",
            "weak",
            "frames drawn per second; 95th percentile of the frame time",
        ),
    )


def _engine(snapshot: Snapshot) -> StatusItem:
    lag = snapshot.engine_lag_ms
    tone = "danger" if lag > LAG_DANGER_MS else "warn" if lag > LAG_WARN_MS else "weak"
    return StatusItem("engine", f"engine lag {seconds_text(lag / 1000)}", tone, "delay of the venue's clock steps")


def _l1(snapshot: Snapshot) -> StatusItem:
    accepted = f"batch {snapshot.l1.last_batch} is the last one accepted on L1"
    return StatusItem("l1", f"L1 block {count_text(snapshot.l1.block)}", "weak", accepted)


def _prover(snapshot: Snapshot) -> StatusItem:
    waiting = sum(1 for batch in snapshot.batches if batch.status == "sequenced")
    proving = [batch for batch in snapshot.batches if batch.status == "proving"]
    words = f"prover: {plural(waiting, 'batch').replace('batchs', 'batches')} waiting"
    starting = _starting(snapshot)
    if starting:
        words = f"prover: compiling, {share_text(starting[0].fraction)} · {waiting} waiting"
        return StatusItem("prover", words, "pending", "first launch: proving starts once its kernels are compiled")
    if proving:
        words += f", {proving[-1].number} at {share_text(proving[-1].progress)}"
    tone = "warn" if waiting > 3 else "weak"
    return StatusItem("prover", words, tone, f"{snapshot.proof_failures} failed attempts")


def _starting(snapshot: Snapshot) -> list[WorkerView]:
    return [worker for worker in snapshot.workers if worker.state == "starting"]


def silent_threads(threads: tuple[ThreadView, ...], excused: bool = False) -> list[ThreadView]:
    """Threads that are dead or have not given a sign for long; ``excused``: one kernel may compile for longer.

    On a network the L1's waits three minutes for blocks; what a node does not answer is told by itself.
    """
    patience = {"prover": COMPILING_SECONDS if excused else SILENT_SECONDS, "L1": BLOCKS_SECONDS}
    return [t for t in threads if not t.alive or t.heartbeat_age > patience.get(t.name, SILENT_SECONDS)]


def _threads(snapshot: Snapshot) -> StatusItem:
    threads = snapshot.threads
    bad = silent_threads(threads, bool(_starting(snapshot)))
    if not threads:
        return StatusItem("threads", "no threads running", "weak", "a still view: the venue is not running")
    if not bad:
        return StatusItem("threads", f"{len(threads)} threads ok", "weak", ", ".join(t.name for t in threads))
    first = bad[0]
    words = f"thread {first.name} {'silent' if first.alive else 'dead'}"
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    return StatusItem("threads", words + more, "danger", "; ".join(f"{t.name}: {t.error or 'silent'}" for t in bad))


def _faults(snapshot: Snapshot) -> StatusItem:
    halted = snapshot.sequencer.halted
    return StatusItem("halted", f"sequencer halted: {halted}" if halted else "", "danger", halted)


def _clock(snapshot: Snapshot) -> StatusItem:
    words = "clock paused" if snapshot.paused else f"clock {speed_text(snapshot.speed)}"
    return StatusItem("clock", words, "warn" if snapshot.paused else "weak", "venue seconds per second")


def alarm(snapshot: Snapshot) -> str:
    """The sentence for the banner, or "": a dead thread or a halted sequencer is never silent."""
    if snapshot.sequencer.halted:
        return f"The sequencer has halted: {snapshot.sequencer.halted}. {REMEDY}"
    dead = [t for t in snapshot.threads if not t.alive]
    if dead:
        names = ", ".join(t.name for t in dead)
        return f"Stopped: {names}. {dead[0].error}. {REMEDY}".replace(" . ", " ")
    return ""
