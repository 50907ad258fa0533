"""All adversaries of the statement, and what is asked of each: refused as the statement is, accepted by the mutant."""

from __future__ import annotations

import re
from collections.abc import Collection

from engine.proving.statement import build_statement
from tests.support.soundness.adversaries_logup import Target, hider, unbalanced, without_logup_constraint
from tests.support.soundness.adversaries_lookups import Missing
from tests.support.soundness.adversaries_path import PATH_ADVERSARIES
from tests.support.soundness.adversaries_poseidon import HASH_ADVERSARIES, RANGE_ADVERSARIES
from tests.support.soundness.adversaries_update import UPDATE_ADVERSARIES
from tests.support.soundness.mutation import Adversary, verdict, without

CONSTRAINTS: dict[str, Adversary] = {
    **HASH_ADVERSARIES,
    **PATH_ADVERSARIES,
    **UPDATE_ADVERSARIES,
    **RANGE_ADVERSARIES,
}
""" "table: constraint" -> its adversary, for every constraint of every table."""


def family(name: str) -> str:
    """The name without the numbers of words, limbs, rounds and slots."""
    return re.sub(r" \d+\b", "", name)


def one_of_each_family() -> list[str]:
    """The first constraint of each family."""
    return list({family(name): name for name in reversed(CONSTRAINTS)}.values())[::-1]


def identity_fails(table: str) -> str:
    """How a refusal begins that names this table."""
    return f"constraint: the constraint identity fails at the out-of-domain point (table {table},"


def constraint_is_needed(name: str, kept_ones: Collection[str] | None = None) -> None:
    """Refused while one of ``kept_ones`` (default: of all that it breaks) stays, accepted with all of them deleted."""
    adversary = CONSTRAINTS[name]
    forgery = adversary.make()
    statement = build_statement(forgery.shape)
    for kept in sorted(kept_ones or adversary.breaks):
        refusal = verdict(forgery, without(statement, adversary.breaks - {kept}))
        table = kept.split(":")[0]
        assert refusal.startswith(identity_fails(table)), (name, kept, refusal)
    assert verdict(forgery, without(statement, adversary.breaks)) == "accepted", name


def lookup_is_needed(missing: Missing) -> None:
    """Refused as unbalanced, accepted without the lookups or the bus."""
    forgery = missing.forgery()
    assert verdict(forgery).startswith("lookup: the buses do not balance")
    assert verdict(forgery, missing.mutant()) == "accepted"


def logup_constraint_is_needed(target: Target) -> None:
    """Honest totals do not cancel; totals that do are refused by this constraint, and by this one only."""
    prover = hider(target)
    assert verdict(unbalanced(), prover=prover).startswith(identity_fails(target[0]))
    with without_logup_constraint(target):
        assert verdict(unbalanced(), prover=prover) == "accepted"
