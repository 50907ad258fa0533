"""Base of our own painted lists: rows of one height, dirty rows only, exceptions never leave a painter open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme.theme import Theme

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter


class PaintedRows(QWidget):
    """Rows of ``row_height`` below a ``header_height``. Subclasses paint one row, and the header."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.painted_rows = 0  # counter, for tests and the bench
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)

    @property
    def row_height(self) -> int:
        """Pixels of a row at the theme's density."""
        return self.theme.density.ladder_row

    @property
    def header_height(self) -> int:
        """Pixels of the column titles."""
        return self.theme.density.ladder_row

    def visible_rows(self) -> int:
        """Whole rows that fit."""
        return max(0, (self.height() - self.header_height) // self.row_height)

    def row_rect(self, row: int) -> QRect:
        """Where a row lies."""
        return QRect(0, self.header_height + row * self.row_height, self.width(), self.row_height)

    def row_at(self, y: float) -> int:
        """The row under a y coordinate, -1 for the header."""
        return -1 if y < self.header_height else int(y - self.header_height) // self.row_height

    def update_rows(self, rows: Iterable[int]) -> None:
        """Ask for these rows to be painted again, neighbours in one rectangle."""
        first = last = None
        for row in rows:
            if last is not None and row == last + 1:
                last = row
                continue
            if first is not None and last is not None:
                self._update_span(first, last)
            first = last = row
        if first is not None and last is not None:
            self._update_span(first, last)

    def _update_span(self, first: int, last: int) -> None:
        self.update(self.row_rect(first).united(self.row_rect(last)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, then header and rows that the event's region touches."""
        with QPainter(self) as painter:
            ground = self.theme.color("ground1")
            region = event.region()
            rows: set[int] = set()
            for rect in cast(Iterable[QRect], region):  # it is one; the stubs do not say so
                painter.fillRect(rect, ground)
                rows.update(range(self.row_at(rect.top()), self.row_at(rect.bottom()) + 1))
            if -1 in rows:
                self.paint_header(painter, QRect(0, 0, self.width(), self.header_height))
            for row in sorted(rows):
                if 0 <= row < self.row_count():
                    self.painted_rows += 1
                    self.paint_row(painter, row, self.row_rect(row))

    def row_count(self) -> int:
        """How many rows there are to paint."""
        raise NotImplementedError

    def paint_row(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paint one row; its ground is filled already."""
        raise NotImplementedError

    def paint_header(self, painter: QPainter, rect: QRect) -> None:
        """Paint the column titles."""
        raise NotImplementedError
