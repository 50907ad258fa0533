"""Steps in a row, painted: a dot per step joined by a line, its name above, a stamp or an expectation below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.withdrawals import Step

RADIUS = 5
HEIGHT = 52


class Stepper(QWidget):
    """What happened is filled and has a fixed stamp; what is awaited is a ring with a range; the rest is a hairline."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._steps: tuple[Step, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is shown."""
        return self._steps

    def sizeHint(self) -> QSize:
        """Wide enough for six steps."""
        return QSize(420, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Words are elided below the natural width."""
        return QSize(240, HEIGHT)

    def set_steps(self, steps: Sequence[Step]) -> None:
        """Show these steps; repaints the ones that differ."""
        new = tuple(steps)
        old, self._steps = self._steps, new
        if new == old:
            return
        if len(new) != len(old):
            self.update()
        else:
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                if before != after:
                    self.update(self._cell(index).adjusted(-8, 0, self.width(), 0))
        spoken = (f"{step.name}: {step.words}, {step.state}" for step in new)
        self.setAccessibleDescription("; ".join(spoken))

    def _cell(self, index: int) -> QRect:
        count = max(1, len(self._steps))
        left, right = index * self.width() // count, (index + 1) * self.width() // count
        return QRect(left, 0, right - left, self.height())

    def event(self, event: QEvent) -> bool:
        """Tooltips say a step in full."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            for index, step in enumerate(self._steps):
                if self._cell(index).contains(event.pos()):
                    QToolTip.showText(event.globalPos(), f"{step.name}: {step.words}", self)
                    return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lines first, then each step."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            middle = self.height() / 2 - 1
            for index, step in enumerate(self._steps):
                if index:
                    self._paint_line(painter, index, middle, done=step.state == "done")
            for index, step in enumerate(self._steps):
                self._paint_step(painter, self._cell(index), middle, step)

    def _paint_line(self, painter: QPainter, index: int, middle: float, *, done: bool) -> None:
        start = self._cell(index - 1).center().x() + RADIUS + 2
        end = self._cell(index).center().x() - RADIUS - 2
        painter.setPen(QPen(self._theme.color("proved" if done else "line_strong"), 2 if done else 1))
        painter.drawLine(QPointF(start, middle), QPointF(end, middle))

    def _paint_step(self, painter: QPainter, cell: QRect, middle: float, step: Step) -> None:
        theme = self._theme
        centre = QPointF(cell.center().x(), middle)
        token = {"done": "proved", "active": step.tone, "waiting": "line_strong"}[step.state]
        painter.setPen(QPen(theme.color(token), 2))
        painter.setBrush(theme.color(token) if step.state == "done" else theme.color("ground1"))
        painter.drawEllipse(centre, RADIUS, RADIUS)
        if step.state == "active":
            painter.setBrush(theme.color(token))
            painter.drawEllipse(centre, RADIUS - 3, RADIUS - 3)
        name_font = theme.font("small", "strong" if step.state == "active" else "normal")
        name_token = "text_weak" if step.state == "waiting" else "text_strong"
        self._paint_words(painter, cell, QRect(cell.x(), 0, cell.width(), 18), step.name, name_font, name_token)
        below = QRect(cell.x(), round(middle) + RADIUS + 3, cell.width(), 18)
        font = theme.number_font("small") if step.state == "done" else theme.font("small")
        token = "text_weak" if step.state == "waiting" else step.tone
        self._paint_words(painter, cell, below, step.words, font, "text" if step.state == "done" else token)

    def _paint_words(self, painter: QPainter, cell: QRect, area: QRect, text: str, font: QFont, token: str) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.color(token))
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, cell.width() - 2)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, shown)
