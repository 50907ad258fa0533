"""The demo venue on its recording: no price guard ever moves, at whatever speed it is played."""

from __future__ import annotations

import pytest

from app.snapshot.rules import MAX_FLOW_SPEED, venue_step
from app.venue.market_setup import market_setup
from app.venue.session import new_venue
from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.events import DepositCredited, Fill
from engine.sequencer.inputs import ClockStep, L1Block, L1Deposit
from engine.units import SECOND
from tests.support.venue_world import owner_of


@pytest.mark.parametrize(("speed", "steps"), [(1.0, 200), (10.0, 250), (60.0, 200), (600.0, 200)])
def test_no_guard_moves_on_the_recording(speed: float, steps: int) -> None:
    setup = market_setup(DEFAULT_CONFIG)
    venue = new_venue(setup)
    deposits = tuple(
        L1Deposit(
            entry=number,
            account=funded.account,
            owner=owner_of(funded.account),
            depositor=owner_of(funded.account),
            amount=funded.deposit,
            transaction=bytes(32),
        )
        for number, funded in enumerate(setup.genesis_accounts)
    )
    told = venue.apply(1, L1Block(number=1, timestamp=venue.time // SECOND, block_hash=bytes(32), deposits=deposits))
    assert sum(isinstance(event, DepositCredited) for event in told) == len(deposits)
    fills = 0
    for step in range(steps):
        clock = ClockStep(venue.time + venue_step(speed), quotes_only=speed > MAX_FLOW_SPEED)
        fills += sum(isinstance(event, Fill) for event in venue.apply(step + 2, clock))
        for prices, guard in zip(venue.core.prices, venue.core.guards, strict=True):
            assert (guard.unconfirmed, guard.halted, guard.index_usable) == (0, "", True)
            assert prices.off_index_since is None
    assert (fills > 100) == (speed <= MAX_FLOW_SPEED)
    assert set(venue.invariants().values()) == {True}
