"""Proofline's one command line: lets the window's rooms add their commands, then everything is ``app.cli``'s."""

from __future__ import annotations

import sys

from app.runtime import jit_cache


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments say (by default those of this process); the exit status."""
    jit_cache.prepare()  # before anything imports numba
    from app import cli
    from app.commands.registry import Registry
    from ui import commands

    registry = Registry()
    commands.register(registry)
    return cli.run(sys.argv[1:] if arguments is None else arguments, registry)


if __name__ == "__main__":
    sys.exit(main())
