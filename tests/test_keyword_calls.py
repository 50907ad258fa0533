"""Records are built by keyword: two integers swapped in a long positional call type-check and mean something else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
POSITIONAL_AT_MOST = 7


def long_calls(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each constructor call (a capitalised name) with more positional arguments than that."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and len(node.args) > POSITIONAL_AT_MOST:
            name = ast.unparse(node.func).rpartition(".")[2]
            if name[:1].isupper():
                yield node.lineno, name


def test_no_record_is_built_from_a_long_row_of_positions() -> None:
    found, files = [], 0
    for package in ("engine", "app"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if ROOT / "engine" / "stark" in path.parents:  # proofs: buffers in the order of the encoding
                continue
            files += 1
            found += [f"{path.relative_to(ROOT)}:{line} {name}" for line, name in long_calls(path.read_text())]
    assert files > 100
    assert found == []


def test_a_long_call_is_seen() -> None:
    assert list(long_calls("x = 1\nFill(1, 2, 3, 4, 5, 6, 7, 8)\nevents.Fill(1, 2, 3, 4, 5, 6, 7, 8)")) == [
        (2, "Fill"),
        (3, "Fill"),
    ]
    assert list(long_calls("Fill(1, 2, 3, 4, 5, 6, 7)\nFill(a=1)\nmin(1, 2, 3, 4, 5, 6, 7, 8)")) == []
