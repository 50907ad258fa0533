"""The bar above the workspace: markets, the chosen market's numbers, and the venue's clock with its speed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
)

from app.snapshot.views import Snapshot
from engine.errors import ProtocolError
from engine.units import MarketId
from ui.model.contexts import SPEEDS
from ui.model.engine_protocol import DeskEngine
from ui.model.governor import Pace
from ui.theme.theme import Theme
from ui.viewmodels.header import Fact, Header, make_header, speed_text
from ui.widgets.fact_strip import FactStrip
from ui.widgets.panel import STALE_AFTER_SECONDS

HEIGHT = 48


class MarketTab(QPushButton):
    """A market: symbol and its change over 24 hours in words and sign."""

    def __init__(self, market_id: MarketId, symbol: str) -> None:
        super().__init__(symbol)
        self.market_id = market_id
        self.setCheckable(True)
        self.setProperty("kind", "segment")
        self.setAccessibleName(f"Market {symbol}")


def set_tone(label: QLabel, tone: str) -> None:
    """Change a label's tone; restyled only when it differs."""
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        label.style().unpolish(label)
        label.style().polish(label)


class HeaderBar(QFrame):
    """``market_chosen(id)``: a tab was clicked; ``asked(command id)``: a button; ``failed(sentence)``: the engine
    refuses a clock command.
    """

    pace = Pace(0.05)
    market_chosen = Signal(int)
    asked = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: DeskEngine, theme: Theme) -> None:
        super().__init__()
        self.engine = engine
        self.theme = theme
        self.market = engine.config.markets[0].market_id
        self.shown: Header | None = None
        self._version = -1
        self._keys: dict[str, str] = {}
        self.setObjectName("header")
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Market header")
        self.facts = FactStrip(theme)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 0, 8, 0)
        self._row.setSpacing(4)
        self._build_tabs()
        self._row.addSpacing(8)
        self._row.addWidget(self._build_last())
        self._row.addSpacing(12)
        self._row.addWidget(self.facts, 1)
        self._row.addSpacing(12)
        self._build_clock()
        self.restyle()
        theme.changed.connect(self.restyle)

    def _build_tabs(self) -> None:
        self.tabs = QButtonGroup(self)
        for market in self.engine.config.markets:
            tab = MarketTab(market.market_id, market.symbol)
            tab.setChecked(market.market_id == self.market)
            self.tabs.addButton(tab, market.market_id)
            self._row.addWidget(tab)
        self.tabs.idClicked.connect(self.market_chosen)

    def _build_last(self) -> QLabel:
        self.last = QLabel("starting")
        self.last.setProperty("mono", True)
        self.last.setProperty("size", "huge")
        self.last.setAccessibleName("Last price")
        return self.last

    def _build_clock(self) -> None:
        clock = QVBoxLayout()
        clock.setSpacing(0)
        clock.setContentsMargins(0, 0, 8, 0)
        self.date = QLabel()
        self.date.setProperty("tone", "text_weak")
        self.date.setProperty("size", "small")
        self.clock = QLabel()
        self.clock.setProperty("mono", True)
        self.clock.setAccessibleName("Venue clock")
        self.connection = QLabel()
        self.connection.setProperty("size", "small")
        self.connection.setAccessibleName("Connection to the venue")
        upper, lower = QHBoxLayout(), QHBoxLayout()
        upper.addStretch(1)
        upper.addWidget(self.date)
        lower.addStretch(1)
        lower.addWidget(self.connection)
        lower.addSpacing(8)
        lower.addWidget(self.clock)
        clock.addStretch(1)
        clock.addLayout(upper)
        clock.addLayout(lower)
        clock.addStretch(1)
        self._row.addLayout(clock)
        self.speed_box = QComboBox()
        self.speed_box.setAccessibleName("Clock speed")
        self.speed_box.setToolTip("venue seconds per second; above 10x the recorded flow is not played")
        for speed in SPEEDS:
            self.speed_box.addItem(speed_text(speed), speed)
        self.speed_box.activated.connect(self._speed_chosen)
        self.pause_button = QToolButton()
        self.pause_button.setCheckable(True)
        self.pause_button.clicked.connect(self._pause_pressed)
        self.theme_button = QToolButton()
        self.theme_button.setAccessibleName("Dark or light")
        self.theme_button.clicked.connect(lambda: self.asked.emit("view.theme"))
        for widget in (self.speed_box, self.pause_button, self.theme_button):
            self._row.addWidget(widget)

    def restyle(self) -> None:
        """Icons and the hairline below."""
        tokens = self.theme.tokens
        self.setStyleSheet(f"HeaderBar {{ background: {tokens.ground1}; border-bottom: 1px solid {tokens.line}; }}")
        self.theme_button.setIcon(self.theme.icon("sun" if self.theme.name == "dark" else "moon"))
        self.last.setFont(self.theme.number_font("huge", "strong"))
        self.clock.setFont(self.theme.number_font("body"))
        self._show_pause(self.shown.paused if self.shown else False)
        self.shown, self._version = None, -1
        self.facts.update()

    # -- what the frame loop calls ------------------------------------------------------------------------------

    @property
    def shown_version(self) -> int:
        """Version of the snapshot on screen, -1 when the next one has to be shown at once."""
        return self._version

    def update_snapshot(self, snapshot: Snapshot | None) -> bool:
        """Show what changed."""
        if snapshot is None or snapshot.version == self._version or self.market not in snapshot.markets:
            return False
        self._version = snapshot.version
        new = make_header(self.engine.config, snapshot, self.market)
        old, self.shown = self.shown, new
        if old is None or old.last != new.last:
            self._show_last(new.last)
        changed = self.facts.set_facts(new.facts)
        if old is None or old.clock != new.clock:
            self.clock.setText(new.clock)
            self.date.setText(new.date)
        if old is None or old.speed != new.speed:
            self._show_speed(new.speed)
        if old is None or old.paused != new.paused:
            self._show_pause(new.paused)
        if old is None or old.tabs != new.tabs:
            self._show_tabs(new)
        return changed

    def on_frame(self, now: float) -> bool:
        """Nothing flashes here."""
        return False

    def set_age(self, seconds: float) -> None:
        """Whether the venue is heard; without news the last price loses its colour."""
        if self.shown is None:
            return
        silent = seconds > STALE_AFTER_SECONDS
        text, tone = (f"no update for {seconds:.0f} s", "danger") if silent else ("live", "gain")
        if self.shown.paused:
            text, tone = "paused", "warn"
        if self.connection.text() != text:
            self.connection.setText(text)
            set_tone(self.connection, tone)
            self._show_last(replace(self.shown.last, tone="stale") if silent else self.shown.last)

    def _show_last(self, last: Fact) -> None:
        self.last.setText(last.text)
        set_tone(self.last, last.tone)

    def _show_speed(self, speed: float) -> None:
        index = self.speed_box.findData(speed)
        if index < 0:
            self.speed_box.addItem(speed_text(speed), speed)
            index = self.speed_box.count() - 1
        self.speed_box.setCurrentIndex(index)

    def _show_pause(self, paused: bool) -> None:
        self.pause_button.setChecked(paused)
        self.pause_button.setIcon(self.theme.icon("play" if paused else "pause", "warn" if paused else "text"))
        self.pause_button.setAccessibleName("Resume the clock" if paused else "Pause the clock")
        words = "resume the clock" if paused else "pause the clock"
        self.pause_button.setToolTip(self._with_keys(words, "clock.pause"))

    def _show_tabs(self, header: Header) -> None:
        for market_id, symbol, change, _tone in header.tabs:
            tab = self.tabs.button(market_id)
            if tab is not None:
                tab.setToolTip(f"{symbol}: {change} in 24 hours")

    def use_keys(self, keys: dict[str, str]) -> None:
        """Keys by command id: the tooltips name them."""
        self._keys = keys
        self.theme_button.setToolTip(self._with_keys("switch between dark and light", "view.theme"))
        self._show_pause(self.shown.paused if self.shown else False)

    def _with_keys(self, words: str, command_id: str) -> str:
        keys = self._keys.get(command_id)
        return f"{words} ({keys})" if keys else words

    # -- commands -----------------------------------------------------------------------------------------------

    def set_market(self, market: MarketId) -> None:
        """Another market's numbers."""
        self.market = market
        self.tabs.button(market).setChecked(True)
        self.shown, self._version = None, -1

    def _pause_pressed(self) -> None:
        """The button goes down when the venue says that its clock is paused, not before."""
        self._show_pause(self.shown.paused if self.shown else False)
        self.asked.emit("clock.pause")

    def _speed_chosen(self, index: int) -> None:
        self.set_speed(self.speed_box.itemData(index))

    def set_speed(self, speed: float) -> None:
        """Ask the engine; a refusal is told and the box shows the true speed again."""
        try:
            self.engine.set_speed(speed)
        except ProtocolError as error:
            self.failed.emit(error.message)
            self.shown = None

    def step_speed(self, step: int) -> None:
        """The next faster or slower of the offered speeds."""
        now = self.shown.speed if self.shown else 1.0
        nearest = min(range(len(SPEEDS)), key=lambda k: abs(SPEEDS[k] - now))
        self.set_speed(SPEEDS[min(max(nearest + step, 0), len(SPEEDS) - 1)])

    def toggle_pause(self) -> None:
        """Stop or go on."""
        paused = self.shown.paused if self.shown else False
        try:
            self.engine.set_paused(not paused)
        except ProtocolError as error:
            self.failed.emit(error.message)
