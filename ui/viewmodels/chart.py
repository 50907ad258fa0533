"""The chart without its widget: what to draw around the candles, and what the crosshair reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.snapshot.views import CandleSeries, Snapshot
from engine.exchange.config import MarketConfig
from engine.units import HOUR, MINUTE, PPM, SECOND
from ui.viewmodels.wording import (
    change_tone,
    fixed_price_text,
    long_stamp_text,
    percent_text,
    price_text,
    rounded_ratio,
    size_text,
    ticks_of_fixed,
)

INTERVALS: tuple[tuple[str, int], ...] = (
    ("1s", SECOND),
    ("5s", 5 * SECOND),
    ("15s", 15 * SECOND),
    ("1m", MINUTE),
    ("5m", 5 * MINUTE),
    ("1h", HOUR),
)
VISIBLE_CANDLES = 120  # shown at most while the user has not zoomed
FEWEST_CANDLES = 40  # a young venue is not a thin line at the right edge


def shortest_interval(step: int) -> int:
    """Position of the shortest interval that a clock step of ``step`` ns does not leap over."""
    return next((index for index, (_, length) in enumerate(INTERVALS) if length >= step), len(INTERVALS) - 1)


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line of the user's. ``ticks`` may be fractional (an average entry)."""

    ticks: float
    tone: str
    label: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a batch was closed: venue time in ns, its number."""

    time: int
    label: str


def own_levels(market: MarketConfig, snapshot: Snapshot) -> tuple[Level, ...]:
    """Entry, liquidation and resting orders of one market, in the order they are painted."""
    user = snapshot.user
    if user is None:
        return ()
    levels = []
    for order in user.orders:
        if order.market == market.market_id:
            tone = "bid" if order.side == "buy" else "ask"
            size = size_text(market, order.lots - order.filled, unit=False)
            levels.append(Level(order.price, tone, f"{order.side} {size}"))
    for position in user.positions:
        if position.market != market.market_id:
            continue
        side = "long" if position.size > 0 else "short"
        entry = ticks_of_fixed(market, position.entry_fixed)
        label = f"{side} {size_text(market, abs(position.size), unit=False)} from {price_text(market, entry)}"
        levels.append(Level(entry, "accent", label, True))
        if position.liquidation_price is not None:
            words = f"liquidation {price_text(market, position.liquidation_price)}"
            levels.append(Level(position.liquidation_price, "danger", words, True))
    return tuple(levels)


def batch_bounds(snapshot: Snapshot) -> tuple[Bound, ...]:
    """When the newest batches were closed."""
    closed = (b for b in snapshot.batches if "sequenced" in b.stages)
    return tuple(Bound(b.stages["sequenced"], str(b.number)) for b in closed)


def series_key(series: CandleSeries) -> tuple[int, ...]:
    """Changes whenever the series does: length, and the last candle."""
    if not len(series.time):
        return (series.interval, 0)
    last = (series.time, series.high, series.low, series.close, series.volume)
    return (series.interval, len(series.time), *(int(array[-1]) for array in last))


def candle_at(series: CandleSeries, time: float) -> int:
    """Index of the candle that covers a venue time in ns, the nearest one at the ends, -1 when there is none."""
    if not len(series.time):
        return -1
    index = int(np.searchsorted(series.time, time, side="right")) - 1
    return min(max(index, 0), len(series.time) - 1)


def default_width(count: int) -> int:
    """Candles across the chart while the user has not zoomed: all there are, within bounds."""
    return min(max(count, FEWEST_CANDLES), VISIBLE_CANDLES)


def read_out(market: MarketConfig, series: CandleSeries, index: int) -> tuple[tuple[str, str, str], ...]:
    """The candle in words: (name, text, tone) for time, open, high, low, close, change and volume."""
    if not 0 <= index < len(series.time):
        return ()
    open_, close = int(series.open[index]), int(series.close[index])
    tone = change_tone(close - open_)
    change = rounded_ratio((close - open_) * PPM, open_) if open_ > 0 else 0
    stamp = long_stamp_text(int(series.time[index]))
    return (
        ("", stamp[5:19], "weak"),
        ("O", price_text(market, open_), tone),
        ("H", price_text(market, int(series.high[index])), tone),
        ("L", price_text(market, int(series.low[index])), tone),
        ("C", price_text(market, close), tone),
        ("", percent_text(change, decimals=2, sign=True), tone),
        ("V", size_text(market, int(series.volume[index])), "normal"),
    )


def legend(market: MarketConfig, snapshot: Snapshot) -> tuple[tuple[str, str, str], ...]:
    """Mark and index with their colours on the chart."""
    view = snapshot.markets[market.market_id]
    return (
        ("mark", fixed_price_text(market, view.mark_fixed), "warn"),
        ("index", fixed_price_text(market, view.index_fixed), "pending"),
    )


def visible_range(series: CandleSeries, first: float, last: float) -> tuple[float, float] | None:
    """Lowest and highest tick drawn between two venue times (ns), with a margin; None when there are no candles.

    Mark and index count too: while nothing trades they are all that moves.
    """
    low = int(np.searchsorted(series.time, first - series.interval))
    high = int(np.searchsorted(series.time, last, side="right"))
    if high <= low:
        return None
    drawn = np.concatenate([values[low:high] for values in (series.low, series.high, series.mark, series.index)])
    drawn = drawn[drawn > 0]  # 0 and NaN: not known at that time
    bottom, top = float(drawn.min()), float(drawn.max())
    margin = max((top - bottom) * 0.06, 2.0)
    return bottom - margin, top + margin


def include_near(bounds: tuple[float, float], levels: tuple[Level, ...]) -> tuple[float, float]:
    """Widen a price range to strong levels that lie within half its height: near lines show, far ones do not squash."""
    bottom, top = bounds
    reach = (top - bottom) * 0.5
    near = [level.ticks for level in levels if bottom - reach <= level.ticks <= top + reach and level.strong]
    margin = (top - bottom) * 0.06
    low, high = min([bottom, *(n - margin for n in near)]), max([top, *(n + margin for n in near)])
    return low, high
