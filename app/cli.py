"""The command line: parsing, settings, dispatch, and expected errors as one line on the terminal.

It knows no command by name: they are what the registry holds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.commands.registry import Command, Options, Parser, Registry, add_data
from app.paths import Paths, locate, open_paths
from app.runtime import crash_points
from app.settings import Setting, resolve, setting_named
from app.storage import settings_file
from engine.errors import ProtocolError, UnknownName

DESCRIPTION = "Proofline: a trading desk with a STARK-proven layer-2 perpetuals exchange inside it."


def run(arguments: list[str], registry: Registry | None = None) -> int:
    """Run one command; returns the exit status (0 done, 1 the work failed, 2 bad usage)."""
    options = parse(arguments, registry or Registry())
    try:
        crash_points.arm_from_environment()
        return _dispatch(options.registry.commands[options.command], options)
    except ProtocolError as error:
        print(f"proofline: {error.message}", file=sys.stderr)
        return 2 if isinstance(error, UnknownName) else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        return 141  # as if the signal of a closed pipe had ended it
    except OSError as error:
        print(f"proofline: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("proofline: stopped", file=sys.stderr)
        return 130


def _dispatch(command: Command, options: Options) -> int:
    if command.taken():
        _settle(command, options, locate(options.data))
    command.check(options)
    with _logging(command, options):
        if command.kernels != "none":
            _compile(prover=command.kernels == "all")
        return command.run(options)


def _settle(command: Command, options: Options, paths: Paths) -> None:
    """Put the value of each setting that the command takes into its options."""
    flags = {key: getattr(options, _attribute(key)) for key in command.taken()}
    file = settings_file.read(paths.settings)
    options.settings = resolve(command.taken(), flags, os.environ, file, str(paths.settings))
    for key, found in options.settings.items():
        setattr(options, _attribute(key), found.value)


@contextmanager
def _logging(command: Command, options: Options) -> Iterator[None]:
    if not command.logs:
        yield
        return
    from app.runtime.logging import logging_to

    addresses = [str(found.value) for found in options.settings.values() if found.setting.holds_secrets]
    with logging_to(open_paths(options.data).log, options.log_level, addresses, command.name):
        yield


def _compile(*, prover: bool) -> None:
    """On the first use of a build: compile with progress, before anything imports the engine."""
    from app.runtime.terminal_progress import TerminalProgress
    from app.runtime.warmup import warm_up, warm_up_trading

    (warm_up if prover else warm_up_trading)(TerminalProgress(sys.stderr))


def parse(arguments: list[str], registry: Registry) -> Options:
    """Parse; no command means the default one. argparse exits with 2 and lists the valid names on a wrong one."""
    shared = argparse.ArgumentParser(add_help=False)
    add_data(shared)
    parser = argparse.ArgumentParser(prog=program(), description=DESCRIPTION, parents=[shared])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in registry.commands:
        described = f"{command.help} (the default)" if command.default else command.help
        sub = commands.add_parser(command.name, parents=[shared], help=described, epilog=command.epilog)
        command.add_arguments(sub, registry)
        for key in command.taken():
            _add_flag(sub, setting_named(key))
    if arguments and not arguments[0].startswith("-") and arguments[0] not in registry.commands:
        parser.error(f"unknown command {arguments[0]!r}; valid: {', '.join(registry.commands.names())}")
    options = parser.parse_args(arguments, Options())
    if options.command is None:
        default = next((command.name for command in registry.commands if command.default), None)
        if default is None:
            parser.error(f"COMMAND is missing; valid: {', '.join(registry.commands.names())}")
        options = parser.parse_args([default, *arguments], Options())
    options.data = getattr(options, "data", None)
    options.registry = registry
    return options


def program() -> str:
    """What this program was called as: the installed command, or the script in the sources."""
    return "proofline" if Path(sys.argv[0]).name == "proofline" else "main.py"


def _add_flag(parser: Parser, setting: Setting) -> None:
    """A setting as a flag; without a default, so that what stands elsewhere counts when it is not given."""
    described = f"{setting.help} (default: {setting.default or 'none'})"
    parser.add_argument(
        setting.flag,
        dest=_attribute(setting.key),
        type=float if setting.is_number else str,
        choices=setting.choices or None,
        metavar=setting.metavar,
        default=None,
        help=described,
    )


def _attribute(key: str) -> str:
    return key.replace("-", "_")
