"""Panels of the desk's second half inside the real window: what they ask of each other."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from engine.errors import ProtocolError
from tests.support.receipts import sample_receipt
from tests.support.sample_snapshot import SampleEngine
from ui.desk import make_window
from ui.panels.account.panel import AccountPanel
from ui.panels.inspector.panel import InspectorPanel
from ui.panels.ticket.panel import TicketPanel
from ui.panels.withdrawals import WithdrawalsPanel
from ui.shell.window import DeskWindow


@pytest.fixture
def window(qtbot, engine: SampleEngine) -> DeskWindow:
    engine.receipt = sample_receipt()
    made = make_window(engine, {}, (1280, 800))
    qtbot.addWidget(made)
    made.show()
    for _ in range(2):
        made.loop.frame(everything=True)
        QApplication.processEvents()
    return made


def show(window: DeskWindow, panel_id: str) -> SimpleNamespace:
    window.workspace.show_panel(panel_id)
    window.loop.frame(everything=True)
    QApplication.processEvents()
    return window.panels[panel_id]  # type: ignore[return-value]


def test_the_withdrawals_panel_opens_the_account_form(qtbot, window: DeskWindow, engine: SampleEngine) -> None:
    engine.update(withdrawals=())
    panel = show(window, "withdrawals")
    assert isinstance(panel, WithdrawalsPanel)
    account = window.panels["account"]
    assert isinstance(account, AccountPanel)
    show(window, "account")
    show(window, "withdrawals")
    qtbot.mouseClick(panel.withdraw, Qt.MouseButton.LeftButton)
    assert account.pages.currentIndex() == 1
    assert account.form.direction == "withdraw"
    assert window.workspace.docks["account"].isCurrentTab()


def test_a_price_from_anywhere_reaches_the_ticket(window: DeskWindow) -> None:
    ticket = window.panels["ticket"]
    assert isinstance(ticket, TicketPanel)
    window.panels["ladder"].price_clicked.emit("sell", 574_200)  # type: ignore[attr-defined]
    assert (ticket.form.side, ticket.form.price_text) == ("sell", "57,420.0")


def test_a_refused_order_is_also_a_notice(qtbot, window: DeskWindow, engine: SampleEngine) -> None:
    ticket = window.panels["ticket"]
    assert isinstance(ticket, TicketPanel)
    heard: list[str] = []
    ticket.refused.connect(heard.append)
    engine.refusal = ProtocolError("the queue holds 4096 commands", field="queue", limit=4096)
    qtbot.keyClicks(ticket.fields.size_edit.line, "0.25")
    qtbot.mouseClick(ticket.button, Qt.MouseButton.LeftButton)
    assert heard == ["the queue holds 4096 commands"]


def test_the_keyboard_opens_a_batch_reads_it_and_comes_back(qtbot, window: DeskWindow, engine: SampleEngine) -> None:
    engine.refusal = ProtocolError("the disk is gone")
    panel, inspector = show(window, "prover"), window.panels["inspector"]
    assert isinstance(inspector, InspectorPanel)
    window.activateWindow()
    panel.bars.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(panel.bars, key)
    assert inspector.number == 43
    assert window.workspace.docks["inspector"].isCurrentTab()
    assert QApplication.focusWidget() is inspector.page
    qtbot.keyClick(inspector.page, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert inspector.number == 42
    qtbot.waitUntil(lambda: inspector.on_frame(0.0))
    qtbot.keyClick(inspector.page, Qt.Key.Key_Escape)
    assert window.workspace.docks["chart"].isCurrentTab()
    assert QApplication.focusWidget() is panel.bars
    window.commands.run("view.inspect")
    assert inspector.number == 43
    window.workspace.toggle_panel("inspector")
    assert not inspector.busy, "closing it forgets what runs"
