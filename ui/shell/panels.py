"""The registry of panels: stable id, title, and a factory that imports its module only when the panel is built.

To add a panel: write ``ui/panels/<name>.py`` with a subclass of ``ui.widgets.panel.Panel`` whose constructor takes
``(engine, theme)``, and add one line here, with the pace at which it has to follow. The workspace places it by id, as
the last tab of the area named in ``area`` when a saved layout does not know it.

What panels may also have, wired by the window when present (see ui.shell.wiring):

* ``set_market(market: int)``: the desk's market changed (every ``Panel`` has it)
* ``price_clicked: Signal(str, object)``: side ("buy" or "sell") and ticks, from the ladder
* ``set_price(side: str, ticks: int)``: takes it, in the ticket
* ``inspect_wanted: Signal(int)``: a batch to open in the inspector, from lists of batches
* ``refused: Signal(str)`` and ``noticed: Signal(str)``: a sentence for the notices
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from engine.errors import UnknownName
from ui.model.engine_protocol import DeskEngine
from ui.model.governor import EVERY_PICTURE, Pace
from ui.theme.theme import Theme
from ui.widgets.panel import Panel

Factory = Callable[[DeskEngine, Theme], Panel]


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """One panel. ``area``: chart, book, ticket, tables or machine. ``minimum``: least width and height in pixels."""

    panel_id: str
    title: str
    target: str
    area: str
    minimum: tuple[int, int] = (200, 120)
    pace: Pace = EVERY_PICTURE

    def build(self, engine: DeskEngine, theme: Theme) -> Panel:
        """Import the module named in ``target`` ("module:Class") and make the panel."""
        module, name = self.target.split(":")
        panel: Panel = getattr(import_module(module), name)(engine, theme)
        panel.panel_id = self.panel_id
        panel.pace = self.pace
        panel.setObjectName(f"panel.{self.panel_id}")
        panel.setAccessibleName(self.title)
        return panel


PANELS: tuple[PanelSpec, ...] = (
    PanelSpec("chart", "Chart", "ui.panels.chart.panel:ChartPanel", "chart", (360, 240), Pace(0.05, heavy=True)),
    PanelSpec("ladder", "Ladder", "ui.panels.ladder.panel:LadderPanel", "book", (280, 240)),
    PanelSpec("trades", "Trades", "ui.panels.trades:TradesPanel", "book", (220, 120), Pace(0.05)),
    PanelSpec("ticket", "Ticket", "ui.panels.ticket.panel:TicketPanel", "ticket", (300, 320), Pace(0.1)),
    PanelSpec("account", "Account", "ui.panels.account.panel:AccountPanel", "ticket", (300, 200), Pace(0.15)),
    PanelSpec("tables", "Positions and orders", "ui.panels.tables:TablesPanel", "tables", (480, 160), Pace(0.15)),
    PanelSpec("batches", "Batches", "ui.panels.batches.panel:BatchesPanel", "machine", (360, 160), Pace(0.15)),
    PanelSpec(
        "withdrawals", "Withdrawals", "ui.panels.withdrawals:WithdrawalsPanel", "machine", (300, 160), Pace(0.25)
    ),
    PanelSpec("sequencer", "Sequencer", "ui.panels.sequencer:SequencerPanel", "machine", (260, 160), Pace(0.2)),
    PanelSpec("prover", "Prover", "ui.panels.prover.panel:ProverPanel", "machine", (360, 160), Pace(0.2)),
    PanelSpec(
        "inspector", "Proof inspector", "ui.panels.inspector.panel:InspectorPanel", "chart", (420, 200), Pace(0.25)
    ),
)


def panel_spec(panel_id: str) -> PanelSpec:
    """The panel with this id; ``UnknownName`` lists the valid ones."""
    for spec in PANELS:
        if spec.panel_id == panel_id:
            return spec
    raise UnknownName("panel", panel_id, [spec.panel_id for spec in PANELS])
