"""A small history: one bar per value, newest at the right, the largest value touching the top."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.theme import Theme

BAR, GAP = 3, 1


class Spark(QWidget):
    """Bars from zero; only as many of the newest as fit."""

    def __init__(self, theme: Theme, name: str, token: str = "accent") -> None:
        super().__init__()
        self._theme = theme
        self._token = token
        self._values: tuple[float, ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def values(self) -> tuple[float, ...]:
        """What is shown, oldest first."""
        return self._values

    def sizeHint(self) -> QSize:
        """Thirty bars."""
        return QSize(30 * (BAR + GAP), 20)

    def minimumSizeHint(self) -> QSize:
        """Ten bars."""
        return QSize(10 * (BAR + GAP), 20)

    def set_values(self, values: Sequence[float], description: str) -> None:
        """Show non-negative values, oldest first; ``description`` says them in words."""
        new = tuple(values)
        if new == self._values:
            return
        self._values = new
        self.setAccessibleDescription(description)
        self.setToolTip(description)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars from the right."""
        shown = self._values[-max(1, self.width() // (BAR + GAP)) :]
        top = max(shown, default=0.0)
        if top <= 0:
            return
        with QPainter(self) as painter:
            color = self._theme.color(self._token)
            for place, value in enumerate(reversed(shown)):
                height = max(1.0, value / top * (self.height() - 2))
                left = self.width() - (place + 1) * (BAR + GAP) + GAP
                painter.fillRect(QRectF(left, self.height() - height, BAR, height), color)
