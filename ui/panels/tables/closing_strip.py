"""The line under the positions: what Close or Half of a position would do now, before it is pressed."""

from __future__ import annotations

import time
from collections.abc import Hashable

from app.snapshot.views import AccountView, PositionView
from engine.errors import ProtocolError
from engine.units import MarketId
from ui.model.engine_protocol import DeskEngine
from ui.theme.theme import Theme
from ui.viewmodels.closing import ACTIONS, ClosingCost, closing_cost
from ui.viewmodels.header import Fact
from ui.viewmodels.tables_live import closing_order
from ui.widgets.fact_strip import FactStrip

PREVIEW_EVERY_SECONDS = 0.25
HEIGHT = 36
Action = tuple[Hashable, str]  # market (the row's key), column of the positions table


class ClosingStrip(FactStrip):
    """Shows the cost of one action; ``costs`` holds those of all positions, as the engine previews them."""

    def __init__(self, engine: DeskEngine, theme: Theme) -> None:
        super().__init__(theme)
        self._engine = engine
        self._due = 0.0
        self._sizes: dict[MarketId, int] = {}
        self.costs: dict[Action, ClosingCost] = {}
        self.setFixedHeight(HEIGHT)

    def preview(self, user: AccountView) -> None:
        """Ask the engine anew: at once when a position changed, otherwise four times a second."""
        sizes = {position.market: position.size for position in user.positions}
        now = time.monotonic()
        if now < self._due and sizes == self._sizes:
            return
        self._due, self._sizes = now + PREVIEW_EVERY_SECONDS, sizes
        self.costs = {
            (position.market, action): self._cost(user, position, action)
            for position in user.positions
            for action in ACTIONS
        }

    def _cost(self, user: AccountView, position: PositionView, action: str) -> ClosingCost:
        order = closing_order(user, position.market, "", half=action == "half")
        assert order is not None, "there is a position"
        config = self._engine.config
        try:
            receipt = self._engine.preview(order)
        except ProtocolError as error:
            return ClosingCost((Fact("No preview yet", error.message, "weak"),), error.message)
        return closing_cost(action, receipt, config.market(position.market), config.collateral_symbol)

    def show_action(self, action: Action | None) -> None:
        """Bring the cost of one action into the line; None for no action."""
        cost = self.costs.get(action) if action is not None else None
        self.set_facts(cost.facts if cost else ())
        self.setVisible(cost is not None)
