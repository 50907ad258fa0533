"""Rows as a Qt model: the smallest set of insertions, removals and changes, so that lists do not jump."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from ui.viewmodels.tables import Cell, Row, TableSpec, row_changes

CELL_ROLE = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_NO_PARENT = QModelIndex()
FEW_CELLS = 60


class RowsModel(QAbstractTableModel):
    """A table of :class:`Row`. ``set_rows`` is the only way its content changes."""

    def __init__(self, spec: TableSpec, symbol: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.titles = tuple(column.title.format(symbol=symbol) for column in spec.columns)
        self._rows: tuple[Row, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows shown, in source order."""
        return self._rows

    def cell(self, row: int, column: int) -> Cell:
        """One cell; both indices must be in range."""
        return self._rows[row].cells[column]

    def key(self, row: int) -> Hashable:
        """The key of a row."""
        return self._rows[row].key

    def set_rows(self, rows: Sequence[Row]) -> bool:
        """Show these rows; says whether anything changed."""
        new = tuple(rows)
        if new == self._rows:
            return False
        changes = row_changes(self._rows, new)
        if changes.reset:
            self.beginResetModel()
            self._rows = new
            self.endResetModel()
            return True
        self._remove(changes.removed)
        self._insert(changes.inserted, new)
        before, self._rows = self._rows, new
        self._tell_changes(before, changes.changed)
        return True

    def _tell_changes(self, before: tuple[Row, ...], rows: tuple[int, ...]) -> None:
        """Cell by cell while they are few: a view repaints all of itself for any larger rectangle."""
        cells = [
            (row, column)
            for row in rows
            for column, (old, new) in enumerate(zip(before[row].cells, self._rows[row].cells, strict=True))
            if old != new
        ]
        if len(cells) <= FEW_CELLS:
            for row, column in cells:
                index = self.index(row, column)
                self.dataChanged.emit(index, index)
        elif cells:
            last = len(self.spec.columns) - 1
            self.dataChanged.emit(self.index(cells[0][0], 0), self.index(cells[-1][0], last))

    def _remove(self, runs: tuple[tuple[int, int], ...]) -> None:
        for first, last in runs:
            self.beginRemoveRows(_NO_PARENT, first, last)
            self._rows = self._rows[:first] + self._rows[last + 1 :]
            self.endRemoveRows()

    def _insert(self, runs: tuple[tuple[int, int], ...], new: tuple[Row, ...]) -> None:
        for first, last in runs:
            self.beginInsertRows(_NO_PARENT, first, last)
            self._rows = self._rows[:first] + new[first : last + 1] + self._rows[first:]
            self.endInsertRows()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Rows; a table has no children."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Columns; a table has no children."""
        return 0 if parent.isValid() else len(self.spec.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip, alignment, and the whole cell under ``CELL_ROLE``."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        cell = self._rows[index.row()].cells[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == CELL_ROLE:
            return cell
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.tip or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if self.spec.columns[index.column()].numeric else _LEFT
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.titles[index.column()]} {cell.text}".strip()
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles with their unit, aligned like their column."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.titles):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if self.spec.columns[section].numeric else _LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.spec.columns[section].tip or None
        return None


class SortedRows(QSortFilterProxyModel):
    """Sorts by the cells' sort values, as Python compares them; never by text and never through a 32-bit variant."""

    def __init__(self, source: RowsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self.setSourceModel(source)

    def lessThan(self, left: Index, right: Index) -> bool:
        """Order of two cells of one column."""
        first = self._source.cell(left.row(), left.column()).sort
        second = self._source.cell(right.row(), right.column()).sort
        return bool(first < second)  # type: ignore[operator]

    def key(self, row: int) -> Hashable:
        """The key of a shown row."""
        return self._source.key(self.mapToSource(self.index(row, 0)).row())
