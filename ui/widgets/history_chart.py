"""A history as bars with named levels across it: newest at the right, zero at the foot, the scale said."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.theme import Theme
from ui.widgets.painted import CENTRE, LEFT, RIGHT

BAR, GAP, PAD = 4, 1, 8
LABELS = 96  # pixels at the right for the levels' words
LINE = 13  # the least distance of two labels


class HistoryChart(QWidget):
    """Shows ``values`` (not negative, oldest first) and ``levels`` (value, words); only the newest that fit."""

    def __init__(self, theme: Theme, name: str, token: str, nothing: str) -> None:
        super().__init__()
        self._theme = theme
        self._token = token
        self._nothing = nothing
        self.values: tuple[float, ...] = ()
        self.levels: tuple[tuple[float, str], ...] = ()
        self._foot = ""
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    def minimumSizeHint(self) -> QSize:
        """Three labels, and the words below."""
        return QSize(200, 60)

    def set_history(
        self, values: tuple[float, ...], levels: tuple[tuple[float, str], ...], foot: str, told: str
    ) -> None:
        """Show these; ``foot`` says what a bar is, ``told`` says all of it in words."""
        if (values, levels, foot) == (self.values, self.levels, self._foot):
            return
        self.values, self.levels, self._foot = values, levels, foot
        self.setAccessibleDescription(told)
        self.setToolTip(told)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars, levels with their words, and the foot."""
        theme = self._theme
        with QPainter(self) as painter:
            painter.setFont(theme.font("small"))
            painter.setPen(theme.color("text_weak"))
            if not self.values:
                painter.drawText(self.rect().adjusted(PAD, 0, -PAD, 0), CENTRE, self._nothing)
                return
            area = self.rect().adjusted(PAD, 6, -LABELS, -20)
            painter.drawText(QRect(PAD, self.height() - 17, self.width() - 2 * PAD, 16), LEFT, self._foot)
            shown = self.values[-max(1, area.width() // (BAR + GAP)) :]
            top = max(*shown, *(value for value, _ in self.levels), 1e-9)
            self._paint_bars(painter, area, shown, top)
            self._paint_levels(painter, area, top)

    def _paint_bars(self, painter: QPainter, area: QRect, shown: tuple[float, ...], top: float) -> None:
        color = self._theme.color(self._token)
        for place, value in enumerate(reversed(shown)):
            height = max(1.0, value / top * area.height())
            left = area.right() - (place + 1) * (BAR + GAP) + GAP
            painter.fillRect(QRectF(left, area.bottom() - height, BAR, height), color)
        painter.fillRect(QRect(area.x(), area.bottom(), area.width(), 1), self._theme.color("line_strong"))

    def _paint_levels(self, painter: QPainter, area: QRect, top: float) -> None:
        """Hairlines at the levels, their labels kept apart and inside."""
        theme, levels = self._theme, sorted(self.levels)
        heights = [area.bottom() - round(value / top * area.height()) for value, _ in levels]
        painter.setFont(theme.number_font("small"))
        for (_, words), y, label in zip(levels, heights, label_places(heights), strict=True):
            painter.setPen(QPen(theme.color("text_weak"), 1))
            painter.drawLine(area.x(), y, area.right(), y)
            painter.setPen(theme.color("text"))
            painter.drawText(QRect(area.right() + 6, label - 8, LABELS - 6 - PAD, 16), RIGHT, words)


def label_places(heights: list[int]) -> list[int]:
    """Middles of labels for falling heights: ``LINE`` apart, none above the upper edge."""
    places: list[int] = []
    for y in heights:
        places.append(min(y, places[-1] - LINE) if places else y)
    lowest = 8
    for index in reversed(range(len(places))):
        places[index] = max(places[index], lowest)
        lowest = places[index] + LINE
    return places
