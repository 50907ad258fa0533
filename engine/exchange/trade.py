"""What one fill does to an account: collateral, size, fee, and the entry bookkeeping beside the leaf."""

from __future__ import annotations

from engine.exchange.state import AccountState, PositionState
from engine.units import PPM, MarketIndex


def fee_of(notional: int, fee_ppm: int) -> int:
    """Fee in quanta: notional * ppm / 10^6, rounded up (in the venue's favour)."""
    return -(-notional * fee_ppm // PPM)


def apply_fill(
    account: AccountState, market_index: MarketIndex, signed_lots: int, notional: int, fee: int, index: int
) -> None:
    """Buy (``signed_lots`` > 0) or sell lots for ``notional`` quanta and pay ``fee``.

    ``index``: the market's funding index; the account must have been settled to it. A position opened by this fill
    takes it as its own.
    """
    position = account.positions[market_index]
    account.collateral -= (notional if signed_lots > 0 else -notional) + fee
    position.fees += fee
    _book_cost(position, signed_lots, notional)
    position.size += signed_lots
    position.funding_index = index


def _book_cost(position: PositionState, signed_lots: int, notional: int) -> None:
    """Average-cost bookkeeping: the closed part leaves at its share of the cost, rounded down; the rest opens."""
    size = position.size
    signed_notional = notional if signed_lots > 0 else -notional
    if size == 0 or (size > 0) == (signed_lots > 0):
        position.cost += signed_notional
        return
    closed = min(abs(size), abs(signed_lots))
    closed_notional = signed_notional * closed // abs(signed_lots)
    closed_cost = position.cost * closed // abs(size)
    position.realised -= closed_notional + closed_cost
    position.cost += signed_notional - closed_notional - closed_cost


def is_reducing(size: int, buy: bool, lots: int, resting_same_side: int = 0) -> bool:
    """Whether an order of ``lots``, with what already rests on its side, can only shrink the position."""
    return (size < 0 if buy else size > 0) and lots + resting_same_side <= abs(size)
