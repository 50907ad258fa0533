"""The ticket's sizing row: percentage buttons, and leverage as a slider with ticks and a typed box."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSlider, QStyle, QStyleOptionSlider, QVBoxLayout, QWidget

from engine.errors import ProtocolError
from engine.exchange.config import MarketConfig
from ui.theme.theme import Theme
from ui.viewmodels.ticket import LEVERAGE_STEP, PERCENTS, read_leverage, slider_leverage, slider_share
from ui.widgets.number_edit import NumberEdit

TICK_ROOM = 14
SCALE = 1000
STEPS = {
    Qt.Key.Key_Right: LEVERAGE_STEP // 2,
    Qt.Key.Key_Up: LEVERAGE_STEP // 2,
    Qt.Key.Key_Left: -LEVERAGE_STEP // 2,
    Qt.Key.Key_Down: -LEVERAGE_STEP // 2,
    Qt.Key.Key_PageUp: LEVERAGE_STEP,
    Qt.Key.Key_PageDown: -LEVERAGE_STEP,
}


class LeverageSlider(QSlider):
    """Leverage in tenths on a logarithmic scale, with labelled ticks at 1x, 2x, 5x and the largest.

    The arrow keys move by half a multiple, the page keys by a whole one.
    """

    leverage_changed = Signal(int)  # tenths, by the user

    def __init__(self, theme: Theme, market: MarketConfig) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme = theme
        self._market = market
        self._tenths = LEVERAGE_STEP
        self.setRange(0, SCALE)
        self.setAccessibleName("leverage")
        self.setFixedHeight(23 + TICK_ROOM)
        self.valueChanged.connect(self._on_value)

    @property
    def tenths(self) -> int:
        """The leverage shown."""
        return self._tenths

    def set_market(self, market: MarketConfig) -> None:
        """Another largest leverage."""
        self._market = market
        self.update()

    def set_tenths(self, tenths: int) -> None:
        """Show a leverage without telling anybody."""
        self._tenths = tenths
        self.setAccessibleDescription(f"{tenths / LEVERAGE_STEP:.1f} times equity")
        with QSignalBlocker(self):
            self.setValue(round(SCALE * slider_share(tenths, self._market)))

    def _on_value(self, value: int) -> None:
        tenths = slider_leverage(value / SCALE, self._market)
        if tenths != self._tenths:
            self._tenths = tenths
            self.leverage_changed.emit(tenths)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Steps of leverage, not of pixels."""
        step = STEPS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        tenths = max(LEVERAGE_STEP, min(self._market.max_leverage * LEVERAGE_STEP, self._tenths + step))
        if tenths != self._tenths:
            self.set_tenths(tenths)
            self.leverage_changed.emit(tenths)

    def marks(self) -> tuple[int, ...]:
        """The labelled whole multiples."""
        largest = self._market.max_leverage
        return tuple(dict.fromkeys(mark for mark in (1, 2, 5, largest) if mark <= largest))

    def _mark_x(self, mark: int) -> int:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        handle = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        span = self.width() - handle.width()
        return round(span * slider_share(mark * LEVERAGE_STEP, self._market)) + handle.width() // 2

    def paintEvent(self, event: QPaintEvent) -> None:
        """The slider, then its ticks with their labels."""
        super().paintEvent(event)
        with QPainter(self) as painter:
            painter.setFont(self._theme.font("small"))
            painter.setPen(self._theme.color("text_weak"))
            metrics = painter.fontMetrics()
            for mark in self.marks():
                text, x = f"{mark}x", self._mark_x(mark)
                width = metrics.horizontalAdvance(text)
                left = max(0, min(self.width() - width, x - width // 2))
                painter.drawText(QRect(left, self.height() - TICK_ROOM, width + 2, TICK_ROOM), 0, text)


class SizingRow(QWidget):
    """Emits what the user chose; shows what it is told."""

    percent_chosen = Signal(int)
    leverage_chosen = Signal(int)  # tenths

    def __init__(self, theme: Theme, market: MarketConfig) -> None:
        super().__init__()
        self._market = market
        self.buttons: dict[int, QPushButton] = {}
        percents = QHBoxLayout()
        percents.setSpacing(4)
        for percent in PERCENTS:
            button = QPushButton(f"{percent} %")
            button.setCheckable(True)
            button.setProperty("kind", "segment")
            button.setAccessibleName(f"size {percent} percent")
            button.clicked.connect(lambda _=False, p=percent: self.percent_chosen.emit(p))
            self.buttons[percent] = button
            percents.addWidget(button, 1)
        self.slider = LeverageSlider(theme, market)
        self.box = NumberEdit(theme, "", 1, "x", LEVERAGE_STEP // 2)
        self.box.caption.hide()
        self.box.words.hide()
        self.box.line.setAccessibleName("leverage")
        self.box.setFixedWidth(72)
        self.slider.leverage_changed.connect(self._on_slider)
        self.box.edited.connect(self._on_box)
        leverage = QHBoxLayout()
        leverage.setSpacing(8)
        leverage.addWidget(self.slider, 1)
        leverage.addWidget(self.box, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(percents)
        column.addLayout(leverage)

    def set_market(self, market: MarketConfig) -> None:
        """Take over the market's largest leverage."""
        self._market = market
        self.slider.set_market(market)

    def show_choice(self, percent: int | None, tenths: int, *, of_position: bool) -> None:
        """Show the choice; leverage does not apply while percentages are of a position."""
        for value, button in self.buttons.items():
            if button.isChecked() != (value == percent):
                button.setChecked(value == percent)
            button.setToolTip(f"{value} % of the {'position' if of_position else 'equity, times the leverage'}")
        if self.slider.tenths != tenths:
            self.slider.set_tenths(tenths)
        if not self.box.line.hasFocus():
            self.box.set_error("")
            self.box.set_text(f"{tenths / LEVERAGE_STEP:.1f}")
        why = "a reduce-only order is a share of the position, not of equity" if of_position else ""
        for widget in (self.slider, self.box):
            widget.setEnabled(not of_position)
            widget.setToolTip(why or f"size = percentage x equity x this leverage{self._limit_words()}")

    @property
    def error(self) -> str:
        """What is wrong with the typed leverage, or ``""``."""
        return self.box.error

    def _limit_words(self) -> str:
        return f", 1x to {self._market.max_leverage}x"

    def _on_slider(self, tenths: int) -> None:
        self.box.set_error("")
        self.box.set_text(f"{tenths / LEVERAGE_STEP:.1f}")
        self.leverage_chosen.emit(tenths)

    def _on_box(self, text: str) -> None:
        try:
            tenths = read_leverage(text, self._market)
        except ProtocolError as error:
            self.box.set_error(error.message)
            self.box.setToolTip(error.message)
            return
        self.box.set_error("")
        self.leverage_chosen.emit(tenths)
