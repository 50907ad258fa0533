"""Batch lanes, painted: one row per batch, its steps joined by a line, a live bar while a prover works on it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.batches import STEP_NAMES, Lane, LaneStep

HEADER = 22
PAD = 8
NUMBER, CONTENTS, TIME, SIZE, GAS, NOTE = 44, 104, 52, 60, 72, 240
STAMP = 61  # a step that shows a whole clock
PROVING = 1  # index of the step that is given twice the room
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class LaneLayout:
    """Horizontal places, as (left, width); a width of 0 leaves a column out. The steps take what is left."""

    number: tuple[int, int]
    contents: tuple[int, int]
    steps: tuple[tuple[int, int], ...]
    time: tuple[int, int]
    size: tuple[int, int]
    gas: tuple[int, int]
    note: tuple[int, int]


def lane_layout(width: int) -> LaneLayout:
    """Places for a width: note, contents, L1 cost and proof size give way in this order until stamps fit the steps."""
    optional = {"note": NOTE, "contents": CONTENTS, "gas": GAS, "size": SIZE}
    shares = len(STEP_NAMES) + 1
    for name in tuple(optional):
        if _steps_room(width, optional) >= shares * STAMP:
            break
        optional[name] = 0
    time = TIME
    if _steps_room(width, optional) < shares * STAMP:
        shares, time = len(STEP_NAMES), 0
    share = max(24, (_steps_room(width, optional) + TIME - time) // shares)
    left, steps = PAD + NUMBER + optional["contents"], []
    for index in range(len(STEP_NAMES)):
        wide = share * 2 if index == PROVING and shares > len(STEP_NAMES) else share
        steps.append((left, wide))
        left += wide
    size, gas = left + time, left + time + optional["size"]
    return LaneLayout(
        number=(PAD, NUMBER),
        contents=(PAD + NUMBER, optional["contents"]),
        steps=tuple(steps),
        time=(left, time),
        size=(size, optional["size"]),
        gas=(gas, optional["gas"]),
        note=(gas + optional["gas"], optional["note"]),
    )


def _steps_room(width: int, optional: dict[str, int]) -> int:
    return width - 2 * PAD - NUMBER - TIME - sum(optional.values())


class BatchLanes(QAbstractScrollArea):
    """Lanes below fixed titles. ``chosen(number)``: clicked, or Enter on the lane that the arrow keys marked."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lanes: tuple[Lane, ...] = ()
        self._marked = -1  # batch number under the keyboard
        self._hovered = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("batches, newest first")
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """What is shown, newest first."""
        return self._lanes

    def minimumSizeHint(self) -> QSize:
        """Titles and three lanes."""
        return QSize(240, HEADER + 3 * self.row_height)

    @property
    def row_height(self) -> int:
        """Pixels of a lane."""
        return self._theme.density.table_row

    def set_lanes(self, lanes: tuple[Lane, ...]) -> None:
        """Show these; repaints the lanes that differ, all when their order changed."""
        old, self._lanes = self._lanes, lanes
        if [lane.number for lane in old] != [lane.number for lane in lanes]:
            self._keep_place(old, lanes)
            self._set_range()
            self.viewport().update()
            return
        for index, (before, after) in enumerate(zip(old, lanes, strict=True)):
            if before != after:
                self.viewport().update(self.lane_rect(index))

    def _keep_place(self, old: tuple[Lane, ...], new: tuple[Lane, ...]) -> None:
        """New batches enter at the top: a scrolled list stays where it is under the pointer."""
        bar = self.verticalScrollBar()
        if not old or not new or bar.value() == 0:
            return
        added = sum(lane.number > old[0].number for lane in new)
        bar.setMaximum(bar.maximum() + added * self.row_height)
        bar.setValue(bar.value() + added * self.row_height)

    def _set_range(self) -> None:
        room = max(0, self.viewport().height() - HEADER)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, len(self._lanes) * self.row_height - room))
        bar.setPageStep(room)
        bar.setSingleStep(self.row_height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or fewer lanes fit."""
        super().resizeEvent(event)
        self._set_range()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Scrolling repaints: the titles stay."""
        self.viewport().update()

    def lane_rect(self, index: int) -> QRect:
        """Where a lane lies in the viewport."""
        top = HEADER + index * self.row_height - self.verticalScrollBar().value()
        return QRect(0, top, self.viewport().width(), self.row_height)

    def _lane_at(self, point: QPoint) -> Lane | None:
        if point.y() < HEADER:
            return None
        index = (point.y() - HEADER + self.verticalScrollBar().value()) // self.row_height
        return self._lanes[index] if 0 <= index < len(self._lanes) else None

    # -- pointer and keys ---------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the lane under the pointer."""
        lane = self._lane_at(event.position().toPoint())
        self._hover(lane.number if lane else -1)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._hover(-1)
        super().leaveEvent(event)

    def _hover(self, number: int) -> None:
        if number != self._hovered:
            self._hovered = number
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose the lane."""
        lane = self._lane_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and lane is not None:
            self._marked = lane.number
            self.chosen.emit(lane.number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down mark a lane, Enter chooses it."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self._lanes:
            self._mark(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._marked >= 0:
            self.chosen.emit(self._marked)
        else:
            super().keyPressEvent(event)

    def _mark(self, step: int) -> None:
        numbers = [lane.number for lane in self._lanes]
        at = numbers.index(self._marked) + step if self._marked in numbers else 0
        at = max(0, min(len(numbers) - 1, at))
        self._marked = numbers[at]
        bar, rect = self.verticalScrollBar(), self.lane_rect(at)
        if rect.top() < HEADER:
            bar.setValue(bar.value() + rect.top() - HEADER)
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height())
        self.setAccessibleDescription(self._lanes[at].spoken)
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        """Tooltips: the lane in words."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            lane = self._lane_at(event.pos())
            if lane is not None:
                QToolTip.showText(event.globalPos(), f"{lane.spoken}; {lane.contents}", self)
            return True
        return super().viewportEvent(event)

    # -- painting -----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lanes that meet the exposed rectangle, then the titles over them."""
        layout = lane_layout(self.viewport().width())
        with QPainter(self.viewport()) as painter:
            for index, lane in enumerate(self._lanes):
                rect = self.lane_rect(index)
                if rect.intersects(event.rect()) and rect.bottom() > HEADER:
                    self._paint_lane(painter, rect, layout, lane)
            if event.rect().top() < HEADER:
                self._paint_titles(painter, layout)

    def _paint_titles(self, painter: QPainter, layout: LaneLayout) -> None:
        theme, width = self._theme, self.viewport().width()
        painter.fillRect(QRect(0, 0, width, HEADER), theme.color("ground1"))
        painter.fillRect(QRect(0, HEADER - 1, width, 1), theme.color("line"))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text_weak"))
        self._words(painter, QRect(layout.number[0], 0, layout.number[1], HEADER), "batch", LEFT)
        self._words(painter, QRect(layout.contents[0], 0, layout.contents[1], HEADER), "contents", LEFT)
        for place, name in zip(layout.steps, STEP_NAMES, strict=True):
            self._words(painter, QRect(place[0] + 3, 0, place[1] - 3, HEADER), name, LEFT)
        for place, name in ((layout.time, "prove"), (layout.size, "proof"), (layout.gas, "L1 cost")):
            self._words(painter, QRect(place[0], 0, place[1], HEADER), name, RIGHT)
        self._words(painter, QRect(layout.note[0] + 16, 0, layout.note[1] - 16, HEADER), "note", LEFT)

    def _paint_lane(self, painter: QPainter, rect: QRect, layout: LaneLayout, lane: Lane) -> None:
        theme = self._theme
        if lane.number == self._hovered:
            painter.fillRect(rect, theme.color("ground2"))
        if lane.number == self._marked and self.hasFocus():
            painter.fillRect(QRect(0, rect.y(), 2, rect.height()), theme.color("accent"))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), theme.color("line"))
        painter.setFont(theme.number_font())
        painter.setPen(theme.color("text_strong"))
        self._words(painter, _slot(rect, layout.number), f"#{lane.number}", LEFT)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text_weak"))
        self._words(painter, _slot(rect, layout.contents), lane.contents, LEFT)
        for place, step in zip(layout.steps, lane.steps, strict=True):
            self._paint_step(painter, _slot(rect, place), step)
        painter.setFont(theme.number_font("small"))
        painter.setPen(theme.color("text"))
        for slot, words in ((layout.time, lane.prove_time), (layout.size, lane.proof_size), (layout.gas, lane.gas)):
            self._words(painter, _slot(rect, slot), words, RIGHT)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("warn"))
        self._words(painter, _slot(rect, layout.note).adjusted(16, 0, 0, 0), lane.note, LEFT)

    def _paint_step(self, painter: QPainter, slot: QRect, step: LaneStep) -> None:
        """A chip along the lane: filled behind what happened, a bar for what runs, a hairline for what waits."""
        theme = self._theme
        box = slot.adjusted(0, 4, -2, -5)
        if step.state == "waiting":
            painter.setPen(QPen(theme.color("line_strong"), 1))
            painter.drawLine(box.left(), box.center().y(), box.right(), box.center().y())
            if not step.words:
                return
            width = QFontMetrics(theme.font("small")).horizontalAdvance(step.words) + 8
            painter.fillRect(QRect(box.x(), box.y(), min(width, box.width()), box.height()), theme.color("ground1"))
        else:
            painter.fillRect(box, theme.color(FILLS[step.tone]))
            if step.state == "active" and step.progress > 0:
                done = QRectF(box.x(), box.bottom() - 1, box.width() * step.progress, 2)
                painter.fillRect(done, theme.color(step.tone))
        number = step.state == "done"
        painter.setFont(theme.number_font("small") if number else theme.font("small"))
        painter.setPen(theme.color(step.tone))
        self._words(painter, box.adjusted(3, 0, 0, 0), step.words, LEFT)

    def _words(self, painter: QPainter, area: QRect, text: str, side: Qt.AlignmentFlag) -> None:
        if area.width() <= 0 or not text:
            return
        metrics = painter.fontMetrics()
        if metrics.horizontalAdvance(text) > area.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, side, text)


FILLS = {
    "text": "ground3",
    "proved": "proved_fill",
    "pending": "pending_fill",
    "accent": "accent_fill",
    "danger": "danger_fill",
    "text_weak": "ground2",
}


def _slot(rect: QRect, place: tuple[int, int]) -> QRect:
    return QRect(place[0], rect.y(), place[1], rect.height())
