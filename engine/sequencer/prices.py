"""Index, mark and funding clock of one market. Prices 32.32 quanta per lot, rates 0.32, times in nanoseconds.

mark = median(index, index + smoothed basis, middle), at most ``mark_bound`` from the index. The middle is that of the
impact prices: what it costs, on average, to fill the impact notional on each side. The basis is the exponential average
of middle - index with time constant ``BASIS_TIME``. Both are taken at clock steps from the book as it was before the
step. Without the impact notional on both sides the mark is the index. So one quote alone cannot move the mark away from
the index: middle and average must both have moved, and however they move the mark stays within its bound.
"""

from __future__ import annotations

import msgspec

from engine.book.book import OrderBook
from engine.exchange import funding
from engine.exchange.config import VenueConfig
from engine.exchange.guards import HaltReason
from engine.sequencer.inputs import Side
from engine.units import FIXED_ONE, SECOND, MarketId

BASIS_TIME = 30 * SECOND


class MarketPrices(msgspec.Struct, kw_only=True):
    """Everything that prices and funding of a market depend on between two clock steps.

    ``index_fixed`` was read at ``index_time``. ``unconfirmed_*``: a reading that waits for another (0 for none), when
    it was read, and since when there has been one. ``index_invalid``: the last reading was no price. ``off_index_*``:
    since when, and when last, the mark was held at its bound; None while the book is good.
    """

    market_id: MarketId
    tick_value: int
    impact_notional: int
    index_fixed: int
    index_time: int
    mark_fixed: int
    next_sample: int
    next_funding: int
    unconfirmed_fixed: int = 0
    unconfirmed_time: int = 0
    unconfirmed_since: int = 0
    index_invalid: bool = False
    off_index_since: int | None = None
    off_index_last: int = 0
    halted: HaltReason = ""
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


def impact_prices(prices: MarketPrices, book: OrderBook) -> tuple[int | None, int | None]:
    """Average price of selling and of buying the impact notional, 32.32, rounded outwards; None where it is not there.

    The lots are those that the impact notional buys at the index.
    """
    lots = funding.impact_lots(prices.impact_notional, prices.index_fixed)
    sold, bought = book.walk("sell", lots), book.walk("buy", lots)
    unit = prices.tick_value * FIXED_ONE
    bid = sold.cost * unit // lots if sold.lots == lots else None
    ask = -(-bought.cost * unit // lots) if bought.lots == lots else None
    return bid, ask


def impact_middle(prices: MarketPrices, book: OrderBook) -> int | None:
    """Middle of the impact prices, rounded down; None unless both sides hold the impact notional."""
    bid, ask = impact_prices(prices, book)
    return None if bid is None or ask is None else (bid + ask) // 2


def most_apart(index: int, bound: int) -> int:
    """How far the mark may be from this index, rounded down; ``bound`` 0.32."""
    return index * bound // FIXED_ONE


def update_mark(prices: MarketPrices, index: int, middle: int | None, elapsed: int, bound: int) -> bool:
    """Take a new index and move basis and mark; divisions round down. Whether the mark is held at its bound."""
    prices.index_fixed = index
    if middle is None:
        prices.mark_fixed = index
        return False
    prices.basis += (middle - index - prices.basis) * elapsed // (elapsed + BASIS_TIME)
    fair, most = sorted((index, index + prices.basis, middle))[1], most_apart(index, bound)
    prices.mark_fixed = max(1, index - most, min(index + most, fair))
    return abs(fair - index) > most


def sample_premium(prices: MarketPrices, book: OrderBook, time: int, interval: int) -> None:
    """Take the minute's premium sample when it is due; a step over several minutes takes one."""
    if time < prices.next_sample:
        return
    impact_bid, impact_ask = impact_prices(prices, book)
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
