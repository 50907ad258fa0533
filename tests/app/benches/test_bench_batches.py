"""The batches that benches prove hang together and have the size they say."""

from __future__ import annotations

import pytest

from app.benches.batches import venue_batch
from engine.exchange.config import DEFAULT_CONFIG, config_hash
from engine.proving.checks import check_batch
from engine.proving.shape import venue_shape
from engine.proving.statement import claim_of


@pytest.mark.parametrize(("updates", "deposits", "withdrawals"), [(1, 0, 0), (9, 2, 1), (64, 6, 2)])
def test_a_batch_has_its_updates_and_flows(updates: int, deposits: int, withdrawals: int) -> None:
    batch = venue_batch(updates, deposits, withdrawals)
    check_batch(batch, claim_of(batch, config_hash(DEFAULT_CONFIG)), venue_shape(DEFAULT_CONFIG))
    assert (len(batch.updates), len(batch.deposits), len(batch.withdrawals)) == (updates, deposits, withdrawals)
    assert all(update.old != update.new for update in batch.updates)


def test_the_seed_fixes_it() -> None:
    assert venue_batch(9, 2, 1) == venue_batch(9, 2, 1)
