"""``bench NAME --json``: one measurement, one JSON object."""

from __future__ import annotations

import argparse
import importlib
import json
from typing import Any

from app.cli import BENCHES


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


def run(options: argparse.Namespace) -> int:
    """List the benches, or run one that needs no window."""
    if options.list:
        for name, text in BENCHES.items():
            print(f"{name:14} {text}")
        return 0
    module = importlib.import_module(f"app.benches.{options.name.replace('-', '_')}")
    show(module.measure(quick=options.quick), as_json=options.json)
    return 0
