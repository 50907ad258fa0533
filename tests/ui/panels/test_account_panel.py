"""The account panel through its widgets: figures, deposit, withdrawal, claim."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.errors import ProtocolError
from engine.sequencer.events import Accepted, Rejected
from engine.sequencer.inputs import RequestWithdrawal
from tests.support.sample_snapshot import SampleEngine
from ui.panels.account.panel import AccountPanel


@pytest.fixture
def panel(qtbot, theme, engine: SampleEngine) -> AccountPanel:
    made = AccountPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(420, 320)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


def click(qtbot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def asked(engine: SampleEngine, name: str) -> list[object]:
    return [value for what, value in engine.asked if what == name]


def test_figures_and_health_are_shown(panel: AccountPanel) -> None:
    assert panel.money.value("Equity pUSD") == "21,044.32"
    assert panel.health.text() == "BTC: 10.8 % to liquidation at 51,220.4"
    assert panel.ring.state is not None
    assert panel.ring.state.centre == "87.0 %"
    assert panel.on_l1.value("Claimable") == "1,250.44"
    assert "demo key" in panel.key.text()


def test_a_deposit_shows_before_and_after_and_is_sent(qtbot, panel: AccountPanel, engine: SampleEngine) -> None:
    click(qtbot, panel.deposit_button)
    qtbot.keyClicks(panel.form.amount.line, "1.5k")
    assert panel.form.changes.value("L1 wallet") == "79,400.00 → 77,900.00"
    assert panel.form.button.words == "Deposit 1,500.00 pUSD"
    with qtbot.waitSignal(panel.noticed):
        click(qtbot, panel.form.button)
    assert asked(engine, "deposit") == [1_500_000_000]
    assert panel.pages.currentIndex() == 0


def test_a_withdrawal_waits_for_its_answer(qtbot, panel: AccountPanel, engine: SampleEngine) -> None:
    click(qtbot, panel.withdraw_button)
    qtbot.keyClicks(panel.form.amount.line, "2500")
    qtbot.keyClick(panel.form.amount.line, Qt.Key.Key_Return)
    (command,) = asked(engine, "submit")
    assert isinstance(command, RequestWithdrawal)
    assert command.amount == 2_500_000_000
    assert not panel.form.button.isEnabled()
    engine.events.append(Accepted(sequence=1, time=0, account=16, client_id=command.client_id))
    engine.update()
    with qtbot.waitSignal(panel.accepted) as caught:
        panel.update_snapshot(engine.snapshot())
    assert caught.args == ["withdraw 2,500.00 pUSD: accepted"]
    assert panel.pages.currentIndex() == 0


def test_a_refused_withdrawal_returns_to_the_form_with_the_value_kept(
    qtbot, panel: AccountPanel, engine: SampleEngine
) -> None:
    click(qtbot, panel.withdraw_button)
    qtbot.keyClicks(panel.form.amount.line, "2500")
    click(qtbot, panel.form.button)
    (command,) = asked(engine, "submit")
    assert isinstance(command, RequestWithdrawal)
    engine.events.append(
        Rejected(
            sequence=1, time=0, account=16, client_id=command.client_id, code="withdrawal_too_large",
            message="2,500.00 exceeds the withdrawable 12.00", field="amount", limit="12000000",
        )
    )  # fmt: skip
    engine.update()
    with qtbot.waitSignal(panel.refused):
        panel.update_snapshot(engine.snapshot())
    assert panel.form.amount.error == "2,500.00 exceeds the withdrawable 12.00"
    assert panel.form.amount.text() == "2500"
    assert panel.form.button.isEnabled()
    qtbot.keyClicks(panel.form.amount.line, "0")
    assert panel.form.amount.error == "amount is 25,000.00; it must lie in [0.000001, 15,935.593301]"


def test_max_is_everything_that_may_leave(qtbot, panel: AccountPanel, engine: SampleEngine) -> None:
    click(qtbot, panel.withdraw_button)
    click(qtbot, panel.form.most)
    click(qtbot, panel.form.button)
    (command,) = asked(engine, "submit")
    assert isinstance(command, RequestWithdrawal)
    assert engine.current is not None
    assert engine.current.user is not None
    assert command.amount == engine.current.user.withdrawable


@pytest.mark.parametrize("text", ["", "x", "99999999", "0"])
def test_a_bad_amount_is_named_and_not_sent(qtbot, panel: AccountPanel, engine: SampleEngine, text: str) -> None:
    click(qtbot, panel.deposit_button)
    qtbot.keyClicks(panel.form.amount.line, text)
    click(qtbot, panel.form.button)
    assert panel.form.amount.error
    assert engine.asked == []


def test_a_deposit_that_l1_refuses_is_shown_beside_the_amount(qtbot, panel: AccountPanel, engine: SampleEngine) -> None:
    engine.refusal = ProtocolError("the L1 node does not answer", field="l1")
    click(qtbot, panel.deposit_button)
    qtbot.keyClicks(panel.form.amount.line, "10")
    with qtbot.waitSignal(panel.refused):
        click(qtbot, panel.form.button)
    assert panel.form.amount.error == "the L1 node does not answer"
    assert panel.pages.currentIndex() == 1


def test_a_claim_is_sent_once(qtbot, panel: AccountPanel, engine: SampleEngine) -> None:
    assert panel.claim_button.text() == "Claim 1,250.44"
    click(qtbot, panel.claim_button)
    assert panel.claim_button.text() == "Claim sent"
    click(qtbot, panel.claim_button)
    assert len(asked(engine, "claim")) == 1
    assert engine.current is not None
    assert engine.current.user is not None
    engine.update(user=replace(engine.current.user, l1_claimable=0))
    panel.update_snapshot(engine.snapshot())
    assert panel.claim_button.text() == "Nothing to claim"
    assert not panel.claim_button.isEnabled()


def test_a_refused_claim_says_why(qtbot, panel: AccountPanel, engine: SampleEngine) -> None:
    engine.refusal = ProtocolError("nothing waits on L1", field="owner")
    with qtbot.waitSignal(panel.refused):
        click(qtbot, panel.claim_button)
    assert panel.state.kind == "refused"
    assert panel.claim_button.text() == "Claim 1,250.44"


def test_no_account_is_said(panel: AccountPanel, engine: SampleEngine) -> None:
    engine.update(user=None)
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "empty"
    engine.update(user=SampleEngine().current.user)  # type: ignore[union-attr]
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "live"
