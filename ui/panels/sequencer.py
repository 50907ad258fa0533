"""The sequencer: its figures, how near the open batch is to closing, and why it is halted when it is."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from ui.model.engine_protocol import DeskEngine
from ui.theme.theme import Theme
from ui.viewmodels.sequencer import figures, l1_figures, open_batch_fill
from ui.widgets.figure_grid import FigureGrid
from ui.widgets.panel import Panel

ROW, COLUMN = 18, 260


class FillBar(QWidget):
    """How full something is, as one thin bar."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._pixels = -1
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    @property
    def share(self) -> float:
        """What is shown, 0 to 1."""
        return self._share

    def sizeHint(self) -> QSize:
        """A bar of four pixels."""
        return QSize(80, 4)

    def set_share(self, share: float, words: str) -> None:
        """Show a share of 0 to 1; repaints when it moved by a pixel."""
        self._share = share
        self.setToolTip(words)
        pixels = round(share * self.width())
        if pixels != self._pixels:
            self._pixels = pixels
            self.setAccessibleDescription(f"{share:.0%}")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track and filled part."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.color("ground3"))
            token = "warn" if self._share >= 1 else "accent"
            painter.fillRect(0, 0, round(self._share * self.width()), self.height(), self._theme.color(token))


class SequencerPanel(Panel):
    """Figures in as many columns as fit."""

    title = "Sequencer"

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self.halted = QLabel()
        self.halted.setProperty("tone", "danger")
        self.halted.setWordWrap(True)
        self.halted.hide()
        self.fill = FillBar(theme, "how full the open batch is")
        self.figures = FigureGrid(theme, COLUMN, ROW)
        self.figures.setAccessibleName("sequencer figures")
        self.on_l1 = FigureGrid(theme, COLUMN, ROW)
        self.on_l1.setAccessibleName("L1 figures")
        line = QFrame()
        line.setProperty("role", "hairline")
        line.setFixedHeight(1)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(6)
        for widget in (self.halted, self.figures, self.fill, line, self.on_l1):
            column.addWidget(widget)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def refresh(self, snapshot: Snapshot) -> None:
        """Only figures that differ are repainted."""
        view, config = snapshot.sequencer, self.engine.config
        words = f"The sequencer has halted: {view.halted}" if view.halted else ""
        if words != self.halted.text():
            self.halted.setText(words)
            self.halted.setVisible(bool(words))
        self.figures.set_figures(figures(snapshot, config))
        self.on_l1.set_figures(l1_figures(snapshot))
        self.fill.set_share(open_batch_fill(view, config), "how close the open batch is to its size or time limit")
