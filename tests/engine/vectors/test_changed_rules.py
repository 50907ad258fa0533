"""A rule that is a little different does not pass the vector of its story: what a vector is for, shown rule by rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.exchange import admission, deleveraging, funding
from engine.sequencer import deleverager, execution, liquidator, prices
from engine.vectors.encoding import read_vector
from engine.vectors.replay import differences

FOLDER = Path(__file__).resolve().parents[2] / "vectors"
Change = Callable[[Any], Any]

CHANGES: dict[str, tuple[ModuleType, str, Change, str, str]] = {
    "taker and maker fees rounded down": (
        execution, "fee_of", lambda rule: lambda notional, ppm: notional * ppm // 10**6, "fees", "_fee"),
    "liquidation fee rounded down": (
        liquidator, "liquidation_fee", lambda rule: lambda notional, after, ppm: notional * ppm // 10**6,
        "liquidation_fee_is_rounded_up", "insurance"),
    "one lot less is sold": (
        liquidator, "lots_to_close", lambda rule: lambda *given: rule(*given) - 1, "partial_liquidation", "lots"),
    "an insured sale goes a tick further": (
        liquidator, "price_bound", lambda rule: lambda term, buy: rule(term, buy) + (1 if buy else -1),
        "insured_price_bound", "lots"),
    "a liquidation goes a tick further": (
        liquidator, "liquidation_limit", lambda rule: lambda margin, size, *rest: rule(margin, size, *rest) - 1,
        "liquidation_price_bound", "events"),
    "insurance pays a lot more": (
        liquidator, "insured_lots", lambda rule: lambda *given: rule(*given) + 1, "insured_in_part", "lots"),
    "a long is closed at a price rounded down": (
        deleveraging, "bankruptcy_notional", lambda rule: lambda price, size, lots: rule(price, -size, lots),
        "deleveraging", "notional"),
    "the lowest rank first": (
        deleverager, "ranked", lambda rule: lambda *given: rule(*given)[::-1], "deleveraging", "account"),
    "the lowest market first": (
        liquidator, "markets_by_risk", lambda rule: lambda *given: sorted(rule(*given)),
        "liquidation_over_markets", "market"),
    "the highest market first": (
        liquidator, "markets_by_risk", lambda rule: lambda *given: sorted(rule(*given))[::-1],
        "liquidation_over_markets", "market"),
    "the index step rounds down": (
        funding, "index_step", lambda rule: lambda rate, price: rate * price >> 32,
        "funding_rounds_toward_zero", "index_delta"),
    "impact lots rounded down": (
        funding, "impact_lots", lambda rule: lambda notional, index: max(1, (notional << 32) // index),
        "random_flow_11", "rate"),
    "the basis is slower": (prices, "BASIS_TIME", lambda rule: rule + 1, "funding_over_hours", "mark_prices"),
    "any fill may worsen an account": (
        admission, "transition_allowed", lambda rule: lambda *given: True, "worse_ratio_is_refused", "kind"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_rule_fails_its_story(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, change, story, field = CHANGES[name]
    vector = read_vector(FOLDER / f"{story}.json")
    monkeypatch.setattr(module, attribute, change(getattr(module, attribute)))
    found = differences(vector)
    assert found
    assert any(field in line for line in found), found
    assert all(line.startswith("input ") for line in found)
