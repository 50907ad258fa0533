"""Labelled numbers in a row, painted: name above value. What does not fit is left out from the end, never cut."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.header import Fact
from ui.widgets.painted import LEFT

GAP = 20


class FactStrip(QWidget):
    """Shows ``facts`` in order of importance; widths only grow, so that changing digits move nothing."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.facts: tuple[Fact, ...] = ()
        self._widths: dict[str, int] = {}
        self._lengths: dict[str, int] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._restyle)

    def minimumSizeHint(self) -> QSize:
        """May shrink to nothing."""
        return QSize(0, 36)

    def set_facts(self, facts: tuple[Fact, ...]) -> bool:
        """Show these; repaints only the ones that changed. True when any did."""
        if facts == self.facts:
            return False
        old, self.facts = self.facts, facts
        before = dict(self._widths)
        self._measure()
        if len(old) != len(facts) or before != self._widths:
            self.update()
        else:
            for was, fact, box in zip(old, facts, self.boxes(), strict=False):
                if was != fact:
                    self.update(box)
        self.setAccessibleName(", ".join(f"{fact.name} {fact.text}" for fact in facts))
        return True

    def _restyle(self) -> None:
        """Other fonts, other widths."""
        self._widths.clear()
        self._lengths.clear()
        self._measure()
        self.update()

    def _measure(self) -> None:
        """Measured anew only for a longer text: the numbers' font has one width for every character."""
        words, numbers = QFontMetrics(self.theme.font("small")), QFontMetrics(self.theme.number_font("body"))
        for fact in self.facts:
            if len(fact.text) > self._lengths.get(fact.name, -1):
                self._lengths[fact.name] = len(fact.text)
                need = max(words.horizontalAdvance(fact.name), numbers.horizontalAdvance(fact.text)) + GAP
                self._widths[fact.name] = max(need, self._widths.get(fact.name, 0))

    def boxes(self) -> list[QRect]:
        """One rectangle for each fact that fits."""
        found, x = [], 0
        for fact in self.facts:
            width = self._widths[fact.name]
            if x + width - GAP > self.width():
                break
            found.append(QRect(x, 0, width, self.height()))
            x += width
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        """Names weak, values in their tone."""
        with QPainter(self) as painter:
            for fact, box in zip(self.facts, self.boxes(), strict=False):
                if not event.rect().intersects(box):
                    continue
                middle = box.height() // 2
                painter.setFont(self.theme.font("small"))
                painter.setPen(self.theme.color("text_weak"))
                painter.drawText(QRect(box.left(), middle - 16, box.width(), 16), LEFT, fact.name)
                painter.setFont(self.theme.number_font("body"))
                painter.setPen(self.theme.color(fact.tone))
                painter.drawText(QRect(box.left(), middle, box.width(), 17), LEFT, fact.text)

    def event(self, event: QEvent) -> bool:
        """A tooltip explains the fact under the pointer."""
        if isinstance(event, QHelpEvent):
            for fact, box in zip(self.facts, self.boxes(), strict=False):
                if box.contains(event.pos()) and fact.help:
                    QToolTip.showText(event.globalPos(), fact.help, self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)
