"""The endless replay: continuous at the joins, bounded, mirrored in every second loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CorruptData, OutOfRange, UnknownName
from engine.exchange.config import BTC, ETH
from engine.market.feed import Feed, load_feed
from engine.market.replay import Quote, RecordedMarket, RecordedPrices
from engine.units import FIXED_ONE, SECOND
from tests.support.market_world import MARKET, MILLISECOND, difference, quote, snapshot, standard, trade, write

START = 5_000 * SECOND


@pytest.fixture
def tiny(tmp_path: Path) -> RecordedMarket:
    """Loop of 1,000 ms: mids (half ticks) 2001, 2002 at 300 ms, 2003 at 900 ms; so S = 4004, p becomes 2002 - p."""
    feed = load_feed(write(tmp_path / "tst.gz", standard()), price_decimals=1, size_decimals=3)
    return RecordedMarket(feed, MARKET, START)


@pytest.fixture(scope="module", params=["btc", "eth"])
def real(request: pytest.FixtureRequest, btc_feed: Feed, eth_feed: Feed) -> RecordedMarket:
    feed, config = (btc_feed, BTC) if request.param == "btc" else (eth_feed, ETH)
    return RecordedMarket(feed, config, START)


def at(milliseconds: int) -> int:
    return START + milliseconds * MILLISECOND


def test_the_loop_ends_at_the_last_quote_that_can_be_mirrored(tiny: RecordedMarket) -> None:
    """The quote at 1,000 ms (mid 2002) has the other parity: the loop ends when it would come."""
    assert tiny.duration == 1_000 * MILLISECOND


def test_index_is_the_mid_in_fixed_point_with_half_ticks(tiny: RecordedMarket) -> None:
    assert tiny.index_at(at(0)) == 2001 * 100 * FIXED_ONE // 2
    assert [tiny.mid_at(at(ms)) for ms in (0, 299, 300, 899, 900, 999)] == [2001, 2001, 2002, 2002, 2003, 2003]


def test_the_second_loop_is_the_mirror_image_and_the_third_the_first(tiny: RecordedMarket) -> None:
    assert [tiny.mid_at(at(1000 + ms)) for ms in (0, 299, 300, 899, 900, 999)] == [2003, 2003, 2002, 2002, 2001, 2001]
    assert [tiny.mid_at(at(2000 + ms)) for ms in (0, 300, 900)] == [2001, 2002, 2003]
    assert tiny.quote_at(at(300)) == Quote(bid=1000, bid_lots=400, ask=1002, ask_lots=2500)
    assert tiny.quote_at(at(1300)) == Quote(bid=1000, bid_lots=2500, ask=1002, ask_lots=400)
    assert tiny.quote_at(at(1000)) == Quote(bid=1001, bid_lots=1500, ask=1002, ask_lots=1000)


def test_depth_is_the_rebuilt_book_led_by_the_newer_quote(tiny: RecordedMarket) -> None:
    bids, asks = tiny.depth_at(at(0), 10)
    assert bids.tolist() == [[1000, 1000], [999, 2000], [990, 3000]]
    assert asks.tolist() == [[1001, 1500], [1002, 2500], [1003, 700], [1010, 4000]]
    assert tiny.depth_at(at(900), 2)[0].tolist() == [[1001, 1000], [1000, 400]]
    assert tiny.depth_at(at(900), 2)[1].tolist() == [[1002, 1500], [1003, 700]]
    mirrored_bids, mirrored_asks = tiny.depth_at(at(1000), 10)
    assert mirrored_bids.tolist() == [[1001, 1500], [1000, 2500], [999, 700], [992, 4000]]
    assert mirrored_asks.tolist() == [[1002, 1000], [1003, 2000], [1012, 3000]]


def test_trades_turn_round_in_every_second_loop(tiny: RecordedMarket) -> None:
    trades = tiny.trades_between(at(-10), at(2100))
    assert trades.time.tolist() == [at(ms) for ms in (100, 400, 500, 1100, 1400, 1500, 2100)]
    assert trades.side.tolist() == [0, 1, 1, 1, 0, 0, 0]
    assert trades.price.tolist() == [1001, 1000, 1000, 1001, 1002, 1002, 1001]
    assert trades.lots.tolist() == [500, 300, 200, 500, 300, 200, 500]
    assert trades.number.tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_trade_intervals_are_open_below_and_closed_above(tiny: RecordedMarket) -> None:
    assert tiny.trades_between(at(100), at(400)).number.tolist() == [1]
    assert tiny.trades_between(at(99), at(100)).number.tolist() == [0]
    assert tiny.trades_between(at(400), at(400)).number.tolist() == []
    assert tiny.trades_between(at(400), at(300)).number.tolist() == []


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, 3 * 345_000), min_size=1, max_size=6))
def test_trades_over_any_cuts_are_the_trades_of_the_whole(btc_feed: Feed, cuts: list[int]) -> None:
    market = RecordedMarket(btc_feed, BTC, START)
    times = [START, *(at(ms) for ms in sorted(cuts))]
    parts = [market.trades_between(low, high) for low, high in zip(times[:-1], times[1:], strict=True)]
    whole = market.trades_between(START, times[-1])
    for name in ("time", "price", "lots", "side", "number"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))
    assert np.all(np.diff(whole.time) >= 0)


def test_the_path_is_continuous_at_the_joins_and_comes_back(real: RecordedMarket) -> None:
    for loop in range(1, 6):
        join = START + loop * real.duration
        assert real.index_at(join) == real.index_at(join - 1)
        assert real.quote_at(join).bid < real.quote_at(join).ask
    assert real.index_at(START + 2 * real.duration) == real.index_at(START)


def test_the_path_stays_within_the_recorded_range_and_its_mirror_image(real: RecordedMarket) -> None:
    mids = real.feed.quotes[:, 0] + real.feed.quotes[:, 2]
    low, high = int(mids.min()), int(mids.max())
    joined = real.mid_at(START) + real.mid_at(START + real.duration)
    times = [START + real.duration * k // 997 for k in range(5 * 997)]
    path = np.array([real.mid_at(time) for time in times])
    assert min(low, joined - high) <= path.min() < path.max() <= max(high, joined - low)
    assert len(np.unique(path)) > 200


def test_the_external_book_is_never_crossed_in_any_loop(real: RecordedMarket) -> None:
    for k in range(600):
        time = START + real.duration * k // 150 + 12_345
        bids, asks = real.depth_at(time, 48)
        far_bids, far_asks = real.far_depth_at(time)
        best = real.quote_at(time)
        assert bids[0, 0] <= best.bid < best.ask <= asks[0, 0]
        assert np.all(np.diff(bids[:, 0]) < 0)
        assert np.all(np.diff(asks[:, 0]) > 0)
        assert min(side[:, 1].min() for side in (bids, asks, far_bids, far_asks)) > 0
        assert far_bids[:, 0].max() < best.bid
        assert far_asks[:, 0].min() > best.ask


def test_flow_of_two_loops_cancels_out(real: RecordedMarket) -> None:
    trades = real.trades_between(START, START + 2 * real.duration)
    assert int(trades.lots[trades.side == 0].sum()) == int(trades.lots[trades.side == 1].sum()) > 0


def test_bad_arguments_are_refused(tiny: RecordedMarket) -> None:
    for call in (tiny.index_at, tiny.quote_at, tiny.far_depth_at):
        with pytest.raises(OutOfRange) as caught:
            call(START - 1)
        assert caught.value.field == "time"
    for levels in (0, 49):
        with pytest.raises(OutOfRange) as caught:
            tiny.depth_at(START, levels)
        assert caught.value.field == "levels"
    with pytest.raises(UnknownName):
        RecordedPrices({7: tiny}).index_fixed(8, START)


def test_prices_by_market(tiny: RecordedMarket) -> None:
    assert RecordedPrices({7: tiny}).index_fixed(7, at(300)) == 2002 * 100 * FIXED_ONE // 2


def test_a_recording_whose_mirror_image_would_reach_zero_is_refused(tmp_path: Path) -> None:
    lines = [quote(-10, "100.0", "100.1"), snapshot(), trade(5, "160.0", "1.000", False), quote(10, "50.0", "50.1")]
    lines.append(difference(30, 100, 102, 99, [], []))
    feed = load_feed(write(tmp_path / "tst.gz", lines), price_decimals=1, size_decimals=3)
    with pytest.raises(CorruptData) as caught:
        RecordedMarket(feed, MARKET, 0)
    assert caught.value.value == 1600
