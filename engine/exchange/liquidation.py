"""Liquidation: which market, how many lots, at which prices, for what fee. The sequencer matches them against the book.

Policy (the venue's; a proof does not cover it yet). ``docs/liquidation.md`` tells the whole order of losses:

- The market with the largest maintenance requirement is closed first.
- While total value (TV) is above zero, only as many lots as bring the account back to initial margin at the mark, after
  the fee, and never beyond the *bankruptcy price* or the *fillable price*, whichever is nearer to the mark. Both are
  dYdX v4's (its documentation on liquidations and its ``x/clob`` module):

      loss allowed per lot  L   = TV * mark * maintenance fraction / MR         (MR: the whole maintenance requirement)
      bankruptcy rating     ABR = clamp(adjustment * (1 - TV / MR), 0, 1)
      fillable distance         = ABR * spread * maintenance fraction * mark

  A long's bankruptcy price is mark - L, a short's mark + L. Closing any part at it leaves TV / MR as it is.
- With no value left, the book takes lots only while the insurance account covers what they lose beyond the bankruptcy
  price; the rest is deleveraged (:mod:`engine.exchange.deleveraging`).
- The fee comes out of what the account has above maintenance after the sale, above zero when nothing is left open.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from engine.exchange.margin import Margin
from engine.exchange.state import AccountState, MarketTerms
from engine.exchange.trade import fee_of
from engine.units import FIXED_ONE, PPM, MarketIndex


class FillableSpread(NamedTuple):
    """Millionths: how fast the fillable price leaves the mark as value falls, and how far it goes.

    ``distance`` is in maintenance fractions of the mark, reached when the rating is 1.
    """

    adjustment_ppm: int
    distance_ppm: int


def markets_by_risk(account: AccountState, terms: Sequence[MarketTerms]) -> list[MarketIndex]:
    """Market indices with a position, the largest maintenance requirement first, then the lowest id."""
    held = [
        (-abs(position.size) * term.mark * term.maintenance, MarketIndex(index))
        for index, (position, term) in enumerate(zip(account.positions, terms, strict=True))
        if position.size
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
    """Worst price in ticks that an insured sale takes: the initial fraction away from the mark, rounded towards it.

    Beyond it the book counts as too thin, so that a far-off order cannot empty the insurance account.
    """
    unit = terms.tick_value * FIXED_ONE * FIXED_ONE
    if buy:
        return max(1, terms.mark * (FIXED_ONE + terms.initial) // unit)
    return max(1, -(-terms.mark * (FIXED_ONE - terms.initial) // unit))


def allowed_loss(margin: Margin, terms: MarketTerms) -> Fraction:
    """L of the module's text, .32 quanta per lot, exact; negative when total value is. Needs a position somewhere."""
    return Fraction(margin.total_value * terms.mark * terms.maintenance, margin.maintenance)


def bankruptcy_price(margin: Margin, size: int, terms: MarketTerms) -> Fraction:
    """Price at which closing ``size`` signed lots, or a part of them, keeps TV / MR; .32 quanta per lot, exact.

    Beyond the mark for an account with less than nothing: a long's is then above it, a short's below it, and below zero
    when the account owes more than its positions are worth.
    """
    loss = allowed_loss(margin, terms)
    return terms.mark - loss if size > 0 else terms.mark + loss


def bankruptcy_notional(price: Fraction, size: int, lots: int) -> int:
    """Quanta for closing ``lots`` of a position at this price, rounded towards the account that is closed.

    A long is paid it (rounded up), a short pays it (rounded down).
    """
    worth = price * lots / FIXED_ONE
    return -(-worth.numerator // worth.denominator) if size > 0 else worth.numerator // worth.denominator


def fillable_distance(margin: Margin, terms: MarketTerms, spread: FillableSpread) -> Fraction:
    """How far from the mark a liquidation may trade at this value, .32 quanta per lot, exact."""
    missing = margin.maintenance - (margin.total_value << 32)
    rating = min(Fraction(1), max(Fraction(0), Fraction(spread.adjustment_ppm * missing, PPM * margin.maintenance)))
    return rating * Fraction(spread.distance_ppm * terms.maintenance * terms.mark, PPM * FIXED_ONE)


def liquidation_limit(margin: Margin, size: int, terms: MarketTerms, spread: FillableSpread) -> int:
    """Worst price in ticks for an account with value left: the nearer to the mark of bankruptcy and fillable price.

    Rounded towards the account that is closed. Total value must be above zero.
    """
    distance = min(allowed_loss(margin, terms), fillable_distance(margin, terms, spread))
    unit = terms.tick_value * FIXED_ONE
    if size > 0:
        worst = (terms.mark - distance) / unit
        return max(1, -(-worst.numerator // worst.denominator))
    worst = (terms.mark + distance) / unit
    return max(1, worst.numerator // worst.denominator)


def insured_lots(price: Fraction, size: int, offers: Sequence[tuple[int, int]], insurance: int) -> int:
    """Most lots of a position without value that the insurance account can pay the loss of, best offers first.

    ``price``: the bankruptcy price. ``offers``: quanta per lot and lots, each worse than the one before; ``insurance``:
    quanta. The loss of q lots is what they bring less than :func:`bankruptcy_notional` asks for.
    """
    done = proceeds = 0
    for unit, lots in offers:
        # A long loses ceil(q * P) - proceeds <= insurance, so q * P <= insurance + proceeds; a short the other way.
        per_lot = price / FIXED_ONE - unit if size > 0 else unit - price / FIXED_ONE
        signed = proceeds - price * done / FIXED_ONE if size > 0 else price * done / FIXED_ONE - proceeds
        left = insurance + signed
        taken = lots if per_lot <= 0 else min(lots, max(0, left // per_lot))
        done += taken
        proceeds += taken * unit
        if taken < lots:
            break
    return done


def liquidation_fee(notional: int, after: Margin, fee_ppm: int) -> int:
    """Quanta for the insurance account: rounded up, at most what is above maintenance after the sale.

    Without a position maintenance is zero, so a full close pays down to a total value of zero.
    """
    return max(0, min(fee_of(notional, fee_ppm), ((after.total_value << 32) - after.maintenance) >> 64))
