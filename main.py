"""Proofline's one command line. Dispatches: the desk and its pictures to ui, everything else to app."""

from __future__ import annotations

import importlib
import sys

from app.runtime import jit_cache


def main(arguments: list[str]) -> int:
    jit_cache.prepare()  # before anything imports numba
    cli = importlib.import_module("app.cli")
    return cli.run(arguments, window=lambda: importlib.import_module("ui.commands"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
