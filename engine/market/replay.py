"""A recorded market played forever as a function of venue time.

The loop starts at the book snapshot (the messages of the first fraction of a second before it are used to rebuild the
book, not played). Every second loop is mirrored in price about the price at which it joins the loop before: with S the
sum of the loop's first and last mid price (in half ticks), a price p becomes S/2 - p, bids become asks and a trade's
taker side turns round. So the path is continuous at the joins, returns to its start after two loops, and stays within
[first + last - highest, highest] and its mirror image. The loop ends at the last quote for which S is even, so that
mirrored ticks are whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.errors import CorruptData, OutOfRange, UnknownName
from engine.exchange.config import MarketConfig
from engine.market.feed import TOP_LEVELS, Feed
from engine.units import FIXED_ONE, MarketId

JOIN_GAP = 1_000_000  # ns after the last quote, when nothing was recorded after it


class Quote(NamedTuple):
    """Best prices in ticks and their lots."""

    bid: int
    bid_lots: int
    ask: int
    ask_lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Trades in time order, int64 each: venue time, price in ticks, lots, taker side (0 buy, 1 sell), number.

    ``number`` is the trade's index in the recording, the same in every loop.
    """

    time: np.ndarray
    price: np.ndarray
    lots: np.ndarray
    side: np.ndarray
    number: np.ndarray


def _loop_end(mids: np.ndarray) -> int:
    """Index of the last quote whose mid (in half ticks) has the parity of the first one."""
    same = np.flatnonzero((mids - mids[0]) % 2 == 0)
    return int(same[-1])


class RecordedMarket:
    """One market's index price, external book and trade flow. ``start``: venue time (ns) of the first loop's start."""

    def __init__(self, feed: Feed, market: MarketConfig, start: int = 0) -> None:
        self.feed, self.market, self.start = feed, market, start
        first = max(0, int(np.searchsorted(feed.quote_time, 0, side="right")) - 1)
        self._quote_time = np.maximum(feed.quote_time[first:], 0)
        self._quote_time[0] = 0
        self._quotes = feed.quotes[first:]
        self._mids = self._quotes[:, 0] + self._quotes[:, 2]
        last = _loop_end(self._mids)
        after = last + 1 < len(self._quote_time)
        self.duration = int(self._quote_time[last + 1]) if after else int(self._quote_time[last]) + JOIN_GAP
        self._mirror = int(self._mids[0] + self._mids[last])
        self._frame_time = np.maximum(feed.frame_time, 0)
        low, high = (int(np.searchsorted(feed.trade_time, t)) for t in (0, self.duration))
        self._trade_time, self._trades = feed.trade_time[low:high], feed.trades[low:high]
        self._trade_first = low
        self._check()

    def _check(self) -> None:
        """Mirrored prices stay positive and there is something to play."""
        prices = [
            int(self._mids.max()) // 2,
            *(int(side[:, :, 0].max()) for side in (self.feed.asks, self.feed.far_asks)),
        ]
        if len(self._trades):
            prices.append(int(self._trades[:, 0].max()))
        if self.duration <= 0 or 2 * max(prices) >= self._mirror:
            raise CorruptData(
                f"{self.feed.symbol}: prices range too far to be mirrored",
                field="price",
                value=max(prices),
                limit=self._mirror // 2,
            )

    def _locate(self, time: int) -> tuple[int, int]:
        """Loop number and time within the loop."""
        if time < self.start:
            raise OutOfRange("time", time, self.start, "any later time")
        return divmod(time - self.start, self.duration)

    def _quote_index(self, offset: int) -> int:
        return int(np.searchsorted(self._quote_time, offset, side="right")) - 1

    def mid_at(self, time: int) -> int:
        """Bid plus ask of the external book, in ticks (twice the mid price)."""
        loop, offset = self._locate(time)
        mid = int(self._mids[self._quote_index(offset)])
        return self._mirror - mid if loop % 2 else mid

    def index_at(self, time: int) -> int:
        """Index price: mid of the external best quotes, 32.32 quanta per lot, exact (half ticks)."""
        return self.mid_at(time) * self.market.tick_value * (FIXED_ONE // 2)

    def quote_at(self, time: int) -> Quote:
        """Best external bid and ask."""
        loop, offset = self._locate(time)
        bid, bid_lots, ask, ask_lots = self._quotes[self._quote_index(offset)].tolist()
        if loop % 2:
            half = self._mirror // 2
            return Quote(bid=half - ask, bid_lots=ask_lots, ask=half - bid, ask_lots=bid_lots)
        return Quote(bid=bid, bid_lots=bid_lots, ask=ask, ask_lots=ask_lots)

    def depth_at(self, time: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
        """The external book's best ``levels`` (1 .. 48) bids and asks: int64 (n, 2) price, lots.

        The rebuilt book of the last update, cut and led by the newer best quotes.
        """
        if not 1 <= levels <= TOP_LEVELS:
            raise OutOfRange("levels", levels, 1, TOP_LEVELS)
        loop, offset = self._locate(time)
        frame = self._frame_index(offset)
        bid, bid_lots, ask, ask_lots = self._quotes[self._quote_index(offset)].tolist()
        bids, asks = self.feed.bids[frame], self.feed.asks[frame]
        bids = _led(bids[(bids[:, 0] < bid) & (bids[:, 0] > 0)], bid, bid_lots, levels)
        asks = _led(asks[asks[:, 0] > ask], ask, ask_lots, levels)
        return (self._mirrored(asks), self._mirrored(bids)) if loop % 2 else (bids, asks)

    def far_depth_at(self, time: int) -> tuple[np.ndarray, np.ndarray]:
        """The external book behind its 48 best levels, summed over price cells: bids and asks, int64 (n, 2)."""
        loop, offset = self._locate(time)
        frame = self._frame_index(offset)
        bids, asks = (far[frame][far[frame, :, 1] > 0] for far in (self.feed.far_bids, self.feed.far_asks))
        return (self._mirrored(asks), self._mirrored(bids)) if loop % 2 else (bids, asks)

    def _frame_index(self, offset: int) -> int:
        return max(0, int(np.searchsorted(self._frame_time, offset, side="right")) - 1)

    def _mirrored(self, levels: np.ndarray) -> np.ndarray:
        """Price levels turned to the other side."""
        return np.stack([self._mirror // 2 - levels[:, 0], levels[:, 1]], axis=1)

    def trades_between(self, after: int, until: int) -> Trades:
        """Trades in (after, until], over any number of loops."""
        if until <= after:
            nothing = np.zeros(0, np.int64)
            return Trades(time=nothing, price=nothing, lots=nothing, side=nothing, number=nothing)
        first_loop, begin = self._locate(max(after + 1, self.start))
        last_loop, end = self._locate(until)
        parts = []
        for loop in range(first_loop, last_loop + 1):
            low = int(np.searchsorted(self._trade_time, begin)) if loop == first_loop else 0
            high = int(np.searchsorted(self._trade_time, end, side="right")) if loop == last_loop else None
            rows, times = self._trades[low:high], self._trade_time[low:high]
            price, side = rows[:, 0], rows[:, 2]
            if loop % 2:
                price, side = self._mirror // 2 - price, 1 - side
            number = np.arange(low, low + len(rows), dtype=np.int64) + self._trade_first
            parts.append((times + (self.start + loop * self.duration), price, rows[:, 1], side, number))
        time, price, lots, side, number = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return Trades(time=time, price=price, lots=lots, side=side, number=number)


def _led(levels: np.ndarray, price: int, lots: int, count: int) -> np.ndarray:
    """Levels behind the best quote with the quote in front (left out when it has no lots), ``count`` at most."""
    if lots > 0:
        levels = np.concatenate([np.array([[price, lots]], np.int64), levels])
    return levels[:count]


class RecordedPrices:
    """Index prices of several recorded markets by venue time (the venue's ``PriceSource``)."""

    def __init__(self, markets: dict[MarketId, RecordedMarket]) -> None:
        self.markets = markets

    def index_fixed(self, market_id: MarketId, time: int) -> int:
        """Index price, 32.32 quanta per lot; :class:`UnknownName` for a market without a recording."""
        market = self.markets.get(market_id)
        if market is None:
            raise UnknownName("market", str(market_id), [str(known) for known in self.markets])
        return market.index_at(time)
