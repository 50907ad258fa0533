"""The committed words of the venue's tables."""

from __future__ import annotations

import pytest

from engine.proving.programs import FILE, main, programs


def test_the_committed_programs_are_what_the_tables_give() -> None:
    """After a change of a table: python -m engine.proving.programs write"""
    assert FILE.read_text() == programs()


def test_a_table_s_whole_program_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update"]) == 0
    assert "s325 = old_signature_index_0 * (1 - old_present)\n" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["update", "path"]])
def test_other_arguments_are_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m engine.proving.programs write|poseidon|path|update|range\n"
