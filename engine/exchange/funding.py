"""Funding: premium samples, the hourly rate, the index, and its settlement on accounts.

All rates are 0.32, prices and indices 32.32. Longs pay when the index rises. Formula source: dYdX v3, as digested in
docs/starkex-perpetual.md, sections 1.4 and 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import OutOfRange
from engine.exchange.state import AccountState, MarketTerms
from engine.units import FIXED_ONE, MarketId

INDEX_MIN, INDEX_MAX = -(1 << 63), (1 << 63) - 1


def truncated(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded toward zero (``denominator`` > 0), so that no side is favoured."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def premium_sample(impact_bid: int | None, impact_ask: int | None, index: int) -> int:
    """(max(0, impact bid - index) - max(0, index - impact ask)) / index as 0.32, rounded toward zero.

    An impact price is None when the book cannot fill the impact notional on that side; it then contributes 0.
    """
    above = max(0, impact_bid - index) if impact_bid is not None else 0
    below = max(0, index - impact_ask) if impact_ask is not None else 0
    return truncated((above - below) * FIXED_ONE, index)


def impact_lots(impact_notional: int, index: int) -> int:
    """Lots worth the impact notional (quanta) at the index price, rounded up, at least 1."""
    return max(1, -(-impact_notional * FIXED_ONE // index))


def funding_rate(premium_sum: int, samples: int, interest: int, cap: int) -> int:
    """mean(premium) / 8 + interest, 0.32 rounded toward zero, within [-cap, cap]. No samples count as premium 0."""
    rate = (truncated(premium_sum, samples * 8) if samples else 0) + interest
    return max(-cap, min(cap, rate))


def index_step(rate: int, index_price: int) -> int:
    """What one interval adds to the funding index: rate * price, 32.32, rounded toward zero."""
    return truncated(rate * index_price, FIXED_ONE)


def advanced_index(index: int, delta: int) -> int:
    """The index after a step; :class:`OutOfRange` outside [-2^63, 2^63)."""
    value = index + delta
    if not INDEX_MIN <= value <= INDEX_MAX:
        raise OutOfRange("funding_index", value, INDEX_MIN, INDEX_MAX)
    return value


def settle(
    account: AccountState, funding_account: AccountState, terms: Sequence[MarketTerms]
) -> list[tuple[MarketId, int]]:
    """Bring all of an account's positions to the current funding indices.

    collateral' = floor((collateral * 2^32 - sum(delta * size)) / 2^32); what the account loses or gains, the rounding
    dust included, goes to the funding account, so the sum of collateral does not change. Returns (market id, quanta)
    per settled market, negative = paid by the account; the parts add up to the exact change of collateral (each is the
    difference of running floors).
    """
    paid: list[tuple[MarketId, int]] = []
    fine = running = 0
    for position, term in zip(account.positions, terms, strict=True):
        delta = term.funding_index - position.funding_index
        if delta and position.size:
            fine -= delta * position.size
            amount = (fine >> 32) - running
            running += amount
            position.funding_paid += amount
            paid.append((term.market_id, amount))
        position.funding_index = term.funding_index
    if running:
        account.collateral += running
        funding_account.collateral -= running
    return paid


def is_behind(account: AccountState, terms: Sequence[MarketTerms]) -> bool:
    """Whether a position of the account was settled at another index than the current one."""
    return any(
        position.size and position.funding_index != term.funding_index
        for position, term in zip(account.positions, terms, strict=True)
    )


def accrued(account: AccountState, terms: Sequence[MarketTerms]) -> int:
    """Quanta that :func:`settle` would add to the account now."""
    fine = sum(
        (position.funding_index - term.funding_index) * position.size
        for position, term in zip(account.positions, terms, strict=True)
    )
    return fine >> 32
