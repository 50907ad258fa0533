"""Deposits that nobody of ours sent: gifts to open accounts, accounts of strangers. Each batch is really proved."""

from __future__ import annotations

from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.prover import prove_batch, verify_file
from engine.sequencer.events import DepositCredited, DepositReclaimed
from engine.sequencer.inputs import L1Block, L1Deposit, PlaceOrder
from engine.sequencer.venue import Venue
from engine.units import QUANTUM
from tests.support.app_world import OWNER, STRANGER, FlatPrices, quiet_venue, step

NEW = 40
KEY = tuple(range(1, 9))


def entry(venue: Venue, place: int, account: int, owner: bytes, amount: int, **more) -> L1Deposit:
    values = {"depositor": owner, "transaction": bytes(32), **more}
    number = venue.core.counters.queue_length + place
    return L1Deposit(entry=number, account=account, owner=owner, amount=amount, **values)


def block(venue: Venue, *deposits: L1Deposit) -> list:
    number = venue.l1_block + 1
    return venue.apply(venue.sequence + 1, L1Block(number=number, timestamp=0, block_hash=bytes(32), deposits=deposits))


def proved(venue: Venue) -> int:
    """Every closed batch goes through the real prover and verifier; how many."""
    batches = venue.take_closed_batches()
    for batch in batches:
        verify_file(prove_batch(batch, venue.config).file)
    return len(batches)


def test_a_gift_an_opening_with_a_key_and_a_deposit_taken_back_in_one_proved_batch() -> None:
    venue = quiet_venue()
    events = block(
        venue,
        entry(venue, 0, NEW, OWNER, 10 * QUANTUM, key_digest=b"".join(limb.to_bytes(4, "big") for limb in KEY)),
        entry(venue, 1, NEW, OWNER, 9, depositor=STRANGER),
        entry(venue, 2, NEW + 1, STRANGER, 0, reclaim_at=5),
    )
    assert [type(event) for event in events] == [DepositCredited, DepositCredited, DepositReclaimed]
    assert venue.account(NEW).collateral == 10 * QUANTUM + 9
    assert (venue.account(NEW).l1_address, venue.account(NEW).key_digest) == (OWNER, KEY)
    assert NEW + 1 not in venue.account_ids()
    step(venue, 11)
    assert proved(venue) == 1
    assert dict.fromkeys(venue.invariants(), True) == venue.invariants()


def test_fees_are_paid_to_an_account_that_nobody_owns() -> None:
    venue = quiet_venue()
    fee_account = DEFAULT_CONFIG.fee_account
    money = 10**4 * QUANTUM
    block(venue, entry(venue, 0, NEW, OWNER, money), entry(venue, 1, NEW + 1, STRANGER, money))
    venue.apply(
        venue.sequence + 1, PlaceOrder(account=NEW, market=1, side="sell", type="limit", lots=10, price=600_000)
    )
    venue.apply(venue.sequence + 1, PlaceOrder(account=NEW + 1, market=1, side="buy", type="market", lots=10))
    fees = venue.account(fee_account)
    assert (fees.l1_address, fees.version) == (bytes(20), 1)
    assert fees.collateral == 600_000 * 10 * 100 * (200 + 500) // 10**6
    step(venue, 11)
    assert proved(venue) == 1
    assert Venue.load(venue.dump(), venue.config, FlatPrices(), []).dump() == venue.dump()
