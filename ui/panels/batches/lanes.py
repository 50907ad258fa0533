"""Batch lanes, painted: one row per batch, its steps joined by a line, a live bar while a prover works on it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QWidget

from ui.theme.theme import Theme
from ui.viewmodels.batches import STEP_NAMES, Lane, LaneStep
from ui.widgets.row_list import RowList, draw_words

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


class BatchLanes(RowList):
    """Lanes below fixed titles."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "batches, newest first", parent)

    def tip(self, row: Lane) -> str:
        """The lane in words."""
        return f"{row.spoken}; {row.contents}"

    def paint_titles(self, painter: QPainter, rect: QRect) -> None:
        """The steps' names over their chips."""
        layout = lane_layout(rect.width())
        painter.setFont(self.theme.font("small"))
        painter.setPen(self.theme.color("text_weak"))
        draw_words(painter, _slot(rect, layout.number), "batch", LEFT)
        draw_words(painter, _slot(rect, layout.contents), "contents", LEFT)
        for place, name in zip(layout.steps, STEP_NAMES, strict=True):
            draw_words(painter, _slot(rect, place).adjusted(3, 0, 0, 0), name, LEFT)
        for place, name in ((layout.time, "prove"), (layout.size, "proof"), (layout.gas, "L1 cost")):
            draw_words(painter, _slot(rect, place), name, RIGHT)
        draw_words(painter, _slot(rect, layout.note).adjusted(16, 0, 0, 0), "note", LEFT)

    def paint_row(self, painter: QPainter, rect: QRect, row: Lane) -> None:
        """Number, contents, steps, figures, note."""
        theme, layout = self.theme, lane_layout(rect.width())
        painter.setFont(theme.number_font())
        painter.setPen(theme.color("text_strong"))
        draw_words(painter, _slot(rect, layout.number), f"#{row.number}", LEFT)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text_weak"))
        draw_words(painter, _slot(rect, layout.contents), row.contents, LEFT)
        for place, step in zip(layout.steps, row.steps, strict=True):
            self._paint_step(painter, _slot(rect, place), step)
        painter.setFont(theme.number_font("small"))
        painter.setPen(theme.color("text"))
        for slot, words in ((layout.time, row.prove_time), (layout.size, row.proof_size), (layout.gas, row.gas)):
            draw_words(painter, _slot(rect, slot), words, RIGHT)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("warn"))
        draw_words(painter, _slot(rect, layout.note).adjusted(16, 0, 0, 0), row.note, LEFT)

    def _paint_step(self, painter: QPainter, slot: QRect, step: LaneStep) -> None:
        """A chip along the lane: filled behind what happened, a bar for what runs, a hairline for what waits."""
        theme = self.theme
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
        draw_words(painter, box.adjusted(3, 0, 0, 0), step.words, LEFT)


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
