"""Integers to words: the window's one place that turns units into text for panels.

Everything is exact where the unit has a fixed number of decimals (prices, sizes) and rounded half away from zero where
people read it (money to cents, percentages). Times are venue nanoseconds unless the name says seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from engine.exchange.config import MarketConfig
from engine.units import FIXED_ONE, PPM, SECOND, format_decimal, format_quanta

# A tone is the name of a text token of the theme.
Tone = Literal[
    "text_strong", "text", "text_weak", "accent", "bid", "ask", "gain", "loss", "warn", "danger", "proved", "pending"
]

NOTHING = "–"  # shown where there is no value; never an empty cell
ARROW = "→"
PAD = "\N{NO-BREAK SPACE}"  # one digit wide in the family for numbers


def rounded_ratio(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded half away from zero; ``denominator`` > 0."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude


def ticks_of_fixed(market: MarketConfig, fixed: int) -> int:
    """Nearest tick of a 32.32 price (collateral quanta per lot times 2^32)."""
    return rounded_ratio(fixed, market.tick_value * FIXED_ONE)


def price_text(market: MarketConfig, ticks: int | None) -> str:
    """A book price with all its tick decimals, thousands grouped."""
    return NOTHING if ticks is None else format_decimal(ticks, market.price_decimals)


def fixed_price_text(market: MarketConfig, fixed: int | None) -> str:
    """A 32.32 price at the market's tick decimals; nothing when it is 0 or unknown."""
    return price_text(market, ticks_of_fixed(market, fixed)) if fixed else NOTHING


def aligned_price_text(market: MarketConfig, ticks: int | None, decimals: int) -> str:
    """A book price padded to ``decimals``, so that markets of different ticks align on the decimal point."""
    return price_text(market, ticks) + PAD * max(0, decimals - market.price_decimals)


def size_text(market: MarketConfig, lots: int, *, sign: bool = False, unit: bool = True) -> str:
    """Lots in the base asset with all their decimals."""
    text = format_decimal(lots, market.size_decimals, sign=sign)
    return f"{text} {market.base}" if unit else text


def money_text(quanta: int | None, *, sign: bool = False, decimals: int = 2) -> str:
    """Collateral rounded to cents."""
    return NOTHING if quanta is None else format_quanta(quanta, sign=sign, decimals=decimals)


def exact_money_text(quanta: int) -> str:
    """Collateral to the last quantum, trailing zeros past the cents removed."""
    text = format_decimal(quanta, 6)
    head, _, tail = text.partition(".")
    return f"{head}.{tail.rstrip('0').ljust(2, '0')}"


def leverage_text(ppm: int | None) -> str:
    """Leverage with two decimals: ``2.31x``; nothing above 10,000x, where there is next to no equity."""
    return NOTHING if ppm is None or ppm > 10_000 * PPM else f"{format_decimal(rounded_ratio(ppm, PPM // 100), 2)}x"


def percent_text(ppm: int | None, *, decimals: int = 1, sign: bool = False) -> str:
    """Millionths as a percentage."""
    if ppm is None:
        return NOTHING
    return f"{format_decimal(rounded_ratio(ppm, 10 ** (4 - decimals)), decimals, sign=sign)} %"


def share_text(share: float) -> str:
    """A share of 0 to 1 as whole per cent: ``58 %``."""
    return f"{100 * share:.0f} %"


def fraction_ppm(fraction: int) -> int:
    """A 0.32 fraction in millionths, rounded half away from zero."""
    return rounded_ratio(fraction * PPM, FIXED_ONE)


def notional_quanta(market: MarketConfig, ticks: int, lots: int) -> int:
    """Exact value of ``lots`` at ``ticks``."""
    return ticks * abs(lots) * market.tick_value


def stamp_text(time: int | None) -> str:
    """A venue time as a UTC clock, to the second."""
    if time is None:
        return NOTHING
    seconds = time // SECOND % 86_400  # by hand: a dozen times cheaper than a datetime, and tables ask often
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def long_stamp_text(time: int) -> str:
    """A venue time as UTC date and clock, to the millisecond."""
    return f"{_day_text(time // SECOND // 86_400)} {stamp_text(time)}.{time % SECOND // 1_000_000:03d} UTC"


@lru_cache(maxsize=64)
def _day_text(day: int) -> str:
    """ISO date of a day counted from 1970."""
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


def seconds_text(seconds: float) -> str:
    """A duration in the largest two units that matter."""
    if seconds < 0.0005:
        return "0 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def range_text(low: float, high: float) -> str:
    """A range of durations in the larger end's unit, short: ``0.4–1.2 s``; ``≈ 11 s`` when both ends read alike."""
    unit, seconds, decimals = "s", 1, 0 if high >= 9.95 else 1
    if high >= 3600:
        unit, seconds, decimals = "h", 3600, 1
    elif high >= 60:
        unit, seconds = "min", 60
    first, last = (f"{value / seconds:.{decimals}f}" for value in (low, high))
    return f"≈ {last} {unit}" if first == last else f"{first}–{last} {unit}"


def bytes_text(count: int) -> str:
    """A size in bytes, kB or MB (powers of ten)."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.2f} MB"


def count_text(value: int) -> str:
    """A grouped whole number."""
    return f"{value:,}"


def gas_text(gas: int) -> str:
    """Gas in thousands, or in millions from one on."""
    if not gas:
        return NOTHING
    return f"{gas / 1e6:.1f}M gas" if gas >= 999_500 else f"{gas / 1000:.0f}k gas"


def short_hex(text: str, head: int = 6, tail: int = 4) -> str:
    """A hash shortened in the middle; short text is left as it is."""
    body = text.removeprefix("0x")
    if not body:
        return NOTHING
    return f"0x{body}" if len(body) <= head + tail + 1 else f"0x{body[:head]}…{body[-tail:]}"


def micros_text(microseconds: float) -> str:
    """A latency given in microseconds."""
    return f"{microseconds:.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"


def distance_ppm(market: MarketConfig, mark_fixed: int, liquidation_ticks: int) -> int:
    """How far the mark may move before liquidation, in millionths of the mark; 0 when it is reached."""
    level = liquidation_ticks * market.tick_value * FIXED_ONE
    return rounded_ratio(abs(mark_fixed - level) * PPM, mark_fixed) if mark_fixed > 0 else 0


def health_words(market: MarketConfig, mark_fixed: int, liquidation_ticks: int | None) -> str:
    """``4.2 % to liquidation at 58,310.0``; said plainly when no price liquidates the account."""
    if liquidation_ticks is None:
        return "no liquidation price"
    distance = percent_text(distance_ppm(market, mark_fixed, liquidation_ticks))
    return f"{distance} to liquidation at {price_text(market, liquidation_ticks)}"


def health_tone(distance: int | None) -> Tone:
    """Tiers of the liquidation warning: under 5 % danger, under 10 % warn."""
    if distance is None:
        return "text"
    if distance < PPM // 20:
        return "danger"
    return "warn" if distance < PPM // 10 else "text"


def change_tone(value: int) -> Tone:
    """Gain, loss, or neither."""
    return "gain" if value > 0 else "loss" if value < 0 else "text"


def side_tone(side: str) -> Tone:
    """Bid for a buy, ask for a sell."""
    return "bid" if side == "buy" else "ask"


def plural(count: int, word: str) -> str:
    """``1 order``, ``2 orders``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
