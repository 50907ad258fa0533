"""A speed chosen while a clock step runs holds from the next moment on: no old step under the new speed."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from app.snapshot.rules import venue_step
from app.venue import pacer as pacing
from app.venue.pacer import Pacer
from engine.units import SECOND


class StandInLoop:
    """Advances at once; ``during_step`` is called in the middle of each step, like a click while the venue works."""

    def __init__(self, wall: list[float]) -> None:
        self.venue = SimpleNamespace(time=0)
        self.ingress: Any = self
        self.hold_for_proofs = False
        self.blocks_every_slot = True
        self.wall = wall
        self.waits: list[float] = []
        self.advances: list[tuple[int, bool]] = []
        self.during_step = lambda: None

    def serve(self) -> None: ...
    def wake(self) -> None: ...
    def set_hold(self, hold: bool) -> None:
        self.hold_for_proofs = hold

    def advance(self, target: int, *, quotes_only: bool) -> bool:
        half = max(1, (target - self.venue.time) // 2)
        self.venue.time += half
        self.advances.append((half, quotes_only))
        self.during_step()
        return True

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.wall[0] += seconds


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> tuple[StandInLoop, Pacer]:
    wall = [100.0]
    monkeypatch.setattr(pacing.time, "monotonic", lambda: wall[0])
    loop = StandInLoop(wall)
    return loop, Pacer(loop, lambda: None, lambda: None)  # type: ignore[arg-type]


def test_a_slower_speed_chosen_during_a_long_step_does_not_stall_the_clock(rig: tuple[StandInLoop, Pacer]) -> None:
    loop, pacer = rig
    pacer.set_speed(600.0)
    loop.during_step = lambda: pacer.set_speed(1.0)
    stepped_at: list[float] = []

    def after_round() -> None:
        if loop.advances:
            stepped_at.append(loop.wall[0])
            loop.advances.clear()
        if loop.wall[0] > 101.0:
            pacer.stop()

    pacer._after_round = after_round
    pacer.run()
    gaps = [b - a for a, b in pairwise(stepped_at)]
    assert max(gaps) < 0.2, "a step of 60 s of venue time was waited for at 1x"


def test_the_rest_of_a_long_step_is_not_played_as_recorded_flow(rig: tuple[StandInLoop, Pacer]) -> None:
    loop, pacer = rig
    pacer.set_speed(600.0)
    loop.during_step = lambda: pacer.set_speed(1.0)

    def after_round() -> None:
        pacer.stop()

    pacer._after_round = after_round
    pacer.run()
    assert all(quotes_only for _, quotes_only in loop.advances)
    assert sum(length for length, _ in loop.advances) <= venue_step(600.0)
    assert venue_step(600.0) == 60 * SECOND
