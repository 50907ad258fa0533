"""The statement of ``bench prove-poseidon``."""

from __future__ import annotations

import numpy as np
import pytest

from app.benches import BLOWUPS
from app.benches.prove_poseidon import (
    BUDGET_NANOSECONDS,
    LOG_SIZE,
    Case,
    _prove,
    measure_case,
    parameters_for,
    poseidon_statement,
)
from engine.hashing.poseidon import permute
from engine.proving.parameters import PARAMETERS
from engine.stark.air.layout import layout_of
from engine.stark.errors import VerificationError
from engine.stark.protocol.prover import STAGES
from engine.stark.protocol.security import assess
from engine.stark.protocol.verifier import verify


def test_statement_has_the_columns_and_constraints_of_the_batches() -> None:
    (table,) = layout_of(poseidon_statement()).tables
    assert (table.width, table.constraint_count) == (164, 148 + 8)


def test_claim_is_the_last_output_and_another_is_refused() -> None:
    states = np.arange(16 * 64, dtype=np.uint32)
    _, _, _, proof, claim = _prove(states, PARAMETERS)
    assert claim == tuple(permute(states[-16:].tolist())[:8])
    verify(poseidon_statement(), claim, (), proof, PARAMETERS)
    with pytest.raises(VerificationError):
        verify(poseidon_statement(), (claim[0] ^ 1, *claim[1:]), (), proof, PARAMETERS)


def test_a_case_reports_every_stage_against_its_budget() -> None:
    row = measure_case(Case(6, PARAMETERS, 1))
    assert set(row["stages"]) == set(STAGES)
    assert set(row["budget_ratio"]) == set(BUDGET_NANOSECONDS) <= set(STAGES)
    assert row["bits_proven"] >= PARAMETERS.target_bits
    assert sum(row["stages"].values()) <= row["seconds"]


@pytest.mark.parametrize("blowup", BLOWUPS)
def test_every_blowup_is_measured_at_as_many_proven_bits(blowup: str) -> None:
    parameters = parameters_for(int(blowup))
    assert 1 << parameters.log_blowup == int(blowup)
    assert (parameters == PARAMETERS) == (int(blowup) == 1 << PARAMETERS.log_blowup)
    assert assess(layout_of(poseidon_statement()), (LOG_SIZE,), parameters).proven_bits >= PARAMETERS.target_bits
    assert measure_case(Case(6, parameters, 1))["log_blowup"] == parameters.log_blowup
