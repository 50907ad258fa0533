"""The largest size the venue accepts now: a chosen percentage never asks for more than that."""

from __future__ import annotations

from collections.abc import Callable

ROOM = 200
"""A 200th (0.5 %) is left free, so that the price may move while the order is on its way."""
FINENESS = 500
"""The search ends within a 500th of the answer."""


def largest_accepted(lots: int, most: int, accepts: Callable[[int], bool]) -> int:
    """The largest size up to ``lots`` that is accepted with some room above it; 0 when there is none.

    ``accepts(n)`` asks the engine about ``n`` lots, at most ``most``; sizes below an accepted one count as accepted.
    """

    def fits(size: int) -> bool:
        return accepts(min(size + -(-size // ROOM), most))

    if fits(lots):
        return lots
    low, high = 0, lots
    while high - low > max(1, high // FINENESS):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
