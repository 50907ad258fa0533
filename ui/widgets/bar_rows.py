"""Named bars under each other, painted: name, bar from zero, words at the right."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.wording import Tone
from ui.widgets.painted import LEFT, RIGHT

ROW = 18


@dataclass(frozen=True, slots=True)
class BarRow:
    """``share`` of the longest possible bar, 0 to 1."""

    name: str
    words: str
    share: float
    tone: Tone = "text"


class BarRows(QWidget):
    """Shows ``rows``; the one that matters most has a tone of its own."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.rows: tuple[BarRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme.changed.connect(self.update)

    def set_rows(self, rows: tuple[BarRow, ...]) -> None:
        """Show these; repaints when they differ."""
        if rows == self.rows:
            return
        self.rows = rows
        self.setAccessibleDescription("; ".join(f"{row.name} {row.words}" for row in rows))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """One line per row."""
        return QSize(200, len(self.rows) * ROW)

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars begin where the longest name ends and end where the longest words begin."""
        theme = self._theme
        words, numbers = QFontMetrics(theme.font("small")), QFontMetrics(theme.number_font("small"))
        left = max((words.horizontalAdvance(row.name) for row in self.rows), default=0) + 8
        right = max((numbers.horizontalAdvance(row.words) for row in self.rows), default=0) + 8
        room = max(0, self.width() - left - right)
        with QPainter(self) as painter:
            for place, row in enumerate(self.rows):
                area = QRect(0, place * ROW, self.width(), ROW)
                if not area.intersects(event.rect()):
                    continue
                painter.setFont(theme.font("small"))
                painter.setPen(theme.color("text_weak" if row.tone == "text" else row.tone))
                painter.drawText(area, LEFT, row.name)
                bar = QRect(left, area.y() + 6, max(1, round(room * row.share)), ROW - 12)
                painter.fillRect(bar, theme.color("line_strong" if row.tone == "text" else row.tone))
                painter.setFont(theme.number_font("small"))
                painter.setPen(theme.color(row.tone))
                painter.drawText(area, RIGHT, row.words)
