"""Positions, orders, fills, funding and transfers: one table with tabs, closing and cancelling in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QTabBar, QVBoxLayout

from app.snapshot.views import Snapshot
from engine.sequencer.inputs import CancelAll, CancelOrder, Input
from engine.units import MarketId, OrderId
from ui.model.engine_protocol import DeskEngine
from ui.panels.tables.closing_strip import ClosingStrip
from ui.theme.theme import Theme
from ui.viewmodels.closing import ACTIONS
from ui.viewmodels.tables import Cell, Row, TableSpec
from ui.viewmodels.tables_history import FILLS, FUNDING, TRANSFERS, fill_rows, funding_rows, transfer_rows
from ui.viewmodels.tables_live import ORDERS, POSITIONS, closing_order, order_rows, position_rows
from ui.viewmodels.ticket_acks import Answer
from ui.viewmodels.ticket_commands import CommandSender
from ui.viewmodels.wording import NOTHING, plural
from ui.widgets.panel import Panel
from ui.widgets.press_guard import PressGuard
from ui.widgets.state import LIVE, refused
from ui.widgets.table_view import TableView

SPECS: tuple[TableSpec, ...] = (POSITIONS, ORDERS, FILLS, FUNDING, TRANSFERS)
TITLES = ("Positions", "Orders", "Fills", "Funding", "Transfers")
SENDING = {"close": "Closing", "half": "Halving", "cancel": "Cancelling"}
Target = tuple[str, object, str]  # table, row key, action column


class TablesPanel(Panel):
    """Only the tab in front is built from a snapshot; the counts of positions and orders are always true."""

    title = "Positions and orders"
    accepted = Signal(str)  # what became of it is told by its events

    def __init__(self, engine: DeskEngine, theme: Theme, parent: object | None = None) -> None:
        super().__init__(engine, theme)
        self._snapshot: Snapshot | None = None
        self._sender = CommandSender(engine)
        self._busy: dict[Target, str] = {}
        self._guard = PressGuard()
        symbol = engine.config.collateral_symbol
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("tables")
        self.views = {spec.name: TableView(spec, symbol, theme) for spec in SPECS}
        self.stack = QStackedWidget()
        for spec, title in zip(SPECS, TITLES, strict=True):
            self.tabs.addTab(title)
            self.stack.addWidget(self.views[spec.name])
        self.closing = ClosingStrip(engine, theme)
        self.cancel_all = QPushButton("Cancel all orders")
        self.cancel_all.setFixedHeight(24)
        self.cancel_all.setAccessibleName("cancel all orders")
        self.cancel_all.clicked.connect(self._cancel_all)
        self._arrange()
        self.tabs.currentChanged.connect(self._on_tab)
        self.views["positions"].acted.connect(self._close)
        self.views["positions"].pointed.connect(self._show_closing)
        self.views["orders"].acted.connect(self._cancel)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(4, 0, 8, 0)
        head.addWidget(self.tabs)
        head.addStretch(1)
        head.addWidget(self.cancel_all, 0, Qt.AlignmentFlag.AlignVCenter)
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 0, 8, 0)
        foot.addWidget(self.closing)
        line = QFrame()
        line.setProperty("role", "hairline")
        line.setFixedHeight(1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(line)
        column.addWidget(self.stack, 1)
        column.addLayout(foot)

    def show_table(self, name: str) -> None:
        """Bring a table to the front; ``KeyError`` when there is none of this name."""
        self.tabs.setCurrentIndex([spec.name for spec in SPECS].index(name) if name in self.views else _missing(name))

    def restyle(self) -> None:
        """Fonts and density changed."""
        for view in self.views.values():
            view.restyle()

    def refresh(self, snapshot: Snapshot) -> None:
        """Counts, the answers to what was sent, and the rows of the table in front."""
        self._snapshot = snapshot
        for answer in self._sender.poll(snapshot.wall_time):
            self._on_answer(answer)
        self._show_counts(snapshot)
        self._show_rows(snapshot)

    def _show_counts(self, snapshot: Snapshot) -> None:
        positions = len(snapshot.user.positions) if snapshot.user else 0
        orders = len(snapshot.user.orders) if snapshot.user else 0
        for index, count in ((0, positions), (1, orders)):
            text = f"{TITLES[index]} {count}" if count else TITLES[index]
            if self.tabs.tabText(index) != text:
                self.tabs.setTabText(index, text)
        busy = any(target[2] == "all" for target in self._busy)
        words = "Cancelling all" if busy else f"Cancel {plural(orders, 'order')}" if orders else "No orders to cancel"
        if self.cancel_all.text() != words:
            self.cancel_all.setText(words)
            self.cancel_all.setEnabled(bool(orders) and not busy)
            self.cancel_all.setToolTip("cancel every open order in every market")

    def _show_rows(self, snapshot: Snapshot) -> None:
        name = SPECS[self.tabs.currentIndex()].name
        if name == "positions" and snapshot.user is not None:
            self.closing.preview(snapshot.user)
        rows = self._rows_of(name, snapshot)
        if self._busy:
            rows = tuple(self._with_busy(name, row) for row in rows)
        self.views[name].rows.set_rows(rows)
        self._show_closing()

    def _rows_of(self, name: str, snapshot: Snapshot) -> tuple[Row, ...]:
        config = self.engine.config
        if name in ("positions", "orders"):
            if snapshot.user is None:
                return ()
            if name == "orders":
                return order_rows(snapshot.user, config)
            return tuple(self._with_costs(row) for row in position_rows(snapshot.user, config))
        if name == "transfers":
            return transfer_rows(snapshot)
        return fill_rows(snapshot, config) if name == "fills" else funding_rows(snapshot, config)

    def _with_costs(self, row: Row) -> Row:
        """The buttons of a position say what pressing them costs."""
        cells = list(row.cells)
        for action in ACTIONS:
            cost, place = self.closing.costs.get((row.key, action)), POSITIONS.index(action)
            if cost is not None and cells[place].text != NOTHING:
                cells[place] = replace(cells[place], tip=cost.words)
        return replace(row, cells=tuple(cells))

    def _show_closing(self) -> None:
        """Of the button under the pointer or the keyboard; else what Close of the row in hand would do."""
        view = self.views["positions"]
        if SPECS[self.tabs.currentIndex()].name != "positions" or not view.sorted.rowCount():
            self.closing.show_action(None)
            return
        key, column = view.pointed_at()
        self.closing.show_action((key, column if column in ACTIONS else "close"))

    def _with_busy(self, name: str, row: Row) -> Row:
        spec, cells = self.views[name].spec, list(row.cells)
        for table, key, action in self._busy:
            if table == name and key == row.key and action in SENDING:
                cells[spec.index(action)] = Cell(SENDING[action], tone="pending")
        return replace(row, cells=tuple(cells))

    def _on_tab(self, index: int) -> None:
        self.stack.setCurrentIndex(index)
        if self._snapshot is not None:
            self._show_rows(self._snapshot)

    # -- acts ---------------------------------------------------------------------------------------------------

    def _close(self, market: object, action: str) -> None:
        user = self._snapshot.user if self._snapshot else None
        if user is None or not isinstance(market, int) or not user.account.size(MarketId(market)):
            return
        symbol = self.engine.config.market(MarketId(market)).symbol
        words = f"close half of {symbol}" if action == "half" else f"close {symbol}"
        half = action == "half"

        def make(client_id: str) -> Input:
            order = closing_order(user, MarketId(market), client_id, half=half)
            assert order is not None  # the size was checked above
            return order

        self._send(("positions", market, action), make, words)

    def _cancel(self, order_id: object, action: str) -> None:
        user = self._snapshot.user if self._snapshot else None
        if user is None or not isinstance(order_id, int):
            return
        account = user.account_id
        self._send(
            ("orders", order_id, action),
            lambda client_id: CancelOrder(account=account, order_id=OrderId(order_id), client_id=client_id),
            f"cancel order {order_id}",
        )

    def _cancel_all(self) -> None:
        user = self._snapshot.user if self._snapshot else None
        if user is None:
            return
        account = user.account_id
        make = lambda client_id: CancelAll(account=account, client_id=client_id)  # noqa: E731
        self._send(("orders", None, "all"), make, "cancel all orders")

    def _send(self, target: Target, make: Callable[[str], Input], words: str) -> None:
        if not self._guard.is_new(target) or target in self._busy or self._snapshot is None:
            return
        client_id, answer = self._sender.send(make, words, self._snapshot.wall_time)
        if answer is not None:
            self._on_answer(answer)
            return
        self._busy[target] = client_id
        self._show_counts(self._snapshot)
        self._show_rows(self._snapshot)

    def _on_answer(self, answer: Answer) -> None:
        self._busy = {target: sent for target, sent in self._busy.items() if sent != answer.client_id}
        self.set_state(LIVE)
        if answer.accepted:
            self.accepted.emit(answer.words)
        else:
            self.set_state(refused(answer.words))
            self.refused.emit(answer.words)


def _missing(name: str) -> int:
    raise KeyError(name)
