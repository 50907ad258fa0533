"""Reading recordings: the carried ones hold what they should, bad ones are refused by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from engine.errors import CorruptData, OutOfRange
from engine.market.decode import decode_recording
from engine.market.feed import Feed, load_feed
from tests.support.market_world import T0, difference, quote, snapshot, standard, trade, write


def load(path: Path, cache: Path | None = None) -> Feed:
    return load_feed(path, price_decimals=1, size_decimals=3, cache=cache)


def test_the_btc_recording_rebuilds_and_counts_right(btc_feed: Feed) -> None:
    """The reader refuses gaps and crossed books, so loading is the check of both.

    Asks: 4,578 with the difference that straddles the snapshot's update id applied, as the exchange's rule says; it
    sets one far level (64,704.1) that a reader starting at the snapshot's line misses.
    """
    assert btc_feed.symbol == "btcusdt"
    assert btc_feed.final_levels.tolist() == [5_018, 4_578]
    assert btc_feed.asks[-1, 0, 0] > btc_feed.bids[-1, 0, 0] > 0
    assert (len(btc_feed.quotes), len(btc_feed.trades)) == (66_089, 21_313)
    assert round(btc_feed.trades[:, 1].sum() / 1_000, 1) == 2_429.4


def test_the_btc_book_from_the_snapshot_line_on_has_the_published_level_counts(btc_feed: Feed) -> None:
    path = Path(__file__).parents[3] / "resources" / "market" / "usdm_btcusdt_20240808.gz"
    recording = decode_recording(path, 1, 3)
    later = recording.update_line > 55
    for updates, expected in ((recording.bids, 5_018), (recording.asks, 4_577)):
        book: dict[int, int] = {}
        starts = np.concatenate([[0], updates.ends[:-1]])
        for number in [0, *np.flatnonzero(later).tolist()]:
            chosen = slice(starts[number], updates.ends[number])
            book.update(zip(updates.prices[chosen].tolist(), updates.sizes[chosen].tolist(), strict=True))
        assert sum(size > 0 for size in book.values()) == expected


def test_the_eth_recording(eth_feed: Feed) -> None:
    assert eth_feed.symbol == "ethusdt"
    assert (len(eth_feed.quotes), len(eth_feed.trades)) == (53_992, 14_076)


def test_the_top_of_the_book_is_sorted_uncrossed_and_follows_the_quotes(btc_feed: Feed) -> None:
    bids, asks = btc_feed.bids[:, :, 0], btc_feed.asks[:, :, 0]
    assert np.all(np.diff(bids, axis=1) < 0)
    assert np.all(np.diff(asks, axis=1) > 0)
    assert np.all(bids[:, 0] < asks[:, 0])
    at = np.searchsorted(btc_feed.quote_time, btc_feed.frame_time, side="right") - 1
    assert np.median(np.abs(btc_feed.quotes[at, 0] - bids[:, 0])) <= 1


def test_far_cells_lie_behind_the_top_and_hold_something(btc_feed: Feed) -> None:
    for far, top, sign in ((btc_feed.far_bids, btc_feed.bids, -1), (btc_feed.far_asks, btc_feed.asks, 1)):
        used = far[:, :, 1] > 0
        assert used.sum(axis=1).min() >= 8
        assert np.all((sign * far[:, :, 0] > sign * top[:, -1:, 0])[used])


def test_a_hand_written_recording_decodes_exactly(tmp_path: Path) -> None:
    feed = load(write(tmp_path / "tst.gz", standard()))
    assert (feed.symbol, feed.start) == ("tst", T0)
    assert feed.quotes[:2].tolist() == [[1000, 1000, 1001, 1500], [1000, 400, 1002, 2500]]
    assert feed.trades.tolist() == [[1001, 500, 0], [1000, 300, 1], [1000, 200, 1]]
    assert feed.trade_time.tolist() == [100_000_000, 400_000_000, 500_000_000]
    assert feed.frame_time.tolist() == [0, 0, 200_000_000]
    assert feed.bids[2, :4].tolist() == [[1000, 400], [999, 2000], [990, 3000], [0, 0]]
    assert feed.asks[2, :4].tolist() == [[1002, 2500], [1003, 700], [1010, 4000], [0, 0]]
    assert feed.final_levels.tolist() == [3, 3]


def test_sizes_finer_than_a_lot_are_rounded_to_the_nearest(tmp_path: Path) -> None:
    lines = [quote(-10, "100.00", "100.20", "1.0006", "1.0004"), snapshot()]
    feed = load(write(tmp_path / "tst.gz", lines))
    assert feed.quotes.tolist() == [[1000, 1001, 1002, 1000]]


def test_the_cache_gives_the_same_arrays_and_survives_damage(tmp_path: Path) -> None:
    path, cache = write(tmp_path / "tst.gz", standard()), tmp_path / "cache"
    fresh = load(path)
    load(path, cache)
    (file,) = cache.iterdir()
    good = file.read_bytes()
    for stored in (good, good[: len(good) // 2], b"", good[:200] + bytes([good[200] ^ 1]) + good[201:]):
        file.write_bytes(stored)
        again = load(path, cache)
        for name in ("quotes", "trades", "bids", "asks", "far_bids", "far_asks", "frame_time", "final_levels"):
            assert np.array_equal(getattr(again, name), getattr(fresh, name))
        assert (again.symbol, again.start, again.digest) == (fresh.symbol, fresh.start, fresh.digest)
        assert [f.name for f in cache.iterdir()] == [file.name]


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_flipped_byte_in_the_cache_is_noticed(tmp_path: Path, at: float) -> None:
    path, cache = write(tmp_path / "tst.gz", standard()), tmp_path / "cache"
    fresh = load(path, cache)
    (file,) = cache.iterdir()
    good = file.read_bytes()
    where = int(at * len(good))
    file.write_bytes(good[:where] + bytes([good[where] ^ 64]) + good[where + 1 :])
    again = load(path, cache)
    for name in ("quotes", "trades", "bids", "asks", "far_bids", "far_asks", "frame_time", "final_levels"):
        assert np.array_equal(getattr(again, name), getattr(fresh, name))


BAD_LINES = {
    "no time": (b'x {"stream": "tst@trade"}', "nanoseconds"),
    "no JSON": (b"2900000000 {", "truncated"),
    "not UTF-8": (b'2900000000 {"stream": "\xff"}', "utf-8"),
    "unknown event": (b'2900000000 {"stream":"tst@x","data":{"e":"kline"}}', "kline"),
    "missing field": (b'2900000000 {"stream":"tst@trade","data":{"e":"trade","p":"1","q":"1"}}', "`m`"),
    "time goes back": (trade(50, "100.1", "1.000", False), "time goes back"),
    "not a number": (trade(1500, "abc", "1.000", False), "'abc'"),
    "infinite": (trade(1500, "inf", "1.000", False), "'inf'"),
    "price between ticks": (trade(1500, "100.05", "1.000", False), "10^-1"),
    "price of zero": (trade(1500, "0.0", "1.000", False), "'0.0'"),
    "negative size": (trade(1500, "100.0", "-1", False), "'-1'"),
    "too large": (trade(1500, "1e15", "1.000", False), "1e15"),
    "crossed quote": (quote(1500, "100.2", "100.2"), "not below"),
    "gap": (difference(1500, 112, 115, 111, [], []), "sequence gap"),
    "crossed book": (difference(1500, 111, 115, 110, [["100.5", "1.000"]], []), "best bid"),
    "second snapshot": (snapshot(1500), "snapshot"),
    "another symbol": (trade(1500, "100.0", "1.000", False).replace(b"tst@", b"abc@"), "abc@trade"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_named(tmp_path: Path, name: str) -> None:
    bad, words = BAD_LINES[name]
    lines = standard()
    lines.append(bad)
    with pytest.raises(CorruptData) as caught:
        load(write(tmp_path / "tst.gz", lines))
    assert caught.value.value == len(lines)
    assert words in caught.value.message


def test_a_difference_that_does_not_join_the_snapshot_is_refused(tmp_path: Path) -> None:
    lines = [quote(-10, "100.0", "100.1"), snapshot(), difference(10, 103, 105, 102, [], [])]
    with pytest.raises(CorruptData) as caught:
        load(write(tmp_path / "tst.gz", lines))
    assert caught.value.value == 3


def test_files_that_are_no_recordings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tst.gz"
    whole = gzip.compress(b"\n".join(standard()))
    for data in (b"plain text", whole[:-20], whole[:60] + b"\0\0\0\0" + whole[64:]):
        path.write_bytes(data)
        with pytest.raises(CorruptData):
            load(path)
    for lines in ([], [quote(0, "100.0", "100.1")], [snapshot()]):
        with pytest.raises(CorruptData):
            load(write(path, lines))
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.gz")
    with pytest.raises(OutOfRange):
        load_feed(path, price_decimals=10, size_decimals=3)
