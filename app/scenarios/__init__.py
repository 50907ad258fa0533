"""Headless journeys, by name. Each module has ``play(journey)`` and its record here; it is imported when played."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from app.scenarios.journey import Journey


@dataclass(frozen=True, slots=True)
class Scenario:
    """``help``: what happens in it, in a line. ``module``: where its ``play`` is."""

    name: str
    help: str
    module: str

    def play(self, journey: Journey) -> None:
        """All of its steps; raises :class:`app.scenarios.journey.StepFailed` at the first that fails."""
        cast("Callable[[Journey], None]", importlib.import_module(self.module).play)(journey)


ROUND_TRIP = Scenario(
    "round-trip",
    "deposit, leveraged trade, funding, half closed, batches proved and accepted, withdrawn and claimed",
    "app.scenarios.round_trip",
)
SCENARIOS = (ROUND_TRIP,)
