"""One registry feeds menus, keys and the palette."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow

from engine.errors import UnknownName
from ui.shell.actions import Action, ActionRegistry, DuplicateAction
from ui.shell.command_palette import CommandPalette


@pytest.fixture
def ran():
    return []


@pytest.fixture
def registry(ran):
    made = ActionRegistry()
    for name, key, words in (("theme", "Ctrl+L", "dark colour"), ("reset", "", "layout"), ("ladder", "Ctrl+2", "book")):
        made.add(Action(f"view.{name}", f"The {name}", "View", lambda n=name: ran.append(n), key, keywords=words))
    made.add(Action("clock.pause", "Pause", "Clock", lambda: ran.append("pause"), "Ctrl+P", lambda: "pause" in ran))
    return made


def test_taken_ids_and_keys_and_unknown_menus_are_refused(registry):
    with pytest.raises(DuplicateAction, match="exists"):
        registry.add(Action("view.theme", "x", "View", lambda: None))
    with pytest.raises(DuplicateAction, match=r"Ctrl\+L belongs to view.theme"):
        registry.add(Action("view.other", "x", "View", lambda: None, "Ctrl+L"))
    with pytest.raises(UnknownName, match="Market"):
        registry.add(Action("a.b", "x", "Tools", lambda: None))
    with pytest.raises(UnknownName, match="view.theme"):
        registry.run("nothing")


def test_search_finds_every_word_anywhere(registry):
    assert [a.action_id for a in registry.search("dark")] == ["view.theme"]
    assert [a.action_id for a in registry.search("view the l")] == ["view.theme", "view.reset", "view.ladder"]
    assert len(registry.search("")) == 4
    assert registry.search("zzz") == []


def test_menus_carry_titles_keys_and_checks(registry, ran, qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    made = registry.build_menus(window)
    assert [menu.text() for menu in window.menuBar().actions()] == ["View", "Clock"]
    assert made["view.theme"].shortcut() == QKeySequence("Ctrl+L")
    assert not made["clock.pause"].isChecked()
    made["clock.pause"].trigger()
    assert ran == ["pause"]
    window.menuBar().actions()[1].menu().aboutToShow.emit()
    assert made["clock.pause"].isChecked()


def test_the_palette_runs_what_is_selected(registry, ran, theme, qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(900, 600)
    window.show()
    palette = CommandPalette(registry, theme, window)
    palette.open_over(window)
    qtbot.keyClicks(palette.line, "the")
    qtbot.keyClick(palette.line, Qt.Key.Key_Down)
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert ran == ["reset"]
    assert not palette.isVisible()


def test_the_palette_closes_without_a_match(registry, ran, theme, qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    palette = CommandPalette(registry, theme, window)
    palette.open_over(window)
    qtbot.keyClicks(palette.line, "zzz")
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert ran == []
    assert not palette.isVisible()
