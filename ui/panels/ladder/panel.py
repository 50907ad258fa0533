"""The ladder panel: controls above the painted rows."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout

from app.snapshot.views import Snapshot
from engine.units import MarketId, format_decimal
from ui.model.engine_protocol import DeskEngine
from ui.panels.ladder.view import LadderView
from ui.theme.theme import Theme
from ui.viewmodels.ladder import GROUPS, LadderModel
from ui.viewmodels.wording import price_text
from ui.widgets.panel import Panel
from ui.widgets.state import LIVE, empty


class LadderPanel(Panel):
    """Fixed price rows of one market with the user's exact place in every queue."""

    title = "Ladder"

    def __init__(self, engine: DeskEngine, theme: Theme) -> None:
        super().__init__(engine, theme)
        self.model = LadderModel(engine.config.market(self.market), auto=True)
        self.view = LadderView(theme, self.model)
        self.view.price_clicked.connect(self.price_clicked)
        self.view.resized.connect(self._show_again)
        self._snapshot: Snapshot | None = None
        self._build()

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(6, 2, 6, 2)
        row.setSpacing(4)
        self.group_box = QComboBox()
        self.group_box.setProperty("kind", "small")
        self.group_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)  # "auto" grows with its step
        self.group_box.setAccessibleName("Price grouping")
        self.group_box.setToolTip("price step of a row; bids are grouped down, asks up")
        self._fill_groups()
        self.group_box.currentIndexChanged.connect(self._group_chosen)
        self.centre_button = QPushButton("Centre")
        self.centre_button.setProperty("kind", "segment")
        self.centre_button.setToolTip("centre on the market and follow it (C)")
        self.centre_button.setAccessibleName("Centre the ladder on the market")
        self.centre_button.clicked.connect(self._centre)
        row.addWidget(self.group_box)
        row.addStretch(1)
        row.addWidget(self.centre_button)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.view, 1)

    def _fill_groups(self) -> None:
        self.group_box.blockSignals(True)
        self.group_box.clear()
        self.group_box.addItem("auto", 0)
        for group in GROUPS:
            self.group_box.addItem(format_decimal(group, self.model.market.price_decimals), group)
        self.group_box.blockSignals(False)

    def set_market(self, market: MarketId) -> None:
        """Another book: rows start anew."""
        super().set_market(market)
        self.model.market = self.engine.config.market(market)
        self.model.set_group(0)
        self.model.rows.clear()
        self._fill_groups()
        self._show_again()

    def _describe(self, orders: int) -> None:
        """The touch in words for screen readers, when it changed."""
        market, bid, ask = self.model.market, self.model.best_bid, self.model.best_ask
        words = f"best bid {price_text(market, bid)}, best ask {price_text(market, ask)}, {orders} orders of yours"
        if words != self.view.accessibleDescription():
            self.view.setAccessibleDescription(words)

    def _show_group(self) -> None:
        step = format_decimal(self.model.group, self.model.market.price_decimals)
        text = f"auto · {step}" if self.model.auto else "auto"
        if self.group_box.itemText(0) != text:
            self.group_box.setItemText(0, text)

    def _group_chosen(self, index: int) -> None:
        self.model.set_group(self.group_box.itemData(index))
        self._show_again()

    def _centre(self) -> None:
        self.model.recentre()
        self._show_again()

    def refresh(self, snapshot: Snapshot) -> None:
        """Paint the rows that changed."""
        self._snapshot = snapshot
        view = snapshot.markets.get(self.market)
        if view is None or (not len(view.bids) and not len(view.asks)):
            self.set_state(empty("This book is empty", "The market maker quotes again at the next clock step."))
            return
        if self.state.kind == "empty":
            self.set_state(LIVE)
        orders = snapshot.user.orders if snapshot.user else ()
        changed = self.model.update(view, orders, self.view.visible_rows())
        self._describe(len(orders))
        if len(changed) == len(self.model.rows):
            self.view.update()
        else:
            self.view.update_rows(changed)
        self.centre_button.setVisible(not self.model.follow)
        self._show_group()

    def _show_again(self) -> None:
        if self._snapshot is not None:
            self.refresh(self._snapshot)
            self.view.update()
