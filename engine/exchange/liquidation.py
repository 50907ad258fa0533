"""Liquidation: which account, which market, how many lots, what fee. The sequencer matches them against the book.

Policy (the venue's; a proof does not cover it yet): the market with the largest maintenance requirement is sold first;
only as many lots as bring the account back to initial margin at the mark, after the liquidation fee, all of it when
that is not enough. The fee goes to the insurance account and never takes an account below a total value of zero. What
a closed account owes is paid by the insurance account. Auto-deleveraging is not built: when the insurance account
cannot pay or the book is too thin, the liquidation waits for the next step and is recorded as deferred.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.exchange.margin import Margin
from engine.exchange.state import AccountState, MarketTerms
from engine.exchange.trade import fee_of
from engine.units import FIXED_ONE, PPM


def markets_by_risk(account: AccountState, terms: Sequence[MarketTerms]) -> list[int]:
    """Market indices with a position, the largest maintenance requirement first, then the lowest id."""
    held = [
        (-abs(stake.size) * term.mark * term.maintenance, index)
        for index, (stake, term) in enumerate(zip(account.stakes, terms, strict=True))
        if stake.size
    ]
    return [index for _, index in sorted(held)]


def lots_to_close(margin: Margin, size: int, terms: MarketTerms, fee_ppm: int) -> int:
    """Fewest lots of this position that restore initial margin when sold at the mark; at most all of it.

    Closing q lots lowers the requirement by q * mark * initial and the value by q * mark * fee, so
    q = (initial - value) / (mark * (initial fraction - fee)), rounded up.
    """
    if margin.total_value <= 0:
        return abs(size)
    missing = margin.initial - (margin.total_value << 32)
    gained = terms.mark * (terms.initial - fee_ppm * FIXED_ONE // PPM)
    if missing <= 0:
        return 0
    if gained <= 0:
        return abs(size)
    return min(abs(size), -(-missing // gained))


def price_bound(terms: MarketTerms, buy: bool) -> int:
    """Worst price in ticks a liquidation takes: the initial fraction away from the mark, rounded towards the mark.

    Beyond it the book counts as too thin, so that a far-off order cannot empty the insurance account.
    """
    unit = terms.tick_value * FIXED_ONE * FIXED_ONE
    if buy:
        return max(1, terms.mark * (FIXED_ONE + terms.initial) // unit)
    return max(1, -(-terms.mark * (FIXED_ONE - terms.initial) // unit))


def liquidation_fee(notional: int, total_value_after: int, fee_ppm: int) -> int:
    """Quanta for the insurance account: the fee rounded up, at most what keeps total value (.32) at zero or more."""
    return max(0, min(fee_of(notional, fee_ppm), total_value_after >> 32))
