"""A venue on a fresh chain: genesis is executed once a session; every test re-executes its stored block."""

from __future__ import annotations

import pytest

from tests.support.settlement_venue import Venue, genesis_blocks, open_venue


@pytest.fixture(scope="session")
def genesis_records() -> list[bytes]:
    return genesis_blocks()


@pytest.fixture
def venue(genesis_records: list[bytes]) -> Venue:
    return open_venue(genesis_records)
