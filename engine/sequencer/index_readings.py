"""Which index readings are believed, and when a market is halted because index or book cannot be used.

A reading that differs from the index by more than a bound waits for a second one, read later, that agrees with it; one
that agrees with the index again ends the wait. Meanwhile index and mark stay as they were. The bound grows with the
venue time since the last good reading, up to a limit that no time lifts.
"""

from __future__ import annotations

from engine.book.book import OrderBook
from engine.exchange.config import MarketConfig
from engine.exchange.guards import HaltReason, MarketGuard, price_band
from engine.exchange.margin import PRICE_LIMIT
from engine.sequencer.prices import MarketPrices, impact_middle, update_mark
from engine.units import FIXED_ONE, SECOND


def largest_jump(market: MarketConfig, elapsed: int) -> int:
    """How far two readings so many ns apart may differ, as a fraction (0.32) of the first."""
    return min(market.index_jump_most, market.index_jump + market.index_jump_per_second * elapsed // SECOND)


def agrees(market: MarketConfig, reading: int, before: int, elapsed: int) -> bool:
    """Whether a reading may follow one that was made ``elapsed`` ns ago."""
    return abs(reading - before) * FIXED_ONE <= largest_jump(market, elapsed) * before


def take_reading(
    prices: MarketPrices, market: MarketConfig, book: OrderBook, reading: int | None, time: int, elapsed: int
) -> None:
    """Enter a step's index reading (None: there is none), move mark and breaker. ``elapsed`` ns since the last step."""
    usable = _believed(prices, market, reading, time)
    if usable:
        middle = impact_middle(prices, book)
        off = update_mark(prices, prices.index_fixed, middle, elapsed, market.mark_bound)
        _judge_book(prices, market, time, off, middle is not None)
    prices.halted = _halt_reason(prices, market, time)


def _believed(prices: MarketPrices, market: MarketConfig, reading: int | None, time: int) -> bool:
    """Move the index, or note why not; whether the index can be used."""
    if reading is None:
        return _index_usable(prices, market, time)
    prices.index_invalid = not 1 <= reading < PRICE_LIMIT
    if prices.index_invalid:
        return False
    confirmed = (
        prices.unconfirmed_fixed != 0
        and prices.unconfirmed_time < time
        and agrees(market, reading, prices.unconfirmed_fixed, time - prices.unconfirmed_time)
    )
    if confirmed or agrees(market, reading, prices.index_fixed, time - prices.index_time):
        prices.index_fixed, prices.index_time = reading, time
        prices.unconfirmed_fixed = prices.unconfirmed_time = prices.unconfirmed_since = 0
        return True
    if not prices.unconfirmed_fixed:
        prices.unconfirmed_since = time
    prices.unconfirmed_fixed, prices.unconfirmed_time = reading, time
    return False


def _index_stale(prices: MarketPrices, market: MarketConfig, time: int) -> bool:
    return time - max(prices.index_time, prices.unconfirmed_time) > market.index_patience


def _index_usable(prices: MarketPrices, market: MarketConfig, time: int) -> bool:
    return not (prices.unconfirmed_fixed or prices.index_invalid or _index_stale(prices, market, time))


def _judge_book(prices: MarketPrices, market: MarketConfig, time: int, off: bool, deep: bool) -> None:
    """A book whose middle held the mark at its bound is bad until its middle comes back.

    One that lost its middle meanwhile is bad for ``book_patience`` more: a halted market would not get a middle again.
    """
    if off:
        prices.off_index_since = time if prices.off_index_since is None else prices.off_index_since
        prices.off_index_last = time
    elif deep or time - prices.off_index_last > market.book_patience:
        prices.off_index_since = None


def _halt_reason(prices: MarketPrices, market: MarketConfig, time: int) -> HaltReason:
    if prices.index_invalid:
        return "index_invalid"
    if _index_stale(prices, market, time):
        return "index_stale"
    if prices.unconfirmed_fixed and time - prices.unconfirmed_since > market.index_patience:
        return "index_unconfirmed"
    if prices.off_index_since is not None and time - prices.off_index_since > market.book_patience:
        return "book_off_index"
    return ""


def guard_of(prices: MarketPrices, market: MarketConfig, time: int) -> MarketGuard:
    """The market's guards as of the last clock step, which was at ``time``."""
    low, high = price_band(market, prices.mark_fixed)
    return MarketGuard(
        low=low,
        high=high,
        unconfirmed=prices.unconfirmed_fixed,
        index_usable=_index_usable(prices, market, time),
        halted=prices.halted,
    )
