"""Extension elements as the contracts hold them: coordinate k in bits 51 k to 51 k + 50 of one word."""

from __future__ import annotations

from collections.abc import Sequence

from engine.field.extension import DEGREE, Extension

LANE_BITS = 51


def pack(element: Sequence[int]) -> int:
    """The word of an element with canonical coordinates."""
    return sum(value << (LANE_BITS * place) for place, value in enumerate(element))


def unpack(word: int) -> Extension:
    """The element of a word."""
    return tuple((word >> (LANE_BITS * place)) & ((1 << LANE_BITS) - 1) for place in range(DEGREE))
