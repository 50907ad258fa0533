"""What the chart paints itself: candles and volume from primitive arrays, own levels, batch bounds, the crosshair.

All items paint in whole pixels of the view (no antialiasing, 1-pixel pens), which keeps candles crisp at every zoom and
is several times cheaper than scaled geometry.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.snapshot.views import CandleSeries
from engine.units import SECOND
from ui.theme.theme import Theme
from ui.viewmodels.chart import Bound, Level

VOLUME_SHARE = 0.16  # of the view's height
BODY_SHARE = 0.7
CROWDED = 24  # pixels between batch bounds below which they are not drawn through the chart


class ViewItem(pg.GraphicsObject):
    """An item as large as the view, painted in view pixels. Times on the x axis are seconds after ``origin`` (ns)."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.origin = 0
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)

    def boundingRect(self) -> QRectF:
        """What the view shows."""
        return QRectF(self.viewRect())

    def viewTransformChanged(self) -> None:
        """Panned or zoomed: everything moves."""
        super().viewTransformChanged()
        self.prepareGeometryChange()
        self.update()

    def dataBounds(self, axis: int, frac: float = 1.0, orthoRange: object = None) -> None:
        """Never part of pyqtgraph's automatic range: the panel sets the range itself."""
        return

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Switch to pixels, then paint."""
        transform = painter.worldTransform()
        view = transform.mapRect(QRectF(self.viewRect()))
        painter.save()
        painter.setWorldTransform(QTransform())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.paint_pixels(painter, transform, view)
        painter.restore()

    def paint_pixels(self, painter: QPainter, transform: QTransform, view: QRectF) -> None:
        """Paint with ``transform`` mapping data to pixels; ``view`` is the visible rectangle in pixels."""
        raise NotImplementedError


class CandleItem(ViewItem):
    """Candles, below them mark and index, and at the bottom of the same view volume."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.series: CandleSeries | None = None
        self._lines = PrimitiveArray(QLineF, 4)
        self._rects = PrimitiveArray(QRectF, 4)

    def set_series(self, series: CandleSeries, origin: int) -> None:
        """Show another series."""
        self.series, self.origin = series, origin
        self.update()

    def paint_pixels(self, painter: QPainter, transform: QTransform, view: QRectF) -> None:
        """Only the visible candles; rising and falling ones in two draw calls each."""
        series = self.series
        if series is None or not len(series.time):
            return
        seconds = (series.time - self.origin) / SECOND
        rect = self.viewRect()
        first = max(int(np.searchsorted(seconds, rect.left() - series.interval / SECOND)), 0)
        last = int(np.searchsorted(seconds, rect.right(), side="right"))
        if last <= first:
            return
        cut = slice(first, last)
        step = series.interval / SECOND
        x = (seconds[cut] + step / 2) * transform.m11() + transform.dx()
        width = max(1.0, np.floor(step * transform.m11() * BODY_SHARE))
        self._paint_line(painter, series.index[cut], x + width / 2, transform, "pending")
        self._paint_line(painter, series.mark[cut], x + width / 2, transform, "warn")
        self._paint_volume(painter, series, cut, x, width, view)
        self._paint_candles(painter, series, cut, x, width, transform)

    def _paint_volume(
        self, painter: QPainter, series: CandleSeries, cut: slice, x: np.ndarray, width: float, view: QRectF
    ) -> None:
        volume = series.volume[cut].astype(np.float64)
        top = volume.max()
        if top <= 0:
            return
        height = np.ceil(volume / top * view.height() * VOLUME_SHARE)
        left = np.floor(x - width / 2)
        rising = series.close[cut] >= series.open[cut]
        for up, tone in ((True, "bid_fill"), (False, "ask_fill")):
            keep = rising == up
            boxes = np.column_stack(
                [left[keep], view.bottom() - height[keep], np.full(keep.sum(), width), height[keep]]
            )
            self._draw_rects(painter, boxes, tone)

    def _paint_line(
        self, painter: QPainter, ticks: np.ndarray, x: np.ndarray, transform: QTransform, tone: str
    ) -> None:
        """A curve below the candles, through each candle's end; gaps where there is no value."""
        y = ticks * transform.m22() + transform.dy()
        pieces = np.column_stack([x[:-1], y[:-1], x[1:], y[1:]])
        self._draw_lines(painter, pieces[np.isfinite(pieces).all(axis=1)], tone)

    def _paint_candles(
        self, painter: QPainter, series: CandleSeries, cut: slice, x: np.ndarray, width: float, transform: QTransform
    ) -> None:
        def pixels(values: np.ndarray) -> np.ndarray:
            return np.floor(values[cut] * transform.m22() + transform.dy())

        open_, high, low, close = (pixels(a) for a in (series.open, series.high, series.low, series.close))
        left = np.floor(x - width / 2)
        middle = left + np.floor(width / 2)
        top, bottom = np.minimum(open_, close), np.maximum(open_, close)
        rising = series.close[cut] >= series.open[cut]
        for up, tone in ((True, "candle_up"), (False, "candle_down")):
            keep = rising == up
            wicks = np.column_stack([middle[keep], high[keep], middle[keep], low[keep]])
            self._draw_lines(painter, wicks, tone)
            body = np.maximum(bottom[keep] - top[keep], 1.0)
            self._draw_rects(painter, np.column_stack([left[keep], top[keep], np.full(keep.sum(), width), body]), tone)

    def _draw_lines(self, painter: QPainter, lines: np.ndarray, tone: str) -> None:
        self._lines.resize(len(lines))
        if len(lines):
            self._lines.ndarray()[:] = lines
            painter.setPen(QPen(self.theme.color(tone), 1))
            painter.drawLines(*self._lines.drawargs())

    def _draw_rects(self, painter: QPainter, rects: np.ndarray, tone: str) -> None:
        self._rects.resize(len(rects))
        if len(rects):
            self._rects.ndarray()[:] = rects
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color(tone))
            painter.drawRects(*self._rects.drawargs())


class OverlayItem(ViewItem):
    """Own levels with labels at the left, and batch bounds as faint verticals with their numbers at the top."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.levels: tuple[Level, ...] = ()
        self.bounds: tuple[Bound, ...] = ()

    def set_marks(self, levels: tuple[Level, ...], bounds: tuple[Bound, ...], origin: int) -> bool:
        """Show these; True when something changed."""
        if (levels, bounds, origin) == (self.levels, self.bounds, self.origin):
            return False
        self.levels, self.bounds, self.origin = levels, bounds, origin
        self.update()
        return True

    def paint_pixels(self, painter: QPainter, transform: QTransform, view: QRectF) -> None:
        """Bounds below, levels above."""
        painter.setFont(self.theme.font("small"))
        self._paint_bounds(painter, transform, view)
        places = [(np.floor(level.ticks * transform.m22() + transform.dy()), level) for level in self.levels]
        visible = [(y, level) for y, level in places if view.top() <= y <= view.bottom()]
        visible.sort(key=lambda place: not place[1].strong)
        for y, level in visible:
            self._paint_line(painter, level, y, view)
        taken: list[float] = []
        self._paint_outside(painter, places, view, taken)
        for y, level in visible:
            if all(abs(y - other) >= 17 for other in taken):  # labels never cover each other
                taken.append(y)
                self._paint_label(painter, level, y, view)

    def _paint_outside(
        self, painter: QPainter, places: list[tuple[float, Level]], view: QRectF, taken: list[float]
    ) -> None:
        """Entry and liquidation beyond the view are named at its edge, with an arrow towards them."""
        top, bottom = view.top() + 26, view.bottom() - 10
        for y, level in places:
            if not level.strong or view.top() <= y <= view.bottom():
                continue
            above = y < view.top()
            place = top if above else bottom
            top, bottom = (top + 18, bottom) if above else (top, bottom - 18)
            taken.append(place)
            self._paint_label(painter, replace(level, label=f"{'▲' if above else '▼'} {level.label}"), place, view)

    def _paint_bounds(self, painter: QPainter, transform: QTransform, view: QRectF) -> None:
        pen = QPen(self.theme.color("line_strong"), 1)
        places = [
            (np.floor((bound.time - self.origin) / SECOND * transform.m11() + transform.dx()), bound)
            for bound in self.bounds
        ]
        places = [(x, bound) for x, bound in places if view.left() <= x <= view.right()]
        crowded = len(places) > 1 and (places[0][0] - places[-1][0]) / (len(places) - 1) < CROWDED
        if not crowded:
            pen.setDashPattern([1, 3])
        foot = view.top() + 4 if crowded else view.bottom()  # crowded bounds are ticks at the top, not a curtain
        right_of_last = view.right() + 1e9
        for x, bound in places:  # newest first: labels go from right to left and are left out when crowded
            painter.setPen(pen)
            painter.drawLine(QLineF(x, view.top(), x, foot))
            text = f"#{bound.label}"
            width = painter.fontMetrics().horizontalAdvance(text)
            if right_of_last - x > width + 12:
                painter.setPen(self.theme.color("text_weak"))
                painter.drawText(QRectF(x + 3, view.top() + 3, width + 2, 14), Qt.AlignmentFlag.AlignLeft, text)
                right_of_last = x

    def _paint_line(self, painter: QPainter, level: Level, y: float, view: QRectF) -> None:
        pen = QPen(self.theme.color(level.tone), 1)
        if not level.strong:
            pen.setDashPattern([4, 4])
        painter.setPen(pen)
        painter.drawLine(QLineF(view.left(), y, view.right(), y))

    def _paint_label(self, painter: QPainter, level: Level, y: float, view: QRectF) -> None:
        color = self.theme.color(level.tone)
        width = painter.fontMetrics().horizontalAdvance(level.label) + 10
        box = QRectF(view.left() + 6, y - 8, width, 16)
        painter.fillRect(box, self.theme.color("ground1"))
        painter.setPen(color)
        painter.drawRect(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, level.label)


class CrosshairItem(ViewItem):
    """Two hairlines through the pointer; hidden when it is outside."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.point: tuple[float, float] | None = None

    def set_point(self, point: tuple[float, float] | None) -> None:
        """Data coordinates, or None."""
        if point != self.point:
            self.point = point
            self.update()

    def paint_pixels(self, painter: QPainter, transform: QTransform, view: QRectF) -> None:
        """Dotted, weak: it must not look like a level."""
        if self.point is None:
            return
        x = np.floor(self.point[0] * transform.m11() + transform.dx())
        y = np.floor(self.point[1] * transform.m22() + transform.dy())
        pen = QPen(self.theme.color("text_weak"), 1)
        pen.setDashPattern([2, 2])
        painter.setPen(pen)
        painter.drawLine(QLineF(x, view.top(), x, view.bottom()))
        painter.drawLine(QLineF(view.left(), y, view.right(), y))
