"""Every constraint, lookup and bus has an adversary that only it stops; ``make mutate`` proves it for each of them.

Here each forgery is held against a judge that reads the statement's expressions (cheap, all of them but a sample of the
hash's), and one of every second family is finished into proofs: refused, and accepted by the statement's mutant.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.shape import BUSES, venue_shape
from engine.proving.statement import build_statement
from tests.support.soundness.adversaries import (
    CONSTRAINTS,
    constraint_is_needed,
    logup_constraint_is_needed,
    lookup_is_needed,
    one_of_each_family,
)
from tests.support.soundness.adversaries_logup import targets, unbalanced
from tests.support.soundness.adversaries_lookups import BUS_ADVERSARIES, LOOKUP_ADVERSARIES, WIDE, update_lookups
from tests.support.soundness.forgery import SMALL
from tests.support.soundness.mutation import SMALL_STATEMENT, constraint_names, verdict

TOGETHER = {name for name, adversary in CONSTRAINTS.items() if len(adversary.breaks) > 1}
BY_JUDGE = [name for number, name in enumerate(CONSTRAINTS) if number % 16 == 0 or not name.startswith("poseidon")]
INTERACTIONS = {table.name: table.interactions for table in SMALL_STATEMENT.tables}
DOCS = Path(__file__).parents[3] / "docs" / "soundness.md"


def test_every_constraint_has_an_adversary():
    assert sorted(CONSTRAINTS) == sorted(constraint_names(SMALL_STATEMENT))
    assert all(name in adversary.breaks for name, adversary in CONSTRAINTS.items())


def test_the_small_statement_has_the_venues_constraints_and_lookups():
    venue = build_statement(venue_shape(DEFAULT_CONFIG))
    assert constraint_names(venue) == constraint_names(SMALL_STATEMENT)
    for own, other in zip(venue.tables, SMALL_STATEMENT.tables, strict=True):
        lookups = [[(item.bus, len(item.values)) for item in table.interactions] for table in (own, other)]
        assert lookups[0] == lookups[1]


def test_only_these_constraints_are_implied_by_others():
    assert {
        "path: real is boolean",
        "path: start is boolean",
        "path: end is boolean",
        "path: start only on real rows",
        "path: end only on real rows",
        "path: path continues",
        "path: path does not restart",
        "path: real rows begin with a start",
        "path: first row is a start",
        "path: last path ends",
        "update: real is boolean",
        "update: new slot 0 used is boolean",
        "update: new slot 1 used is boolean",
    } == TOGETHER


@pytest.mark.parametrize("table", ["poseidon", "path", "update", "range"])
def test_each_adversary_breaks_just_what_it_says(table: str):
    for name in BY_JUDGE:
        if name.startswith(table):
            assert CONSTRAINTS[name].make().exactly() == CONSTRAINTS[name].breaks, name


@pytest.mark.parametrize("name", one_of_each_family()[::2])
def test_constraints_are_needed(name: str):
    constraint_is_needed(name, [name])


def test_every_lookup_and_every_bus_has_an_adversary():
    names = update_lookups(SMALL)
    assert len(names) == len(INTERACTIONS["update"])
    one_sided = {"path start", "path end"}  # without its partner a bus stays unbalanced: see the buses
    wanted = {f"update: {name}" for name in names if name not in one_sided} | {"path: old parent", "path: new parent"}
    assert set(LOOKUP_ADVERSARIES) == wanted
    for name, missing in LOOKUP_ADVERSARIES.items():
        table, lookup = name.split(": ")
        assert missing.table == table
        assert table == "path" or names.index(lookup) in missing.lookups
    assert set(BUS_ADVERSARIES) == {text.split(" (")[0] for text in BUSES.values()}


def test_each_missing_lookup_unbalances_one_bus_and_breaks_nothing_else():
    narrow = [(name, missing) for name, missing in LOOKUP_ADVERSARIES.items() if missing.shape is not WIDE]
    for name, missing in narrow[::6]:
        forgery = missing.forgery()
        assert forgery.exactly() == {missing.bus}, name
        assert forgery.exactly(missing.mutant()) == set(), name


@pytest.mark.parametrize("name", ["update: gap", "update: new block 2", "path: new parent", "update: carry 0"])
def test_lookups_are_needed(name: str):
    lookup_is_needed(LOOKUP_ADVERSARIES[name])


@pytest.mark.parametrize("name", list(BUS_ADVERSARIES))
def test_buses_are_needed(name: str):
    lookup_is_needed(BUS_ADVERSARIES[name])


@pytest.mark.parametrize("target", [("update", 11), ("range", 0)], ids=str)
def test_logup_constraints_are_needed(target: tuple[str, int]):
    logup_constraint_is_needed(target)


def test_an_honest_prover_is_refused_for_the_imbalance_itself():
    assert verdict(unbalanced()) == "lookup: the buses do not balance"


def test_the_document_states_these_counts():
    text = DOCS.read_text()
    counts = {
        "constraints written in the tables": len(CONSTRAINTS),
        "of them broken alone": len(CONSTRAINTS) - len(TOGETHER),
        "of them broken together with others": len(TOGETHER),
        "LogUp constraints": len(targets()),
        "lookups": len(LOOKUP_ADVERSARIES),
        "buses": len(BUS_ADVERSARIES),
    }
    for label, count in counts.items():
        assert re.search(rf"\| {label} +\| +{count} \|", text), (label, count)
