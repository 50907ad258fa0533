"""Candles and 24-hour statistics: derived from fills and clock steps, not part of the state root.

Fills update only the running one-second candle; when a second ends it is merged into the longer intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from engine.errors import CorruptData, UnknownName
from engine.units import MINUTE, SECOND

INTERVALS = tuple(n * SECOND for n in (1, 5, 15, 60, 300, 900, 3600))
KEPT = 1500  # per interval; 24 hours of minutes are 1,440
DAY = 24 * 3600 * SECOND
INTEGERS, FLOATS = 6, 2


class Candle(msgspec.Struct, kw_only=True):
    """``time``: start. Prices in ticks, volume in lots; mark and index in ticks at the end."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    mark: float
    index: float

    def merge(self, later: Candle) -> None:
        """Append a later candle's trading to this one."""
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close, self.mark, self.index = later.close, later.mark, later.index
        self.volume += later.volume


class DayStatistics(NamedTuple):
    """Of the last 24 hours: open, high, low in ticks, volume in lots; zeros before the first price."""

    open: int
    high: int
    low: int
    volume: int


class CandleArrays(NamedTuple):
    """Copies, oldest first. ``integers`` int64 (n, 6): time, open, high, low, close, volume; ``floats`` (n, 2):
    mark, index in ticks."""

    integers: np.ndarray
    floats: np.ndarray


class _Series:
    """Finished candles of one interval in arrays that are shifted when full, and the running one."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.integers = np.zeros((2 * KEPT, INTEGERS), np.int64)
        self.floats = np.zeros((2 * KEPT, FLOATS), np.float64)
        self.count = 0
        self.running: Candle | None = None

    def push(self, candle: Candle) -> None:
        """Take a finished shorter candle."""
        start = candle.time - candle.time % self.interval
        if self.running is not None and self.running.time == start:
            self.running.merge(candle)
            return
        if self.running is not None:
            self._store(self.running)
        self.running = msgspec.structs.replace(candle, time=start)

    def _store(self, candle: Candle) -> None:
        if self.count == 2 * KEPT:
            self.integers[:KEPT], self.floats[:KEPT] = self.integers[KEPT:], self.floats[KEPT:]
            self.count = KEPT
        c = candle
        self.integers[self.count] = (c.time, c.open, c.high, c.low, c.close, c.volume)
        self.floats[self.count] = (c.mark, c.index)
        self.count += 1

    def rows(self, tail: list[Candle]) -> CandleArrays:
        """The newest ``KEPT`` candles, ``tail`` the last of them."""
        first = max(0, self.count - KEPT + len(tail))
        integers = [(c.time, c.open, c.high, c.low, c.close, c.volume) for c in tail]
        floats = [(c.mark, c.index) for c in tail]
        return CandleArrays(
            np.concatenate([self.integers[first : self.count], np.array(integers, np.int64).reshape(-1, INTEGERS)]),
            np.concatenate([self.floats[first : self.count], np.array(floats, np.float64).reshape(-1, FLOATS)]),
        )


class SeriesDump(msgspec.Struct):
    """A series in a checkpoint."""

    integers: bytes
    floats: bytes
    running: Candle | None


class CandlesDump(msgspec.Struct):
    """A market's candles in a checkpoint."""

    second: Candle | None
    series: list[SeriesDump]


class MarketCandles:
    """All intervals of one market."""

    def __init__(self) -> None:
        self._second: Candle | None = None
        self._series = {interval: _Series(interval) for interval in INTERVALS}

    def trade(self, price: int, lots: int) -> None:
        """A fill at the current clock step."""
        candle = self._second
        if candle is None:
            return
        if not candle.close:
            candle.open = candle.high = candle.low = price
        candle.high, candle.low, candle.close = max(candle.high, price), min(candle.low, price), price
        candle.volume += lots

    def step(self, time: int, mark: float, index: float) -> None:
        """The clock moved: start a new second when it is time, and carry mark and index."""
        start = time - time % SECOND
        candle = self._second
        if candle is None or candle.time != start:
            close = candle.close if candle else 0
            if candle is not None and candle.close:
                for series in self._series.values():
                    series.push(candle)
            self._second = Candle(
                time=start, open=close, high=close, low=close, close=close, volume=0, mark=mark, index=index
            )
            return
        candle.mark, candle.index = mark, index

    def read(self, interval: int) -> CandleArrays:
        """Copies of an interval's candles, the running one last; :class:`UnknownName` for another interval."""
        if interval not in self._series:
            raise UnknownName("candle interval", str(interval), [str(i) for i in INTERVALS])
        series = self._series[interval]
        tail = [msgspec.structs.replace(series.running)] if series.running else []
        now = self._second
        if now is not None and now.close:
            start = now.time - now.time % interval
            if tail and tail[0].time == start:
                tail[0].merge(now)
            else:
                tail.append(msgspec.structs.replace(now, time=start))
        return series.rows(tail)

    def day(self, time: int) -> DayStatistics:
        """Statistics of the 24 hours up to ``time``, to the minute."""
        rows = self.read(MINUTE).integers
        rows = rows[rows[:, 0] > time - DAY]
        if not len(rows):
            return DayStatistics(open=0, high=0, low=0, volume=0)
        return DayStatistics(
            open=int(rows[0, 1]), high=int(rows[:, 2].max()), low=int(rows[:, 3].min()), volume=int(rows[:, 5].sum())
        )

    def dump(self) -> CandlesDump:
        """Everything, for a checkpoint."""
        series = []
        for item in self._series.values():
            first = max(0, item.count - KEPT)
            integers, floats = item.integers[first : item.count], item.floats[first : item.count]
            series.append(SeriesDump(integers.tobytes(), floats.tobytes(), item.running))
        return CandlesDump(self._second, series)

    @classmethod
    def load(cls, data: CandlesDump) -> MarketCandles:
        """Inverse of :meth:`dump`; :class:`CorruptData` when the arrays do not fit."""
        candles = cls()
        candles._second = data.second
        if len(data.series) != len(INTERVALS):
            raise CorruptData("checkpoint has other candle intervals", field="candles", limit=len(INTERVALS))
        for series, stored in zip(candles._series.values(), data.series, strict=True):
            count = len(stored.integers) // (8 * INTEGERS)
            if len(stored.integers) != count * 8 * INTEGERS or len(stored.floats) != count * 8 * FLOATS or count > KEPT:
                raise CorruptData("checkpoint candles have the wrong size", field="candles", value=count, limit=KEPT)
            series.integers[:count] = np.frombuffer(stored.integers, np.int64).reshape(count, INTEGERS)
            series.floats[:count] = np.frombuffer(stored.floats, np.float64).reshape(count, FLOATS)
            series.count, series.running = count, stored.running
        return candles
