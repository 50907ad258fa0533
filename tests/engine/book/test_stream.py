"""The common stream has one right outcome, and it is the one that the reference finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.book.reference import ReferenceBook
from engine.book.stream import IOC, MAGIC, MARKET, MARKET_PRICES, Stream, Sums, build

OPERATIONS, DEPTH = 8_000, 500


@pytest.fixture(scope="module")
def stream() -> Stream:
    return build(OPERATIONS, seed=3, depth=DEPTH)


def test_the_reference_finds_the_same_fills(stream: Stream) -> None:
    book, fills, lots, notional, check = ReferenceBook(), 0, 0, 0, 0
    for number, (kind, order_id, account, side, size, price, order_type, _) in enumerate(stream.rows.tolist()):
        if kind:
            book.cancel(order_id)
            continue
        name = "sell" if side else "buy"
        placed = book.place(order_id, account, name, size, price, market=order_type == MARKET, ioc=order_type == IOC)
        assert not placed.removed
        for fill in placed.fills if number >= stream.warm_up else ():
            fills, lots, notional = fills + 1, lots + fill.lots, notional + fill.price * fill.lots
            check += (31 * fill.maker_order + 17 * order_id + fill.price) * fill.lots
    assert stream.sums == Sums.of(fills, lots, notional, check)
    assert fills > OPERATIONS // 20


def test_only_what_all_engines_have_is_in_it(stream: Stream) -> None:
    kind, _, account, side, _, price, order_type, _ = stream.rows.T
    place = kind == 0
    assert len(stream.rows) == stream.warm_up + OPERATIONS
    assert np.array_equal(account[place] % 2, side[place])
    assert set(order_type[place].tolist()) == {0, IOC, MARKET}
    assert set(order_type[~place].tolist()) == {0}
    limits = price[place & (order_type != MARKET)]
    assert MARKET_PRICES[1] < limits.min() <= limits.max() < MARKET_PRICES[0]


def test_the_file_is_a_head_and_the_rows(stream: Stream, tmp_path: Path) -> None:
    stream.save(tmp_path / "stream")
    words = np.fromfile(tmp_path / "stream", "<i8").reshape(-1, 8)
    assert np.array_equal(words[1:], stream.rows)
    assert words[0].tolist()[:4] == [MAGIC, len(stream.rows), stream.warm_up, stream.rows[:, 1].max()]
    assert words[0].tolist()[6:] == [stream.sums.fills, stream.sums.lots]


def test_the_seed_fixes_it(stream: Stream) -> None:
    assert build(OPERATIONS, seed=3, depth=DEPTH).sums == stream.sums
    assert build(OPERATIONS, seed=4, depth=DEPTH).sums != stream.sums
