"""One set of commands feeds menus, keys and the palette; what cannot be done says why in each of them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow

from tests.support.stand_in_desk import StandInDesk
from ui.model.command_set import CommandSet
from ui.model.commands import Command
from ui.shell.command_palette import REASON_ROLE, CommandPalette
from ui.shell.menus import build_menus


@pytest.fixture
def desk() -> StandInDesk:
    return StandInDesk()


@pytest.fixture
def commands(desk: StandInDesk) -> CommandSet:
    def no_orders(context) -> str:
        return "" if context.orders else "no orders are resting"

    made = [
        Command(f"view.{name}", f"The {name}", "View", lambda desk, n=name: desk.show_panel(n), keys, keywords=words)
        for name, keys, words in (("theme", "Ctrl+L", "dark"), ("reset", "", "layout"), ("ladder", "Ctrl+2", "book"))
    ]
    made.append(
        Command("clock.pause", "Pause", "Clock", lambda desk: desk.toggle_pause(), "Ctrl+P",
                checked=lambda context: context.speed == 1.0)
    )  # fmt: skip
    made.append(Command("trade.cancel", "Cancel", "Trade", lambda desk: desk.cancel_all_orders(), "Ctrl+X", no_orders))
    return CommandSet(made, desk)


@pytest.fixture
def window(qtbot) -> QMainWindow:
    made = QMainWindow()
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    return made


def test_menus_carry_titles_keys_and_checks(window, commands, desk) -> None:
    made = build_menus(window, commands)
    assert [menu.text() for menu in window.menuBar().actions()] == ["View", "Clock", "Trade"]
    assert made["view.theme"].shortcut() == QKeySequence("Ctrl+L")
    assert not made["clock.pause"].isChecked()
    made["clock.pause"].trigger()
    assert desk.asked == [("toggle_pause", ())]
    desk.now = StandInDesk(speed=1.0).now
    window.menuBar().actions()[1].menu().aboutToShow.emit()
    assert made["clock.pause"].isChecked()


def test_an_open_menu_shows_what_cannot_be_done_and_its_key_still_says_why(window, commands, desk) -> None:
    made = build_menus(window, commands)
    menu = window.menuBar().actions()[2].menu()
    menu.aboutToShow.emit()
    assert (made["trade.cancel"].isEnabled(), menu.toolTipsVisible()) == (True, True)
    desk.now = StandInDesk(orders=0).now
    menu.aboutToShow.emit()
    assert not made["trade.cancel"].isEnabled()
    assert made["trade.cancel"].toolTip() == "no orders are resting"
    menu.aboutToHide.emit()
    made["trade.cancel"].trigger()
    assert desk.asked == [("refuse", ("Cancel: no orders are resting",))]


def test_the_palette_runs_what_is_selected(window, commands, desk, theme, qtbot) -> None:
    palette = CommandPalette(commands, theme, window)
    palette.open_over(window)
    qtbot.keyClicks(palette.line, "the")
    qtbot.keyClick(palette.line, Qt.Key.Key_Down)
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert desk.asked == [("show_panel", ("reset",))]
    assert not palette.isVisible()


def test_the_palette_closes_without_a_match(window, commands, desk, theme, qtbot) -> None:
    palette = CommandPalette(commands, theme, window)
    palette.open_over(window)
    qtbot.keyClicks(palette.line, "zzz")
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert desk.asked == []
    assert not palette.isVisible()


def test_the_palette_keeps_what_cannot_be_done_in_sight_with_its_reason(window, commands, desk, theme, qtbot) -> None:
    desk.now = StandInDesk(orders=0).now
    palette = CommandPalette(commands, theme, window)
    palette.open_over(window)
    qtbot.keyClicks(palette.line, "cancel")
    assert palette.list.item(0).data(REASON_ROLE) == "no orders are resting"
    assert palette.list.item(0).toolTip() == "no orders are resting"
    with_reason = palette.grab().toImage()
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert (desk.asked, palette.isVisible()) == ([], True)
    desk.now = StandInDesk().now
    palette.show_matches("cancel")
    assert palette.grab().toImage() != with_reason, "the reason is painted"
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert (desk.asked, palette.isVisible()) == ([("cancel_all_orders", ())], False)
