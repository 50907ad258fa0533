"""Hands that slip: keys only, double clicks, impossible wishes, a clock that races, a venue that is stopped."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from engine.units import PPM
from tests.support.desk_world import Desk

BTC = 1


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None, "the keyboard is nowhere"
    return widget


def test_an_order_is_placed_with_the_keyboard_alone(desk: Desk) -> None:
    key, ticket = desk.qtbot.keyClick, desk.ticket
    desk.window.activateWindow()
    key(desk.window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    desk.wait(lambda: focused() is ticket.fields.size_edit.line)
    desk.qtbot.keyClicks(focused(), "0.05")
    key(focused(), Qt.Key.Key_Up)
    assert ticket.fields.size_edit.text() == "0.051"
    key(focused(), Qt.Key.Key_Return)
    desk.wait(lambda: desk.user.positions)
    assert desk.user.positions[0].size == 51
    assert focused() is ticket.fields.size_edit.line


def test_a_double_click_buys_once_and_halves_once(desk: Desk) -> None:
    desk.fill_ticket("buy", "market", "0.08")
    for _ in range(3):
        desk.qtbot.mouseClick(desk.ticket.button, Qt.MouseButton.LeftButton)
        desk.wait(lambda: desk.user.positions)
    assert desk.user.positions[0].size == 80
    desk.wait(lambda: desk.rows("positions"))
    for _ in range(3):
        desk.click_cell("positions", 0, "half")
        desk.wait(lambda: desk.user.positions[0].size < 80)
    time = desk.snapshot.time
    desk.wait(lambda: desk.snapshot.time > time + 200_000_000)
    assert desk.user.positions[0].size == 40


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_everything_at_the_largest_leverage_is_accepted(desk: Desk, side: str) -> None:
    ticket = desk.ticket
    desk.click(ticket.fields.side.buttons[side])
    most = desk.engine.config.market(BTC).max_leverage
    desk.type_into(ticket.fields.sizing.box.line, str(most))
    desk.click(ticket.fields.sizing.buttons[100])
    desk.wait(lambda: ticket.receipt.value)
    assert ticket.receipt.refusal == ""
    desk.press(ticket.button)
    desk.wait(lambda: desk.user.positions)
    assert (most - 1) * PPM < desk.user.leverage_ppm < (most + 1) * PPM


def test_an_order_beyond_the_margin_is_refused_with_rule_and_number(desk: Desk) -> None:
    desk.fill_ticket("buy", "market", "900")
    desk.wait(lambda: "short by" in desk.ticket.message.text())
    desk.press(desk.ticket.button)
    desk.wait(lambda: "short by" in desk.ticket.fields.size_edit.error)
    assert desk.ticket.fields.size_edit.text() == "900", "what was typed stays"
    assert desk.ticket.button.isEnabled()
    assert not desk.user.positions
    assert [notice.kind for _, notice in desk.window.notices.shown] == ["danger"], "one refusal is told once"


def test_a_post_only_order_that_would_trade_says_why_there_is_none(desk: Desk) -> None:
    ask = int(desk.snapshot.markets[BTC].asks[0, 0])
    desk.fill_ticket("buy", "limit", "0.01", f"{ask * 101 // 100 / 10:.1f}")
    desk.click(desk.ticket.fields.post_only)
    desk.press(desk.ticket.button)
    desk.wait(lambda: any("post-only" in notice.text for _, notice in desk.window.notices.shown))
    assert not desk.user.orders
    assert not desk.user.positions


def test_more_than_allowed_cannot_be_withdrawn(desk: Desk) -> None:
    desk.go_to("account")
    desk.press(desk.account.withdraw_button)
    form = desk.account.form
    for text in ("10000.000001", "0", "-5", "1.0000001", "1e99", "all of it"):
        desk.type_into(form.amount.line, text)
        desk.click(form.button)
        assert form.amount.error.startswith("amount"), text
        assert form.button.words == "Withdraw: correct the amount"
    desk.click(form.most)
    assert form.button.words == "Withdraw 10,000.00 pUSD"
    desk.click(form.button)
    desk.wait(lambda: desk.user.account.collateral == 0)
    desk.wait(lambda: desk.account.pages.currentIndex() == 0)


def test_a_deposit_is_pending_then_credited(desk: Desk) -> None:
    desk.choose_speed(10.0)
    desk.go_to("account")
    desk.press(desk.account.deposit_button)
    desk.type_into(desk.account.form.amount.line, "2,500.000001")
    desk.press(desk.account.form.button)
    desk.wait(lambda: desk.user.account.collateral == 12_500_000_001)
    assert desk.user.l1_token_balance == 40_000_000_000 - 2_500_000_001
    desk.wait(lambda: any("2,500.000001" in notice.text for _, notice in desk.window.notices.shown))


def test_a_paused_clock_takes_orders_and_is_not_called_stale(desk: Desk) -> None:
    desk.click(desk.window.header.pause_button)
    desk.wait(lambda: desk.snapshot.paused)
    time = desk.snapshot.time
    desk.fill_ticket("sell", "market", "0.03")
    desk.press(desk.ticket.button)
    desk.wait(lambda: desk.user.positions)
    assert desk.snapshot.time == time
    desk.wait(lambda: desk.window.header.connection.text() == "paused")
    assert {panel.state.kind for panel in desk.window.panels.values()} & {"stale", "broken"} == set()
    desk.click(desk.window.header.pause_button)
    desk.wait(lambda: desk.snapshot.time > time)


def test_a_racing_clock_is_said_and_slows_down_at_once(desk: Desk) -> None:
    desk.choose_speed(600.0)
    desk.wait(lambda: "quotes only" in desk.window.banner.words.text())
    start = desk.snapshot.time
    desk.wait(lambda: desk.snapshot.time > start + 120 * 10**9)
    desk.choose_speed(1.0)
    desk.wait(lambda: not desk.window.banner.isVisible())
    time = desk.snapshot.time
    desk.wait(lambda: desk.snapshot.time > time, 10_000)


def test_a_venue_that_was_stopped_says_so_and_loses_nothing_typed(desk: Desk) -> None:
    desk.fill_ticket("buy", "market", "0.05")
    desk.engine.pacer.stop()
    desk.engine.thread.join(10)
    desk.click(desk.ticket.button)
    desk.wait(lambda: "not running" in desk.ticket.message.text())
    assert desk.ticket.fields.size_edit.text() == "0.05"
    desk.wait(lambda: desk.window.header.connection.text().startswith("no update"))
