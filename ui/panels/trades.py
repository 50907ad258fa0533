"""The tape: newest trades of one market, painted, virtual, with a flash of at most 150 ms."""

from __future__ import annotations

import time

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from engine.units import MarketId
from ui.model.engine_protocol import DeskEngine
from ui.theme.theme import Theme
from ui.viewmodels.trades import ARROWS, TapeModel
from ui.widgets.painted import LEFT, RIGHT, PaintedRows
from ui.widgets.panel import Panel
from ui.widgets.state import LIVE, empty

FLASH_SECONDS = 0.15
PAD = 6


class TapeView(PaintedRows):
    """Paints a ``TapeModel``; ``offset`` is the first row shown."""

    def __init__(self, theme: Theme, model: TapeModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = model
        self.offset = 0
        self.fresh = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Trades, newest first")

    def sizeHint(self) -> QSize:
        """A dozen rows."""
        return QSize(320, 260)

    @property
    def row_height(self) -> int:
        """Two pixels tighter than the ladder: the tape is read in passing."""
        return self.theme.density.ladder_row - 2

    def row_count(self) -> int:
        """Whole rows from the offset on."""
        return min(len(self.model.rows) - self.offset, self.visible_rows())

    def _columns(self, rect: QRect) -> tuple[QRect, QRect, QRect]:
        third = rect.width() // 3
        box = rect.adjusted(PAD, 0, -PAD, 0)
        price = QRect(box.left(), box.top(), third, box.height())
        size = QRect(price.right(), box.top(), third, box.height())
        return price, size, QRect(size.right(), box.top(), box.right() - size.right(), box.height())

    def paint_header(self, painter: QPainter, rect: QRect) -> None:
        """Titles with units."""
        price, size, clock = self._columns(rect)
        painter.setFont(self.theme.font("small"))
        painter.setPen(self.theme.color("text_weak"))
        painter.drawText(price.adjusted(14, 0, 0, 0), LEFT, "price")
        painter.drawText(size, RIGHT, f"size {self.model.market.base}")
        painter.drawText(clock, RIGHT, "UTC")
        painter.setPen(self.theme.color("line"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    def paint_row(self, painter: QPainter, row: int, rect: QRect) -> None:
        """One taker's trade: arrow and price in its side's colour."""
        entry = self.model.rows[self.offset + row]
        tone = "bid" if entry.side == "buy" else "ask"
        if self.offset + row < self.fresh:
            painter.fillRect(rect, self.theme.color(f"{tone}_fill"))
        price, size, clock = self._columns(rect)
        weight = "strong" if entry.large else "normal"
        painter.setFont(self.theme.number_font("small", weight))
        painter.setPen(self.theme.color(tone))
        painter.drawText(price, LEFT, f"{ARROWS[entry.side]} {entry.price}")
        painter.setPen(self.theme.color("text_strong" if entry.large else "text"))
        painter.drawText(size, RIGHT, entry.size)
        painter.setFont(self.theme.number_font("small"))
        if entry.liquidation:
            painter.setPen(self.theme.color("warn"))
            painter.drawText(clock, RIGHT, "liquidation")
        else:
            painter.setPen(self.theme.color("text_weak"))
            painter.drawText(clock, RIGHT, entry.time if rect.width() > 300 else entry.time[:8])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by three rows a notch."""
        self.scroll_rows(-round(event.angleDelta().y() / 40))

    def scroll_rows(self, rows: int) -> None:
        """Towards older trades when positive; the newest stay in sight only at offset 0."""
        last = max(0, len(self.model.rows) - self.visible_rows())
        self.offset = min(max(self.offset + rows, 0), last)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, down, page up, page down, Home (newest)."""
        page = max(self.visible_rows() - 1, 1)
        keys = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page}
        if event.key() == Qt.Key.Key_Home:
            self.scroll_rows(-len(self.model.rows))
        elif event.key() in keys:
            self.scroll_rows(keys[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


class TradesPanel(Panel):
    """The tape of one market."""

    title = "Trades"

    def __init__(self, engine: DeskEngine, theme: Theme) -> None:
        super().__init__(engine, theme)
        self.model = TapeModel(engine.config.market(self.market))
        self.view = TapeView(theme, self.model)
        self._flash_until = 0.0
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)

    def set_market(self, market: MarketId) -> None:
        """Another tape."""
        super().set_market(market)
        self.model.market = self.engine.config.market(market)
        self.model.reset()

    def refresh(self, snapshot: Snapshot) -> None:
        """New prints push the others down; a scrolled tape stays where the reader is."""
        fresh = self.model.update(snapshot.trades)
        if not self.model.rows:
            self.set_state(
                empty("No trades yet in this market", "Recorded trades play while the clock runs at up to 10x.")
            )
            return
        if self.state.kind == "empty":
            self.set_state(LIVE)
        if fresh < 0:
            return
        if self.view.offset:
            self.view.offset = min(self.view.offset + fresh, max(0, len(self.model.rows) - self.view.visible_rows()))
        self.view.fresh = fresh
        self._flash_until = time.perf_counter() + FLASH_SECONDS if fresh else 0.0
        self.view.update()

    def on_frame(self, now: float) -> bool:
        """End the flash when its time is over."""
        if self.view.fresh and now >= self._flash_until:
            rows = range(min(self.view.fresh, self.view.visible_rows()))
            self.view.fresh = 0
            self.view.update_rows(rows)
            return True
        return False
