"""A panel that the desk does not ship: what adding one takes."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout

from app.snapshot.views import Snapshot
from ui.model.engine_protocol import DeskEngine
from ui.theme.theme import Theme
from ui.widgets.panel import Panel


class ExtraPanel(Panel):
    """Counts snapshots."""

    title = "Extra"

    def __init__(self, engine: DeskEngine, theme: Theme) -> None:
        super().__init__(engine, theme)
        self.label = QLabel()
        QVBoxLayout(self.body).addWidget(self.label)

    def refresh(self, snapshot: Snapshot) -> None:
        """Its version."""
        self.label.setText(f"snapshot {snapshot.version}")
