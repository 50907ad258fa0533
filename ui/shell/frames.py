"""The frame loop: one precise timer polls the newest snapshot; a recorder measures from its tick to the last repaint.

A frame ends when the queue holds no more paint work that the tick caused. That is found with a fence: an event of lower
priority than Qt's paint requests, posted again once, because scene views paint one round later than widgets.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer

from app.snapshot.views import Snapshot
from ui.model.engine_protocol import DeskEngine
from ui.model.governor import Governor, Paced

FRAME_MS = 16
HIDDEN_MS = 250
FENCE_ROUNDS = 2
FENCE_PRIORITY = -10  # Qt's paint requests are posted at -1
FENCE_TYPE = QEvent.Type(QEvent.registerEventType())
WINDOW = 120  # frames over which the status bar's figures are taken


class Viewer(Paced, Protocol):
    """What the loop feeds: panels, the header, the status bar."""

    def update_snapshot(self, snapshot: Snapshot | None) -> bool:
        """Show it; True when something was refreshed."""

    def on_frame(self, now: float) -> bool:
        """End flashes; True when something has to be repainted."""

    def set_age(self, seconds: float) -> None:
        """How old the newest snapshot is."""

    def isVisible(self) -> bool:
        """Hidden viewers are skipped."""


class FrameRecorder:
    """Times of frames that repainted, in milliseconds, and the longest gap between two ticks."""

    def __init__(self, keep: int = 20_000) -> None:
        self.frames: deque[float] = deque(maxlen=keep)
        self.stamps: deque[float] = deque(maxlen=keep)
        self.longest_gap_ms = 0.0
        self._tick: float | None = None
        self._painted: float | None = None
        self._last_tick: float | None = None

    def tick(self, now: float) -> None:
        """A frame begins."""
        if self._last_tick is not None:
            self.longest_gap_ms = max(self.longest_gap_ms, (now - self._last_tick) * 1000)
        self._tick = self._last_tick = now
        self._painted = None

    def painted(self, now: float) -> None:
        """Something was repainted."""
        self._painted = now

    def close(self) -> bool:
        """The frame's paint work is over; True when it repainted anything."""
        repainted = self._tick is not None and self._painted is not None
        if self._tick is not None and self._painted is not None:
            self.frames.append((self._painted - self._tick) * 1000)
            self.stamps.append(self._painted)
        self._tick = None
        return repainted

    def reset(self) -> None:
        """Forget everything (the bench does between phases)."""
        self.frames.clear()
        self.stamps.clear()
        self.longest_gap_ms = 0.0
        self._last_tick = None

    def fps(self, now: float) -> float:
        """Frames repainted in the last second."""
        return float(sum(1 for stamp in self.stamps_from_newest() if now - stamp <= 1.0))

    def stamps_from_newest(self) -> Iterable[float]:
        """At most a window of stamps, newest first."""
        count = min(len(self.stamps), WINDOW)
        return (self.stamps[-k] for k in range(1, count + 1))

    def recent_p95(self) -> float:
        """95th percentile of the last window, 0 without frames."""
        count = min(len(self.frames), WINDOW)
        return float(np.percentile([self.frames[-k] for k in range(1, count + 1)], 95)) if count else 0.0

    def stats(self) -> dict[str, float]:
        """``frames``, ``p50``, ``p95``, ``p99``, ``max`` and ``longest_gap`` (ms)."""
        times = np.array(self.frames)
        values = np.percentile(times, (50, 95, 99, 100)) if len(times) else np.zeros(4)
        names = ("p50", "p95", "p99", "max")
        return {
            "frames": float(len(times)),
            **dict(zip(names, values.tolist(), strict=True)),
            "longest_gap": self.longest_gap_ms,
        }


class FrameLoop(QObject):
    """Polls the engine and feeds the viewers. ``repainted`` must be told of each repaint of the window."""

    def __init__(self, engine: DeskEngine, viewers: Callable[[], Iterable[Viewer]], parent: QObject) -> None:
        super().__init__(parent)
        self.engine = engine
        self.recorder = FrameRecorder()
        self.after_frame: list[Callable[[Snapshot | None, float], None]] = []
        self.governor = Governor()
        self._viewers = viewers
        self._version = -1
        self._changed_at = time.perf_counter()
        self._rounds = 0
        self.timer = QTimer(self)
        self.timer.setObjectName("frame loop")
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(FRAME_MS)
        self.timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin polling."""
        self.timer.start()

    def stop(self) -> None:
        """No more frames."""
        self.timer.stop()

    def set_hidden(self, hidden: bool) -> None:
        """Poll slowly while nobody looks."""
        self.timer.setInterval(HIDDEN_MS if hidden else FRAME_MS)

    def _tick(self) -> None:
        self.frame()

    def frame(self, *, everything: bool = False) -> None:
        """One tick: poll, feed the viewers whose turn it is, and set the fence that ends the measurement.

        ``everything`` feeds all visible viewers, whatever their pace: for pictures and tests.
        """
        now = time.perf_counter()
        self.recorder.tick(now)
        snapshot = self.engine.snapshot()
        version = snapshot.version if snapshot is not None else -1
        news = version != self._version
        age = self._age(snapshot, now)
        visible = [viewer for viewer in self._viewers() if viewer.isVisible()]
        chosen = self.governor.choose(visible, version, news=news, now=now)
        for viewer in visible:
            if everything or id(viewer) in chosen:
                viewer.update_snapshot(snapshot)
            viewer.set_age(age)
            viewer.on_frame(now)
        for hook in self.after_frame:
            hook(snapshot, now)
        self._rounds = 0
        self._post_fence()

    def _age(self, snapshot: Snapshot | None, now: float) -> float:
        """Wall seconds since the version last changed; a paused venue is not stale."""
        version = snapshot.version if snapshot is not None else -1
        if version != self._version or snapshot is None or snapshot.paused:
            self._version, self._changed_at = version, now
        return now - self._changed_at

    def repainted(self) -> None:
        """The window has just painted."""
        self.recorder.painted(time.perf_counter())

    def _post_fence(self) -> None:
        QCoreApplication.postEvent(self, QEvent(FENCE_TYPE), FENCE_PRIORITY)

    def customEvent(self, event: QEvent) -> None:
        """The fence came through: all paint work before it is done."""
        if event.type() != FENCE_TYPE:
            return
        self._rounds += 1
        if self._rounds < FENCE_ROUNDS:
            self._post_fence()
        else:
            self.recorder.close()
