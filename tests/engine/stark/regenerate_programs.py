"""Writes engine/stark/generated from the statement's tables: python tests/engine/stark/regenerate_programs.py"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "engine" / "stark" / "generated"


def sources() -> dict[str, str]:
    """File name to source, for the default configuration."""
    from engine.exchange.config import DEFAULT_CONFIG
    from engine.proving.shape import venue_shape
    from engine.proving.statement import build_statement
    from engine.stark.codegen import generate_module
    from engine.stark.layout import layout_of

    layout = layout_of(build_statement(venue_shape(DEFAULT_CONFIG)))
    names = {"range": "range_"}
    return {f"{names.get(table.table.name, table.table.name)}.py": generate_module(table) for table in layout.tables}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for name, source in sources().items():
        (FOLDER / name).write_text(source)
