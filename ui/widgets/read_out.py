"""A line of named numbers, painted: cells of (name, text, tone). Right or left aligned, cut only by its own edge."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.theme import Theme

Cells = tuple[tuple[str, str, str], ...]
GAP, PAD = 12, 8


class ReadOut(QWidget):
    """Shows ``cells``; those that do not fit are left out from the end."""

    def __init__(self, theme: Theme, *, right: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.cells: Cells = ()
        self._right = right
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """One small line."""
        return QSize(200, 20)

    def minimumSizeHint(self) -> QSize:
        """May shrink."""
        return QSize(40, 20)

    def set_cells(self, cells: Cells) -> None:
        """Show these; repaints when they changed."""
        if cells != self.cells:
            self.cells = cells
            self.setAccessibleName(", ".join(f"{name} {text}".strip() for name, text, _ in cells))
            self.update()

    def widths(self) -> list[int]:
        """Pixels of each cell."""
        character = QFontMetrics(self.theme.number_font("small")).horizontalAdvance("0" * 100) / 100
        return [ceil(character * len(f"{name} {text}" if name else text)) for name, text, _ in self.cells]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Names weak, texts in their tone."""
        widths = self.widths()
        room = self.width() - 2 * PAD
        while widths and sum(widths) + GAP * (len(widths) - 1) > room:
            widths.pop()
        total = sum(widths) + GAP * max(len(widths) - 1, 0)
        x = self.width() - PAD - total if self._right else PAD
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        with QPainter(self) as painter:
            painter.setFont(self.theme.number_font("small"))
            metrics = painter.fontMetrics()
            for (name, text, tone), width in zip(self.cells, widths, strict=False):
                start = x
                if name:
                    painter.setPen(self.theme.color("text_weak"))
                    painter.drawText(QRect(x, 0, width, self.height()), left, name)
                    start += metrics.horizontalAdvance(f"{name} ")
                painter.setPen(self.theme.color(tone))
                painter.drawText(QRect(start, 0, width, self.height()), left, text)
                x += width + GAP
