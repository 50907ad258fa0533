"""The chart's axes: prices with constant decimals and a tag at the last price, times as UTC clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from engine.exchange.config import MarketConfig
from engine.units import SECOND, format_decimal
from ui.theme.theme import Theme

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)

NUMBER = 18  # pixels that a number takes, with what its letters need above and below


class PriceAxis(pg.AxisItem):
    """Ticks to price text; ``tags`` are (ticks, text, ground token, text token) painted over the numbers."""

    def __init__(self, theme: Theme, market: MarketConfig) -> None:
        super().__init__(orientation="right")
        self.theme = theme
        self.market = market
        self.tags: tuple[tuple[float, str, str], ...] = ()
        self.enableAutoSIPrefix(False)

    def set_tags(self, tags: tuple[tuple[float, str, str], ...]) -> None:
        """Tags of (ticks, ground token, text token); repaints only when they changed."""
        if tags != self.tags:
            self.tags = tags
            self.update()

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """All tick decimals, thousands grouped."""
        return [format_decimal(round(value), self.market.price_decimals) for value in values]

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:
        """One level of whole ticks, about 50 pixels apart."""
        rough = max((maxVal - minVal) * 50 / max(size, 1.0), 1.0)
        power = 10 ** len(str(int(rough))) / 10
        step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough)
        return [(step, 0)]

    def paint(self, p: QPainter, opt: Any, widget: Any) -> None:
        """The numbers, then the tags."""
        super().paint(p, opt, widget)
        box = self.mapRectFromParent(self.geometry())  # boundingRect is larger: room for the outermost numbers
        p.setFont(self.theme.number_font("small"))
        bottom, top = self.range
        if top <= bottom:
            return
        for ticks, ground, ink in self.tags:
            if not bottom <= ticks <= top:
                continue
            y = box.height() * (top - ticks) / (top - bottom)
            tag = QRectF(1, round(y) - 8, box.width() - 2, 16)
            for number in self._numbers(box, bottom, top):
                if number.intersects(tag):  # no half of a number beside the tag
                    p.fillRect(number, self.theme.color("ground1"))
            p.fillRect(tag, self.theme.color(ground))
            p.setPen(self.theme.color(ink))
            text = format_decimal(round(ticks), self.market.price_decimals)
            p.drawText(tag.adjusted(6, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _numbers(self, box: QRectF, bottom: float, top: float) -> list[QRectF]:
        """Where the numbers of the ticks stand."""
        scale = box.height() / (top - bottom)
        values = [value for _, level in self.tickValues(bottom, top, box.height()) for value in level]
        return [QRectF(1, (top - value) * scale - NUMBER / 2, box.width() - 2, NUMBER) for value in values]


class TimeAxis(pg.AxisItem):
    """Seconds after ``origin`` (ns) to UTC clock text."""

    def __init__(self) -> None:
        super().__init__(orientation="bottom")
        self.origin = 0
        self.enableAutoSIPrefix(False)

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:
        """Whole clock steps, about 90 pixels apart, aligned with the clock and not with the origin."""
        rough = max((maxVal - minVal) * 90 / max(size, 1.0), 1.0)
        step = next((s for s in STEPS if s >= rough), STEPS[-1] * max(1, round(rough / STEPS[-1])))
        offset = (-self.origin // SECOND) % step
        return [(step, offset)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Clock, or the date where a day begins."""
        texts = []
        for value in values:
            moment = datetime.fromtimestamp(self.origin // SECOND + round(value), UTC)
            midnight = moment.hour == moment.minute == moment.second == 0
            form = "%b %d" if midnight else "%H:%M:%S" if spacing < 60 else "%H:%M"
            texts.append(moment.strftime(form))
        return texts
