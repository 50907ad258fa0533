"""The account's health as a ring: what is filled is what stands between the account and liquidation."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.account import RingState

THICKNESS = 8
FULL = 360 * 16  # Qt counts sixteenths of a degree
TOP = 90 * 16


class HealthRing(QWidget):
    """A ring from the top, clockwise; a mark where the initial margin is used up. The number stands in the middle."""

    def __init__(self, theme: Theme, diameter: int = 88) -> None:
        super().__init__()
        self._theme = theme
        self._state: RingState | None = None
        self._diameter = diameter
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("account health")

    @property
    def state(self) -> RingState | None:
        """What is shown."""
        return self._state

    def sizeHint(self) -> QSize:
        """Its diameter."""
        return QSize(self._diameter, self._diameter)

    def set_state(self, state: RingState) -> None:
        """Show this health; repaints only when it differs."""
        if state == self._state:
            return
        self._state = state
        self.setAccessibleDescription(f"health {state.centre}, {state.words}")
        tip = "health: (equity - maintenance margin) / equity; liquidation starts at 0 %"
        self.setToolTip(tip if state.initial_mark is None else f"{tip}; the mark shows where new risk is refused")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, filled arc, initial-margin mark, words."""
        state = self._state
        if state is None:
            return
        side = min(self.width(), self.height())
        area = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        ring = area.adjusted(THICKNESS / 2 + 1, THICKNESS / 2 + 1, -THICKNESS / 2 - 1, -THICKNESS / 2 - 1)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(self._pen("ground3"))
            painter.drawArc(ring, 0, FULL)
            painter.setPen(self._pen(state.tone))
            painter.drawArc(ring, TOP, -round(FULL * state.filled))
            if state.initial_mark is not None:
                self._paint_mark(painter, ring, state.initial_mark)
            self._paint_words(painter, area, state)

    def _pen(self, token: str) -> QPen:
        pen = QPen(self._theme.color(token), THICKNESS)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        return pen

    def _paint_mark(self, painter: QPainter, ring: QRectF, share: float) -> None:
        angle = 2 * math.pi * share
        direction = QPointF(math.sin(angle), -math.cos(angle))
        radius = ring.width() / 2
        painter.setPen(QPen(self._theme.color("text_strong"), 2))
        painter.drawLine(
            ring.center() + direction * (radius - THICKNESS / 2 - 2),
            ring.center() + direction * (radius + THICKNESS / 2),
        )

    def _paint_words(self, painter: QPainter, area: QRectF, state: RingState) -> None:
        painter.setPen(self._theme.color("text_strong"))
        painter.setFont(self._theme.number_font("large", "medium"))
        painter.drawText(area.adjusted(0, -8, 0, -8), Qt.AlignmentFlag.AlignCenter, state.centre)
        painter.setPen(self._theme.color("text_weak"))
        painter.setFont(self._theme.font("small"))
        painter.drawText(area.adjusted(0, 12, 0, 12), Qt.AlignmentFlag.AlignCenter, "health")
