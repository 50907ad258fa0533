"""A real desk for journeys: engine, prover and contracts on a folder of their own, driven through its widgets.

Nothing here reaches around the window to act: what a journey does, it does with clicks and keys. It looks at snapshots
only to know when to look at the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.paths import open_paths
from app.snapshot.views import AccountView, Snapshot
from app.venue.facade import Engine
from app.venue.session import open_session
from ui.desk import make_window
from ui.panels.account.panel import AccountPanel
from ui.panels.batches.panel import BatchesPanel
from ui.panels.inspector.panel import InspectorPanel
from ui.panels.prover.panel import ProverPanel
from ui.panels.tables.panel import TablesPanel
from ui.panels.ticket.panel import TicketPanel
from ui.panels.withdrawals import WithdrawalsPanel

PATIENCE_MS = 60_000
LEFT = Qt.MouseButton.LeftButton


class Desk:
    """An open venue and its window. ``close`` does what the program does when its window is closed."""

    def __init__(self, folder: Path, qtbot: QtBot, size: tuple[int, int] = (1920, 1080)) -> None:
        self.folder = folder
        self.qtbot = qtbot
        self.engine = Engine(open_session(open_paths(folder)))
        self.engine.start()
        self.window = make_window(self.engine, {}, size)
        self.window.loop.start()
        self.window.show()
        self.window.activateWindow()
        self.closed = False

    # -- panels

    @property
    def ticket(self) -> TicketPanel:
        """The ticket, wherever it is docked."""
        return self._panel("ticket", TicketPanel)

    @property
    def account(self) -> AccountPanel:
        """The account."""
        return self._panel("account", AccountPanel)

    @property
    def tables(self) -> TablesPanel:
        """Positions, orders and their history."""
        return self._panel("tables", TablesPanel)

    @property
    def batches(self) -> BatchesPanel:
        """The batch pipeline."""
        return self._panel("batches", BatchesPanel)

    @property
    def prover(self) -> ProverPanel:
        """The prover."""
        return self._panel("prover", ProverPanel)

    @property
    def inspector(self) -> InspectorPanel:
        """The proof inspector."""
        return self._panel("inspector", InspectorPanel)

    @property
    def withdrawals(self) -> WithdrawalsPanel:
        """The stepper."""
        return self._panel("withdrawals", WithdrawalsPanel)

    def _panel(self, name: str, kind: type[Any]) -> Any:
        panel = self.window.panels[name]
        assert isinstance(panel, kind)
        return panel

    # -- looking

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture."""
        snapshot = self.engine.snapshot()
        assert snapshot is not None, "the engine publishes one before it is started"
        return snapshot

    @property
    def user(self) -> AccountView:
        """The user's account; the journey waits for it first."""
        assert self.snapshot.user is not None
        return self.snapshot.user

    def wait(self, condition: Callable[[], object], patience_ms: int = PATIENCE_MS) -> None:
        """Let the desk run until the condition holds."""
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=patience_ms)

    def wait_for_book(self) -> None:
        """A moving book and an account that can trade."""
        self.wait(lambda: self.snapshot.user is not None and self.user.equity > 0)
        self.wait(lambda: all(len(view.bids) and len(view.asks) for view in self.snapshot.markets.values()))
        self.wait(lambda: self.ticket.state.kind == "live" and self.ticket.fields.size_edit.line.isVisible())

    def rows(self, table: str) -> list[dict[str, str]]:
        """What a table shows now, by column key; brings its tab to the front with a click."""
        names = list(self.tables.views)
        self.click(self.tables.tabs, self.tables.tabs.tabRect(names.index(table)).center())
        view = self.tables.views[table]
        return [
            {column.key: view.rows.cell(row, k).text.strip() for k, column in enumerate(view.spec.columns)}
            for row in range(view.rows.rowCount())
        ]

    # -- acting

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """A real click; the widget must be visible and enabled, as it must be for a person."""
        assert widget.isVisible(), f"{widget.accessibleName() or widget} is not on screen"
        assert widget.isEnabled(), f"{widget.accessibleName() or widget} is disabled"
        if at is None:
            self.qtbot.mouseClick(widget, LEFT)
        else:
            self.qtbot.mouseClick(widget, LEFT, pos=at)

    def press(self, button: QAbstractButton) -> None:
        """Wait until a button can be pressed, then press it."""
        self.wait(lambda: button.isVisible() and button.isEnabled())
        self.click(button)

    def type_into(self, line: QLineEdit, text: str) -> None:
        """Replace what stands in a box by typing."""
        self.click(line)
        self.qtbot.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.qtbot.keyClicks(line, text)

    def click_cell(self, table: str, row: int, column: str) -> None:
        """Click an action of a table's row where it is painted."""
        self.rows(table)
        view = self.tables.views[table]
        rect = view.visualRect(view.sorted.index(row, view.spec.index(column)))
        assert view.viewport().rect().contains(rect.center()), f"the column {column} is not on screen"
        self.click(view.viewport(), rect.center())

    def choose_speed(self, multiple: float) -> None:
        """The header's box of speeds, with the keyboard."""
        box = self.window.header.speed_box
        target = box.findData(multiple)
        assert target >= 0, f"the header does not offer {multiple}x"
        box.setFocus()
        while box.currentIndex() != target:
            self.qtbot.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < target else Qt.Key.Key_Up)
        self.wait(lambda: self.snapshot.speed == multiple)

    def go_to(self, panel_id: str) -> None:
        """Bring a panel to the front by its menu entry."""
        self.window.qt_actions[f"view.go.{panel_id}"].trigger()
        self.wait(self.window.panels[panel_id].isVisible)

    def fill_ticket(self, side: str, kind: str, size: str, price: str = "") -> None:
        """Set side, type, size and price as a person does."""
        self.go_to("ticket")
        fields = self.ticket.fields
        self.click(fields.side.buttons[side])
        self.click(fields.type.buttons[kind])
        if price:
            self.type_into(fields.price_edit.line, price)
        self.type_into(fields.size_edit.line, size)

    # -- end

    def close(self) -> None:
        """Close the window, then stop the engine, in the program's order."""
        if self.closed:
            return
        self.closed = True
        self.window.close()
        self.window.loop.stop()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.engine.stop()
