"""What commands do: the :class:`ui.model.desk.Desk` of one window, and what its panels ask of each other."""

from __future__ import annotations

import time
from typing import TypeVar

from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from engine.errors import ProtocolError
from engine.sequencer.inputs import CancelAll, Input
from engine.units import MarketId
from ui.model.contexts import Context, WindowState, read_context
from ui.model.desk import Direction
from ui.panels.account.panel import AccountPanel
from ui.panels.inspector.panel import InspectorPanel
from ui.panels.ticket.panel import TicketPanel
from ui.shell.window import DeskWindow
from ui.theme.metrics import density_name
from ui.viewmodels.tables_live import closing_order
from ui.viewmodels.ticket_acks import new_client_id
from ui.widgets.panel import Panel

Kind = TypeVar("Kind", bound=Panel)


class DeskActs:
    """Acts on a window. A desk without one of the panels that are asked here does nothing instead."""

    def __init__(self, window: DeskWindow) -> None:
        self._window = window
        self._inspected_from: QWidget | None = None

    def _panel(self, kind: type[Kind]) -> Kind | None:
        """The window's panel of a class, at the front of its tabs."""
        for panel in self._window.panels.values():
            if isinstance(panel, kind):
                self._window.workspace.raise_panel(panel.panel_id)
                return panel
        return None

    # -- commands: the desk and what is seen ----------------------------------------------------------------------

    def context(self) -> Context:
        """Judged by the newest snapshot, not by the one on screen."""
        window = self._window
        state = WindowState(
            market=window.header.market,
            theme=window.theme.name,
            density=window.theme.density.name,
            open_panels=frozenset(window.workspace.open_panels()),
        )
        return read_context(window.engine.snapshot(), window.engine.config, state)

    def refuse(self, words: str) -> None:
        """A notice that something is not done."""
        self._window.notify("danger", words, time.perf_counter())

    def notice(self, words: str) -> None:
        """A notice that something happened."""
        self._window.notify("info", words, time.perf_counter())

    def open_palette(self) -> None:
        """Over the window."""
        self._window.open_palette()

    def quit(self) -> None:
        """As the user closes it."""
        self._window.close()

    def show_panel(self, panel_id: str) -> None:
        """With the keyboard."""
        self._window.workspace.show_panel(panel_id)

    def toggle_panel(self, panel_id: str) -> None:
        """Open or closed."""
        self._window.workspace.toggle_panel(panel_id)

    def reset_layout(self) -> None:
        """For the size the window has."""
        self._window.workspace.arrange(self._window.width(), self._window.height())

    def toggle_theme(self) -> None:
        """Dark or light."""
        self._window.theme.toggle()

    def use_density(self, name: str) -> None:
        """Raises ``UnknownName``."""
        self._window.theme.use(density=density_name(name))

    def set_market(self, market: MarketId) -> None:
        """In every panel."""
        self._window.set_market(market)

    # -- commands: the venue --------------------------------------------------------------------------------------

    def toggle_pause(self) -> None:
        """The header tells a refusal."""
        self._window.header.toggle_pause()

    def step_speed(self, step: int) -> None:
        """From the speed that is shown."""
        self._window.header.step_speed(step)

    def set_speed(self, speed: float) -> None:
        """The header tells a refusal."""
        self._window.header.set_speed(speed)

    def cancel_all_orders(self) -> None:
        """Works whatever the ticket holds."""
        snapshot = self._window.engine.snapshot()
        if snapshot is not None and snapshot.user is not None:
            self._submit(CancelAll(account=snapshot.user.account_id, client_id="desk-cancel-all"))

    def close_position(self) -> None:
        """A reduce-only market order."""
        snapshot = self._window.engine.snapshot()
        if snapshot is not None and snapshot.user is not None:
            order = closing_order(snapshot.user, self._window.header.market, new_client_id(), half=False)
            if order is not None:
                self._submit(order)

    def _submit(self, command: Input) -> None:
        """A full queue is told; every other answer is an event, which is told by itself."""
        try:
            self._window.engine.submit(command)
        except ProtocolError as error:
            self.refuse(error.message)

    def open_transfer(self, direction: Direction) -> None:
        """The account panel's form."""
        account = self._panel(AccountPanel)
        if account is not None:
            account.open_transfer(direction)

    def open_withdrawal(self) -> None:
        """The account panel's form for taking money out."""
        self.open_transfer("withdraw")

    def claim(self) -> None:
        """As the account panel's button does."""
        account = self._panel(AccountPanel)
        if account is not None:
            account.claim()

    # -- what panels ask of each other ----------------------------------------------------------------------------

    def pick_price(self, side: str, ticks: int) -> None:
        """A price picked anywhere goes to the ticket."""
        ticket = self._panel(TicketPanel)
        if ticket is not None:
            ticket.set_price(side, ticks)

    def inspect(self, number: int | None = None) -> None:
        """Open a batch in the proof inspector; None for the newest one with a proof."""
        focused, inspector = QApplication.focusWidget(), self._panel(InspectorPanel)
        if inspector is None:
            return
        if focused is not None and not inspector.isAncestorOf(focused):
            self._inspected_from = focused
        inspector.setFocus()
        inspector.inspect(number)

    def leave_inspector(self) -> None:
        """The chart comes back to the front, and the keyboard to where the inspector was opened from."""
        self._window.workspace.show_panel("chart")
        source, self._inspected_from = self._inspected_from, None
        if source is not None and isValid(source) and source.isVisible():
            source.setFocus()
