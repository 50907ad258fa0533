"""Everything the user can ask for is one record; menus, keys, the command palette and tests derive from the list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from engine.errors import ProtocolError, UnknownName

MENUS = ("Desk", "View", "Market", "Clock", "Trade", "Help")


class DuplicateAction(ProtocolError):
    """Two actions with one id or one key."""


@dataclass(frozen=True, slots=True)
class Action:
    """``action_id`` like ``view.theme``; ``menu`` is one of ``MENUS``; ``checked`` makes it a toggle."""

    action_id: str
    title: str
    menu: str
    run: Callable[[], None]
    shortcut: str = ""
    checked: Callable[[], bool] | None = None
    keywords: str = ""


def _rank(action: Action, words: list[str]) -> int:
    """0 when the title begins with the first word, 1 when one of its words does, 2 when the menu does, else 3."""
    if not words:
        return 0
    title = action.title.lower()
    if title.startswith(words[0]):
        return 0
    if any(part.startswith(words[0]) for part in title.split()):
        return 1
    return 2 if action.menu.lower().startswith(words[0]) else 3


class ActionRegistry:
    """The actions of one window, in the order in which they were added."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}

    def add(self, action: Action) -> None:
        """Register; raises ``UnknownName`` for an unknown menu, ``DuplicateAction`` for a taken id or key."""
        if action.menu not in MENUS:
            raise UnknownName("menu", action.menu, list(MENUS))
        if action.action_id in self._actions:
            raise DuplicateAction(f"action {action.action_id} exists already", field="action_id")
        keys = {a.shortcut: a.action_id for a in self._actions.values() if a.shortcut}
        if action.shortcut in keys:
            taken = keys[action.shortcut]
            raise DuplicateAction(
                f"{action.shortcut} belongs to {taken} already", field="shortcut", value=action.shortcut
            )
        self._actions[action.action_id] = action

    def all(self) -> list[Action]:
        """Every action."""
        return list(self._actions.values())

    def run(self, action_id: str) -> None:
        """Run one by id; raises ``UnknownName``."""
        if action_id not in self._actions:
            raise UnknownName("action", action_id, list(self._actions))
        self._actions[action_id].run()

    def search(self, text: str) -> list[Action]:
        """Actions whose title, menu or keywords hold every word of ``text``, titles that begin with it first."""
        words = text.lower().split()
        found = [a for a in self.all() if all(w in f"{a.title} {a.menu} {a.keywords}".lower() for w in words)]
        return sorted(found, key=lambda a: _rank(a, words))

    def build_menus(self, window: QMainWindow) -> dict[str, QAction]:
        """Menus with their keys on the window's menu bar; returns the Qt actions by id."""
        bar = window.menuBar()
        bar.clear()
        menus: dict[str, QMenu] = {}
        made: dict[str, QAction] = {}
        for name in MENUS:
            if any(action.menu == name for action in self.all()):
                menus[name] = bar.addMenu(name)
        for action in self.all():
            made[action.action_id] = self._qt_action(action, menus[action.menu], window)
        for menu in menus.values():
            menu.aboutToShow.connect(lambda made=made: self._refresh_checks(made))
        return made

    def _qt_action(self, action: Action, menu: QMenu, window: QMainWindow) -> QAction:
        made = QAction(action.title, window)
        made.setObjectName(action.action_id)
        if action.shortcut:
            made.setShortcut(QKeySequence(action.shortcut))
        if action.checked is not None:
            made.setCheckable(True)
            made.setChecked(action.checked())
        made.triggered.connect(lambda _checked=False, run=action.run: run())
        menu.addAction(made)
        return made

    def _refresh_checks(self, made: dict[str, QAction]) -> None:
        for action in self.all():
            if action.checked is not None:
                made[action.action_id].setChecked(action.checked())
