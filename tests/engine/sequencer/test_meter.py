"""The meter: its limits are those of prover and contracts, its counts are upper bounds, and no batch passes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchange.accounts import Account
from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.proving.parameters import LARGEST_HEIGHTS
from engine.proving.shape import venue_shape
from engine.sequencer import meter, planning
from engine.sequencer.batches import OverfullBatch
from engine.sequencer.events import Fill, Liquidated, OrderClosed
from engine.sequencer.inputs import CancelAll, PlaceOrder, RequestWithdrawal
from engine.sequencer.meter import LIMITS, MAX_FLOW, MAX_QUEUE_COUNT, Meter, Use, meter_of
from engine.sequencer.preview import basis_of, preview_order
from engine.sequencer.venue import Venue
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, MAX_TRANSACTION_BYTES
from engine.settlement.gas_report import gas_figures
from engine.settlement.relay.client import ENTRY_BYTES, MAX_ENTRIES, StateUpdate
from engine.settlement.verifier.deployment import MAX_TERMS
from engine.units import HOUR, QUANTUM
from tests.engine.sequencer.test_venue_properties import DRIFT, SMALL, play, script_of
from tests.support.batch_judge import distinct_permutations, judge_batch
from tests.support.proving_batches import close_batch
from tests.support.venue_world import (
    ALICE,
    BOB,
    BTC_TICKS,
    CONFIG,
    MAKER,
    Quoter,
    World,
    closed_of,
    funded,
    only,
)

OPEN_ENDED = msgspec.structs.replace(
    DEFAULT_CONFIG,
    markets=CONFIG.markets,
    batch_max_accounts=1 << 14,
    batch_max_transactions=1 << 20,
    batch_max_age=HOUR,
)
SMALL_TREE = msgspec.structs.replace(OPEN_ENDED, tree_height=8)
UNBOUNDED = msgspec.structs.replace(SMALL, batch_max_accounts=1 << 14, batch_max_transactions=1 << 20)
TINY = Use(updates=9, entries=3, permutations=160, calldata=LIMITS.calldata, gas=LIMITS.gas)


def tiny_limits(limits: Use = TINY):
    """Venues made inside have these limits."""
    return patch.object(meter, "_meter", lambda height, markets: Meter(height, markets, limits))


def fund(world: World, accounts: Iterable[int], tokens: int) -> None:
    """One block with a deposit to each."""
    world.l1([world.entry(account, tokens * QUANTUM) for account in accounts])


# -- the limits are those of the rooms above


def test_limits_are_those_of_the_prover_and_the_contracts() -> None:
    assert 1 << venue_shape(DEFAULT_CONFIG).max_log_updates == 1 << LARGEST_HEIGHTS[2] == LIMITS.updates
    assert (1 << LARGEST_HEIGHTS[0], MAX_GAS_LIMIT, ENTRY_BYTES) == (LIMITS.permutations, LIMITS.gas, meter.ENTRY_BYTES)
    assert MAX_ENTRIES == MAX_TERMS == LIMITS.entries
    assert LIMITS.calldata == MAX_TRANSACTION_BYTES - 512


@pytest.mark.parametrize("entries", [0, 1, 7, 512])
def test_calldata_is_exact(entries: int) -> None:
    update = StateUpdate(1, 1, bytes(32), bytes(32), bytes(ENTRY_BYTES * entries))
    assert len(update.data()) == meter_of(DEFAULT_CONFIG).use(1, entries).calldata


def test_gas_is_an_upper_bound_that_512_entries_fit() -> None:
    figures, counts = gas_figures(), meter_of(DEFAULT_CONFIG)
    for name, entries in {
        "update, first": 0,
        "update, 1 withdrawal": 1,
        "update, 64 openings": 64,
        "update, 64 withdrawals to new owners": 64,
        "update, 512 withdrawals, the worst case": 512,
    }.items():
        assert figures[name] <= counts.use(0, entries).gas
    assert counts.fits(0, 512)


def test_4096_updates_spread_over_the_tree_do_not_fit() -> None:
    """What a spread batch of accounts that open positions was measured to take."""
    counts = meter_of(DEFAULT_CONFIG)
    assert counts.use(4096, 0).permutations == 135_167 > LIMITS.permutations
    assert counts.max_updates == 3968
    assert counts.fits(3968, 512)
    assert not counts.fits(3969, 0)
    assert not counts.fits(0, 513)


# -- counts are upper bounds


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(16, 255), min_size=2, max_size=60), st.booleans())
def test_no_batch_takes_more_permutations_than_the_meter_says(accounts: set[int], trades: bool) -> None:
    world = World(config=SMALL_TREE)
    ids = sorted(accounts)
    fund(world, ids, 1000)
    if trades:
        world.venue.core.close_batch()
        for maker in ids[1:]:
            world.order(maker, "sell", 1, BTC_TICKS, market=1 + maker % 2)
        for market in (1, 2):
            world.order(ids[0], "buy", len(ids), BTC_TICKS, market=market)
    use = world.venue.core.batches.use()
    world.venue.core.close_batch()
    batch = world.venue.take_closed_batches()[-1]
    assert len(batch.updates) <= use.updates
    assert distinct_permutations(batch, SMALL_TREE) <= use.permutations


def test_the_worst_batch_that_fits_takes_nearly_all_of_the_table() -> None:
    """Accounts with keys, as far apart as they can be, each opening its first position; 512 of them withdraw."""
    most = meter_of(DEFAULT_CONFIG).max_updates
    ids = [(i << 16) // most for i in range(most)]
    tree = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets))
    before = {
        i: Account(
            version=1, key_digest=tuple(range(i, i + 8)), l1_address=(i + 1).to_bytes(20, "big"), collateral=i + 1
        )
        for i in ids
    }
    tree.apply_batch(before)
    after = {i: old.with_position(1, i % 7 - 9, i) for i, old in before.items()}
    leaving = dict.fromkeys(ids[::7][:512], 1)
    after |= {i: replace(after[i], collateral=after[i].collateral - 1) for i in leaving}
    batch = close_batch(tree, after, withdrawals=leaving)
    permutations = judge_batch(batch, DEFAULT_CONFIG)
    use = meter_of(DEFAULT_CONFIG).use(len(batch.updates), len(batch.withdrawals))
    assert 0.98 * LIMITS.permutations < permutations <= use.permutations <= LIMITS.permutations


# -- no batch passes the limits


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_every_batch_that_is_closed_can_be_proved_and_posted(seed: int) -> None:
    with tiny_limits():
        world = World(config=UNBOUNDED, quoter=Quoter(levels=3, lots=700), drift=DRIFT)
        batches = []
        for _ in play(world, script_of(seed)):
            batches += world.venue.take_closed_batches()
    world.check()
    world.venue.core.close_batch()
    batches += world.venue.take_closed_batches()
    assert len(batches) > 1
    assert all(a.new_root == b.old_root for a, b in pairwise(batches))
    for batch in batches:
        permutations = judge_batch(batch, world.config)
        entries = len(batch.deposits) + len(batch.withdrawals)
        assert len(batch.updates) <= TINY.updates
        assert permutations <= TINY.permutations
        assert entries <= TINY.entries


def crowd(makers: list[int], config=OPEN_ENDED) -> World:
    """Each of these sells a lot; Alice may buy them all."""
    world = World(config=config)
    fund(world, [*makers, ALICE], 1000)
    fund(world, [ALICE], 10**7)
    for maker in makers:
        world.order(maker, "sell", 1, BTC_TICKS)
    return world


def test_4200_makers_and_one_market_order_make_batches_that_can_be_proved() -> None:
    """Spread over the tree, each opens its position: the order is cut where a batch is full, and the venue goes on."""
    makers = [20 + 15 * i for i in range(4200)]
    world = crowd(makers)
    world.venue.core.close_batch()
    world.venue.take_closed_batches()
    order = PlaceOrder(account=ALICE, market=1, side="buy", type="market", lots=4200)
    receipt = preview_order(basis_of(world.venue.core, ALICE, 1), order)
    assert receipt.beyond_depth
    events = world.apply(order)
    most = meter_of(OPEN_ENDED).max_updates - 3
    closed = closed_of(events, ALICE)
    assert (closed.filled, closed.remaining, closed.reason) == (most, 4200 - most, "batch_limit")
    assert sum(isinstance(event, Fill) for event in events) == most == 3965
    assert closed_of(world.apply(order), ALICE).filled == 4200 - most
    world.step(2 * 3600)
    batches = world.venue.take_closed_batches()
    assert [len(batch.updates) for batch in batches][0] == most + 2
    permutations = [judge_batch(batch, OPEN_ENDED) for batch in batches]
    assert 120_000 < permutations[0] <= LIMITS.permutations
    world.check()


def test_an_order_that_rests_is_cut_too_and_the_receipt_says_so() -> None:
    with tiny_limits():
        world = crowd([20, 21, 22, 23, 24, 25, 26, 27], SMALL_TREE)
        most = world.venue.core.batches.meter.max_updates - 3
        order = PlaceOrder(account=ALICE, market=1, side="buy", type="limit", lots=9, price=BTC_TICKS)
        receipt = preview_order(basis_of(world.venue.core, ALICE), order)
        events = world.apply(order)
    assert (receipt.filled, receipt.resting, receipt.cancelled, receipt.closed) == (most, 0, 9 - most, "batch_limit")
    closed = only([e for e in events if isinstance(e, OrderClosed) and e.account == ALICE], OrderClosed)
    assert (closed.filled, closed.remaining, closed.reason, closed.type) == (most, 9 - most, "batch_limit", "limit")
    assert world.venue.core.orders.count_of(ALICE) == 0
    world.check()


def test_own_orders_behind_the_cut_stay() -> None:
    with tiny_limits():
        world = crowd([20, 21, 22, 23, 24, 25, 26, 27], SMALL_TREE)
        world.order(ALICE, "sell", 3, BTC_TICKS + 1)
        world.order(ALICE, "buy", 9, BTC_TICKS + 5)
        assert [order.lots for order in world.venue.core.orders.of_account(ALICE)] == [3]
        most = world.venue.core.batches.meter.max_updates - 3
        assert world.venue.state_of(ALICE).positions[0].size == most
    world.check()


def test_the_open_batch_is_closed_first_when_an_order_does_not_fit_beside_what_it_holds() -> None:
    with tiny_limits():
        world = World(config=SMALL_TREE)
        for account in (20, 21, 22, ALICE):
            world.deposit(account, 100_000)
        for maker in (20, 21, 22):
            world.order(maker, "sell", 1, BTC_TICKS)
        world.venue.core.close_batch()
        for account in (24, 25, 26):
            world.deposit(account, 1)
        world.venue.take_closed_batches()
        world.order(ALICE, "buy", 3)
    assert [[u.account for u in batch.updates] for batch in world.venue.take_closed_batches()] == [[24, 25, 26]]
    assert world.venue.core.batches.open.touched == {20, 21, 22, ALICE, CONFIG.fee_account}


def test_an_order_looks_at_a_bounded_number_of_makers() -> None:
    world = crowd([20, 21, 22])
    with patch.object(planning, "MAX_MAKERS", 2):
        events = world.order(ALICE, "buy", 3)
    assert (closed_of(events, ALICE).filled, closed_of(events, ALICE).reason) == (2, "batch_limit")


def test_512_entries_close_a_batch() -> None:
    """Also after 128 of the queue. What is one more belongs to the next batch."""
    accounts = list(range(20, 470))
    world = World(config=OPEN_ENDED)
    fund(world, accounts, 10)
    world.venue.core.close_batch()
    funded = world.venue.take_closed_batches()
    assert [(len(b.deposits), b.queue_count) for b in funded] == [(128, 128)] * 3 + [(66, 66)]
    fund(world, [*accounts[:50], *accounts[:50]], 10)
    for account in accounts:
        world.apply(RequestWithdrawal(account=account, amount=QUANTUM))
    world.venue.core.close_batch()
    batches = world.venue.take_closed_batches()
    assert [(len(b.deposits), len(b.withdrawals)) for b in batches] == [(50, 450)]
    fund(world, accounts[:100], 10)
    for account in accounts:
        world.apply(RequestWithdrawal(account=account, amount=QUANTUM))
    world.venue.core.close_batch()
    batches = world.venue.take_closed_batches()
    assert [(len(b.deposits), len(b.withdrawals)) for b in batches] == [(100, 412), (0, 38)]
    for batch in batches:
        judge_batch(batch, OPEN_ENDED)
    world.check()


@pytest.mark.parametrize("accounts", [0, 1])
def test_a_queue_full_of_entries_taken_back_is_a_batch_that_changes_nothing(accounts: int) -> None:
    """Also before there is any account; it is not older than its first entry."""
    world = World(config=OPEN_ENDED)
    world.step()
    if accounts:
        world.deposit(20, 10)
        world.venue.core.close_batch()
        world.post(1)
    world.venue.take_closed_batches()
    world.l1([world.entry(20, 0, reclaim_at=9) for _ in range(MAX_QUEUE_COUNT + 2)])
    (batch,) = world.venue.take_closed_batches()
    assert (len(batch.updates), batch.queue_count, batch.old_root) == (accounts, MAX_QUEUE_COUNT, batch.new_root)
    assert (batch.opened_at, batch.first_sequence) == (world.venue.time, batch.last_sequence)
    judge_batch(batch, OPEN_ENDED)
    world.post(batch.number)
    world.deposit(20, 10)
    world.venue.core.close_batch()
    assert [b.queue_count for b in world.venue.take_closed_batches()] == [3]
    world.check()


def test_flows_of_one_account_stay_within_an_entry() -> None:
    world = World(config=OPEN_ENDED)
    for _ in range(3):
        world.l1([world.entry(20, MAX_FLOW)])
        world.apply(RequestWithdrawal(account=20, amount=MAX_FLOW))
    world.venue.core.close_batch()
    batches = world.venue.take_closed_batches()
    assert [(len(b.deposits), len(b.withdrawals)) for b in batches] == [(1, 1)] * 3
    for batch in batches:
        judge_batch(batch, OPEN_ENDED)


def test_a_liquidation_goes_over_several_batches() -> None:
    """Bob's 2,900 lots are bid for by more accounts than a batch can hold."""
    config = msgspec.structs.replace(CONFIG, batch_max_accounts=200, batch_max_transactions=10**6, batch_max_age=HOUR)
    with tiny_limits():
        world = funded(config=config)
        bidders = list(range(20, 40))
        for bidder in bidders:
            world.deposit(bidder, 10_000)
        world.order(MAKER, "sell", 2900, BTC_TICKS)
        world.order(BOB, "buy", 2900)
        for bidder in bidders:
            world.order(bidder, "buy", 145, BTC_TICKS - 31_000)
        world.prices.ticks[1] = BTC_TICKS - 30_000
        world.venue.take_closed_batches()
        events = world.step()
        parts = [event.lots for event in events if isinstance(event, Liquidated) and event.market]
        most = world.venue.core.batches.meter.max_updates - 3
    assert parts == [145 * most] * (20 // most)
    assert world.venue.state_of(BOB).positions[0].size == 145 * (20 % most)  # it can carry these
    assert not world.venue.margin(BOB).liquidatable
    batches = world.venue.take_closed_batches()
    assert len(batches) >= len(parts) - 1
    for batch in batches:
        assert judge_batch(batch, config) <= TINY.permutations
    world.check()


def test_funding_goes_over_several_batches_and_cancelling_touches_none() -> None:
    with tiny_limits():
        world = crowd([20, 21, 22, 23, 24, 25, 26, 27], SMALL_TREE)
        for _ in range(3):
            world.order(ALICE, "buy", 3)
        world.order(20, "sell", 1, BTC_TICKS + 50)
        before = world.venue.core.batches.use()
        world.apply(CancelAll(account=20))
        assert world.venue.core.batches.use() == before
        world.venue.take_closed_batches()
        world.step(3600)
    batches = world.venue.take_closed_batches()
    assert len(batches) >= 2
    for batch in batches:
        assert judge_batch(batch, SMALL_TREE) <= TINY.permutations
    world.check()


def test_a_batch_that_could_not_be_proved_is_never_closed() -> None:
    with tiny_limits():
        world = funded(config=SMALL_TREE)
        world.venue.core.record_transaction(*range(100, 110))
        with pytest.raises(OverfullBatch, match="updates="):
            world.venue.core.close_batch()


def test_a_checkpoint_keeps_the_limits() -> None:
    with tiny_limits():
        world = crowd([20, 21, 22], SMALL_TREE)
        loaded = Venue.load(world.venue.dump(), SMALL_TREE, world.prices, [])
        assert loaded.core.batches.use() == world.venue.core.batches.use()
        assert loaded.core.batches.max_accounts == world.venue.core.batches.max_accounts
