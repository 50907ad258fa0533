"""Margin: what an account is worth, what it must hold, and when it is liquidated. Exact integers, nothing rounded.

Formats and rules of StarkEx Perpetual (docs/starkex-perpetual.md, sections 1.3 and 3):

- total value   TV = collateral * 2^32 + sum(size * mark)                  .32, in [-2^63, 2^63) * 2^32
- maintenance   MR = sum(|size| * mark * maintenance fraction)             .64, in [0, 2^64) * 2^64
- healthy when MR <= TV * 2^32 (equality is healthy), liquidatable when MR > TV * 2^32

Initial margin is the venue's rule on top: the same sum with the initial fraction, plus a reserve for resting orders.
The reserve of a market is simple and conservative: exposure is the worst that any subset of the orders could lead to,
max(|size + buys|, |size - sells|); a side that rests, on average, at worse prices than the mark reserves that loss; and
every resting lot reserves the maker fee, rounded up per market. Reduce-only orders open nothing and reserve nothing
(:mod:`engine.sequencer.reduce_only`). What this leaves open (orders of one side on both sides of the mark, a mark that
moves, a position that shrinks beside larger orders) the maker's check at fill time catches.

The sequencer, the ticket's preview, the liquidation scan and the window all call :func:`measure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from engine.errors import OutOfRange
from engine.exchange.state import MarketTerms, PositionState
from engine.units import FIXED_ONE, PPM

TOTAL_VALUE_LIMIT = 1 << 95  # 2^63 quanta with 32 fractional bits
TOTAL_RISK_LIMIT = 1 << 128  # 2^64 quanta with 64 fractional bits
PRICE_LIMIT = 1 << 64
LEVERAGE_SATURATED = 10**12


class Margin(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What :func:`measure` found. ``total_value``, ``notional`` .32; ``initial``, ``maintenance``, ``reserved`` .64."""

    total_value: int
    notional: int
    initial: int
    maintenance: int
    reserved: int

    @property
    def equity(self) -> int:
        """Total value in quanta, rounded down."""
        return self.total_value >> 32

    @property
    def initial_margin(self) -> int:
        """Initial requirement of the positions in quanta, rounded up."""
        return -(-self.initial >> 64)

    @property
    def maintenance_margin(self) -> int:
        """Maintenance requirement in quanta, rounded up."""
        return -(-self.maintenance >> 64)

    @property
    def reserved_margin(self) -> int:
        """Reserve of the resting orders in quanta, rounded up."""
        return -(-self.reserved >> 64)

    @property
    def free_collateral(self) -> int:
        """Quanta above initial margin and reserve, rounded down; negative when short of them."""
        return ((self.total_value << 32) - self.initial - self.reserved) >> 64

    @property
    def missing_initial(self) -> int:
        """Quanta short of the positions' initial margin, rounded up; negative above it."""
        return -(((self.total_value << 32) - self.initial) >> 64)

    @property
    def liquidatable(self) -> bool:
        """Below maintenance margin; equality is healthy."""
        return self.maintenance > self.total_value << 32

    @property
    def covers_positions(self) -> bool:
        """At or above the initial margin of the positions."""
        return self.initial <= self.total_value << 32

    @property
    def covers_orders(self) -> bool:
        """At or above initial margin and the reserve of resting orders."""
        return self.initial + self.reserved <= self.total_value << 32

    @property
    def health_ppm(self) -> int | None:
        """(equity - maintenance) / equity in millionths, rounded down; None without positions.

        At least -1,000,000, which also stands for an equity of zero or less.
        """
        if not self.notional:
            return None
        if self.total_value <= 0:
            return -PPM
        value = self.total_value << 32
        return max(-PPM, (value - self.maintenance) * PPM // value)

    @property
    def leverage_ppm(self) -> int:
        """Notional / equity in millionths, rounded up; 10^12 when equity is zero or less, or nearly so."""
        if not self.notional:
            return 0
        if self.total_value <= 0:
            return LEVERAGE_SATURATED
        return min(LEVERAGE_SATURATED, -(-self.notional * PPM // self.total_value))


def order_reserve(position: PositionState, terms: MarketTerms, maker_fee_ppm: int) -> int:
    """Reserve (.64) of one market's resting orders, on top of its position's initial margin."""
    size, buys, sells, mark = position.size, position.buy_lots, position.sell_lots, terms.mark
    exposure = max(abs(size + buys), abs(size - sells)) - abs(size)
    reserve = exposure * mark * terms.initial if exposure > 0 else 0
    buy_loss = (position.buy_notional << 32) - buys * mark
    sell_loss = sells * mark - (position.sell_notional << 32)
    fee = -(-(position.buy_notional + position.sell_notional) * maker_fee_ppm // PPM) << 32
    return reserve + (((buy_loss if buy_loss > 0 else 0) + (sell_loss if sell_loss > 0 else 0) + fee) << 32)


def measure(
    collateral: int, positions: Sequence[PositionState], terms: Sequence[MarketTerms], maker_fee_ppm: int
) -> Margin:
    """Margin of an account: ``positions`` and ``terms`` run over the same markets in the same order.

    Raises :class:`OutOfRange` when total value or total risk leaves its format's range.
    """
    total_value = collateral << 32
    notional = initial = maintenance = reserved = 0
    for position, term in zip(positions, terms, strict=True):
        size = position.size
        if size:
            worth = size * term.mark
            total_value += worth
            if worth < 0:
                worth = -worth
            notional += worth
            initial += worth * term.initial
            maintenance += worth * term.maintenance
        if position.buy_lots or position.sell_lots:
            reserved += order_reserve(position, term, maker_fee_ppm)
    if not -TOTAL_VALUE_LIMIT <= total_value < TOTAL_VALUE_LIMIT:
        raise OutOfRange("total_value", total_value, -TOTAL_VALUE_LIMIT, TOTAL_VALUE_LIMIT - 1)
    if initial + reserved >= TOTAL_RISK_LIMIT:
        raise OutOfRange("total_risk", initial + reserved, 0, TOTAL_RISK_LIMIT - 1)
    return Margin(
        total_value=total_value, notional=notional, initial=initial, maintenance=maintenance, reserved=reserved
    )


def transition_allowed(before: Margin, after: Margin, reducing: bool) -> bool:
    """Whether a fill may take an account from ``before`` to ``after``.

    Above initial margin, always. Below it only when ``reducing`` (the position shrinks and keeps its sign), and then
    as StarkEx allows it: healthy afterwards, or a ratio of total value to maintenance that does not fall.
    """
    if after.covers_positions:
        return True
    if not reducing:
        return False
    if not after.liquidatable:
        return True
    if before.maintenance == 0:
        return after.total_value >= before.total_value
    return before.total_value * after.maintenance <= after.total_value * before.maintenance


@lru_cache(maxsize=64)
def max_price_ticks(tick_value: int) -> int:
    """Largest price in ticks whose 32.32 form is below 2^64 quanta per lot."""
    return (PRICE_LIMIT - 1) // (tick_value * FIXED_ONE)


def liquidation_price(margin: Margin, position: PositionState, terms: MarketTerms) -> int | None:
    """First price in ticks at which the account is liquidatable, this market's mark moving against the position.

    Every other market stays at its mark, and accrued funding must have been settled. For a long it is the highest
    such tick, for a short the lowest; None when no price in [1, max_price_ticks] does it or there is no position.
    """
    size, mark = position.size, terms.mark
    if not size:
        return None
    gross = abs(size)
    rest_value = margin.total_value - size * mark
    rest_risk = margin.maintenance - gross * mark * terms.maintenance
    # Liquidatable at P: rest_risk + gross*P*fraction > (rest_value + size*P) * 2^32.
    bound = rest_risk - (rest_value << 32)
    tick = terms.tick_value * FIXED_ONE
    if size > 0:  # P * gross * (2^32 - fraction) < bound
        price = -(-bound // (tick * gross * (FIXED_ONE - terms.maintenance))) - 1
        return min(price, max_price_ticks(terms.tick_value)) if price >= 1 else None
    # P * gross * (2^32 + fraction) > -bound
    price = -bound // (tick * gross * (FIXED_ONE + terms.maintenance)) + 1
    return max(price, 1) if price <= max_price_ticks(terms.tick_value) else None
