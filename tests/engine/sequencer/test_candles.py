"""Candles against a slow reference that keeps every trade."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UnknownName
from engine.sequencer.candles import DAY, INTERVALS, KEPT, MarketCandles
from engine.units import MINUTE, SECOND

START = 1_723_075_200 * SECOND
moves = st.lists(
    st.tuples(
        st.sampled_from([0, SECOND // 10, SECOND, 7 * SECOND, 200 * SECOND]), st.integers(1, 99), st.integers(0, 9)
    ),
    min_size=1,
    max_size=60,
)


def slow(moves: list[tuple[int, int, int]], interval: int) -> list[list[int]]:
    """Group trades and clock steps by interval; a period opens at the last close, once there is one."""
    periods: dict[int, list[tuple[int, int]]] = {}
    time, seen = START, [(START, None)]
    for elapsed, price, lots in moves:
        time += elapsed
        seen.append((time, (price, lots) if lots else None))
    for at, trade in seen:
        found = periods.setdefault(at - at % interval, [])
        if trade:
            found.append(trade)
    rows, close = [], 0
    for start, trades in periods.items():
        if not trades and not close:
            continue
        inside = ([close] if close else []) + [price for price, _ in trades]
        close = inside[-1]
        rows.append([start, inside[0], max(inside), min(inside), close, sum(lots for _, lots in trades)])
    return rows


@settings(max_examples=60)
@given(moves, st.sampled_from(INTERVALS))
def test_candles_equal_a_slow_reference(moves, interval) -> None:
    candles, time = MarketCandles(), START
    candles.step(time, 1.0, 2.0)
    for elapsed, price, lots in moves:
        time += elapsed
        candles.step(time, float(price), 2.0)
        if lots:
            candles.trade(price, lots)
    assert candles.read(interval).integers.tolist() == slow(moves, interval)
    stored = MarketCandles.load(candles.dump())
    assert stored.read(interval).integers.tolist() == candles.read(interval).integers.tolist()
    assert stored.dump() == candles.dump()


def test_only_the_newest_candles_are_kept() -> None:
    candles = MarketCandles()
    for second in range(3 * KEPT):
        candles.step(START + second * SECOND, 1.0, 1.0)
        candles.trade(second + 1, 1)
    rows = candles.read(SECOND).integers
    assert rows[:, 0].tolist() == [START + s * SECOND for s in range(2 * KEPT, 3 * KEPT)]
    assert candles.read(MINUTE).integers[:, 5].sum() == 3 * KEPT


def test_a_day_ends_after_twenty_four_hours() -> None:
    candles = MarketCandles()
    candles.step(START, 1.0, 1.0)
    candles.trade(900, 3)
    candles.step(START + 2 * MINUTE, 1.0, 1.0)
    candles.trade(100, 4)
    assert candles.day(START + 2 * MINUTE) == (900, 900, 100, 7)
    candles.step(START + DAY + MINUTE, 1.0, 1.0)
    assert candles.day(START + DAY + MINUTE) == (900, 900, 100, 4)
    assert MarketCandles().day(START) == (0, 0, 0, 0)


def test_other_intervals_are_refused_by_name() -> None:
    with pytest.raises(UnknownName) as error:
        MarketCandles().read(7)
    assert str(SECOND) in error.value.limit
