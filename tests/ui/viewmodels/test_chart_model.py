"""What the chart draws around the candles."""

from dataclasses import replace

import numpy as np
import pytest

from engine.exchange.config import BTC, ETH
from engine.units import MINUTE, SECOND
from tests.support.sample_snapshot import BTC_MID, sample_candles, sample_snapshot
from ui.viewmodels.chart import (
    Level,
    batch_bounds,
    candle_at,
    default_width,
    include_near,
    own_levels,
    read_out,
    series_key,
    visible_range,
)

SERIES = sample_candles(1, MINUTE, 50)


def test_levels_are_orders_entry_and_liquidation_of_this_market_only():
    labels = [level.label for level in own_levels(BTC, sample_snapshot())]
    assert labels == [
        "buy 0.250",
        "sell 0.280",
        "buy 1.000",
        "sell 0.750",
        "long 1.250 from 56,987.1",
        "liquidation 51,220.4",
    ]
    assert [level.label for level in own_levels(ETH, sample_snapshot())][1:] == [
        "short 8.000 from 2,461.05",
        "liquidation 3,018.70",
    ]
    assert own_levels(BTC, sample_snapshot(user=None)) == ()


def test_a_position_that_cannot_be_liquidated_has_no_liquidation_line():
    snapshot = sample_snapshot()
    position = replace(snapshot.user.positions[0], liquidation_price=None)
    snapshot = replace(snapshot, user=replace(snapshot.user, positions=(position,), orders=()))
    assert [level.label for level in own_levels(BTC, snapshot)] == ["long 1.250 from 56,987.1"]


def test_bounds_are_the_closed_batches():
    numbers = [bound.label for bound in batch_bounds(sample_snapshot())]
    assert numbers[:2] == ["46", "45"]
    assert "47" not in numbers


@pytest.mark.parametrize(("offset", "index"), [(-5 * MINUTE, 0), (0, 0), (MINUTE - 1, 0), (MINUTE, 1), (10**15, 49)])
def test_the_crosshair_reads_the_candle_that_covers_its_time(offset, index):
    assert candle_at(SERIES, SERIES.time[0] + offset) == index


def test_an_empty_series_has_no_candle_no_range_and_no_words():
    empty = replace(SERIES, **{name: getattr(SERIES, name)[:0] for name in ("time", "open", "high", "low", "close")})
    assert candle_at(empty, 0) == -1
    assert visible_range(empty, 0, 10**19) is None
    assert read_out(BTC, empty, -1) == ()
    assert series_key(empty) == (MINUTE, 0)


def test_the_read_out_is_exact():
    words = {name: text for name, text, _ in read_out(BTC, SERIES, 49)}
    assert words["C"] == "57,412.3"
    assert words["V"].endswith(" BTC")


def test_the_key_changes_with_the_last_candle():
    close = SERIES.close.copy()
    close[-1] += 1
    assert series_key(SERIES) == series_key(replace(SERIES))
    assert series_key(replace(SERIES, close=close)) != series_key(SERIES)


def test_the_visible_range_equals_looking_at_each_candle():
    first, last = int(SERIES.time[10]), int(SERIES.time[20]) + SECOND
    bottom, top = visible_range(SERIES, first, last)
    seen = [k for k in range(50) if SERIES.time[k] + MINUTE > first - 1 and SERIES.time[k] <= last]
    low = min(min(values[seen]) for values in (SERIES.low, SERIES.mark, SERIES.index))
    high = max(max(values[seen]) for values in (SERIES.high, SERIES.mark, SERIES.index))
    assert bottom < low
    assert top > high
    assert bottom == pytest.approx(low - max((high - low) * 0.06, 2))
    assert np.isfinite(top)


def test_marks_are_in_view_while_nothing_trades():
    flat = np.full(50, 617_220)
    quotes = replace(SERIES, open=flat, high=flat, low=flat, close=flat, mark=flat - 500.0, index=np.full(50, np.nan))
    bottom, top = visible_range(quotes, int(SERIES.time[0]), int(SERIES.time[-1]))
    assert bottom < 616_720
    assert top > 617_220


@pytest.mark.parametrize(("count", "width"), [(0, 40), (39, 40), (77, 77), (500, 120)])
def test_the_default_width_shows_what_there_is_within_bounds(count, width):
    assert default_width(count) == width


def test_near_levels_widen_the_range_and_far_ones_do_not():
    near, far = Level(BTC_MID - 130, "accent", "entry", True), Level(BTC_MID - 9_000, "danger", "liquidation", True)
    bounds = (BTC_MID - 100.0, BTC_MID + 100.0)
    bottom, top = include_near(bounds, (near, far))
    assert bottom < near.ticks
    assert bottom > far.ticks
    assert top == bounds[1]
    assert include_near(bounds, (replace(near, strong=False),)) == bounds
