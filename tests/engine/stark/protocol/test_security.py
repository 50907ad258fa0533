"""Security terms against ethereum/soundcalc's published reports (commit 809896f), and parameter sets of our own."""

from __future__ import annotations

import dataclasses
import math

import pytest

from engine.field.koalabear import P
from engine.stark.air.layout import layout_of
from engine.stark.errors import StatementError
from engine.stark.parameters import Parameters
from engine.stark.protocol.security import (
    Regime,
    ali_error,
    assess,
    bits,
    choose_parameters,
    deep_error,
    johnson,
    lookup_error,
    terms_of,
)
from tests.support.stark_toys import cubes

BABYBEAR4, M31_4 = ((1 << 31) - (1 << 27) + 1) ** 4, ((1 << 31) - 1) ** 4
GOLDILOCKS2, GOLDILOCKS3 = ((1 << 64) - (1 << 32) + 1) ** 2, ((1 << 64) - (1 << 32) + 1) ** 3
KOALABEAR4 = P**4


@dataclasses.dataclass(frozen=True)
class Published:
    """A circuit of soundcalc's zkvms/*.toml and its rows in reports/*.md (UDR, JBR; the latter empty where not given).

    Columns: batching, the first folds, query, then ALI and DEEP where the system is DEEP-ALI. Reports for which the
    configuration no longer loads (RISC0, Miden: no constraint count) were made by older formulas and are left out.
    """

    field: int
    rate: float
    log_rows: int
    batch: int
    queries: int
    folds: tuple[int, ...]
    unique: tuple[int, ...]
    johnson: tuple[int, ...]
    query_grinding: int = 0
    folding_grinding: int = 0
    batching_grinding: int = 0
    deep_grinding: int = 0
    gap: float | None = None
    constraints: int | None = None
    degree: int = 3
    points: int = 2


PUBLISHED = {
    "airbender generalized": Published(
        M31_4, 0.5, 24, 1225, 87, (16, 16, 16, 8, 8), (90, 106, 110, 114, 118, 121, 64, 114, 110),
        (68, 83, 87, 91, 95, 98, 67, 109, 105), query_grinding=28, folding_grinding=5, deep_grinding=12,
        constraints=928, degree=2,
    ),
    "openvm app": Published(
        BABYBEAR4, 0.5, 23, 80000, 193, (2,) * 3, (105, 102, 103, 104, 100, 109, 103), (82, 79, 80, 81, 106, 104, 98),
        query_grinding=20, batching_grinding=20, deep_grinding=5, constraints=15000,
    ),
    "pico riscv": Published(
        KOALABEAR4, 0.5, 22, 1435, 84, (2,) * 3, (92, 103, 104, 105, 50, 111, 99), (69, 81, 82, 83, 53, 106, 95),
        query_grinding=16, constraints=4729,
    ),
    "openvm internal": Published(
        BABYBEAR4, 0.25, 21, 4000, 118, (2,) * 4, (106, 103, 104, 105, 106, 100, 109, 105),
        (80, 77, 78, 79, 80, 133, 103, 98), query_grinding=20, batching_grinding=16, deep_grinding=5,
        constraints=15000, degree=4,
    ),
    "pico convert": Published(
        KOALABEAR4, 0.5, 20, 485, 84, (2,) * 3, (96, 105, 106, 107, 50, 115, 101), (73, 83, 84, 85, 53, 110, 97),
        query_grinding=16, constraints=323,
    ),
    "zkdtvm core": Published(
        KOALABEAR4, 0.5, 21, 62928, 193, (2,) * 4, (100, 104, 105, 106, 107, 100), (), query_grinding=20,
        batching_grinding=12,
    ),
    "zkdtvm compress": Published(
        KOALABEAR4, 0.25, 20, 128, 118, (2,) * 4, (106, 104, 105, 106, 107, 100), (), query_grinding=20,
        batching_grinding=10,
    ),
    "zisk dma": Published(
        GOLDILOCKS3, 0.5, 21, 46, 229, (8,) * 5 + (4,), (166, 172, 175, 178, 181, 184, 187, 111, 186, 168),
        (133, 138, 141, 144, 147, 150, 154, 128, 179, 161), query_grinding=16, gap=0.005333333333333333,
        constraints=49, points=3,
    ),
}  # fmt: skip


def _rows(case: Published, regime: Regime) -> list[int]:
    size = 1 << case.log_rows
    values = [bits(regime.powers(size, case.batch)) + case.batching_grinding]
    for arity in case.folds:
        size //= arity
        values.append(bits(regime.powers(size, arity)) + case.folding_grinding)
    values.append(bits(regime.query(case.queries)) + case.query_grinding)
    if case.constraints is not None:
        values.append(bits(ali_error(regime.list_size, case.constraints, regime.field)))
        error = deep_error(
            regime.list_size, 1 << case.log_rows, case.rate, case.degree, regime.field, opening_points=case.points
        )
        values.append(bits(error) + case.deep_grinding)
    return [math.floor(value) for value in values]


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_terms_agree_with_soundcalc(name: str) -> None:
    case = PUBLISHED[name]
    root = math.sqrt(case.rate)
    gap = case.gap or (root / 100 if case.field > 2**150 else max(case.rate / 20, root / 100))
    assert _rows(case, Regime(case.rate, None, float(case.field))) == list(case.unique)
    if case.johnson:
        assert _rows(case, Regime(case.rate, gap, float(case.field))) == list(case.johnson)


@pytest.mark.parametrize(
    ("field", "rows", "columns", "lookups", "grinding", "expected"),
    [
        (M31_4, 2 * 16777215, 4, 208, 5, 94),
        (M31_4, 16777215 + 65536, 1, 34, 5, 99),
        (M31_4, 16777215 + 524288, 1, 86, 5, 98),
        (M31_4, 2 * 16777215, 10, 1, 5, 100),
        (KOALABEAR4, 58720256 + 33554432, 14, 1, 0, 93),
        (KOALABEAR4, 352321536 + 589824, 6, 1, 0, 92),
        (GOLDILOCKS3, 2 * 2097152, 11, 1, 0, 166),
    ],
)
def test_lookup_terms_agree_with_soundcalc(
    field: int, rows: int, columns: int, lookups: int, grinding: int, expected: int
) -> None:
    error = lookup_error(1.0, rows * lookups, columns, float(field))
    assert math.floor(bits(error) + grinding) == expected


@pytest.mark.parametrize("multiplicity", [3, 10, 31, 99])
def test_the_johnson_regime_is_the_multiplicity_that_was_asked_for(multiplicity: int) -> None:
    regime = johnson(0.25, multiplicity)
    assert regime.multiplicity == multiplicity
    assert 1 - regime.radius == pytest.approx(0.5 * (1 + 1 / (2 * multiplicity)))
    assert regime.list_size == pytest.approx(multiplicity / 0.25)


def test_the_line_bound_of_2026_is_the_better_one_at_high_multiplicity() -> None:
    old, new = johnson(0.25, 31), johnson(0.25, 31, bound="2026/2056")
    gain = bits(new.line(1 << 16)) - bits(old.line(1 << 16))
    assert 8 < gain < 10


def test_proven_bits_are_the_weakest_term_at_the_best_multiplicity() -> None:
    layout = layout_of(cubes())
    parameters = Parameters(queries=86)
    heights = (12, 10, 16)
    report = assess(layout, heights, parameters)
    for multiplicity in range(3, 200):
        terms = terms_of(layout, heights, parameters, johnson(0.25, multiplicity))
        assert min(term.bits for term in terms) <= report.proven_bits + 1e-9
    assert report.proven_bits == min(term.bits for term in report.terms)
    assert report.proven_bits <= report.proven_bits_2026
    assert report.proven_bits < report.conjectured_bits


def test_every_protection_counts() -> None:
    layout, heights = layout_of(cubes()), (12, 10, 16)
    base = {term.name: term.bits for term in terms_of(layout, heights, Parameters(queries=50), johnson(0.25, 20))}
    more = Parameters(queries=51, lookup_grinding=1, deep_grinding=2, batching_grinding=3, folding_grinding=4)
    after = {term.name: term.bits for term in terms_of(layout, heights, more, johnson(0.25, 20))}
    gains = {name: after[name] - base[name] for name in base}
    assert gains["lookup"] == pytest.approx(1)
    assert gains["deep"] == pytest.approx(2)
    assert gains["batching"] == pytest.approx(3)
    assert gains["folding 1"] == pytest.approx(4)
    assert gains["query"] == pytest.approx(-math.log2(0.5 * (1 + 1 / 40)))
    assert gains["constraints"] == gains["hash"] == 0


@pytest.mark.parametrize("log_blowup", [1, 2, 3])
@pytest.mark.parametrize("target", [80, 100, 110])
def test_chosen_parameters_reach_the_target_with_the_fewest_queries(target: int, log_blowup: int) -> None:
    layout, heights = layout_of(cubes()), (16, 12, 16)
    chosen = choose_parameters(layout, heights, target_bits=target, log_blowup=log_blowup)
    assert assess(layout, heights, chosen).proven_bits >= target
    assert chosen.target_bits == target
    fewer = dataclasses.replace(chosen, queries=chosen.queries - 1)
    assert assess(layout, heights, fewer).proven_bits < target


def test_a_target_out_of_reach_is_refused() -> None:
    with pytest.raises(StatementError):
        choose_parameters(layout_of(cubes()), (16, 12, 16), target_bits=140)
