"""The painted ladder: own orders | bid size | price | ask size, quiet depth bars, the spread row in the middle."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.ladder import LadderModel, Row
from ui.widgets.painted import CENTRE, LEFT, RIGHT, PaintedRows

PAD = 6
STEPS: dict[int, int] = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10}
SIDES: dict[int, str] = {Qt.Key.Key_B: "buy", Qt.Key.Key_S: "sell"}
OWN_WIDE_FROM = 300  # pixels of panel width from which the queue position fits beside the size


class LadderView(PaintedRows):
    """Paints a ``LadderModel``. Click or Enter on a row: ``price_clicked(side, ticks)``, bid column is buy."""

    price_clicked = Signal(str, object)
    resized = Signal()

    def __init__(self, theme: Theme, model: LadderModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = model
        self.hover = -1
        self.cursor_row = -1
        self._edges_key = (0, 0)
        self._edges_found: tuple[int, ...] = (0, 0, 0, 0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Price ladder")

    def sizeHint(self) -> QSize:
        """Comfortable for forty rows."""
        return QSize(360, 640)

    def row_count(self) -> int:
        """One row per slot."""
        return len(self.model.rows)

    # -- columns ------------------------------------------------------------------------------------------------

    def columns(self, rect: QRect) -> tuple[QRect, QRect, QRect, QRect]:
        """Own orders, bid size, price and ask size of a row."""
        edges = self._edges(rect.width())
        boxes = [QRect(rect.left() + a, rect.top(), b - a, rect.height()) for a, b in pairwise(edges)]
        return boxes[0], boxes[1], boxes[2], boxes[3]

    def _edges(self, width: int) -> tuple[int, ...]:
        """Where columns begin, measured once for each width and density."""
        key = (width, self.theme.density.small)
        if key == self._edges_key:
            return self._edges_found
        digit = QFontMetrics(self.theme.number_font("small")).horizontalAdvance("0")
        wide = width >= OWN_WIDE_FROM
        own = max(digit * (14 if wide else 7) + 2 * PAD, 56)
        price = digit * 10 + 2 * PAD
        side = max((width - own - price) // 2, 40)
        self._edges_key, self._edges_found = key, (0, own, own + side, own + side + price, width)
        return self._edges_found

    def paint_header(self, painter: QPainter, rect: QRect) -> None:
        """Titles with units, and a hairline."""
        own, bid, price, ask = self.columns(rect)
        base = self.model.market.base
        painter.setFont(self.theme.font("small"))
        painter.setPen(self.theme.color("text_weak"))
        own_title = "mine ▸ ahead" if rect.width() >= OWN_WIDE_FROM else "mine"
        painter.drawText(own.adjusted(PAD, 0, 0, 0), LEFT, own_title)
        painter.drawText(bid.adjusted(0, 0, -PAD, 0), RIGHT, f"bid {base}")
        painter.drawText(price, CENTRE, "price")
        painter.drawText(ask.adjusted(PAD, 0, 0, 0), LEFT, f"ask {base}")
        painter.setPen(self.theme.color("line"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    def paint_row(self, painter: QPainter, row: int, rect: QRect) -> None:
        """One price, or the spread."""
        entry = self.model.rows[row]
        if entry.price is None:
            self._paint_spread(painter, rect, entry)
            return
        own, bid, price, ask = self.columns(rect)
        if row in (self.hover, self.cursor_row):
            painter.fillRect(rect, self.theme.color("ground2"))
        self._paint_bars(painter, entry, bid, ask)
        painter.setFont(self.theme.number_font("small"))
        self._paint_sizes(painter, entry, bid, ask)
        self._paint_price(painter, entry, price)
        if entry.own is not None:
            self._paint_own(painter, entry, own, bid if entry.own.side == "buy" else ask)
        if row == self.cursor_row and self.hasFocus():
            painter.setPen(self.theme.color("accent"))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))

    def _paint_bars(self, painter: QPainter, entry: Row, bid: QRect, ask: QRect) -> None:
        """Bars grow from the price outwards: faint for the depth up to here, fuller for what rests here."""
        if entry.bid_depth:
            width = bid.width() * entry.bid_depth // 1000
            painter.fillRect(
                QRect(bid.right() - width + 1, bid.top(), width, bid.height()), self.theme.faint("bid_fill")
            )
        if entry.ask_depth:
            width = ask.width() * entry.ask_depth // 1000
            painter.fillRect(QRect(ask.left(), ask.top(), width, ask.height()), self.theme.faint("ask_fill"))
        if entry.bid_bar:
            width = max(1, bid.width() * entry.bid_bar // 1000)
            box = QRect(bid.right() - width + 1, bid.top() + 1, width, bid.height() - 2)
            painter.fillRect(box, self.theme.color("bid_fill"))
        if entry.ask_bar:
            width = max(1, ask.width() * entry.ask_bar // 1000)
            painter.fillRect(QRect(ask.left(), ask.top() + 1, width, ask.height() - 2), self.theme.color("ask_fill"))

    def _paint_sizes(self, painter: QPainter, entry: Row, bid: QRect, ask: QRect) -> None:
        """Sizes on the side where they rest, strong at the touch."""
        painter.setPen(self.theme.color("text_strong" if entry.touch else "text"))
        decimals = self.model.market.size_decimals
        if entry.bid:
            painter.drawText(bid.adjusted(0, 0, -PAD, 0), RIGHT, lots_text(entry.bid, decimals))
        if entry.ask:
            painter.drawText(ask.adjusted(PAD, 0, 0, 0), LEFT, lots_text(entry.ask, decimals))

    def _paint_price(self, painter: QPainter, entry: Row, box: QRect) -> None:
        """The price in its side's colour; an arrow where the last trade was."""
        tone = "bid" if entry.bid else "ask" if entry.ask else "text_weak"
        if entry.touch:
            painter.setFont(self.theme.number_font("small", "strong"))
        painter.setPen(self.theme.color(tone))
        painter.drawText(box, CENTRE, entry.text)
        if entry.last:
            painter.setPen(self.theme.color("bid" if entry.last == "buy" else "ask"))
            x = box.left() + 2.0 if entry.last == "buy" else box.right() - 7.0
            draw_triangle(painter, x, box.center().y(), entry.last == "buy")

    def _paint_own(self, painter: QPainter, entry: Row, own: QRect, side: QRect) -> None:
        """The user's order: a coloured edge, the size, and the exact queue in front of it."""
        assert entry.own is not None
        tone = "bid" if entry.own.side == "buy" else "ask"
        painter.fillRect(QRect(own.left(), own.top() + 1, 3, own.height() - 2), self.theme.color(tone))
        painter.fillRect(own.adjusted(3, 1, 0, -1), self.theme.color("accent_fill"))
        painter.setFont(self.theme.number_font("small"))
        painter.setPen(self.theme.color("text_strong"))
        wide = self.width() >= OWN_WIDE_FROM
        decimals = self.model.market.size_decimals
        text = self.model.own_text(entry.own) if wide else lots_text(entry.own.lots, decimals)
        painter.drawText(own.adjusted(PAD + 2, 0, 0, 0), LEFT, text)
        x = side.right() - 1 if entry.own.side == "buy" else side.left()
        painter.fillRect(QRect(x, side.top() + 1, 2, side.height() - 2), self.theme.color("accent"))

    def _paint_spread(self, painter: QPainter, rect: QRect, entry: Row) -> None:
        """The spread, between two hairlines."""
        painter.fillRect(rect, self.theme.color("ground2"))
        painter.setFont(self.theme.font("small"))
        painter.setPen(self.theme.color("text_weak"))
        painter.drawText(rect, CENTRE, self.model.spread_text())

    # -- pointer and keys ---------------------------------------------------------------------------------------

    def _side_at(self, x: float) -> str:
        """Left of the price's middle is the bid side: a buy."""
        price = self.columns(self.rect())[2]
        return "buy" if x < price.center().x() else "sell"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click offers the price to the ticket."""
        ticks = self.model.price_of_slot(self.row_at(event.position().y()))
        if event.button() == Qt.MouseButton.LeftButton and ticks is not None:
            self.price_clicked.emit(self._side_at(event.position().x()), ticks)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the row, tell about own orders."""
        self._set_hover(self.row_at(event.position().y()))
        row = self.hover
        mark = self.model.rows[row].own if 0 <= row < len(self.model.rows) else None
        if mark is not None:
            QToolTip.showText(
                event.globalPosition().toPoint(), f"your {mark.side}: {self.model.own_text(mark)} ahead in the queue"
            )
        else:
            QToolTip.hideText()

    def leaveEvent(self, event: QEvent) -> None:
        """No highlight without a pointer."""
        self._set_hover(-1)

    def _set_hover(self, row: int) -> None:
        if row != self.hover:
            old, self.hover = self.hover, row
            self.update_rows(r for r in sorted((old, row)) if r >= 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by three rows a notch; following stops until asked for again."""
        notches = event.angleDelta().y() / 120
        self.model.scroll(round(3 * notches))
        self.resized.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move the row cursor, B and S or Enter offer its price, C recentres."""
        step = STEPS.get(event.key())
        if step is not None:
            self._move_cursor(step)
        elif event.key() in (Qt.Key.Key_B, Qt.Key.Key_S, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            ticks = self.model.price_of_slot(self.cursor_row)
            if ticks is not None:
                row = self.model.rows[self.cursor_row]
                side = SIDES.get(event.key(), "sell" if row.ask else "buy")
                self.price_clicked.emit(side, ticks)
        elif event.key() == Qt.Key.Key_C:
            self.model.recentre()
            self.resized.emit()
        else:
            super().keyPressEvent(event)

    def _move_cursor(self, step: int) -> None:
        old = self.cursor_row
        start = old if old >= 0 else len(self.model.rows) // 2
        self.cursor_row = min(max(start + step, 0), max(len(self.model.rows) - 1, 0))
        self.update_rows(r for r in sorted((old, self.cursor_row)) if r >= 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer rows fit."""
        self.resized.emit()
        super().resizeEvent(event)


def lots_text(lots: int, decimals: int) -> str:
    """A size with all its decimals, not grouped (it is short)."""
    whole, part = divmod(lots, 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)


def draw_triangle(painter: QPainter, x: float, y: float, up: bool) -> None:
    """A small filled arrow head, 6 pixels wide."""
    tip = -3 if up else 3
    points = [QPointF(x, y - tip), QPointF(x + 6, y - tip), QPointF(x + 3, y + tip)]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(painter.pen().color())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(points)
    painter.restore()
