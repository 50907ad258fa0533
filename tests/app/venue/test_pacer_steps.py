"""Step lengths by speed, the hold for proofs, and blocks per slot."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.snapshot.rules import MODES, venue_step
from app.venue.pacer import Pacer
from engine.errors import OutOfRange
from engine.units import SECOND
from tests.support.app_world import opened


@pytest.mark.parametrize(
    ("speed", "seconds"),
    [(0.1, 0.05), (1.0, 0.05), (2.0, 0.1), (10.0, 0.5), (11.0, 1.1), (60.0, 6.0), (600.0, 60.0)],
)
def test_steps_grow_with_the_speed(speed: float, seconds: float) -> None:
    assert venue_step(speed) == pytest.approx(seconds * SECOND, abs=1)


@pytest.mark.parametrize("speed", [-1.0, 0.0, 0.0999, 600.001, float("nan")])
def test_a_speed_outside_the_range_is_refused_and_the_old_one_stays(folder: Path, speed: float) -> None:
    with opened(folder) as session:
        pacer = Pacer(session.loop, lambda: None, lambda: None)
        with pytest.raises(OutOfRange) as refused:
            pacer.set_speed(speed)
        assert (refused.value.field, refused.value.limit, pacer.speed) == ("speed", (0.1, 600.0), 1.0)


def rounds(pacer: Pacer, count: int) -> None:
    """Let the pacer go round so often on this thread."""
    left = count

    def after_round() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            pacer.stop()

    pacer._after_round = after_round
    pacer._stopping = False
    pacer.run()


def test_each_speed_has_its_way_with_proofs_blocks_and_flow(folder: Path) -> None:
    with opened(folder) as session:
        loop = session.loop
        beats: list[int] = []
        pacer = Pacer(loop, lambda: beats.append(1), lambda: None)
        session.prover.start()
        rounds(pacer, 3)
        assert (len(beats), loop.hold_for_proofs, loop.blocks_every_slot, pacer.quotes_only) == (3, False, True, False)
        pacer.set_speed(2.0)
        rounds(pacer, 2)
        assert (loop.hold_for_proofs, loop.blocks_every_slot, pacer.quotes_only) == (True, True, False)
        pacer.set_speed(60.0)
        rounds(pacer, 2)
        assert (loop.hold_for_proofs, loop.blocks_every_slot, pacer.quotes_only) == (True, False, True)
        assert "not played" in MODES[pacer.quotes_only]
        pacer.paused = True
        now, pacer.lag_seconds = loop.venue.time, 5.0
        rounds(pacer, 2)
        assert (loop.venue.time, pacer.lag_seconds) == (now, 0.0)


def test_the_clock_steps_as_far_as_it_says(folder: Path) -> None:
    with opened(folder) as session:
        session.prover.start()
        pacer = Pacer(session.loop, lambda: None, lambda: None)
        start = session.loop.venue.time
        rounds(pacer, 1)
        assert session.loop.venue.time == start + venue_step(1.0)
