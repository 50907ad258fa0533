"""The contracts and a proof of the settlement tests, for corrupting."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "engine" / "settlement" / "verifier"))

from verifier_bench import Bench, Proved, make_bench, prove_sample  # noqa: E402


@pytest.fixture(scope="session")
def bench() -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def proved() -> Proved:
    return prove_sample(1, 3)
