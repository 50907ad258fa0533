"""The batch pipeline: prove times, lanes from sequenced to final, and one batch's proof in full."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.snapshots import Snapshot
from ui.panels.batches_lanes import BatchLanes
from ui.panels.proof import ProofView
from ui.shell.engine_protocol import DeskEngine
from ui.theme.theme import Theme
from ui.viewmodels.batches import LaneBook, summary
from ui.viewmodels.proof import batch_by_number
from ui.widgets.panel import Panel
from ui.widgets.spark import Spark
from ui.widgets.state import LIVE, empty

HISTORY_FROM, QUEUE_FROM = 480, 400  # pixels of the panel


class BatchesPanel(Panel):
    """Lanes; the chosen batch takes their place until the user goes back."""

    title = "Batches"

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self._snapshot: Snapshot | None = None
        self._number: int | None = None
        self._book = LaneBook()
        self._head: object = None
        self.prove_times = _small("text")
        self.queue = _small("text_weak")
        self.failures = _small("text_weak")
        self.history = Spark(theme, "prove times, newest at the right", "proved")
        self.history.setMaximumWidth(120)
        self.lanes = BatchLanes(theme)
        self.gate = _small("text_weak")
        self.proof = ProofView(engine, theme)
        self.pages = QStackedWidget()
        self._arrange()
        self.lanes.chosen.connect(self.show_batch)
        self.proof.left.connect(self.show_lanes)
        escape = QShortcut(Qt.Key.Key_Escape, self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.show_lanes)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 0)
        head.setSpacing(12)
        for widget in (self.prove_times, self.history, self.queue, self.failures):
            head.addWidget(widget)
        head.addStretch(1)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.lanes, 1)
        self.gate.setWordWrap(True)
        self.gate.setContentsMargins(8, 2, 8, 3)
        column.addWidget(self.gate)
        self.pages.addWidget(page)
        self.pages.addWidget(self.proof)
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.pages)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow panel the history and the queue leave the head to the percentiles and the failures."""
        super().resizeEvent(event)
        self.history.setVisible(self.width() >= HISTORY_FROM)
        self.queue.setVisible(self.width() >= QUEUE_FROM)

    def refresh(self, snapshot: Snapshot) -> None:
        """Head, lanes, and the batch in front."""
        self._snapshot = snapshot
        if not snapshot.batches:
            self.set_state(empty("No batch yet", "the first input opens one; it closes by size or age"))
            return
        if self.state.kind == "empty":
            self.set_state(LIVE)
        if self.pages.currentIndex() == 1:
            self._show_proof(snapshot)
            return
        self._show_head(snapshot)
        self.lanes.set_lanes(self._book.lanes(snapshot.batches))

    def _show_head(self, snapshot: Snapshot) -> None:
        """Percentiles are taken again only when a batch moved on or a proof came in."""
        moved = tuple((batch.number, batch.status) for batch in snapshot.batches)
        key = (moved, len(snapshot.prove_seconds), snapshot.proof_failures, snapshot.l1.gate)
        if key == self._head:
            return
        self._head = key
        head = summary(snapshot)
        _say(self.prove_times, f"prove {head.prove_times}", "text")
        _say(self.queue, head.queue, "text_weak")
        _say(self.failures, head.failures, head.failures_tone)
        self.history.set_values(head.history, f"prove time {head.prove_times}")
        _say(self.gate, f"L1 gate: {snapshot.l1.gate}", "text_weak")
        self.gate.setToolTip(snapshot.l1.gate)

    def _show_proof(self, snapshot: Snapshot) -> None:
        batch = batch_by_number(snapshot, self._number)
        if batch is None:  # it left the window of the newest hundred
            self.show_lanes()
            return
        self.proof.show_batch(batch, snapshot.l1.gate)

    def show_batch(self, number: int) -> None:
        """Show one batch in full."""
        if self._snapshot is None or batch_by_number(self._snapshot, number) is None:
            return
        self._number = number
        self.pages.setCurrentIndex(1)
        self._show_proof(self._snapshot)
        self.proof.back.setFocus()

    def show_lanes(self) -> None:
        """Back to all batches."""
        self.pages.setCurrentIndex(0)
        self.lanes.setFocus()
        if self._snapshot is not None:
            self.refresh(self._snapshot)

    def restyle(self) -> None:
        """The lanes paint from tokens; the head's labels are written again."""
        self._head = None
        self.lanes.viewport().update()

    def on_frame(self, now: float) -> bool:
        """A verdict may have arrived."""
        return self.proof.poll()


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
