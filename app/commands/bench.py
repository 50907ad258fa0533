"""``bench NAME --json``: one measurement, one JSON object."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from app.benches import Bench, Option
from app.commands.registry import Command, Options, Parser, Registry
from engine.errors import ProtocolError, check_range


def result(name: str, value: float, unit: str, parameters: dict[str, Any], details: dict[str, Any]) -> dict[str, Any]:
    """The object every bench prints."""
    return {"name": name, "value": value, "unit": unit, "parameters": parameters, "details": details}


def show(measured: dict[str, Any], *, as_json: bool) -> None:
    """Print a result: JSON, or lines for people."""
    if as_json:
        print(json.dumps(measured))
        return
    print(f"{measured['name']}: {measured['value']:,.4g} {measured['unit']}")
    for part in ("parameters", "details"):
        for key, value in measured[part].items():
            print(f"  {key}: {value}")


def add_arguments(parser: Parser, registry: Registry) -> None:
    """The name, how to print, and the options of each bench that has some."""
    parser.add_argument("name", metavar="NAME", nargs="?", help=", ".join(registry.benches.names()))
    parser.add_argument("--list", action="store_true", help="name the benches")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a measurement")
    for name, owners in _options(registry).items():
        option = owners[0][1]
        parser.add_argument(
            f"--{name}",
            type=str if option.choices or option.file else int,
            choices=option.choices or None,
            metavar=option.metavar,
            default=None,
            help=f"{', '.join(bench for bench, _ in owners)}: {option.help}",
        )


def case_of(bench: Bench, options: Options) -> dict[str, Any]:
    """The options that choose a case; another bench's are refused, and so are numbers out of range."""
    own = {option.name: option for option in bench.options}
    given = {name: value for name in _options(options.registry) if (value := getattr(options, name)) is not None}
    for name, value in given.items():
        if name not in own:
            owners = ", ".join(owner for owner, _ in _options(options.registry)[name])
            raise ProtocolError(f"--{name} is an option of bench {owners}", field=f"--{name}", value=value)
        if not own[name].choices and not own[name].file:
            check_range(f"--{name}", value, own[name].low, own[name].high)
    return given


def run(options: Options) -> int:
    """List the benches, or run one."""
    benches = options.registry.benches
    if options.list:
        for bench in benches:
            print(f"{bench.name:14} {bench.help}")
        return 0
    if options.name is None:
        print(f"proofline: NAME is missing; valid: {', '.join(benches.names())}", file=sys.stderr)
        return 2
    bench = benches[options.name]
    case = case_of(bench, options)
    measure = importlib.import_module(bench.module).measure
    show(measure(quick=options.quick, **case), as_json=options.json)
    return 0


def _options(registry: Registry) -> dict[str, list[tuple[str, Option]]]:
    """Every option that some bench has: who has it, and how."""
    found: dict[str, list[tuple[str, Option]]] = {}
    for bench in registry.benches:
        for option in bench.options:
            found.setdefault(option.name, []).append((bench.name, option))
    return found


COMMAND = Command(name="bench", help="measure something", add_arguments=add_arguments, run=run)
