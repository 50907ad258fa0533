"""``bench ui``: frame time of the whole window, idle and while proving.

A frame is the time from the timer's tick to the last repaint of all dirty visible panels, wall time; only frames that
repainted count. The window is 1920x1080 with the default workspace, on a live engine: recorded flow, one proof at a
time on the prover's thread. Idle and proving frames are told apart by whether a proof ran at the tick.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer

from app.commands.bench import result
from app.paths import open_paths
from app.runtime import interpreter
from app.runtime.warmup import warm_up
from app.venue.facade import Engine
from app.venue.session import open_session

SIZE = (1920, 1080)
SPEED = 1.0
FRAMES, QUICK_FRAMES = 3000, 300
PROOFS, QUICK_PROOFS = 3, 1
WARM_UP_SECONDS = 5.0
LIMIT_SECONDS = 900.0


class Collector:
    """Sorts the frames of a running window into idle and proving."""

    def __init__(self, engine: Engine, window: Any, frames: int, proofs: int, done: Any) -> None:
        self.engine, self.recorder = engine, window.loop.recorder
        self.idle: list[float] = []
        self.proving: list[float] = []
        self._frames, self._proofs, self._done = frames, proofs, done
        self._was_proving = False
        self._started = time.monotonic()
        self._warm = False
        self.first_changes = self.first_proofs = 0
        self.first_cpu = 0.0
        self.measured_from = 0.0
        window.loop.after_frame.append(self.after_frame)

    def after_frame(self, snapshot: Any, now: float) -> None:
        """Frames that ended since the last tick belong to what ran at that tick."""
        new = list(self.recorder.frames)
        self.recorder.frames.clear()
        if not self._warm:
            if time.monotonic() - self._started > WARM_UP_SECONDS and snapshot is not None:
                self._begin(snapshot)
            return
        (self.proving if self._was_proving else self.idle).extend(new)
        self._was_proving = self.engine.session.prover.live is not None
        enough = len(self.idle) + len(self.proving) >= self._frames and self.proofs() >= self._proofs
        if enough or time.monotonic() - self._started > LIMIT_SECONDS:
            self._done()

    def _begin(self, snapshot: Any) -> None:
        self._warm = True
        self.recorder.reset()
        self.first_changes = book_changes(snapshot)
        self.first_proofs = len(snapshot.prove_seconds)
        self.first_cpu = thread_cpu()
        self.measured_from = time.monotonic()

    def proofs(self) -> int:
        """Proofs completed since the measurement began."""
        snapshot = self.engine.snapshot()
        return len(snapshot.prove_seconds) - self.first_proofs if snapshot is not None else 0


def book_changes(snapshot: Any) -> int:
    """All markets' counters."""
    return sum(market.book_changes for market in snapshot.markets.values())


def thread_cpu() -> float:
    """CPU seconds of the window's thread."""
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return usage.ru_utime + usage.ru_stime


def percentiles(times: list[float]) -> dict[str, float]:
    """p50, p95, p99 and max in milliseconds, and the count."""
    if not times:
        return {"frames": 0}
    p50, p95, p99, most = np.percentile(np.array(times), (50, 95, 99, 100)).tolist()
    return {"frames": len(times), "p50": p50, "p95": p95, "p99": p99, "max": most}


def measure(*, quick: bool) -> dict[str, Any]:
    """Run the window until enough frames and proofs are seen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ui.desk import make_application, make_window

    warm_up(lambda stage, fraction: None)
    application = make_application()
    with tempfile.TemporaryDirectory(prefix="proofline-ui-") as folder:
        engine = Engine(open_session(open_paths(folder)))
        engine.set_speed(SPEED)
        engine.start()
        try:
            window = make_window(engine, {}, SIZE)
            counts = (QUICK_FRAMES, QUICK_PROOFS) if quick else (FRAMES, PROOFS)
            collector = Collector(engine, window, *counts, application.quit)
            window.show()
            window.loop.start()
            QTimer.singleShot(0, window.loop.frame)
            with interpreter.watched():
                application.exec()
            measured = _result(collector, application.platformName())
            window.loop.stop()
            window.close()
        finally:
            engine.stop()
    return measured


def _result(collector: Collector, platform: str) -> dict[str, Any]:
    seconds = time.monotonic() - collector.measured_from
    changes = book_changes(collector.engine.snapshot()) - collector.first_changes
    idle, proving = percentiles(collector.idle), percentiles(collector.proving)
    details = {
        "idle": idle,
        "proving": proving,
        "longest_event_loop_gap_ms": collector.recorder.longest_gap_ms,
        "window_thread_cpu_share": (thread_cpu() - collector.first_cpu) / seconds,
        "book_changes_per_second": changes / seconds,
        "proofs_completed": collector.proofs(),
        "seconds": seconds,
    }
    parameters = {"size": SIZE, "speed": SPEED, "platform": platform, "workspace": "default"}
    return result("ui", idle.get("p95", float("nan")), "milliseconds", parameters, details)
