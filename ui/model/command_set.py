"""The commands of one desk: found by id or by words, run only when nothing stands against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.errors import ProtocolError, UnknownName
from ui.model.commands import Command
from ui.model.desk import Desk


class DuplicateCommand(ProtocolError):
    """Two commands with one id or one key."""


class CommandSet:
    """Commands in the order of the menus, bound to the desk that they act on."""

    def __init__(self, commands: Iterable[Command], desk: Desk) -> None:
        """Raises ``DuplicateCommand`` for a taken id or key."""
        self.desk = desk
        self._commands: dict[str, Command] = {}
        owners: dict[str, str] = {}
        for command in commands:
            if command.command_id in self._commands:
                raise DuplicateCommand(f"command {command.command_id} exists already", field="command_id")
            if command.keys in owners:
                owner = owners[command.keys]
                raise DuplicateCommand(f"{command.keys} belongs to {owner} already", field="keys", value=command.keys)
            if command.keys:
                owners[command.keys] = command.command_id
            self._commands[command.command_id] = command

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def __getitem__(self, command_id: str) -> Command:
        """Raises ``UnknownName``."""
        if command_id not in self._commands:
            raise UnknownName("command", command_id, list(self._commands))
        return self._commands[command_id]

    def run(self, command_id: str) -> bool:
        """Do it, or tell why not; True when it was done. Raises ``UnknownName``."""
        command = self[command_id]
        reason = command.enabled(self.desk.context())
        if reason:
            self.desk.refuse(f"{command.title}: {reason}")
            return False
        command.run(self.desk)
        return True

    def search(self, text: str) -> list[Command]:
        """Commands whose title, group or keywords hold every word of ``text``, titles that begin with it first."""
        words = text.lower().split()
        found = [c for c in self if all(w in f"{c.title} {c.group} {c.keywords}".lower() for w in words)]
        return sorted(found, key=lambda command: _rank(command, words))


def _rank(command: Command, words: list[str]) -> int:
    """0 when the title begins with the first word, 1 when one of its words does, 2 when the group does, else 3."""
    if not words:
        return 0
    title = command.title.lower()
    if title.startswith(words[0]):
        return 0
    if any(part.startswith(words[0]) for part in title.split()):
        return 1
    return 2 if command.group.lower().startswith(words[0]) else 3
