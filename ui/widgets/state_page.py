"""The page shown instead of a panel's content: loading, empty or broken."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ui.theme.theme import Theme
from ui.widgets.state import PanelState

ICONS = {"loading": ("loader-circle", "text_weak"), "empty": ("inbox", "text_weak"), "broken": ("unplug", "danger")}


class StatePage(QWidget):
    """An icon, a sentence, a detail, a progress bar and at most one action, centred."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state: PanelState | None = None
        self._icon = QLabel()
        self._title = QLabel()
        self._detail = QLabel()
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedWidth(160)
        self._button = QPushButton()
        self._button.setAccessibleName("Suggested action")
        self._button.clicked.connect(self._act)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(6)
        column.addStretch(1)
        centre = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(self._icon, 0, centre)
        column.addWidget(self._title)  # wrapped words take the whole width, or their height is taken too small
        column.addWidget(self._detail)
        column.addWidget(self._progress, 0, centre)
        column.addWidget(self._button, 0, centre)
        column.addStretch(1)
        for label in (self._title, self._detail):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setMinimumWidth(180)
        self._title.setProperty("tone", "text")
        self._detail.setProperty("tone", "text_weak")
        self._detail.setProperty("size", "small")

    def show_state(self, state: PanelState) -> None:
        """Show what the state says."""
        self._state = state
        name, tone = ICONS.get(state.kind, ("info", "text_weak"))
        self._icon.setPixmap(self._theme.pixmap(name, tone, 20))
        self._title.setText(state.title)
        self._detail.setText(state.detail)
        self._detail.setVisible(bool(state.detail))
        self._progress.setVisible(state.progress is not None)
        if state.progress is not None:
            self._progress.setValue(round(100 * state.progress))
        self._button.setVisible(state.action is not None)
        if state.action is not None:
            self._button.setText(state.action[0])
            self._button.setAccessibleName(state.action[0])
        self.setAccessibleName(f"{state.kind}: {state.title}. {state.detail}")

    def restyle(self) -> None:
        """The theme changed: tint the icon again."""
        if self._state is not None:
            self.show_state(self._state)

    def _act(self) -> None:
        if self._state is not None and self._state.action is not None:
            self._state.action[1]()
