"""A desk that records what its commands ask of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.exchange.config import DEFAULT_CONFIG
from ui.model.contexts import Context, WindowState

WINDOW = WindowState(market=1, theme="dark", density="normal", open_panels=frozenset({"chart"}))
ABLE = Context(
    window=WINDOW, symbol=DEFAULT_CONFIG.market(1).symbol, stopped="", has_account=True, orders=3, position=-40,
    wallet=10, withdrawable=10, claimable=10, has_proof=True, speed=2.0,
)  # fmt: skip
"""Everything can be done."""


class StandInDesk:
    """``asked``: (name, arguments) of every call, in order."""

    def __init__(self, **differs: Any) -> None:
        self.now = replace(ABLE, **differs)
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def context(self) -> Context:
        """What the test said."""
        return self.now

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.asked.append((name, arguments))
