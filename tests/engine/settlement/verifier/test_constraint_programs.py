"""Programs for the constraint contracts: generated from the statement, equal to direct evaluation, on the EVM too."""

from __future__ import annotations

import numpy as np
import pytest

from engine.field import extension
from engine.field.extension import Extension
from engine.field.koalabear import P
from engine.proving.shape import StatementShape
from engine.proving.statement import build_statement
from engine.settlement.contracts.abi import decode_words, encode_call
from engine.settlement.verifier.codegen import SCALE, SUM, generate, input_registers, split
from engine.settlement.verifier.deployment import PROGRAM_WORDS, PUBLIC_READ, programs
from engine.settlement.verifier.packing import pack, unpack
from engine.stark.air.constraints import KINDS, Row, combine, constraint_values
from engine.stark.air.layout import Layout, build_layout, layout_of
from engine.stark.air.lookup import make_challenges
from engine.stark.air.program import Kind
from engine.stark.air.rings import PointRing
from engine.stark.errors import StatementError
from tests.support.verifier_bench import SHAPE, Bench

REGISTERS = 1408


def random_inputs(layout: Layout, seed: int) -> tuple[list[Extension], list[Extension]]:
    """Random registers at the start, and the sums that the symbolic constraints give for them."""
    numbers = np.random.default_rng(seed)

    def element() -> Extension:
        return tuple(numbers.integers(P, size=5).tolist())

    denominator, tuple_challenge, constraint_challenge = element(), element(), element()
    challenges = make_challenges(layout, denominator, tuple_challenge)
    publics = numbers.integers(P, size=layout.statement.public_count).tolist()
    first_power, first_public, _, _ = input_registers(layout, PUBLIC_READ)
    powers = [extension.ONE]
    while len(powers) < first_public - first_power:
        powers.append(extension.mul(powers[-1], constraint_challenge))
    inputs = [
        extension.ONE,
        denominator,
        *challenges.tuple_powers,
        *powers,
        *map(extension.embed, publics[:PUBLIC_READ]),
    ]
    expected = []
    for table in layout.tables:
        step, opened = element(), [element() for _ in range(table.opened)]
        inputs += [step, *opened]
        start = table.width + table.auxiliary + 2
        following = opened[start : start + len(table.next_columns)]
        after = dict(zip(table.next_columns, following, strict=True))
        auxiliary = opened[table.width : table.width + table.auxiliary]
        row = Row(
            lambda index, offset, now=opened, after=after: after[index] if offset else now[index],
            publics.__getitem__,
            auxiliary,
            opened[-1] if table.groups else None,
        )
        sums = combine(
            PointRing(), table, constraint_values(PointRing(), table, row, challenges, step), constraint_challenge
        )
        expected += [sums[kind] for kind in KINDS]
    return inputs, expected


def run_program(words: tuple[int, ...], inputs: list[Extension], results: int) -> list[Extension]:
    """The readable interpreter of the program format."""
    registers, total = list(inputs), extension.ZERO
    for word in words:
        operation, end, count, rest = word & 3, word >> 2 & 1, word >> 4 & 15, word >> 8
        for _ in range(count):
            a, b = registers[rest & 4095], rest >> 12
            if operation in (SUM, SCALE):
                factor = (b & 4095) - 2048 if operation == SUM else b & (2**31 - 1)
                total = extension.add(total, extension.scale(a, factor % P))
                rest >>= 24 if operation == SUM else 43
            else:
                total = extension.add(total, extension.mul(a, registers[b & 4095]))
                rest >>= 24
                if operation == 0:
                    registers.append(total)
                    total = extension.ZERO
        if end and operation != 0:
            registers.append(total)
            total = extension.ZERO
    return registers[-results:]


def added(parts: list[list[Extension]]) -> list[Extension]:
    out = parts[0]
    for part in parts[1:]:
        out = [extension.add(x, y) for x, y in zip(out, part, strict=True)]
    return out


@pytest.mark.parametrize("shape", [SHAPE, StatementShape(4, 1, 8), StatementShape(10, 0)])
def test_programs_equal_the_symbolic_constraints(shape: StatementShape) -> None:
    layout = layout_of(build_statement(shape))
    inputs, expected = random_inputs(layout, 1)
    parts = [run_program(part.words, inputs, len(expected)) for part in split(layout, PUBLIC_READ, PROGRAM_WORDS)]
    assert added(parts) == expected


def test_the_contracts_run_them_alike(bench: Bench) -> None:
    layout = bench.setup.layout
    for seed in (2, 3):
        inputs, expected = random_inputs(layout, seed)
        registers = [pack(value) for value in inputs] + [0] * (REGISTERS - len(inputs))
        call = encode_call(f"evaluate(uint256[{REGISTERS}],uint256)", registers, len(inputs))
        parts = []
        for address in bench.addresses.evaluators:
            (words,) = decode_words(("uint256[]",), bench.chain.call(address, call))
            parts.append([extension.add(unpack(word), extension.ZERO) for word in words])
        assert added(parts) == expected


def test_generation_is_reproducible(bench: Bench) -> None:
    again = build_layout(bench.setup.layout.statement)
    assert split(again, PUBLIC_READ, PROGRAM_WORDS) == programs(bench.setup)


def test_every_constraint_is_in_exactly_one_program(bench: Bench) -> None:
    layout = bench.setup.layout
    for index, table in enumerate(layout.tables):
        covered = [number for part in programs(bench.setup) for number in part.ranges.get(index, range(0))]
        assert covered == list(range(table.constraint_count))


def test_programs_fit_their_contract(bench: Bench) -> None:
    for part in programs(bench.setup):
        assert len(part.words) <= PROGRAM_WORDS
        assert part.registers <= REGISTERS


def test_a_constraint_too_large_for_a_contract_is_refused(bench: Bench) -> None:
    with pytest.raises(StatementError, match="does not fit"):
        split(bench.setup.layout, PUBLIC_READ, 20)


def test_a_changed_constraint_changes_the_program() -> None:
    one, other = (layout_of(build_statement(StatementShape(height, 0))) for height in (10, 11))
    whole = {index: range(table.constraint_count) for index, table in enumerate(one.tables) if index == 1}
    assert generate(one, whole, PUBLIC_READ).words != generate(other, whole, PUBLIC_READ).words


def test_public_inputs_that_the_contracts_are_not_given_are_refused() -> None:
    """The register behind the last one is another thing's: reading it would be another constraint."""
    layout = layout_of(build_statement(SHAPE))
    index = layout.index("update")
    table = layout.tables[index]
    last = max(node.a for node in table.constraints.nodes if node.kind is Kind.PUBLIC)
    assert last < PUBLIC_READ
    with pytest.raises(StatementError, match="not given"):
        generate(layout, {index: range(table.constraint_count)}, last)
