"""The prover's stages, painted: a stacked bar per batch on one scale, and the legend of its letters.

Stages come in one order and carry their letter or name, neighbours differ in ground and stand a pixel apart, and only
the slowest stage is loud: nothing depends on telling nine colours apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.prover_bars import LEGEND, ProofBar, Segment, scale
from ui.viewmodels.wording import seconds_text
from ui.widgets.painted import CENTRE, LEFT, RIGHT
from ui.widgets.row_list import NumberedRow, RowList, draw_words

PAD = 8
NUMBER, SLOWEST, TIME, SIZE = 44, 116, 60, 64
LEAST_BAR = 200
LETTER_ROOM, NAME_ROOM = 9, 8  # the least width of a segment with a letter; what a name needs beside itself


@dataclass(frozen=True, slots=True)
class BarLayout:
    """Horizontal places, as (left, width); a width of 0 leaves a column out. The bar takes what is left."""

    number: tuple[int, int]
    bar: tuple[int, int]
    slowest: tuple[int, int]
    time: tuple[int, int]
    size: tuple[int, int]


def bar_layout(width: int) -> BarLayout:
    """Places for a width: proof size, then the slowest stage's name give way to the bar."""
    size, slowest = SIZE, SLOWEST
    room = width - 2 * PAD - NUMBER - TIME
    if room - size - slowest < LEAST_BAR:
        size = 0
    if room - size - slowest < LEAST_BAR:
        slowest = 0
    bar = max(40, room - size - slowest)
    left = PAD + NUMBER
    return BarLayout(
        (PAD, NUMBER),
        (left, bar),
        (left + bar, slowest),
        (left + bar + slowest, TIME),
        (left + bar + slowest + TIME, size),
    )


class ProofBars(RowList):
    """One bar per closed batch, newest first."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "prover stages of each batch, newest first", parent)
        self.seconds = 0.0  # what the whole width of a bar stands for, once there are bars

    def set_rows(self, rows: Sequence[NumberedRow]) -> None:
        """Show these; another scale repaints all of them."""
        super().set_rows(rows)
        seconds = scale(self.shown, self.seconds)
        if seconds != self.seconds:
            self.seconds = seconds
            self.viewport().update()

    def paint_titles(self, painter: QPainter, rect: QRect) -> None:
        """Titles, and the scale over the bars."""
        layout = bar_layout(rect.width())
        painter.setFont(self.theme.font("small"))
        painter.setPen(self.theme.color("text_weak"))
        draw_words(painter, _slot(rect, layout.number), "batch", LEFT)
        bar = _slot(rect, layout.bar).adjusted(0, 0, -PAD, 0)
        draw_words(painter, bar, f"stages in order, 0 to {seconds_text(self.seconds)}", LEFT)
        for place, name in ((layout.slowest, "slowest"), (layout.time, "prove"), (layout.size, "proof")):
            draw_words(painter, _slot(rect, place), name, RIGHT)

    def paint_row(self, painter: QPainter, rect: QRect, row: ProofBar) -> None:
        """Number, bar, slowest stage, time, size."""
        theme, layout = self.theme, bar_layout(rect.width())
        painter.setFont(theme.number_font())
        painter.setPen(theme.color("text_strong"))
        draw_words(painter, _slot(rect, layout.number), f"#{row.number}", LEFT)
        self._paint_bar(painter, _slot(rect, layout.bar).adjusted(0, 4, -PAD, -5), row)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text"))
        draw_words(painter, _slot(rect, layout.slowest), row.slowest, RIGHT)
        painter.setFont(theme.number_font("small"))
        draw_words(painter, _slot(rect, layout.time), row.prove_time, RIGHT)
        draw_words(painter, _slot(rect, layout.size), row.proof_size, RIGHT)

    def _paint_bar(self, painter: QPainter, box: QRect, row: ProofBar) -> None:
        theme, each = self.theme, box.width() / max(self.seconds, 1e-3)
        edge, spent, cut = box.x(), 0.0, False
        for place, segment in enumerate(row.segments):
            spent += segment.seconds
            right = box.x() + round(spent * each)
            cut = cut or right > box.right() + 2
            self._paint_segment(
                painter, QRect(edge, box.y(), min(right, box.right() + 1) - edge, box.height()), segment, place
            )
            edge = min(right, box.right() + 1)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color(row.tone))
        if row.kind == "running":
            right = min(box.x() + round(row.seconds * each), box.right())
            painter.drawRect(QRect(edge, box.y(), max(1, right - edge), box.height() - 1))
            edge = right
        if cut:
            painter.setPen(theme.color("warn"))
            draw_words(painter, QRect(box.right() - 10, box.y(), 12, box.height()), "▸", LEFT)
        elif row.words:
            draw_words(
                painter,
                QRect(
                    edge + (6 if row.segments or row.kind == "running" else 0),
                    box.y(),
                    box.right() - edge - 6,
                    box.height(),
                ),
                row.words,
                LEFT,
            )

    def _paint_segment(self, painter: QPainter, box: QRect, segment: Segment, place: int) -> None:
        theme = self.theme
        if box.width() <= 0:
            return
        shape = box.adjusted(0, 0, -1 if box.width() > 1 else 0, 0)
        quiet = "proved_fill" if place % 2 else "ground3"
        painter.fillRect(shape, theme.color("proved" if segment.slowest else quiet))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("ground0" if segment.slowest else "text"))
        if shape.width() >= painter.fontMetrics().horizontalAdvance(segment.name) + NAME_ROOM:
            painter.drawText(shape, CENTRE, segment.name)
        elif shape.width() >= LETTER_ROOM:
            painter.drawText(shape, CENTRE, segment.letter)


class StageLegend(QWidget):
    """Letters and names of the stages in one line; names that do not fit leave their letters."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("stages: " + ", ".join(f"{letter} {name}" for letter, name in LEGEND))
        self.setToolTip("proving stages in the order of the bars; the highlighted one is the slowest of its batch")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """One small line."""
        return QSize(300, 18)

    def minimumSizeHint(self) -> QSize:
        """May shrink."""
        return QSize(80, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Letters strong, names weak."""
        theme = self._theme
        letters, names = theme.font("small", "strong"), theme.font("small")
        strong, weak = QFontMetrics(letters), QFontMetrics(names)
        parts = [(letter, name, strong.horizontalAdvance(letter) + 3) for letter, name in LEGEND]
        used = sum(first + weak.horizontalAdvance(name) for _, name, first in parts)
        gap = min(14, (self.width() - 2 * PAD - used) // max(1, len(parts) - 1))
        x = PAD
        with QPainter(self) as painter:
            for letter, name, first in parts:
                painter.setFont(letters)
                painter.setPen(theme.color("text"))
                painter.drawText(QRect(x, 0, first, self.height()), LEFT, letter)
                x += first
                if gap >= 3:
                    painter.setFont(names)
                    painter.setPen(theme.color("text_weak"))
                    painter.drawText(QRect(x, 0, weak.horizontalAdvance(name) + 2, self.height()), LEFT, name)
                    x += weak.horizontalAdvance(name)
                x += gap if gap >= 3 else 10


def _slot(rect: QRect, place: tuple[int, int]) -> QRect:
    return QRect(place[0], rect.y(), place[1], rect.height())
