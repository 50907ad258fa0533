"""The contracts and a proof of the settlement tests, for corrupting."""

from __future__ import annotations

import pytest

from tests.support.verifier_bench import Bench, Proved, make_bench, prove_sample


@pytest.fixture(scope="session")
def bench() -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def proved() -> Proved:
    return prove_sample(1, 3)
