"""Integer units, and the only place that converts them to and from text.

===============  =====================================================================================
quantum          collateral, 10^-6 of the collateral token; signed 64 bits
lot              synthetic quantum of a market (BTC: 0.001 BTC); position sizes are signed lots
tick             price step of a market's book; book prices are positive integer ticks
fixed price      32.32: collateral quanta per lot times 2^32 (docs/starkex-perpetual.md, 1.3)
fraction         0.32: a margin fraction or rate times 2^32
nanosecond       venue time since the Unix epoch
===============  =====================================================================================

A market's ``tick_value`` is the collateral quanta that one lot costs at a price of one tick, so a fill costs exactly
``ticks * lots * tick_value`` quanta and nothing is rounded.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import ClassVar, NewType

from engine.errors import ProtocolError

AccountId = NewType("AccountId", int)
"""Place of an account in the accounts tree."""
MarketId = NewType("MarketId", int)
"""A market's number in the configuration, which inputs and leaves name."""
MarketIndex = NewType("MarketIndex", int)
"""A market's place among the venue's markets, ascending by id."""
OrderId = NewType("OrderId", int)
"""Given by the venue in order of acceptance, over all markets."""
Ticks = NewType("Ticks", int)
"""A price in price steps of its market's book, as an order names it."""
Lots = NewType("Lots", int)
"""A size in synthetic quanta of its market, as an order names it."""
Quanta = NewType("Quanta", int)
"""Collateral, as a deposit or withdrawal names it."""
Nanoseconds = NewType("Nanoseconds", int)
"""Venue time since the Unix epoch, as a clock step names it."""

FIXED_ONE = 1 << 32
COLLATERAL_DECIMALS = 6
QUANTUM = 10**COLLATERAL_DECIMALS
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
PPM = 1_000_000


class BadNumber(ProtocolError):
    """Text that is not a number, or has more decimals than the unit has."""

    code: ClassVar[str] = "bad_number"


def parse_decimal(text: str, decimals: int, *, field: str) -> int:
    """Exact integer ``text * 10**decimals``.

    Accepts digits, one point, a sign, ``_``/``,``/space as group separators and the suffixes k, m.
    Raises :class:`BadNumber` naming ``field`` when the text is not a finite number or is finer than the unit.
    """
    cleaned = text.strip().lower().replace("_", "").replace(",", "").replace(" ", "")
    factor = 1
    if cleaned.endswith(("k", "m")):
        factor = 1_000 if cleaned[-1] == "k" else 1_000_000
        cleaned = cleaned[:-1]
    if len(cleaned) > 40:
        raise BadNumber(f"{field} is too long a number", field=field, value=text[:40], limit="40 characters")
    try:
        number = Decimal(cleaned)
    except InvalidOperation:
        raise BadNumber(f"{field} {text!r} is not a number", field=field, value=text, limit="a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise BadNumber(f"{field} {text!r} is not a finite number", field=field, value=text, limit="finite")
    scaled = number * factor * (10**decimals)
    if scaled != scaled.to_integral_value():
        limit = f"{decimals} decimal{'s' if decimals != 1 else ''}"
        raise BadNumber(f"{field} {text!r} has more than {limit}", field=field, value=text, limit=limit)
    return int(scaled)


def format_decimal(value: int, decimals: int, *, grouped: bool = True, sign: bool = False) -> str:
    """``value / 10**decimals`` with all its decimals, thousands grouped, exactly."""
    whole, part = divmod(abs(value), 10**decimals)
    head = "-" if value < 0 else ("+" if sign and value > 0 else "")
    body = f"{whole:,}" if grouped else str(whole)
    return f"{head}{body}.{part:0{decimals}d}" if decimals else f"{head}{body}"


def format_quanta(value: int, *, decimals: int = 2, sign: bool = False) -> str:
    """Collateral for people: rounded half away from zero to ``decimals``; exact figures use ``format_decimal``."""
    drop = 10 ** (COLLATERAL_DECIMALS - decimals)
    rounded = (abs(value) + drop // 2) // drop
    return format_decimal(-rounded if value < 0 else rounded, decimals, sign=sign)
