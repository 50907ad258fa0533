"""The window's actions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.errors import ProtocolError
from engine.sequencer.inputs import CancelAll
from ui.shell.actions import Action, ActionRegistry
from ui.theme.metrics import DENSITIES

if TYPE_CHECKING:
    from ui.shell.window import DeskWindow

MORE_KEYS = {"prover": "Ctrl+Shift+P", "inspector": "Ctrl+Shift+I"}
"""Of panels beyond the ninth, which have no digit."""


def register_actions(registry: ActionRegistry, window: DeskWindow) -> None:
    """All of them; their order is the menus' order."""
    _desk(registry, window)
    _view(registry, window)
    _markets(registry, window)
    _clock(registry, window)
    _trade(registry, window)
    registry.add(Action("help.keys", "Keyboard keys", "Help", lambda: show_keys(window), "F1", keywords="shortcuts"))


def _desk(registry: ActionRegistry, window: DeskWindow) -> None:
    registry.add(
        Action(
            "desk.palette", "Command palette", "Desk", lambda: window.palette_dialog.open_over(window), "Ctrl+K",
            keywords="search find",
        )
    )  # fmt: skip
    registry.add(Action("desk.quit", "Quit", "Desk", window.close, "Ctrl+Q", keywords="exit close"))


def _view(registry: ActionRegistry, window: DeskWindow) -> None:
    workspace, theme = window.workspace, window.theme
    for number, (panel_id, dock) in enumerate(workspace.docks.items(), start=1):
        key = f"Ctrl+{number}" if number <= 9 else MORE_KEYS.get(panel_id, "")
        title = f"Go to {dock.windowTitle()}"
        registry.add(Action(f"view.go.{panel_id}", title, "View", lambda p=panel_id: workspace.show_panel(p), key))
    registry.add(
        Action(
            "view.inspect", "Inspect the newest proof", "View", window.inspect, "Ctrl+I",
            keywords="verify export batch stark",
        )
    )  # fmt: skip
    for panel_id, dock in workspace.docks.items():
        registry.add(
            Action(
                f"view.toggle.{panel_id}", f"Show {dock.windowTitle()}", "View",
                lambda p=panel_id: workspace.toggle_panel(p), checked=lambda p=panel_id: workspace.is_open(p),
                keywords="hide close panel",
            )
        )  # fmt: skip
    registry.add(
        Action(
            "view.reset", "Reset layout", "View", lambda: workspace.arrange(window.width(), window.height()),
            keywords="default workspace panels",
        )
    )  # fmt: skip
    registry.add(
        Action(
            "view.theme", "Light theme", "View", theme.toggle, "Ctrl+Shift+L", lambda: theme.name == "light",
            "dark bright colour color",
        )
    )  # fmt: skip
    for name in DENSITIES:
        registry.add(
            Action(
                f"view.density.{name}", f"Density: {name}", "View", lambda n=name: theme.use(density=n),
                checked=lambda n=name: theme.density.name == n, keywords="size zoom font rows",
            )
        )  # fmt: skip


def _markets(registry: ActionRegistry, window: DeskWindow) -> None:
    for number, market in enumerate(window.engine.config.markets, start=1):
        registry.add(
            Action(
                f"market.{market.market_id}", market.symbol, "Market",
                lambda m=market.market_id: window.set_market(m), f"Alt+{number}",
                lambda m=market.market_id: window.header.market == m, market.base,
            )
        )  # fmt: skip


def _clock(registry: ActionRegistry, window: DeskWindow) -> None:
    header = window.header
    registry.add(Action("clock.pause", "Pause or run the clock", "Clock", header.toggle_pause, "Ctrl+Space"))
    registry.add(Action("clock.faster", "Faster clock", "Clock", lambda: header.step_speed(1), "Ctrl+."))
    registry.add(Action("clock.slower", "Slower clock", "Clock", lambda: header.step_speed(-1), "Ctrl+,"))
    registry.add(Action("clock.real", "Real time (1x)", "Clock", lambda: header.set_speed(1.0), "Ctrl+0"))


def _trade(registry: ActionRegistry, window: DeskWindow) -> None:
    registry.add(
        Action(
            "trade.cancel_all", "Cancel all my orders", "Trade", lambda: cancel_all(window), "Ctrl+Shift+X",
            keywords="panic flatten stop",
        )
    )  # fmt: skip


def cancel_all(window: DeskWindow) -> None:
    """Works whatever the ticket holds; a full queue is told."""
    snapshot = window.engine.snapshot()
    if snapshot is None or snapshot.user is None:
        window.notify("danger", "There is no account yet", time.perf_counter())
        return
    try:
        window.engine.submit(CancelAll(account=snapshot.user.account_id, client_id="desk-cancel-all"))
    except ProtocolError as error:
        window.notify("danger", error.message, time.perf_counter())


def show_keys(window: DeskWindow) -> None:
    """The palette lists every action with its key."""
    window.palette_dialog.open_over(window)
