"""Generated modules: they hold the lowered program, give the same proof, and are refused when stale."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from engine.stark.air.codegen import generate_module, matching, program_of
from engine.stark.air.layout import layout_of
from engine.stark.air.lowering import lower
from engine.stark.errors import StatementError
from engine.stark.protocol.prover import prove
from tests.support.stark_toys import FAST, cubes, cubes_witness


def _load(source: str) -> ModuleType:
    module = ModuleType("generated")
    exec(compile(source, "generated.py", "exec"), module.__dict__)
    return module


def test_generated_modules_hold_the_lowered_program_and_prove_the_same() -> None:
    statement = cubes()
    modules = {}
    for table in layout_of(statement).tables:
        source = generate_module(table)
        assert source == generate_module(table)
        assert max(map(len, source.splitlines())) <= 120
        modules[table.table.name] = _load(source)
        assert program_of(modules[table.table.name], table) == lower(table)
    traces, publics, terms = cubes_witness()
    proof = prove(statement, traces, publics, terms, FAST, kernels=modules).bytes
    assert proof == prove(statement, traces, publics, terms, FAST).bytes


def test_a_stale_module_is_refused() -> None:
    statement = cubes()
    caller = statement.tables[0]
    module = _load(generate_module(layout_of(statement).tables[0]))
    changed = dataclasses.replace(caller, constraints=caller.constraints[1:])
    other = dataclasses.replace(statement, tables=(changed, *statement.tables[1:]))
    with pytest.raises(StatementError, match="stale"):
        program_of(module, layout_of(other).tables[0])
    traces, publics, terms = cubes_witness()
    with pytest.raises(StatementError):
        prove(other, traces, publics, terms, FAST, kernels={"caller": module})


def test_matching_modules_are_chosen_by_digest() -> None:
    layout = layout_of(cubes())
    modules = {table.table.name: _load(generate_module(table)) for table in layout.tables}
    assert matching(modules, layout) == modules
    modules["caller"].DIGEST = "00"
    assert set(matching(modules, layout)) == {"cuber", "range"}
