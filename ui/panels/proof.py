"""One batch's proof: facts, stage times, what it covers and does not cover, and checking it again on this machine."""

from __future__ import annotations

import threading

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.snapshots import BatchView
from engine.errors import ProtocolError
from engine.proving.coverage import COVERED, NOT_COVERED, STATEMENT_NAME
from ui.shell.engine_protocol import DeskEngine
from ui.theme.theme import Theme
from ui.viewmodels.proof import StageTime, figures, is_accepted, stage_times
from ui.widgets.figure_grid import FigureGrid

STAGE_ROW = 18
NO_VERDICT = (False, "the check ended without a verdict; the log says why")


class StageBars(QWidget):
    """The prover's stages, one bar each, in the order they ran."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._stages: tuple[StageTime, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("prover stages")

    def set_stages(self, stages: tuple[StageTime, ...]) -> None:
        """Show these; repaints when they differ."""
        if stages == self._stages:
            return
        self._stages = stages
        self.setAccessibleDescription("; ".join(f"{stage.name} {stage.seconds}" for stage in stages))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """A row per stage."""
        return QSize(200, len(self._stages) * STAGE_ROW)

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        """Name, bar, seconds."""
        theme = self._theme
        widest = QFontMetrics(theme.font("small"))
        names = max((widest.horizontalAdvance(stage.name) for stage in self._stages), default=0) + 8
        with QPainter(self) as painter:
            for row, stage in enumerate(self._stages):
                area = QRect(0, row * STAGE_ROW, self.width(), STAGE_ROW)
                painter.setFont(theme.font("small"))
                painter.setPen(theme.color("text_weak"))
                painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, stage.name)
                room = max(0, self.width() - names - 64)
                bar = QRect(names, area.y() + 6, max(1, round(room * stage.share)), STAGE_ROW - 12)
                painter.fillRect(bar, theme.color("proved"))
                painter.setFont(theme.number_font("small"))
                painter.setPen(theme.color("text"))
                painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, stage.seconds)


class Verifier:
    """Verifies one batch at a time on a thread of its own. The window asks for the verdict; the thread never calls."""

    def __init__(self, engine: DeskEngine) -> None:
        self._engine = engine
        self._thread: threading.Thread | None = None
        self._number = 0
        self._verdict = NO_VERDICT

    @property
    def busy(self) -> bool:
        """Whether a check runs, or its verdict was not taken yet."""
        return self._thread is not None

    def start(self, number: int) -> bool:
        """Begin; False while another check runs."""
        if self.busy:
            return False
        self._number, self._verdict = number, NO_VERDICT
        self._thread = threading.Thread(target=self._run, args=(number,), name="verify proof", daemon=True)
        self._thread.start()
        return True

    def _run(self, number: int) -> None:
        try:
            words = self._engine.verify_batch(number)
            self._verdict = (is_accepted(words), words)
        except (ProtocolError, OSError) as error:
            self._verdict = (False, str(error))

    def take(self) -> tuple[int, bool, str] | None:
        """Number, verdict and words of the check that ended since the last call."""
        if self._thread is None or self._thread.is_alive():
            return None
        self._thread.join()
        self._thread = None
        return (self._number, *self._verdict)


class ProofView(QWidget):
    """Everything about one batch. ``left``: back to the lanes."""

    left = Signal()

    def __init__(self, engine: DeskEngine, theme: Theme) -> None:
        super().__init__()
        self._batch: BatchView | None = None
        self._verdicts: dict[int, tuple[bool, str]] = {}
        self._verifier = Verifier(engine)
        self.title = QLabel(" ")
        self.title.setProperty("strong", True)
        self.back = QPushButton("All batches")
        self.verify = QPushButton("Verify again here")
        self.verdict = QLabel(" ")
        self.verdict.setProperty("size", "small")
        self.verdict.setWordWrap(True)
        self.verdict.hide()
        self.facts = FigureGrid(theme, column_width=250, row_height=18)
        self.facts.setAccessibleName("batch facts")
        self.stages = StageBars(theme)
        self.coverage = [_paragraph(text, tone) for text, tone in coverage_lines()]
        self.gate = _paragraph("", "warn")
        self._arrange()
        self.back.clicked.connect(self.left)
        self.verify.clicked.connect(self._on_verify)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 0)
        head.setSpacing(8)
        head.addWidget(self.back)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.verify)
        page = QWidget()
        inner = QVBoxLayout(page)
        inner.setContentsMargins(8, 4, 8, 8)
        inner.setSpacing(4)
        for widget in (self.verdict, self.facts, self.stages, self.gate, *self.coverage):
            inner.addWidget(widget)
        inner.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(area, 1)

    def show_batch(self, batch: BatchView, gate: str) -> None:
        """Show this batch; the gate says what lets its root onto L1 today."""
        gate_words = f"What gates L1 today: {gate}."
        if self.gate.text() != gate_words:
            self.gate.setText(gate_words)
        if batch == self._batch:
            return
        self._batch = batch
        self.title.setText(f"Batch {batch.number}")
        self.facts.set_figures(figures(batch))
        self.stages.set_stages(stage_times(batch))
        self._show_verdict()

    def _show_verdict(self) -> None:
        batch = self._batch
        if batch is None:
            return
        self.verify.setEnabled(bool(batch.proof_bytes) and not self._verifier.busy)
        self.verify.setText("Verifying" if self._verifier.busy else "Verify again here")
        self.verify.setToolTip(
            "checks the proof file with the verifier of this machine" if batch.proof_bytes else "there is no proof yet"
        )
        known = self._verdicts.get(batch.number)
        self.verdict.setVisible(known is not None)
        if known is not None:
            self.verdict.setProperty("tone", "proved" if known[0] else "danger")
            self.verdict.style().polish(self.verdict)
            self.verdict.setText(known[1])

    def _on_verify(self) -> None:
        if self._batch is not None and self._verifier.start(self._batch.number):
            self.verify.setEnabled(False)
            self.verify.setText("Verifying")

    def poll(self) -> bool:
        """Show a verdict that arrived; True when there was one."""
        verdict = self._verifier.take()
        if verdict is None:
            return False
        number, ok, words = verdict
        self._verdicts[number] = (ok, words)
        self._show_verdict()
        return True


def coverage_lines() -> list[tuple[str, str]]:
    """What a proof covers and does not cover, as lines with a tone."""
    lines = [(f"Covered by the proof ({STATEMENT_NAME})", "proved")]
    lines += [(f"+ {text}", "text") for text in COVERED]
    lines += [("Not covered", "warn")]
    lines += [(f"- {text}", "text_weak") for text in NOT_COVERED]
    return lines


def _paragraph(text: str, tone: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("size", "small")
    label.setProperty("tone", tone)
    return label
