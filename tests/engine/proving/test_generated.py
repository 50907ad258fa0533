"""The committed programs of the venue's tables."""

from __future__ import annotations

from engine.proving.regenerate import FOLDER, sources


def test_the_committed_programs_are_what_the_tables_give() -> None:
    """After a change of a table: python -m engine.proving.regenerate"""
    expected = sources()
    assert {path.name for path in FOLDER.glob("*.py")} == {"__init__.py", *expected}
    for name, source in expected.items():
        assert (FOLDER / name).read_text() == source, name
