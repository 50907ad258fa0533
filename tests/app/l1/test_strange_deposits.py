"""Deposits that nobody of ours sent: anyone may name any account in the contract's deposit. The venue must go on."""

from __future__ import annotations

import msgspec
import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.prover import prove_batch, verify_file
from engine.sequencer.events import DepositCredited, DepositPending
from engine.sequencer.inputs import L1Block, PlaceOrder
from engine.sequencer.venue import Venue
from engine.units import QUANTUM
from tests.support.app_world import OWNER, STRANGER, FlatPrices, l1_deposit, quiet_venue, step

NEW = 40


def block(venue: Venue, *deposits: tuple[int, bytes, int]) -> list:
    number = venue.l1_block + 1
    entries = tuple(l1_deposit(*deposit) for deposit in deposits)
    return venue.apply(venue.sequence + 1, L1Block(number=number, timestamp=0, block_hash=bytes(32), deposits=entries))


def proved(venue: Venue) -> int:
    """Every closed batch goes through the real prover and verifier; how many."""
    batches = venue.take_closed_batches()
    for batch in batches:
        verify_file(prove_batch(batch, venue.config).file)
    return len(batches)


@pytest.mark.parametrize("account", [DEFAULT_CONFIG.funding_account, DEFAULT_CONFIG.fee_account])
@pytest.mark.parametrize("opened", [False, True], ids=["before it is opened", "after it was opened"])
def test_a_strangers_deposit_to_an_account_without_owner_stays_pending(account: int, opened: bool) -> None:
    venue = quiet_venue()
    if opened:
        venue.core.system(account).collateral += 5
        venue.core.counters.collateral += 5
    events = block(venue, (account, STRANGER, QUANTUM), (NEW, OWNER, QUANTUM))
    assert [type(event) for event in events] == [DepositPending, DepositCredited]
    assert events[0].reason == "system_account"
    assert venue.account(account).l1_address == bytes(20)
    if not opened:
        assert account not in venue.account_ids()
        step(venue, 11)
        assert proved(venue) == 1
        assert dict.fromkeys(venue.invariants(), True) == venue.invariants()


def test_two_owners_deposit_to_one_new_account_in_one_block() -> None:
    venue = quiet_venue()
    events = block(venue, (NEW, OWNER, 7), (NEW, STRANGER, 9), (NEW, OWNER, 1))
    assert [type(event) for event in events] == [DepositCredited, DepositPending, DepositCredited]
    assert events[1].reason == "other_owner"
    assert venue.account(NEW).l1_address == OWNER
    assert venue.account(NEW).collateral == 8
    step(venue, 11)
    assert proved(venue) == 1
    assert dict.fromkeys(venue.invariants(), True) == venue.invariants()


def test_fees_are_paid_to_the_account_that_a_stranger_tried_to_take() -> None:
    venue = quiet_venue()
    fee_account = DEFAULT_CONFIG.fee_account
    block(venue, (fee_account, STRANGER, QUANTUM), (NEW, OWNER, 10**4 * QUANTUM), (NEW + 1, STRANGER, 10**4 * QUANTUM))
    assert [pending.owner for pending in venue.core.pending_deposits] == [STRANGER]
    venue.apply(
        venue.sequence + 1, PlaceOrder(account=NEW, market=1, side="sell", type="limit", lots=10, price=600_000)
    )
    venue.apply(venue.sequence + 1, PlaceOrder(account=NEW + 1, market=1, side="buy", type="market", lots=10))
    fees = venue.account(fee_account)
    assert (fees.l1_address, fees.version) == (bytes(20), 1)
    assert fees.collateral == 600_000 * 10 * 100 * (200 + 500) // 10**6
    step(venue, 11)
    assert proved(venue) == 1
    restored = Venue.load(venue.dump(), venue.config, FlatPrices(), [])
    assert msgspec.to_builtins(restored.core.pending_deposits) == msgspec.to_builtins(venue.core.pending_deposits)
    assert restored.dump() == venue.dump()
