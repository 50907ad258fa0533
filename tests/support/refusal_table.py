"""The tables of ``docs/refusals.md``."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "refusals.md"


def documented(column: int) -> list[str]:
    """Backquoted names in a column of the document's tables."""
    rows = [line.split("|")[1:-1] for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    return [name for row in rows if len(row) > column for name in re.findall(r"^ `(\w+)` $", row[column])]
