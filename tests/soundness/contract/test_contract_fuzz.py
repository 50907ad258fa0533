"""A short run of the fuzzer over both verifiers; ``make fuzz`` is the long one."""

from __future__ import annotations

import pytest

from tests.support.soundness.contract_fuzz import UNSEEN, Victim, run
from tests.support.verifier_bench import Bench, Proved


@pytest.fixture(scope="module")
def victim(bench: Bench, proved: Proved) -> Victim:
    return Victim.make(bench, proved)


def test_both_verifiers_refuse_mutated_proofs_alike(victim: Victim) -> None:
    stages = run(victim, "proof bytes", 80, seed=7)
    assert {"encoding", "constraint", "trace opening", "fri"} <= set(stages)
    assert stages[UNSEEN] < 20


def test_mutated_calldata_proves_nothing_new(victim: Victim) -> None:
    stages = run(victim, "calldata", 80, seed=7)
    assert {"encoding", "constraint", "trace opening", "fri"} <= set(stages)
