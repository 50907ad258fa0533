"""Menus and keys of a window, made from its commands."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from ui.model.command_set import CommandSet
from ui.model.commands import GROUPS, Command


def build_menus(window: QMainWindow, commands: CommandSet) -> dict[str, QAction]:
    """One menu per group on the window's menu bar; returns the Qt actions by command id."""
    bar = window.menuBar()
    bar.clear()
    made: dict[str, QAction] = {}
    for group in GROUPS:
        members = [command for command in commands if command.group == group]
        if not members:
            continue
        menu = bar.addMenu(group)
        menu.setToolTipsVisible(True)
        for command in members:
            made[command.command_id] = _add(menu, command, commands, window)
        menu.aboutToShow.connect(partial(_refresh, commands, members, made))
        menu.aboutToHide.connect(partial(_free, members, made))
    return made


def _add(menu: QMenu, command: Command, commands: CommandSet, window: QMainWindow) -> QAction:
    action = QAction(command.title, window)
    action.setObjectName(command.command_id)
    if command.keys:
        action.setShortcut(QKeySequence(command.keys))
    if command.checked is not None:
        action.setCheckable(True)
        action.setChecked(command.checked(commands.desk.context()))
    action.triggered.connect(lambda _checked=False, name=command.command_id: commands.run(name))
    menu.addAction(action)
    return action


def _refresh(commands: CommandSet, members: list[Command], made: dict[str, QAction]) -> None:
    """As the menu opens: what is on, what cannot be done and why."""
    context = commands.desk.context()
    for command in members:
        action, reason = made[command.command_id], command.enabled(context)
        action.setEnabled(not reason)
        action.setToolTip(reason)
        if command.checked is not None:
            action.setChecked(command.checked(context))


def _free(members: list[Command], made: dict[str, QAction]) -> None:
    """Behind a closed menu every key works: what cannot be done then says so itself."""
    for command in members:
        made[command.command_id].setEnabled(True)
