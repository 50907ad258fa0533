"""The whole mutation run (``make mutate``): each constraint, lookup and bus deleted in turn, by proofs."""

from __future__ import annotations

import pytest

from tests.support.soundness.adversaries import (
    CONSTRAINTS,
    constraint_is_needed,
    logup_constraint_is_needed,
    lookup_is_needed,
)
from tests.support.soundness.adversaries_logup import Target, targets
from tests.support.soundness.adversaries_lookups import BUS_ADVERSARIES, LOOKUP_ADVERSARIES


@pytest.mark.parametrize("name", list(CONSTRAINTS))
def test_constraint(name: str):
    adversary = CONSTRAINTS[name]
    assert adversary.make().exactly() == adversary.breaks
    constraint_is_needed(name)


@pytest.mark.parametrize("name", list(LOOKUP_ADVERSARIES))
def test_lookup(name: str):
    lookup_is_needed(LOOKUP_ADVERSARIES[name])


@pytest.mark.parametrize("name", list(BUS_ADVERSARIES))
def test_bus(name: str):
    lookup_is_needed(BUS_ADVERSARIES[name])


@pytest.mark.parametrize("target", targets(), ids=str)
def test_logup_constraint(target: Target):
    logup_constraint_is_needed(target)
