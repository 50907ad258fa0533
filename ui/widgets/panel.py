"""The base of all panels: the six states, version compare, and a failure that stays inside its own panel."""

from __future__ import annotations

import logging
import traceback

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from engine.units import MarketId
from ui.model.engine_protocol import DeskEngine
from ui.model.governor import EVERY_SNAPSHOT
from ui.theme.theme import Theme
from ui.widgets.state import LIVE, PanelState, broken, loading, stale
from ui.widgets.state_page import StatePage

LOG = logging.getLogger("ui.panel")
STALE_AFTER_SECONDS = 1.0
LOADING = loading("Waiting for the first update", "The venue is starting.")


class Veil(QWidget):
    """Drains a stale panel's colours and tells its age; lets every click through."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A wash of the panel's ground, and the age in a badge at the top right."""
        ground = self._theme.color("ground1")
        wash = type(ground)(ground)
        wash.setAlpha(150)
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), wash)
            painter.setFont(self._theme.font("small", "medium"))
            width = painter.fontMetrics().horizontalAdvance(self.text) + 16
            badge = self.rect().adjusted(self.width() - width - 8, 4, -8, 0)
            badge.setHeight(20)
            painter.fillRect(badge, self._theme.color("ground3"))
            painter.setPen(self._theme.color("warn"))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, self.text)


class RefusedBar(QFrame):
    """One line above the content: the rule, the number, and a way to put it away."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 4, 4)
        self.icon = QLabel()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.close_button = QPushButton("Dismiss")
        self.close_button.setProperty("kind", "quiet")
        self.close_button.clicked.connect(self.hide)
        row.addWidget(self.icon)
        row.addWidget(self.words, 1)
        row.addWidget(self.close_button)
        self.hide()

    def show_state(self, state: PanelState) -> None:
        """Show the rule and the number."""
        fill, danger = self._theme.tokens.danger_fill, self._theme.tokens.danger
        self.setStyleSheet(f"RefusedBar {{ background: {fill}; }} QLabel {{ color: {danger}; }}")
        self.icon.setPixmap(self._theme.pixmap("circle-alert", "danger"))
        self.words.setText(f"{state.title} {state.detail}".strip())
        self.words.setAccessibleName(f"refused: {state.title} {state.detail}")
        self.show()


class Panel(QWidget):
    """Subclass it, build widgets into ``self.body`` and implement ``refresh(snapshot)``.

    ``update_snapshot`` is called by the frame loop for visible panels only. It shows loading while there is no
    snapshot, skips versions already shown, and turns an exception of ``refresh`` into the broken state.
    ``panel_id`` and ``title`` come from the registry in ui.model.panels.

    What a panel tells the desk goes through these signals, which the window hears of every panel:

    * ``refused(sentence)`` and ``noticed(sentence)``: for the notices
    * ``price_clicked(side, ticks)``: a price for the ticket; side is "buy" or "sell"
    * ``inspect_wanted(number)``: a batch for the proof inspector
    * ``withdraw_pressed()``: the user wants the account panel's form
    * ``left()``: the user is done with a panel that was opened from elsewhere
    """

    refused = Signal(str)
    noticed = Signal(str)
    price_clicked = Signal(str, object)
    inspect_wanted = Signal(int)
    withdraw_pressed = Signal()
    left = Signal()

    panel_id = ""
    title = ""
    pace = EVERY_SNAPSHOT

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.engine = engine
        self.theme = theme
        self.market = engine.config.markets[0].market_id
        self._version = -1
        self.state = LIVE
        self.setAccessibleName(self.title or type(self).__name__)
        self._stack = QStackedLayout(self)
        self._live = QWidget()
        column = QVBoxLayout(self._live)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._refused = RefusedBar(theme, self._live)
        self.body = QWidget()
        column.addWidget(self._refused)
        column.addWidget(self.body, 1)
        self._page = StatePage(theme)
        self._stack.addWidget(self._live)
        self._stack.addWidget(self._page)
        self._veil = Veil(theme, self)
        theme.changed.connect(self._on_theme_changed)
        self.set_state(LOADING)

    # -- what subclasses implement ------------------------------------------------------------------------------

    def refresh(self, snapshot: Snapshot) -> None:
        """Show this snapshot: compare with what is shown and repaint only what changed."""
        raise NotImplementedError

    def restyle(self) -> None:
        """The theme changed: rebuild cached pens and pictures. The base repaints afterwards."""

    def set_market(self, market: MarketId) -> None:
        """The desk's market changed; the next snapshot is shown even if its version was."""
        self.market = market
        self._version = -1

    def on_frame(self, now: float) -> bool:
        """Called every frame, after the snapshot, with ``time.perf_counter()``: end flashes here. True if repainted."""
        return False

    def put_away(self) -> None:
        """The panel or the window was closed: stop what runs for it."""

    # -- what the frame loop calls ------------------------------------------------------------------------------

    @property
    def shown_version(self) -> int:
        """Version of the snapshot on screen, -1 when the next one has to be shown at once."""
        return self._version

    def update_snapshot(self, snapshot: Snapshot | None) -> bool:
        """Show the newest snapshot; True when something was refreshed."""
        if self.state.kind == "broken":
            return False
        if snapshot is None:
            return False
        if snapshot.version == self._version:
            return False
        self._version = snapshot.version
        if self.state == LOADING or self.state.kind == "stale":
            self.set_state(LIVE)
        try:
            self.refresh(snapshot)
        except Exception as error:
            LOG.exception("panel %s failed", self.panel_id)
            line = traceback.format_exception_only(error)[-1].strip()
            self.set_state(broken("This panel stopped", line, self._restart))
        return True

    def set_age(self, seconds: float) -> None:
        """How old the newest snapshot is, in wall seconds; beyond a second the panel is shown as stale."""
        if seconds > STALE_AFTER_SECONDS and self.state.kind in ("live", "stale"):
            self.set_state(stale(seconds))
        elif seconds <= STALE_AFTER_SECONDS and self.state.kind == "stale":
            self.set_state(LIVE)

    # -- states -------------------------------------------------------------------------------------------------

    def set_state(self, state: PanelState) -> None:
        """Enter a state. Refused and stale keep the content on screen; loading, empty and broken replace it."""
        if state == self.state:
            return
        self.state = state
        replaces = state.kind in ("loading", "empty", "broken")
        if replaces:
            self._page.show_state(state)
        self._stack.setCurrentWidget(self._page if replaces else self._live)
        if state.kind == "refused":
            self._refused.show_state(state)
        else:
            self._refused.hide()
        self._veil.text = state.title
        self._veil.setVisible(state.kind == "stale")
        if state.kind == "stale":
            self._veil.raise_()
            self._veil.update()

    def _restart(self) -> None:
        self._version = -1
        self.set_state(LOADING)

    def _on_theme_changed(self) -> None:
        self._page.restyle()
        self.restyle()
        self._version = -1
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The veil covers the whole panel."""
        self._veil.setGeometry(self.rect())
        super().resizeEvent(event)
