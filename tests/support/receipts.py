"""A receipt as the engine writes it, for tests and pictures."""

from __future__ import annotations

from typing import Any

from engine.exchange.margin import Margin
from engine.sequencer.preview import Receipt
from engine.units import FIXED_ONE


def margin(equity: int, notional: int) -> Margin:
    """5 % initial, 3 % maintenance, nothing reserved; both in quanta."""
    return Margin(
        total_value=equity << 32,
        notional=notional << 32,
        initial=(notional * 5 // 100) << 64,
        maintenance=(notional * 3 // 100) << 64,
        reserved=0,
    )


def sample_receipt(**more: Any) -> Receipt:
    """0.250 BTC bought at market on top of a 1.250 BTC long; keyword arguments replace fields."""
    fields: dict[str, Any] = {
        "lots": 250, "filled": 250, "resting": 0, "cancelled": 0, "notional": 14_353_290_000,
        "average_fixed": 574_131 * 100 * FIXED_ONE, "worst_price": 574_140, "fee_taker": 7_176_645, "fee_maker": 0,
        "impact_bps": 1, "margin_before": margin(21_044_318_551, 91_542_000_000),
        "margin_after": margin(21_037_141_906, 105_895_000_000), "liquidation_before": 512_204,
        "liquidation_after": 517_660, "size_before": 1_250, "size_after": 1_500, "closed": "", "beyond_depth": False,
        "refusal": None,
    }  # fmt: skip
    return Receipt(**{**fields, **more})
