"""A painted list of numbered rows under fixed titles: hover, a marked row, keys, and a place that does not jump.

A click or the arrow keys mark a row; a double click or Enter opens it; its menu comes with the right button or the menu
key. Subclasses paint one row and the titles; rows are frozen objects with a ``number`` and ``spoken`` words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from ui.theme.theme import Theme

TITLES = 22


class NumberedRow(Protocol):
    """What a list shows, newest first."""

    @property
    def number(self) -> int:
        """What the row is about: unique, falling from row to row."""

    @property
    def spoken(self) -> str:
        """The row in words."""


class RowList(QAbstractScrollArea):
    """``opened(number)``: double click or Enter. ``menu_wanted(number, place)``: the menu of a row, global place."""

    opened = Signal(int)
    menu_wanted = Signal(int, QPoint)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.shown: tuple[Any, ...] = ()
        self.marked = -1  # the number of the row under the keyboard
        self.hovered = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.viewport().setMouseTracking(True)
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        """Another density has other rows."""
        self._set_range()
        self.viewport().update()

    # -- what subclasses implement ------------------------------------------------------------------------------

    def paint_row(self, painter: QPainter, rect: QRect, row: Any) -> None:
        """Paint one row; ground, mark and hairline are there already."""
        raise NotImplementedError

    def paint_titles(self, painter: QPainter, rect: QRect) -> None:
        """Paint the column titles; the ground is there already."""
        raise NotImplementedError

    def tip(self, row: Any) -> str:
        """What the pointer is told about a row."""
        return str(row.spoken)

    # -- rows ---------------------------------------------------------------------------------------------------

    @property
    def row_height(self) -> int:
        """Pixels of a row."""
        return self.theme.density.table_row

    def minimumSizeHint(self) -> QSize:
        """Titles and three rows."""
        return QSize(240, TITLES + 3 * self.row_height)

    def set_rows(self, rows: Sequence[NumberedRow]) -> None:
        """Show these; repaints the rows that differ, all when their order changed."""
        old, self.shown = self.shown, tuple(rows)
        if [row.number for row in old] != [row.number for row in self.shown]:
            self._keep_place(old)
            self._set_range()
            self.viewport().update()
            return
        for index, (before, after) in enumerate(zip(old, self.shown, strict=True)):
            if before is not after and before != after:
                self.viewport().update(self.row_rect(index))

    def _keep_place(self, old: tuple[Any, ...]) -> None:
        """New rows enter at the top: a scrolled list stays where it is under the pointer."""
        bar = self.verticalScrollBar()
        if not old or not self.shown or bar.value() == 0:
            return
        added = sum(row.number > old[0].number for row in self.shown)
        bar.setMaximum(bar.maximum() + added * self.row_height)
        bar.setValue(bar.value() + added * self.row_height)

    def _set_range(self) -> None:
        room = max(0, self.viewport().height() - TITLES)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, len(self.shown) * self.row_height - room))
        bar.setPageStep(room)
        bar.setSingleStep(self.row_height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer rows fit."""
        super().resizeEvent(event)
        self._set_range()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Scrolling repaints: the titles stay."""
        self.viewport().update()

    def row_rect(self, index: int) -> QRect:
        """Where a row lies in the viewport."""
        top = TITLES + index * self.row_height - self.verticalScrollBar().value()
        return QRect(0, top, self.viewport().width(), self.row_height)

    def row_at(self, point: QPoint) -> Any | None:
        """The row under a point of the viewport, None over the titles and below the last row."""
        if point.y() < TITLES:
            return None
        index = (point.y() - TITLES + self.verticalScrollBar().value()) // self.row_height
        return self.shown[index] if 0 <= index < len(self.shown) else None

    # -- pointer and keys ---------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light the row under the pointer."""
        row = self.row_at(event.position().toPoint())
        self._hover(row.number if row else -1)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._hover(-1)
        super().leaveEvent(event)

    def _hover(self, number: int) -> None:
        if number != self.hovered:
            self.hovered = number
            self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Mark the row."""
        row = self.row_at(event.position().toPoint())
        if row is not None:
            self._mark(row)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the row."""
        row = self.row_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and row is not None:
            self.opened.emit(row.number)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the row under the pointer, or of the marked one when a key asked."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        row = self._marked_row() if by_key else self.row_at(event.pos())
        if row is not None:
            place = self.row_rect(self.shown.index(row)).bottomLeft() if by_key else event.pos()
            self._mark(row)
            self.menu_wanted.emit(row.number, self.viewport().mapToGlobal(place))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down mark a row, Enter opens it."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.shown:
            self._step(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.marked >= 0:
            self.opened.emit(self.marked)
        else:
            super().keyPressEvent(event)

    def _marked_row(self) -> Any | None:
        return next((row for row in self.shown if row.number == self.marked), None)

    def _step(self, step: int) -> None:
        numbers = [row.number for row in self.shown]
        at = numbers.index(self.marked) + step if self.marked in numbers else 0
        at = max(0, min(len(numbers) - 1, at))
        bar, rect = self.verticalScrollBar(), self.row_rect(at)
        if rect.top() < TITLES:
            bar.setValue(bar.value() + rect.top() - TITLES)
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height())
        self._mark(self.shown[at])

    def _mark(self, row: Any) -> None:
        self.marked = row.number
        self.setAccessibleDescription(row.spoken)
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        """Tooltips: the row in words."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = self.row_at(event.pos())
            if row is not None:
                QToolTip.showText(event.globalPos(), f"{self.tip(row)}; double-click or press Enter to inspect", self)
            return True
        return super().viewportEvent(event)

    # -- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows that meet the exposed rectangle, then the titles over them."""
        with QPainter(self.viewport()) as painter:
            for index, row in enumerate(self.shown):
                rect = self.row_rect(index)
                if rect.intersects(event.rect()) and rect.bottom() > TITLES:
                    self._paint_ground(painter, rect, row)
                    self.paint_row(painter, rect, row)
            if event.rect().top() < TITLES:
                titles = QRect(0, 0, self.viewport().width(), TITLES)
                painter.fillRect(titles, self.theme.color("ground1"))
                painter.fillRect(QRect(0, TITLES - 1, titles.width(), 1), self.theme.color("line"))
                self.paint_titles(painter, titles)

    def _paint_ground(self, painter: QPainter, rect: QRect, row: Any) -> None:
        theme = self.theme
        if row.number == self.marked:
            painter.fillRect(rect, theme.color("ground3" if self.hasFocus() else "ground2"))
            painter.fillRect(QRect(0, rect.y(), 2, rect.height()), theme.color("accent"))
        elif row.number == self.hovered:
            painter.fillRect(rect, theme.color("ground2"))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), theme.color("line"))


def draw_words(painter: QPainter, area: QRect, text: str, side: Qt.AlignmentFlag) -> None:
    """Text in an area, elided at its end when it is too long."""
    if area.width() <= 0 or not text:
        return
    metrics = painter.fontMetrics()
    if metrics.horizontalAdvance(text) > area.width():
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, side, text)
