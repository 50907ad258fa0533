"""Random lists of inputs: conservation, balance, replay, checkpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sequencer.events import DepositCredited, WithdrawalStage
from engine.sequencer.inputs import (
    CancelAll,
    CancelOrder,
    ClaimRequested,
    PlaceOrder,
    RequestWithdrawal,
    decode_input,
    encode_input,
)
from engine.sequencer.venue import Venue
from engine.units import QUANTUM
from tests.support.venue_world import (
    ALICE,
    BOB,
    BTC_TICKS,
    CONFIG,
    ETH_TICKS,
    MAKER,
    Quoter,
    SteeredPrices,
    World,
    owner_of,
)

SMALL = msgspec.structs.replace(CONFIG, tree_height=5, batch_max_transactions=16, batch_max_accounts=6)
DRIFT = 12  # ticks a second: positions do get liquidated
USERS = (ALICE, BOB, 20)
LENGTH = 40


def script_of(seed: int) -> list:
    """Random but plausible actions: leveraged orders, quotes, cancels, withdrawals, steps of all lengths."""
    random = Random(seed)
    return [_action(random) for _ in range(LENGTH)]


def _action(random: Random) -> object:
    user, kind = random.choice(USERS), random.random()
    if kind < 0.5:
        market = random.choice([1, 2])
        limit, middle = random.random() < 0.5, BTC_TICKS if market == 1 else ETH_TICKS
        return PlaceOrder(
            account=user,
            market=market,
            side=random.choice(["buy", "sell"]),
            type="limit" if limit else "market",
            lots=random.choice([1, 50, 400, 1200]) * (1 if market == 1 else 20),
            price=middle + random.randint(-60, 60) if limit else 0,
            tif=random.choice(["gtc", "gtc", "ioc"]),
            reduce_only=random.random() < 0.2,
        )
    if kind < 0.75:
        return ("step", random.choice([0.1, 1.0, 1.0, 15.0, 60.0, 120.0, 900.0, 4000.0]))
    if kind < 0.8:
        return (
            CancelAll(account=user)
            if random.random() < 0.5
            else CancelOrder(account=user, order_id=random.randint(1, 400))
        )
    if kind < 0.87:
        return RequestWithdrawal(account=user, amount=random.randint(1, 3000) * QUANTUM)
    return ("deposit", user) if kind < 0.92 else ("settle", random.random() < 0.7)


def play(world: World, script: list) -> Iterator[list]:
    """Apply a script; deposits, proofs, posts and claims are made to fit the venue's state."""
    for account, tokens in ((MAKER, 1_000_000), (2, 1500), *((user, 5_000) for user in USERS)):
        yield world.deposit(account, tokens)
    yield world.step()
    for action in script:
        if not isinstance(action, tuple):
            yield world.apply(action)
        elif action[0] == "step":
            yield world.step(action[1])
        elif action[0] == "deposit":
            yield world.deposit(action[1], 700)
        else:
            yield from settle(world, action[1])


def settle(world: World, accepted: bool) -> Iterator[list]:
    for batch in world.venue.unproved_batches():
        yield world.prove(batch.number, accepted)
    for batch in world.venue.unposted_batches():
        yield world.post(batch.number)
    for user in USERS:
        waiting = world.venue.core.withdrawals.claimable(user)
        if waiting:
            yield world.apply(ClaimRequested(account=user, owner=owner_of(user), transaction=bytes(32)))
            yield world.paid(user, sum(record.amount for record in waiting))


def new_world() -> World:
    return World(config=SMALL, quoter=Quoter(levels=3, lots=700), drift=DRIFT)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_invariants_hold_after_every_input_and_money_moves_only_by_deposit_and_withdrawal(seed) -> None:
    world = new_world()
    inside = 0
    for events in play(world, script_of(seed)):
        for event in events:
            if isinstance(event, DepositCredited):
                inside += event.amount
            elif isinstance(event, WithdrawalStage) and event.stage == "requested":
                inside -= event.amount
        leaves = [world.venue.account(account) for account in world.venue.account_ids()]
        assert sum(leaf.collateral for leaf in leaves) == inside
        for market in (1, 2):
            assert sum(leaf.size(market) for leaf in leaves) == 0
        assert all(book.uncrossed() for book in world.venue.core.books)
        for order in world.venue.core.orders:
            if order.reduce_only:
                size = world.venue.account(order.account).size(order.market)
                assert 0 < order.lots <= (-size if order.buy else size)
    world.check()
    chained = world.venue.take_closed_batches()
    assert all(a.new_root == b.old_root for a, b in pairwise(chained))
    for batch in chained:
        change = sum(u.new.collateral - u.old.collateral for u in batch.updates)
        assert change == sum(f.amount for f in batch.deposits) - sum(f.amount for f in batch.withdrawals)
        assert [u.account for u in batch.updates] == sorted({u.account for u in batch.updates})


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, LENGTH))
def test_replay_and_restart_lead_to_the_same_venue(seed, cut) -> None:
    world = new_world()
    told = list(play(world, script_of(seed)))
    journal = [encode_input(value) for value in world.inputs]

    replayed = new_world().venue
    assert [replayed.apply(i, decode_input(row)) for i, row in enumerate(journal, 1)] == told
    assert replayed.fills_digest() == world.venue.fills_digest()
    assert replayed.live_root() == world.venue.live_root()
    assert replayed.dump() == world.venue.dump()

    cut = min(cut, len(journal))
    first = new_world().venue
    for i, row in enumerate(journal[:cut], 1):
        first.apply(i, decode_input(row))
    prices = SteeredPrices(DRIFT)
    restarted = Venue.load(first.dump(), SMALL, prices, [Quoter(levels=3, lots=700)])
    assert restarted.dump() == first.dump()
    for i, row in enumerate(journal[cut:], cut + 1):
        assert restarted.apply(i, decode_input(row)) == told[i - 1]
    assert restarted.state_root() == world.venue.state_root()
    assert restarted.dump() == world.venue.dump()
    assert [b.number for b in restarted.unproved_batches()] == [b.number for b in world.venue.unproved_batches()]


def test_the_scripts_reach_what_they_are_meant_to_test() -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        for events in play(new_world(), script_of(seed)):
            seen.update(type(event).__name__ for event in events)
    wanted = {"Fill", "OrderRested", "Rejected", "Liquidated", "LiquidationDeferred", "FundingPaid", "WithdrawalStage"}
    assert wanted <= seen.keys()
    assert seen["Fill"] > 100
