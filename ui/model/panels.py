"""The registry of panels, as data: adding one is one line here.

A panel is a subclass of ``ui.widgets.panel.Panel`` whose constructor takes ``(engine, theme)``. What its line here says
is all that the window needs: the default workspace puts a panel that it has no place of its own for behind the others
of its area, the menus and the command palette list it, and what it asks of the desk goes through the signals that
every panel has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import UnknownName
from ui.model.governor import EVERY_SNAPSHOT, Pace

Area = Literal["chart", "book", "ticket", "tables", "machine"]


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """One panel. ``target``: "module:Class", imported when the panel is built. ``minimum``: width, height in pixels."""

    panel_id: str
    title: str
    target: str
    area: Area
    minimum: tuple[int, int] = (200, 120)
    pace: Pace = EVERY_SNAPSHOT
    keys: str = ""


PANELS: tuple[PanelSpec, ...] = (
    PanelSpec("chart", "Chart", "ui.panels.chart.panel:ChartPanel", "chart", (360, 240), Pace(0.05, True), "Ctrl+1"),
    PanelSpec("ladder", "Ladder", "ui.panels.ladder.panel:LadderPanel", "book", (280, 240), keys="Ctrl+2"),
    PanelSpec("trades", "Trades", "ui.panels.trades:TradesPanel", "book", (220, 120), Pace(0.05), "Ctrl+3"),
    PanelSpec("ticket", "Ticket", "ui.panels.ticket.panel:TicketPanel", "ticket", (300, 320), Pace(0.1), "Ctrl+4"),
    PanelSpec("account", "Account", "ui.panels.account.panel:AccountPanel", "ticket", (300, 200), Pace(0.15), "Ctrl+5"),
    PanelSpec(
        "tables",
        "Positions and orders",
        "ui.panels.tables.panel:TablesPanel",
        "tables",
        (480, 160),
        Pace(0.15),
        "Ctrl+6",
    ),
    PanelSpec(
        "batches", "Batches", "ui.panels.batches.panel:BatchesPanel", "machine", (360, 160), Pace(0.15), "Ctrl+7"
    ),
    PanelSpec(
        "withdrawals", "Withdrawals", "ui.panels.withdrawals:WithdrawalsPanel", "machine", (300, 160), Pace(0.25),
        "Ctrl+8",
    ),
    PanelSpec(
        "sequencer", "Sequencer", "ui.panels.sequencer:SequencerPanel", "machine", (260, 160), Pace(0.2), "Ctrl+9"
    ),
    PanelSpec(
        "prover", "Prover", "ui.panels.prover.panel:ProverPanel", "machine", (360, 160), Pace(0.2), "Ctrl+Shift+P"
    ),
    PanelSpec(
        "inspector", "Proof inspector", "ui.panels.inspector.panel:InspectorPanel", "chart", (420, 200), Pace(0.25),
        "Ctrl+Shift+I",
    ),
)  # fmt: skip


def panel_spec(panel_id: str) -> PanelSpec:
    """The panel with this id; ``UnknownName`` lists the valid ones."""
    for spec in PANELS:
        if spec.panel_id == panel_id:
            return spec
    raise UnknownName("panel", panel_id, [spec.panel_id for spec in PANELS])
