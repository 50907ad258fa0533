"""What closing a position costs, told before Close or Half is pressed: the engine's receipt of just that order."""

from __future__ import annotations

from dataclasses import dataclass

from engine.exchange.config import MarketConfig
from engine.sequencer.preview import Receipt
from ui.viewmodels.header import Fact
from ui.viewmodels.ticket_receipt import LARGE_IMPACT_BPS
from ui.viewmodels.wording import change_tone, fixed_price_text, money_text, size_text

ACTIONS = ("half", "close")
"""Action columns of the positions table that close something."""
VERBS = {"half": "Half", "close": "Close"}


@dataclass(frozen=True, slots=True)
class ClosingCost:
    """``facts``: for the strip, the most important first. ``words``: the same in one sentence, for the button."""

    facts: tuple[Fact, ...]
    words: str


def closing_cost(action: str, receipt: Receipt, market: MarketConfig, symbol: str) -> ClosingCost:
    """The cost of an action in :data:`ACTIONS`. ``symbol``: the collateral's."""
    facts = (_what(action, receipt, market), *_numbers(receipt, market, symbol))
    return ClosingCost(facts, ", ".join(f"{fact.name} {fact.text}" for fact in facts))


def _what(action: str, receipt: Receipt, market: MarketConfig) -> Fact:
    verb = "sell" if receipt.size_before > 0 else "buy"
    text = f"{verb} {size_text(market, receipt.lots)}"
    return Fact(f"{VERBS[action]} {market.symbol} at market", text, help="what pressing the button sends, reduce-only")


def _numbers(receipt: Receipt, market: MarketConfig, symbol: str) -> tuple[Fact, ...]:
    if receipt.refusal is not None:
        return (Fact("The venue would refuse this", receipt.refusal.message, "warn"),)
    left = _left(receipt, market)
    if not receipt.filled:
        return left
    dear = "warn" if receipt.mark_bps >= LARGE_IMPACT_BPS else "normal"
    return (
        *left,
        Fact("Average", fixed_price_text(market, receipt.average_fixed), help="over the levels it would take"),
        Fact(f"Fee {symbol}", money_text(receipt.fee_taker), help="taker fee, not part of the profit beside it"),
        Fact("Worse than mark", f"{receipt.mark_bps} bps", dear, "of the average price; negative is better"),
        Fact(
            f"Realises {symbol}",
            money_text(receipt.realised, sign=True),
            change_tone(receipt.realised),
            "profit or loss on what is closed, against its entry price",
        ),
    )


def _left(receipt: Receipt, market: MarketConfig) -> tuple[Fact, ...]:
    """What the book does not take; nothing while it takes all."""
    if not receipt.cancelled:
        return ()
    visible = receipt.beyond_depth
    words = "the book is thin: nobody in it takes this much" + (" in the levels shown, maybe behind" if visible else "")
    name = "Stays open at least in part" if visible else "Stays open"
    return (Fact(name, size_text(market, receipt.cancelled), "warn", words),)
