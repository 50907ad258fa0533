"""What protects accounts from a price that nobody should pay: bands, halts, and values under an unconfirmed index.

docs/prices.md has the formulas, the parameters and where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from engine.exchange.config import MarketConfig
from engine.exchange.margin import max_price_ticks, order_reserve
from engine.exchange.state import MarketTerms, PositionState
from engine.units import FIXED_ONE

HaltReason = Literal["", "index_invalid", "index_stale", "index_unconfirmed", "book_off_index"]


class MarketGuard(NamedTuple):
    """One market's guards between two clock steps.

    ``low``, ``high``: the band in ticks; a sell may not go below, a buy not above it. ``unconfirmed``: an index reading
    that waits for a second one, 32.32, 0 for none. ``index_usable``: whether anybody may be liquidated at this index.
    ``halted``: why only reducing orders are taken, "" when all are.
    """

    low: int
    high: int
    unconfirmed: int = 0
    index_usable: bool = True
    halted: HaltReason = ""

    def worst_price(self, buy: bool) -> int:
        """The worst price in ticks that an order of this side may pay."""
        return self.high if buy else self.low

    def harms(self, buy: bool, price: int) -> bool:
        """Whether somebody who buys (or sells) at this price pays (or gets) what lies outside the band."""
        return price > self.high if buy else price < self.low


def price_band(market: MarketConfig, mark: int) -> tuple[int, int]:
    """Lowest and highest price in ticks within ``price_band`` of the mark (32.32), rounded towards the mark."""
    unit = market.tick_value * FIXED_ONE * FIXED_ONE
    low = -(-mark * (FIXED_ONE - market.price_band) // unit)
    high = mark * (FIXED_ONE + market.price_band) // unit
    return max(1, low), min(max(1, high), max_price_ticks(market.tick_value))


def _worth(position: PositionState, term: MarketTerms, maker_fee_ppm: int | None) -> int:
    """What one market adds to free collateral (.64); without the reserve of its orders when no fee is given."""
    worth = position.size * term.mark
    reserve = 0 if maker_fee_ppm is None else order_reserve(position, term, maker_fee_ppm)
    return (worth << 32) - abs(worth) * term.initial - reserve


def cautious_terms(
    positions: Sequence[PositionState],
    terms: Sequence[MarketTerms],
    guards: Sequence[MarketGuard],
    maker_fee_ppm: int | None,
) -> Sequence[MarketTerms]:
    """The terms at which these positions are worth least: in each market the mark, or its unconfirmed index reading.

    Free collateral is a sum over markets, so the worse of the two in each gives the worst of all. ``maker_fee_ppm``
    None: of positions alone, as :attr:`engine.exchange.margin.Margin.covers_positions` asks for.
    """
    for guard in guards:
        if guard.unconfirmed:
            break
    else:
        return terms
    chosen = []
    for position, term, guard in zip(positions, terms, guards, strict=True):
        doubted = term._replace(mark=guard.unconfirmed or term.mark)
        worse = _worth(position, doubted, maker_fee_ppm) < _worth(position, term, maker_fee_ppm)
        chosen.append(doubted if worse else term)
    return chosen
