"""The batch pipeline: prove times, and lanes from sequenced to final."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from ui.model.engine_protocol import DeskEngine
from ui.panels.batches.lanes import BatchLanes
from ui.theme.theme import Theme
from ui.viewmodels.batches import LaneBook, batch_by_number, summary
from ui.widgets.batch_menu import batch_menu
from ui.widgets.panel import Panel
from ui.widgets.spark import Spark
from ui.widgets.state import LIVE, empty

HISTORY_FROM, QUEUE_FROM = 480, 400  # pixels of the panel


class BatchesPanel(Panel):
    """Lanes under a head. ``inspect_wanted(number)``: the user opens a batch."""

    title = "Batches"

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self._snapshot: Snapshot | None = None
        self._book = LaneBook()
        self._head: object = None
        self.prove_times = _small("text")
        self.queue = _small("text_weak")
        self.failures = _small("text_weak")
        self.history = Spark(theme, "proving times, newest on the right", "proved")
        self.history.setMaximumWidth(120)
        self.lanes = BatchLanes(theme)
        self.gate = _small("text_weak")
        self._arrange()
        self.lanes.opened.connect(self.inspect_wanted)
        self.lanes.menu_wanted.connect(self._show_menu)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 0)
        head.setSpacing(12)
        for widget in (self.prove_times, self.history, self.queue, self.failures):
            head.addWidget(widget)
        head.addStretch(1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.lanes, 1)
        self.gate.setWordWrap(True)
        self.gate.setContentsMargins(8, 2, 8, 3)
        column.addWidget(self.gate)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow panel the history and the queue leave the head to the percentiles and the failures."""
        super().resizeEvent(event)
        self.history.setVisible(self.width() >= HISTORY_FROM)
        self.queue.setVisible(self.width() >= QUEUE_FROM)

    def refresh(self, snapshot: Snapshot) -> None:
        """Head and lanes."""
        self._snapshot = snapshot
        if not snapshot.batches:
            self.set_state(
                empty(
                    "No batches yet",
                    "A batch opens with the first transaction and closes when full or after a time limit.",
                )
            )
            return
        if self.state.kind == "empty":
            self.set_state(LIVE)
        self._show_head(snapshot)
        self.lanes.set_rows(self._book.lanes(snapshot.batches))

    def _show_head(self, snapshot: Snapshot) -> None:
        """Percentiles are taken again only when a batch moved on or a proof came in."""
        moved = tuple((batch.number, batch.status) for batch in snapshot.batches)
        key = (moved, len(snapshot.prove_seconds), snapshot.proof_failures, snapshot.l1.gate)
        if key == self._head:
            return
        self._head = key
        head = summary(snapshot)
        _say(self.prove_times, f"proving {head.prove_times}", "text")
        _say(self.queue, head.queue, "text_weak")
        _say(self.failures, head.failures, head.failures_tone)
        self.history.set_values(head.history, f"proving time {head.prove_times}")
        _say(self.gate, f"L1 gate: {snapshot.l1.gate}", "text_weak")
        self.gate.setToolTip(snapshot.l1.gate)

    def _show_menu(self, number: int, place: QPoint) -> None:
        batch = batch_by_number(self._snapshot, number) if self._snapshot is not None else None
        if batch is not None:
            batch_menu(self, batch, place, lambda: self.inspect_wanted.emit(number))

    def restyle(self) -> None:
        """The head's labels are written again."""
        self._head = None


def _small(tone: str) -> QLabel:
    label = QLabel(" ")
    label.setProperty("size", "small")
    label.setProperty("tone", tone)
    label.setMinimumWidth(1)  # words give way before the panel is widened
    return label


def _say(label: QLabel, words: str, tone: str) -> None:
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        label.style().polish(label)
    if label.text() != words:
        label.setText(words)
