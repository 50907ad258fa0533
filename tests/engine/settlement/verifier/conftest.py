"""A real proof of a small batch and the contracts that verify it, made once a session."""

from __future__ import annotations

import pytest

from tests.support.verifier_bench import Bench, make_bench


@pytest.fixture(scope="session")
def bench() -> Bench:
    return make_bench()
