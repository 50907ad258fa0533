"""The mark under any book and index, and the guards under random lists of inputs."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sequencer.events import Liquidated
from engine.sequencer.prices import most_apart, update_mark
from engine.units import FIXED_ONE, HOUR
from tests.engine.sequencer.test_venue_clock import prices
from tests.engine.sequencer.test_venue_properties import DRIFT, SMALL, play, script_of
from tests.support.venue_world import GUARDED, Quoter, World

STEP = st.tuples(st.integers(1, 1 << 62), st.none() | st.integers(0, 1 << 62), st.integers(0, HOUR))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, FIXED_ONE), st.lists(STEP, max_size=20))
def test_the_mark_is_always_within_its_bound_of_the_index(bound, steps) -> None:
    found = prices()
    for index, middle, elapsed in steps:
        held = update_mark(found, index, middle, elapsed, bound)
        assert abs(found.mark_fixed - index) <= most_apart(index, bound) or found.mark_fixed == 1
        assert found.mark_fixed >= 1
        assert not held or abs(abs(found.mark_fixed - index) - most_apart(index, bound)) <= 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from([1, 300_000, 900_000]), min_size=1, max_size=3))
def test_false_readings_among_random_inputs_break_no_invariant_and_liquidate_nobody(seed, wrong) -> None:
    """A wrong reading before every second step; a step under one liquidates nobody who holds that market."""
    config = msgspec.structs.replace(SMALL, markets=GUARDED.markets)
    world = World(config=config, quoter=Quoter(levels=3, lots=700), drift=DRIFT)
    for number, _ in enumerate(play(world, script_of(seed))):
        guards = world.venue.core.guards
        if number % 4 == 3 and not guards[0].unconfirmed:
            good = world.prices.ticks[1]
            world.prices.ticks[1] = wrong[number // 4 % len(wrong)] - DRIFT
            told = world.step(0.1)
            held = {i for i, state in world.venue.core.accounts.items() if state.positions[0].size}
            world.prices.ticks[1] = good
            assert not {e.account for e in told if isinstance(e, Liquidated)} & held
            world.check()
            world.step(0.1)
    world.check()
