"""A short run of the fuzzer over account updates and proof files; ``make fuzz`` is the long one."""

from __future__ import annotations

import pytest

from tests.support.soundness.proof_fuzz import Target, files, run, updates


@pytest.fixture(scope="module")
def venue_files() -> tuple[Target, Target]:
    return files()


def test_mutated_account_update_proofs_are_refused():
    stages = run(updates(), 350, seed=1)
    assert {"encoding", "constraint", "trace opening", "fri"} <= set(stages)


def test_mutated_proof_files_are_refused(venue_files: tuple[Target, Target]):
    stages = run(venue_files[0], 50, seed=1)
    assert {"encoding", "trace opening"} <= set(stages)


def test_mutated_headers_are_refused(venue_files: tuple[Target, Target]):
    stages = run(venue_files[1], 100, seed=1)
    assert {"transcript", "public input"} <= set(stages)
