"""Index, mark and funding clock of one market. Prices 32.32 quanta per lot, rates 0.32, times in nanoseconds.

mark = median(index, index + smoothed basis, mid). The basis is the exponential average of mid - index with time
constant ``BASIS_TIME``, updated at clock steps from the book as it was before the step. Without two sides the mark is
the index. So one quote alone cannot move the mark away from the index: mid and its average must both have moved.
"""

from __future__ import annotations

import msgspec

from engine.book.book import OrderBook
from engine.exchange import funding
from engine.exchange.config import VenueConfig
from engine.sequencer.inputs import Side
from engine.units import FIXED_ONE, SECOND, MarketId

BASIS_TIME = 30 * SECOND


class MarketPrices(msgspec.Struct, kw_only=True):
    """Everything that prices and funding of a market depend on between two clock steps."""

    market_id: MarketId
    tick_value: int
    impact_notional: int
    index_fixed: int
    mark_fixed: int
    next_sample: int
    next_funding: int
    basis: int = 0
    premium_sum: int = 0
    premium_samples: int = 0
    funding_index: int = 0
    last_rate: int = 0
    last_price: int = 0
    last_side: Side = "buy"
    open_interest: int = 0
    book_changes: int = 0

    def mark_ticks(self) -> float:
        """Mark in ticks, for charts."""
        return self.mark_fixed / (self.tick_value * FIXED_ONE)

    def index_ticks(self) -> float:
        """Index in ticks, for charts."""
        return self.index_fixed / (self.tick_value * FIXED_ONE)


def next_multiple(time: int, interval: int) -> int:
    """First multiple of ``interval`` after ``time``."""
    return (time // interval + 1) * interval


def update_mark(prices: MarketPrices, index: int, best_bid: int | None, best_ask: int | None, elapsed: int) -> None:
    """Take a new index and move basis and mark; divisions round down."""
    prices.index_fixed = index
    if best_bid is None or best_ask is None:
        prices.mark_fixed = index
        return
    mid = (best_bid + best_ask) * prices.tick_value * FIXED_ONE // 2
    prices.basis += (mid - index - prices.basis) * elapsed // (elapsed + BASIS_TIME)
    prices.mark_fixed = max(1, sorted((index, index + prices.basis, mid))[1])


def sample_premium(prices: MarketPrices, book: OrderBook, time: int, interval: int) -> None:
    """Take the minute's premium sample when it is due; a step over several minutes takes one."""
    if time < prices.next_sample:
        return
    lots = funding.impact_lots(prices.impact_notional, prices.index_fixed)
    sold, bought = book.walk("sell", lots), book.walk("buy", lots)
    unit = prices.tick_value * FIXED_ONE
    impact_bid = sold.cost * unit // lots if sold.lots == lots else None
    impact_ask = -(-bought.cost * unit // lots) if bought.lots == lots else None
    prices.premium_sum += funding.premium_sample(impact_bid, impact_ask, prices.index_fixed)
    prices.premium_samples += 1
    prices.next_sample = next_multiple(time, interval)


def predicted_rate(prices: MarketPrices, config: VenueConfig) -> int:
    """The rate that would apply if the interval ended now."""
    return funding.funding_rate(prices.premium_sum, prices.premium_samples, config.funding_interest, config.funding_cap)


def advance_funding(prices: MarketPrices, config: VenueConfig) -> tuple[int, int]:
    """End one funding interval: move the index, start new samples; returns (rate, index delta)."""
    rate = predicted_rate(prices, config)
    delta = funding.index_step(rate, prices.index_fixed)
    prices.funding_index = funding.advanced_index(prices.funding_index, delta)
    prices.last_rate, prices.premium_sum, prices.premium_samples = rate, 0, 0
    prices.next_funding += config.funding_interval
    return rate, delta
