"""The ticket's fields: side, type, price, size, sizing, time in force, flags. Shows a form, says what was changed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.exchange.config import MarketConfig
from ui.panels.ticket.sizing import SizingRow
from ui.theme.theme import Theme
from ui.viewmodels.ticket import TicketContext, TicketForm, post_only_reason, reduce_only_reason, size_hint
from ui.viewmodels.wording import price_text
from ui.widgets.number_edit import NumberEdit

TIF_TIPS = {
    "gtc": "good till cancelled: whatever does not fill rests on the book",
    "ioc": "immediate or cancel: whatever does not fill at once is cancelled",
}


class Segments(QWidget):
    """Buttons of which exactly one is down."""

    chosen = Signal(str)

    def __init__(self, name: str, options: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for key, words in options:
            button = QPushButton(words)
            button.setCheckable(True)
            button.setProperty("kind", "segment")
            button.setProperty("side", key)
            button.setAccessibleName(f"{name} {words}")
            button.clicked.connect(lambda _=False, chosen=key: self.chosen.emit(chosen))
            group.addButton(button)
            row.addWidget(button, 1)
            self.buttons[key] = button

    def show_choice(self, key: str) -> None:
        """Press this one without telling anybody."""
        if not self.buttons[key].isChecked():
            self.buttons[key].setChecked(True)


class TicketFields(QWidget):
    """``changed(form)`` after every act of the user; ``show_form`` never emits."""

    changed = Signal(object)
    submitted = Signal()

    def __init__(self, theme: Theme, market: MarketConfig) -> None:
        super().__init__()
        self._form = TicketForm(market=market.market_id)
        self._tight = False
        self.side = Segments("side", (("buy", "Buy"), ("sell", "Sell")))
        self.type = Segments("type", (("market", "Market"), ("limit", "Limit")))
        self.tif = Segments("time in force", (("gtc", "GTC"), ("ioc", "IOC")))
        for key, button in self.tif.buttons.items():
            button.setToolTip(TIF_TIPS[key])
        self.price_edit = NumberEdit(theme, "Price", 1)
        self.size_edit = NumberEdit(theme, "Size", 3)
        self.sizing = SizingRow(theme, market)
        self.post_only = QCheckBox("Post-only")
        self.reduce_only = QCheckBox("Reduce-only")
        self.flag_reason = QLabel()
        self.flag_reason.setProperty("tone", "text_weak")
        self.flag_reason.setProperty("size", "small")
        self.flag_reason.setWordWrap(True)
        self.flag_reason.hide()
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.side, 1)
        head.addWidget(self.type, 1)
        flags = QHBoxLayout()
        flags.setSpacing(12)
        flags.addWidget(self.reduce_only)
        flags.addWidget(self.post_only)
        flags.addStretch(1)
        flags.addWidget(self.tif)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        for widget in (self.price_edit, self.size_edit, self.sizing):
            column.addWidget(widget)
        column.addLayout(flags)
        column.addWidget(self.flag_reason)

    def _connect(self) -> None:
        self.side.chosen.connect(lambda side: self._change(side=side))
        self.type.chosen.connect(lambda kind: self._change(type=kind))
        self.tif.chosen.connect(lambda tif: self._change(tif=tif))
        self.price_edit.edited.connect(lambda text: self._change(price_text=text))
        self.size_edit.edited.connect(lambda text: self._change(size_text=text, percent=None))
        self.sizing.percent_chosen.connect(lambda percent: self._change(percent=percent))
        self.sizing.leverage_chosen.connect(self._on_leverage)
        self.post_only.toggled.connect(lambda on: self._change(post_only=on))
        self.reduce_only.toggled.connect(lambda on: self._change(reduce_only=on))
        for edit in (self.price_edit, self.size_edit):
            edit.line.returnPressed.connect(self.submitted)

    def _change(self, **what: object) -> None:
        self._form = replace(self._form, **what)  # type: ignore[arg-type]
        self.changed.emit(self._form)

    def _on_leverage(self, tenths: int) -> None:
        # Leverage alone means the whole equity at that multiple.
        self._change(leverage_tenths=tenths, percent=self._form.percent or 100)

    def set_market(self, market: MarketConfig, symbol: str) -> None:
        """Decimals, units and limits of a market."""
        for edit, decimals, unit in (
            (self.price_edit, market.price_decimals, symbol),
            (self.size_edit, market.size_decimals, market.base),
        ):
            edit.line.decimals = decimals
            edit.line.set_unit(unit)
        self.sizing.set_market(market)

    def show_form(self, form: TicketForm, context: TicketContext) -> None:
        """Show the form, only with the fields its type uses, and why an option is not available."""
        self._form = form
        limit = form.type == "limit"
        self.side.show_choice(form.side)
        self.type.show_choice(form.type)
        self.tif.show_choice(form.tif)
        for widget in (self.price_edit, self.post_only, self.tif):
            widget.setVisible(limit)
        self.price_edit.set_text(form.price_text)
        self.size_edit.set_text(form.size_text)
        self.price_edit.set_hint(touch_hint(form, context))
        self.size_edit.set_hint(size_hint(form, context))
        reduce_reason = reduce_only_reason(form, context)
        reducing = form.reduce_only and not reduce_reason
        self.sizing.show_choice(form.percent, form.leverage_tenths, of_position=reducing)
        post_reason = post_only_reason(form)
        self._show_flag(self.reduce_only, form.reduce_only, reduce_reason)
        self._show_flag(self.post_only, form.post_only, post_reason)
        reasons = [f"Reduce-only: {reduce_reason}."] if reduce_reason else []
        reasons += [f"Post-only: {post_reason}."] if post_reason and limit else []
        self._show_reason(" ".join(reasons))

    def set_tight(self, tight: bool) -> None:
        """In a low panel the reasons are told by the options' tooltips only."""
        self._tight = tight
        self.flag_reason.setVisible(bool(self.flag_reason.text()) and not tight)

    def _show_reason(self, text: str) -> None:
        if text != self.flag_reason.text():
            self.flag_reason.setText(text)
            self.flag_reason.setVisible(bool(text) and not self._tight)

    def _show_flag(self, box: QCheckBox, on: bool, reason: str) -> None:
        with QSignalBlocker(box):
            box.setChecked(on and not reason)
        box.setEnabled(not reason)
        box.setToolTip(reason)

    def show_errors(self, errors: dict[str, str]) -> None:
        """Messages beside the fields they are about; fields without one are cleared."""
        self.price_edit.set_error(errors.get("price", ""))
        self.size_edit.set_error(errors.get("size", ""))

    def first_fault(self) -> QWidget | None:
        """The first field with a message."""
        for edit in (self.price_edit, self.size_edit):
            if edit.error:
                return edit.line
        return None


def touch_hint(form: TicketForm, context: TicketContext) -> str:
    """The best price on the other side: what a limit must cross to fill at once."""
    levels, name = (context.view.asks, "ask") if form.side == "buy" else (context.view.bids, "bid")
    if not len(levels):
        return f"no {name} on the book"
    return f"best {name} {price_text(context.market, int(levels[0, 0]))}"
