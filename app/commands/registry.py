"""What can be named on the command line: commands, benches, scenarios. Whoever offers them, they are found here.

A module of ``app.commands`` declares one :class:`Command` as ``COMMAND``; the rooms above this package add theirs
before the command line is parsed (``main.py`` hands them in). Records are light: importing one loads no kernels and
no Qt.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

import app.commands
from app.benches import BENCHES, Bench
from app.scenarios import SCENARIOS, Scenario
from app.settings import Found
from engine.errors import UnknownName

Kernels = Literal["none", "trading", "all"]
Parser = argparse.ArgumentParser


class Options(argparse.Namespace):
    """The arguments of a command: its own by their names, and each setting it takes by the setting's key.

    ``settings`` tells of those where they come from.
    """

    command: str
    data: str | None
    registry: Registry
    settings: dict[str, Found]


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What a user types."""


T = TypeVar("T", bound=Named)


class Names(Generic[T]):
    """Things by name, in the order of their names."""

    def __init__(self, kind: str, things: tuple[T, ...] = ()) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}
        self.add(*things)

    def add(self, *things: T) -> None:
        """Register; ValueError for a name that is taken."""
        for thing in things:
            if thing.name in self._things:
                raise ValueError(f"there are two of the {self.kind} {thing.name!r}")
            self._things[thing.name] = thing

    def __iter__(self) -> Iterator[T]:
        return iter(self._things[name] for name in self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __getitem__(self, name: str) -> T:
        """The thing; :class:`engine.errors.UnknownName` lists the valid names."""
        if name not in self._things:
            raise UnknownName(self.kind, name, self.names())
        return self._things[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._things)


def add_data(parser: Parser) -> None:
    """``--data``, before or behind the command and its act: where it is given last counts."""
    described = "data folder (default: the platform's)"
    parser.add_argument("--data", metavar="DIR", default=argparse.SUPPRESS, help=described)


def _nothing(*_: object) -> None:
    """Of a command without arguments of its own, or without anything to check beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Parameters
    ----------
    name, help : as typed, and what it does in a line
    run : does it; the exit status
    add_arguments : declares its arguments; the registry holds the names that they may be
    settings : keys of :mod:`app.settings` that it takes, each also as a flag
    check : refuses what is wrong with the options, before anything is compiled or opened
    kernels : what must be compiled before it runs
    logs : whether it writes to the log in the data folder
    default : whether it is meant when no command is named
    epilog : said below the help of its arguments
    """

    name: str
    help: str
    run: Callable[[Options], int]
    add_arguments: Callable[[Parser, Registry], None] = _nothing
    settings: tuple[str, ...] = ()
    check: Callable[[Options], None] = _nothing
    kernels: Kernels = "none"
    logs: bool = False
    default: bool = False
    epilog: str = ""

    def taken(self) -> tuple[str, ...]:
        """The settings that it takes, the log's with them where it writes one."""
        return (*self.settings, "log-level") if self.logs else self.settings


@dataclass(frozen=True, slots=True)
class Registry:
    """All that can be named."""

    commands: Names[Command] = field(default_factory=lambda: Names("command", _commands()))
    benches: Names[Bench] = field(default_factory=lambda: Names("bench", BENCHES))
    scenarios: Names[Scenario] = field(default_factory=lambda: Names("scenario", SCENARIOS))


def _commands() -> tuple[Command, ...]:
    """Those of the modules of :mod:`app.commands`, this one left out."""
    names = [module.name for module in pkgutil.iter_modules(app.commands.__path__) if module.name != "registry"]
    return tuple(importlib.import_module(f"app.commands.{name}").COMMAND for name in names)
