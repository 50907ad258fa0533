"""A button whose words say exactly what it does; they go onto two lines where one is too narrow."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QWidget

HEIGHT = 38  # two lines
SIDES = 28


class StatingButton(QPushButton):
    """Always two lines high, so that longer words never move what is above."""

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ""
        self.setFixedHeight(HEIGHT)
        self.set_words(words)

    @property
    def words(self) -> str:
        """What it says, on one line."""
        return self._words

    def set_words(self, words: str) -> None:
        """Say this."""
        if words == self._words:
            return
        self._words = words
        self.setAccessibleName(words)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """The words never widen the panel."""
        return QSize(120, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the words again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        text = self._words
        if self.fontMetrics().horizontalAdvance(text) > self.width() - SIDES and ", " in text:
            head, _, tail = text.rpartition(", ")
            text = f"{head},\n{tail}"
        if text != self.text():
            self.setText(text)
