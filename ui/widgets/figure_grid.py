"""Labelled figures in columns, painted: one widget instead of dozens of labels, repainted where a figure changed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.account import Figure

GAP = 20
LETTERS_IN_A_NUMBER = 5  # more letters than a unit has: words, not a number


class FigureGrid(QWidget):
    """Label left, value right, in as many columns as fit ``column_width``, filled from the top down."""

    def __init__(self, theme: Theme, column_width: int = 240, row_height: int = 20, columns: int = 0) -> None:
        super().__init__()
        self._theme = theme
        self._figures: tuple[Figure, ...] = ()
        self._column_width = column_width
        self._row_height = row_height
        self._fixed_columns = columns
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What is shown."""
        return self._figures

    def set_row_height(self, height: int) -> None:
        """Pixels per row."""
        if height != self._row_height:
            self._row_height = height
            self.updateGeometry()
            self.update()

    def value(self, label: str) -> str:
        """The value shown for a label; ``KeyError`` when there is none."""
        for figure in self._figures:
            if figure.label == label:
                return figure.value
        raise KeyError(label)

    def set_figures(self, figures: Sequence[Figure]) -> bool:
        """Show these; repaints the rows that differ and says whether any did."""
        new = tuple(figures)
        old, self._figures = self._figures, new
        if new == old:
            return False
        if len(new) != len(old):
            self.updateGeometry()
            self.update()
        else:
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                if before != after:
                    self.update(self._cell(index))
        self.setAccessibleDescription("; ".join(f"{figure.label} {figure.value}" for figure in new))
        return True

    def columns(self, width: int) -> int:
        """How many columns a width holds."""
        if self._fixed_columns:
            return self._fixed_columns
        return max(1, min(max(1, len(self._figures)), (width + GAP) // (self._column_width + GAP)))

    def _rows(self, width: int) -> int:
        count = self.columns(width)
        return -(-len(self._figures) // count)

    def hasHeightForWidth(self) -> bool:
        """Fewer columns need more rows."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Rows times their height."""
        return self._rows(width) * self._row_height

    def sizeHint(self) -> QSize:
        """One column, or what the current width needs."""
        return QSize(self._column_width, self.heightForWidth(max(self._column_width, self.width())))

    def minimumSizeHint(self) -> QSize:
        """May be as narrow as half a column; the height follows the width it has."""
        return QSize(self._column_width // 2, self.heightForWidth(max(self._column_width, self.width())))

    def _cell(self, index: int) -> QRect:
        count = self.columns(self.width())
        rows = max(1, self._rows(self.width()))
        width = (self.width() - GAP * (count - 1)) // count
        column, row = divmod(index, rows)
        return QRect(column * (width + GAP), row * self._row_height, width, self._row_height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The number of rows may have changed."""
        self.updateGeometry()
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tooltips belong to the figure under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            for index, figure in enumerate(self._figures):
                if self._cell(index).contains(event.pos()):
                    QToolTip.showText(event.globalPos(), figure.tip or f"{figure.label}: {figure.value}", self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cells that meet the exposed rectangle."""
        with QPainter(self) as painter:
            for index, figure in enumerate(self._figures):
                cell = self._cell(index)
                if cell.intersects(event.rect()):
                    self._paint_figure(painter, cell, figure)

    def _paint_figure(self, painter: QPainter, cell: QRect, figure: Figure) -> None:
        theme = self._theme
        label_font = theme.font("small")
        painter.setFont(label_font)
        painter.setPen(theme.color("text_weak"))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(cell, left, figure.label)
        used = QFontMetrics(label_font).horizontalAdvance(figure.label) + 8
        font = value_font(theme, figure.value)
        painter.setFont(font)
        painter.setPen(theme.color(figure.tone))
        area = cell.adjusted(used, 0, 0, 0)
        text = QFontMetrics(font).elidedText(figure.value, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


def value_font(theme: Theme, text: str) -> QFont:
    """Numbers (with their unit) in tabular digits, words in the family for words."""
    letters = sum(character.isalpha() for character in text)
    return theme.number_font() if letters <= LETTERS_IN_A_NUMBER else theme.font()
