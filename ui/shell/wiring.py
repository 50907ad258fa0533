"""What panels tell each other, in one place: panels never know one another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.shell.window import DeskWindow


def wire_panels(window: DeskWindow) -> None:
    """Connect what the panels of this window offer (see ui.shell.panels for the names)."""
    window.header.market_chosen.connect(window.set_market)
    window.header.theme_toggled.connect(window.theme.toggle)
    window.header.failed.connect(lambda text: window.notify("danger", text, time.perf_counter()))
    ticket = window.panels.get("ticket")
    withdrawals = window.panels.get("withdrawals")
    if withdrawals is not None and hasattr(withdrawals, "withdraw_pressed"):
        withdrawals.withdraw_pressed.connect(lambda: _to_withdrawal_form(window))
    inspector = window.panels.get("inspector")
    if inspector is not None and hasattr(inspector, "inspect"):
        inspector.left.connect(window.leave_inspector)
        window.workspace.docks["inspector"].closed.connect(inspector.cancel)
        window.closed.connect(inspector.cancel)
    for panel in window.panels.values():
        wanted = getattr(panel, "inspect_wanted", None)
        if wanted is not None:
            wanted.connect(window.inspect)
        clicked = getattr(panel, "price_clicked", None)
        if clicked is not None and ticket is not None and hasattr(ticket, "set_price"):
            clicked.connect(lambda side, ticks: _to_ticket(window, side, ticks))
        for name, kind in (("refused", "danger"), ("noticed", "info")):
            signal = getattr(panel, name, None)
            if signal is not None and hasattr(signal, "connect"):
                signal.connect(lambda text, kind=kind: window.notify(kind, text, time.perf_counter()))


def _to_ticket(window: DeskWindow, side: str, ticks: int) -> None:
    """A price picked anywhere goes to the ticket, which comes to the front."""
    window.workspace.docks["ticket"].setAsCurrentTab()
    window.panels["ticket"].set_price(side, ticks)  # type: ignore[attr-defined]


def _to_withdrawal_form(window: DeskWindow) -> None:
    """The account panel comes to the front with its withdrawal form open."""
    window.workspace.docks["account"].setAsCurrentTab()
    window.panels["account"].open_withdraw()  # type: ignore[attr-defined]
