"""All stories that are told as vectors."""

from __future__ import annotations

from engine.vectors import random_flow
from engine.vectors.scenarios import liquidations, orders, prices, refusals, settlement, solvency
from engine.vectors.scenarios.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *orders.SCENARIOS,
    *prices.SCENARIOS,
    *liquidations.SCENARIOS,
    *solvency.SCENARIOS,
    *settlement.SCENARIOS,
    *refusals.SCENARIOS,
    *random_flow.SCENARIOS,
)
