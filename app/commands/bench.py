"""``bench NAME --json``: one measurement, one JSON object."""

from __future__ import annotations

import argparse
import importlib
import json
from typing import Any

from app.cli import BENCHES
from engine.errors import ProtocolError, check_range

CASES = {"updates": ("prove", 4096), "threads": ("prove", 64), "profile": ("prove", None), "stream": ("matching", None)}
"""Options of a case: whose they are, and how large they may be."""


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


def case_of(options: argparse.Namespace) -> dict[str, Any]:
    """The options that choose a case; with another bench, or out of range, they are refused by name."""
    given = {name: value for name in CASES if (value := getattr(options, name)) is not None}
    for name, value in given.items():
        bench, limit = CASES[name]
        if options.name != bench:
            raise ProtocolError(f"--{name} is an option of bench {bench}", field=f"--{name}", value=value)
        if limit is not None:
            check_range(f"--{name}", value, 1, limit)
    return given


def run(options: argparse.Namespace) -> int:
    """List the benches, or run one that needs no window."""
    if options.list:
        for name, text in BENCHES.items():
            print(f"{name:14} {text}")
        return 0
    module = importlib.import_module(f"app.benches.{options.name.replace('-', '_')}")
    show(module.measure(quick=options.quick, **case_of(options)), as_json=options.json)
    return 0
