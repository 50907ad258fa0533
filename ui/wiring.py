"""Who hears whom, in one place: panels never know one another, they ask the desk."""

from __future__ import annotations

from ui.acts import DeskActs
from ui.model.command_set import CommandSet
from ui.shell.window import DeskWindow


def wire(window: DeskWindow, commands: CommandSet, acts: DeskActs) -> None:
    """Connect the header and every panel of a window to the desk."""
    window.header.market_chosen.connect(acts.set_market)
    window.header.asked.connect(commands.run)
    window.header.failed.connect(acts.refuse)
    for panel in window.panels.values():
        panel.refused.connect(acts.refuse)
        panel.noticed.connect(acts.notice)
        panel.price_clicked.connect(acts.pick_price)
        panel.inspect_wanted.connect(acts.inspect)
        panel.withdraw_pressed.connect(acts.open_withdrawal)
        panel.left.connect(acts.leave_inspector)
