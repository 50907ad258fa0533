"""The view of one table: own cell painting, columns that give way instead of scrolling sideways, words when empty."""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from ui.theme.theme import Theme
from ui.viewmodels.tables import Cell, TableSpec, visible_columns
from ui.viewmodels.wording import NOTHING
from ui.widgets.table_model import CELL_ROLE, RowsModel, SortedRows

PADDING = 6  # as the header has it
SPARE = 28  # the most that a column is widened beyond what it needs
SORT_ROOM = 12
Index = QModelIndex | QPersistentModelIndex


class CellDelegate(QStyledItemDelegate):
    """Paints a cell from tokens: no style sheet work per cell."""

    def __init__(self, theme: Theme, view: TableView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Ground, hairline, text or button."""
        cell: Cell = index.data(CELL_ROLE)
        column = self._view.spec.columns[index.column()]
        theme, rect = self._theme, option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("ground3"))
        elif index.row() == self._view.hovered_row:
            painter.fillRect(rect, theme.color("ground2"))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), theme.color("line"))
        if column.action:
            self._paint_action(painter, rect, cell, index)
            return
        numeric = column.numeric
        font = theme.number_font() if numeric else theme.font()
        painter.setFont(font)
        painter.setPen(theme.color(cell.tone))
        area = rect.adjusted(PADDING, 0, -PADDING, -1)
        text = cell.text
        if QFontMetrics(font).horizontalAdvance(text) > area.width():
            text = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_action(self, painter: QPainter, rect: QRect, cell: Cell, index: Index) -> None:
        theme = self._theme
        if cell.text == NOTHING:
            return
        box = rect.adjusted(4, 3, -4, -4)
        here = (index.row(), index.column())
        focused = self._view.hasFocus() and self._view.currentIndex() == index
        hot = here == self._view.hovered_cell
        if hot:
            painter.fillRect(box, theme.color("accent_fill"))
        painter.setPen(theme.color("accent" if focused or hot else "line_strong"))
        painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text_strong" if hot and cell.tone == "accent" else cell.tone))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, cell.text)


class TableView(QTableView):
    """One table. ``acted(key, column key)``: an action cell was clicked, or Enter or Space pressed on it.

    ``pointed()``: :meth:`pointed_at` may answer differently.
    """

    acted = Signal(object, str)
    pointed = Signal()

    def __init__(self, spec: TableSpec, symbol: str, theme: Theme) -> None:
        super().__init__()
        self.spec = spec
        self._theme = theme
        self.hovered_row = -1
        self.hovered_cell = (-1, -1)
        self.rows = RowsModel(spec, symbol, self)
        self.sorted = SortedRows(self.rows, self)
        self.setModel(self.sorted)
        self.setItemDelegate(CellDelegate(theme, self))
        self.setAccessibleName(spec.name)
        self._configure()
        self.restyle()
        self.rows.rowsInserted.connect(self._on_count_changed)
        self.rows.rowsRemoved.connect(self._on_count_changed)
        self.rows.modelReset.connect(self._on_count_changed)

    def _configure(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSortingEnabled(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        header.setSortIndicatorClearable(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)

    def restyle(self) -> None:
        """Fonts or density changed: heights and widths follow."""
        self.verticalHeader().setDefaultSectionSize(self._theme.density.table_row)
        numbers, words = QFontMetrics(self._theme.number_font()), QFontMetrics(self._theme.font())
        small = QFontMetrics(self._theme.font("small"))
        self._needs = [
            max(
                (numbers if column.numeric else words).horizontalAdvance(column.sample),
                small.horizontalAdvance(title) + (0 if column.action else SORT_ROOM),
            )
            + 2 * PADDING
            for column, title in zip(self.spec.columns, self.rows.titles, strict=True)
        ]
        self._lay_out_columns()

    def _lay_out_columns(self) -> None:
        available = self.viewport().width()
        shown = visible_columns(self._needs, self.spec.columns, available)
        used = sum(width for width, visible in zip(self._needs, shown, strict=True) if visible)
        wide = [i for i, column in enumerate(self.spec.columns) if shown[i] and not column.action]
        spare = max(0, min(SPARE, (available - used) // max(1, len(wide))))
        for index, need in enumerate(self._needs):
            self.setColumnHidden(index, not shown[index])
            self.setColumnWidth(index, need + (spare if index in wide else 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns that do not fit any more give way; those that fit again come back."""
        super().resizeEvent(event)
        self._lay_out_columns()

    def _on_count_changed(self) -> None:
        self.hovered_row, self.hovered_cell = -1, (-1, -1)
        self.viewport().update()

    def _hover(self, index: QModelIndex) -> None:
        row = index.row() if index.isValid() else -1
        cell = (row, index.column()) if row >= 0 else (-1, -1)
        if (row, cell) == (self.hovered_row, self.hovered_cell):
            return
        self.hovered_row, self.hovered_cell = row, cell
        action = index.isValid() and self.spec.columns[index.column()].action and index.data() != NOTHING
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if action else Qt.CursorShape.ArrowCursor)
        self.viewport().update()
        self.pointed.emit()

    def pointed_at(self) -> tuple[Hashable, str]:
        """Row key and column key of the cell under the pointer, else of the current cell; at least the first row.

        ``IndexError`` when there are no rows.
        """
        index = self.currentIndex()
        row, column = self.hovered_cell if self.hovered_row >= 0 else (index.row(), index.column())
        return self.sorted.key(max(row, 0)), self.spec.columns[column].key if column >= 0 else ""

    def currentChanged(self, current: Index, previous: Index) -> None:
        """The keyboard, or a click, went to another cell."""
        super().currentChanged(current, previous)
        self.pointed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Hover of rows and of action cells."""
        self._hover(self.indexAt(event.position().toPoint()))
        super().mouseMoveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """While the pointer is over the rows they keep their order; they sort again when it leaves."""
        if event.type() == QEvent.Type.Enter:
            self.sorted.setDynamicSortFilter(False)
        elif event.type() == QEvent.Type.Leave:
            self._hover(QModelIndex())
            self.sorted.setDynamicSortFilter(True)
        return super().viewportEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on an action cell acts when it ends where it began."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index == self.currentIndex():
            self._act(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter or Space on an action cell acts."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.isAutoRepeat():
            self._act(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _act(self, index: QModelIndex) -> None:
        if not index.isValid() or not self.spec.columns[index.column()].action:
            return
        cell: Cell = index.data(CELL_ROLE)
        if cell.tone == "accent" and cell.text != NOTHING:
            self.acted.emit(self.sorted.key(index.row()), self.spec.columns[index.column()].key)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows, or why there are none."""
        super().paintEvent(event)
        if self.rows.rows:
            return
        with QPainter(self.viewport()) as painter:
            painter.setFont(self._theme.font())
            painter.setPen(self._theme.color("text_weak"))
            area = self.viewport().rect().adjusted(16, 8, -16, -8)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.spec.empty)

    def act_on(self, key: object, column: str) -> None:
        """Act as if the row's action cell had been clicked; nothing happens when the row is gone."""
        for row in range(self.sorted.rowCount()):
            if self.sorted.key(row) == key:
                self._act(self.sorted.index(row, self.spec.index(column)))
                return
