"""The order ticket: fields, the engine's receipt before and after, and one button that says exactly what it does."""

from __future__ import annotations

import time
from dataclasses import replace

from msgspec.structs import replace as replace_order
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from engine.errors import ProtocolError
from engine.sequencer.inputs import PlaceOrder, Side
from engine.units import MarketId
from ui.model.engine_protocol import DeskEngine
from ui.panels.ticket.fields import TicketFields
from ui.theme.theme import Theme
from ui.viewmodels.ticket import (
    Reading,
    TicketContext,
    TicketForm,
    button_words,
    field_of_refusal,
    position_words,
    read_form,
    sized_lots,
    with_sized_text,
)
from ui.viewmodels.ticket_acks import Answer
from ui.viewmodels.ticket_commands import CommandSender
from ui.viewmodels.ticket_largest import largest_accepted
from ui.viewmodels.ticket_receipt import ReceiptView, blank, receipt_view
from ui.viewmodels.wording import price_text
from ui.widgets.figure_grid import FigureGrid
from ui.widgets.panel import Panel
from ui.widgets.press_guard import PressGuard
from ui.widgets.state import LIVE, empty
from ui.widgets.stating_button import StatingButton

RECEIPT_EVERY_SECONDS = 0.1
TIGHT_BELOW = 500  # pixels of the panel under which the receipt's rows move together
TIGHT_ROW, LOOSE_ROW = 15, 18


class TicketPanel(Panel):
    """Builds one order at a time. ``set_price`` takes a click from the ladder."""

    title = "Ticket"
    accepted = Signal(str)  # what became of the order is told by its events

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self.form = TicketForm(market=self.market)
        self.reading = Reading(None)
        self._symbol = engine.config.collateral_symbol
        self._blank = self.receipt = blank(self._symbol)
        self._forms: dict[int, TicketForm] = {}
        self._context: TicketContext | None = None
        self._sender = CommandSender(engine)
        self._spent = False  # the form still is what was sent last
        self._faults: dict[str, str] = {}
        self._guard = PressGuard()
        self._touched = False
        self._receipt_due = 0.0
        self._most: int | None = None  # lots that the venue accepts, where a percentage means more
        self.position = QLabel(" ")
        self.position.setProperty("tone", "text_weak")
        self.position.setProperty("size", "small")
        self.fields = TicketFields(theme, engine.config.market(self.market))
        self.setFocusProxy(self.fields.size_edit.line)  # going to the ticket means to type a size
        self.figures = FigureGrid(theme, column_width=216, row_height=LOOSE_ROW)
        self.figures.setAccessibleName("receipt, before and after")
        self.message = QLabel(" ")
        self.message.hide()
        self.message.setWordWrap(True)
        self.message.setProperty("size", "small")
        self.button = StatingButton("Buy")
        self._arrange()
        self.fields.changed.connect(self._on_changed)
        self.fields.submitted.connect(self.submit)
        self.button.clicked.connect(self.submit)
        self._use_market()

    def _arrange(self) -> None:
        page = QWidget()
        inner = QVBoxLayout(page)
        inner.setContentsMargins(8, 2, 8, 0)
        inner.setSpacing(4)
        line = QFrame()
        line.setProperty("role", "hairline")
        line.setFixedHeight(1)
        for widget in (self.position, self.fields, line, self.figures):
            inner.addWidget(widget)
        inner.addStretch(1)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidget(page)
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        foot = QVBoxLayout()
        foot.setContentsMargins(8, 2, 8, 6)
        foot.setSpacing(4)
        foot.addWidget(self.message)
        foot.addWidget(self.button)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.scroll_area, 1)
        column.addLayout(foot)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low panel keeps the whole receipt in sight."""
        super().resizeEvent(event)
        tight = self.height() < TIGHT_BELOW
        self.figures.set_row_height(TIGHT_ROW if tight else LOOSE_ROW)
        self.fields.set_tight(tight)

    # -- what the window calls ----------------------------------------------------------------------------------

    def set_market(self, market: MarketId) -> None:
        """Another market: its own form comes back as it was left."""
        self._forms[self.market] = self.form
        super().set_market(market)
        self.form = self._forms.get(market, TicketForm(market=market))
        self._touched = False
        self._use_market()

    def _use_market(self) -> None:
        config = self.engine.config
        self.fields.set_market(config.market(self.market), config.collateral_symbol)
        self._context = None
        self.receipt = self._blank

    def set_price(self, side: str, ticks: int) -> None:
        """A price picked on the ladder: a limit order of this side at this price."""
        market = self.engine.config.market(self.market)
        chosen: Side = "buy" if side == "buy" else "sell"
        text = price_text(market, ticks)
        self.fields.price_edit.set_error("")
        self._on_changed(replace(self.form, side=chosen, type="limit", price_text=text), touched=False)
        self.fields.size_edit.line.setFocus()

    def refresh(self, snapshot: Snapshot) -> None:
        """Answers first; then the form against the new book and account."""
        if snapshot.user is None:
            self.set_state(empty("No account yet", "It opens with the first deposit, which is on its way through L1."))
            return
        if self.state.kind == "empty":
            self.set_state(LIVE)
        view = snapshot.markets[self.market]
        config = self.engine.config
        self._context = TicketContext(config, config.market(self.market), view, snapshot.user)
        for answer in self._sender.poll(snapshot.wall_time):
            self._on_answer(answer)
        self._wall_time = snapshot.wall_time
        self._halted = snapshot.sequencer.halted
        self._show()

    _wall_time = 0.0
    _halted = ""

    # -- form to screen -----------------------------------------------------------------------------------------

    def _on_changed(self, form: TicketForm, *, touched: bool = True) -> None:
        """The user changed something; messages about the former form go."""
        self.form = form
        self._faults = {}
        self._guard.forget("submit")
        self._spent = False
        self._touched = self._touched or touched
        self._receipt_due = 0.0
        self._show()

    def _show(self) -> None:
        context = self._context
        if context is None:
            return
        if time.monotonic() >= self._receipt_due:
            self._most = self._largest(context)
        self.form = with_sized_text(self.form, context, self._most)
        self.reading = read_form(self.form, context)
        self.fields.show_form(self.form, context)
        typed = {name: words for name, words in self.reading.errors.items() if self._typed(name)}
        self._show_position(position_words(context))
        self._show_receipt(context)
        self.fields.show_errors({**self._faults, **typed})
        self._show_message()
        self._show_button(context)

    def _largest(self, context: TicketContext) -> int | None:
        """Lots that the venue would accept for the chosen percentage; None when it accepts all or none of them."""
        wish = sized_lots(self.form, context)
        order = read_form(with_sized_text(self.form, context), context).order if wish else None
        if not wish or order is None:
            return None

        def accepts(lots: int) -> bool:
            return self.engine.preview(replace_order(order, lots=lots)).refusal is None

        try:
            found = largest_accepted(wish, context.market.max_order_lots, accepts)
        except ProtocolError:
            return None  # the receipt asks again and says why
        return found if 0 < found < wish else None

    def _typed(self, name: str) -> bool:
        """An empty field is not a fault until the user asked for the order."""
        text = self.form.price_text if name == "price" else self.form.size_text
        return bool(text.strip()) or name in self._faults

    def _show_position(self, words: str) -> None:
        if words != self.position.text():
            self.position.setText(words)

    def _show_receipt(self, context: TicketContext) -> None:
        order = self.reading.order
        now = time.monotonic()
        if order is None:
            self.receipt = self._blank
        elif now >= self._receipt_due:
            self._receipt_due = now + RECEIPT_EVERY_SECONDS
            self.receipt = self._preview(order, context)
        self.figures.set_figures(self.receipt.figures)

    def _preview(self, order: PlaceOrder, context: TicketContext) -> ReceiptView:
        try:
            receipt = self.engine.preview(order)
        except ProtocolError as error:
            return blank(self._symbol, error.message, field_of_refusal(error.field))
        return receipt_view(receipt, order.price, context)

    def _show_message(self) -> None:
        words, tone = " ", "text_weak"
        if self._faults.get(""):
            words, tone = self._faults[""], "danger"
        elif self.fields.sizing.error:
            words, tone = self.fields.sizing.error, "danger"
        elif self._halted:
            words, tone = f"The sequencer has halted: {self._halted}", "warn"
        elif self.receipt.refusal and not self._faults:
            words, tone = f"The venue would refuse this: {self.receipt.refusal}", "warn"
        if self.message.property("tone") != tone:
            self.message.setProperty("tone", tone)
            self.message.style().polish(self.message)
        if self.message.text() != words:
            self.message.setText(words)
            self.message.setVisible(bool(words.strip()))

    def _show_button(self, context: TicketContext) -> None:
        if self.button.property("kind") != self.form.side:
            self.button.setProperty("kind", self.form.side)
            self.button.style().polish(self.button)
        waiting = self._sender.waiting > 0
        words = "Sent, waiting for acknowledgement" if waiting else self._button_words(context)
        self.button.set_words(words)
        self.button.setEnabled(not waiting)

    def _button_words(self, context: TicketContext) -> str:
        return button_words(self.form, context, self.reading, self.receipt.value or None)

    # -- sending ------------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Send the order; a form that cannot be read says why beside the field and takes the cursor there."""
        if not self._guard.is_new("submit") or self._context is None or self._sender.waiting:
            return
        order = self.reading.order
        if order is None:
            self._faults = dict(self.reading.errors)
            self._show()
            fault = self.fields.first_fault()
            if fault is not None:
                fault.setFocus()
            return
        words = self._button_words(self._context)
        self._faults = {}
        self._spent = True
        if self.button.hasFocus():  # the button locks: the focus would go to whatever is next, another panel's button
            self.fields.size_edit.line.setFocus()
        _, answer = self._sender.send(lambda cid: replace_order(order, client_id=cid), words, self._wall_time)
        if answer is not None:
            self._on_answer(answer)
        self._show()

    def _on_answer(self, answer: Answer) -> None:
        if answer.accepted:
            self._faults = {}
            self.accepted.emit(answer.words)
            if self._spent:  # the same click again must not double the position; what was typed since is kept
                self.form = replace(self.form, size_text="", percent=None)
            return
        place = field_of_refusal(answer.field)
        if place == "price" and self.form.type == "market":
            place = ""
        self._faults = {place if place in ("price", "size") else "": answer.words}
        self.refused.emit(answer.words)
