"""Named hashes under each other, each with a button that copies all of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget


@dataclass(frozen=True, slots=True)
class NamedHash:
    """``text`` is what the button copies; ``shown`` stands in its place on screen when it is not the hash itself."""

    name: str
    text: str
    shown: str = ""


class MiddleElided(QLabel):
    """A hash that gives up its middle when there is no room for it."""

    def __init__(self) -> None:
        super().__init__()
        self.full = ""
        self.setProperty("mono", True)
        self.setProperty("size", "small")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)

    def minimumSizeHint(self) -> QSize:
        """Head and tail of a hash."""
        return QSize(80, super().minimumSizeHint().height())

    def set_full(self, text: str) -> None:
        """Show this."""
        self.full = text
        self.setToolTip(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or less of it fits."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self.full, Qt.TextElideMode.ElideMiddle, self.width()))


class HashRows(QWidget):
    """Rows are made once and used again. ``copied(name)``: a hash went to the clipboard."""

    copied = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.hashes: tuple[NamedHash, ...] = ()
        self._rows: list[tuple[QLabel, MiddleElided, QPushButton]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(1, 1)

    def set_hashes(self, hashes: tuple[NamedHash, ...]) -> None:
        """Show these."""
        if hashes == self.hashes:
            return
        self.hashes = hashes
        while len(self._rows) < len(hashes):
            self._add_row()
        for place, (name, value, button) in enumerate(self._rows):
            used = place < len(hashes)
            for widget in (name, value, button):
                widget.setVisible(used)
            if used:
                name.setText(hashes[place].name)
                value.set_full(hashes[place].shown or hashes[place].text)
                value.setAccessibleName(f"{hashes[place].name} {hashes[place].text}")
                button.setAccessibleName(f"copy {hashes[place].name}")
                button.setToolTip(f"copy {hashes[place].name}")

    def button(self, name: str) -> QPushButton:
        """The button of a named hash; ``KeyError`` when there is none."""
        for named, (_, _, button) in zip(self.hashes, self._rows, strict=False):
            if named.name == name:
                return button
        raise KeyError(name)

    def _add_row(self) -> None:
        place = len(self._rows)
        name, value, button = QLabel(), MiddleElided(), QPushButton("Copy")
        name.setProperty("size", "small")
        name.setProperty("tone", "text_weak")
        button.setProperty("kind", "segment")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self._copy(place))
        for column, widget in enumerate((name, value, button)):
            self._grid.addWidget(widget, place, column)
        self._rows.append((name, value, button))

    def _copy(self, place: int) -> None:
        QGuiApplication.clipboard().setText(self.hashes[place].text)
        self.copied.emit(self.hashes[place].name)
