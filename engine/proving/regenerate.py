"""Writes engine/proving/generated from the statement's tables: ``python -m engine.proving.regenerate``."""

from __future__ import annotations

from pathlib import Path

from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.shape import venue_shape
from engine.proving.statement import build_statement
from engine.stark.air.codegen import generate_module
from engine.stark.air.layout import layout_of

FOLDER = Path(__file__).parent / "generated"
MODULE_NAMES = {"range": "range_"}  # a module must not shadow a builtin


def sources() -> dict[str, str]:
    """File name to source, for the default configuration."""
    layout = layout_of(build_statement(venue_shape(DEFAULT_CONFIG)))
    return {
        f"{MODULE_NAMES.get(table.table.name, table.table.name)}.py": generate_module(table) for table in layout.tables
    }


if __name__ == "__main__":
    for name, source in sources().items():
        (FOLDER / name).write_text(source)
