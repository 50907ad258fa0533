"""Proofline's one command line: adds what the window offers to what can be named, then everything is ``app.cli``'s."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from app.runtime import jit_cache

if TYPE_CHECKING:
    from app.commands.registry import Registry


def whole_registry() -> Registry:
    """The commands and benches of app, and those that need the window."""
    from app.commands.registry import Registry
    from ui import benches, commands

    registry = Registry()
    registry.commands.add(*commands.COMMANDS)
    registry.benches.add(*benches.BENCHES)
    return registry


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments say (by default those of this process); the exit status."""
    jit_cache.prepare()  # before anything imports numba
    from app import cli

    return cli.run(sys.argv[1:] if arguments is None else arguments, whole_registry())


if __name__ == "__main__":
    sys.exit(main())
