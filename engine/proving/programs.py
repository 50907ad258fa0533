"""The venue's tables as the prover runs them, committed in words: ``tables/programs.txt``.

``python -m engine.proving.programs write`` writes the file after a change of a table; a test compares.
``python -m engine.proving.programs TABLE`` prints a table's whole program, a line for each operation.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.shape import venue_shape
from engine.proving.statement import build_statement
from engine.stark.air.layout import Layout, layout_of
from engine.stark.air.listing import operations, summary

FILE = Path(__file__).parent / "tables" / "programs.txt"


def venue_layout() -> Layout:
    """The statement's layout for the default configuration."""
    return layout_of(build_statement(venue_shape(DEFAULT_CONFIG)))


def programs() -> str:
    """What the file holds."""
    layout = venue_layout()
    parts = [[f"statement {layout.digest.hex()}"], *(summary(table) for table in layout.tables)]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or print the program of the table named."""
    if arguments == ["write"]:
        FILE.write_text(programs())
        return 0
    tables = {table.table.name: table for table in venue_layout().tables}
    if len(arguments) != 1 or arguments[0] not in tables:
        sys.stderr.write(f"usage: python -m engine.proving.programs write|{'|'.join(tables)}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in operations(tables[arguments[0]]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
