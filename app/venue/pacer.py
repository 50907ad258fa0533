"""The desk's clock: turns wall time into clock steps, at a chosen speed, on the sequencer's thread.

Up to 10x, recorded flow is played and steps grow with the speed, so that the work per wall second stays bounded.
Faster, the recording is not played: the clock advances in large steps, quotes are refreshed per step, and the desk
says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from app.snapshot.rules import MAX_FLOW_SPEED, venue_step
from app.venue.loop import VenueLoop
from app.venue.speed import MAX_SPEED, MIN_SPEED
from engine.errors import OutOfRange
from engine.units import SECOND

IDLE_WAIT = 0.25


class Pacer:
    """Drives a :class:`VenueLoop` in real time. ``run`` is the body of the sequencer's thread."""

    def __init__(self, loop: VenueLoop, beat: Callable[[], None], after_round: Callable[[], None]) -> None:
        self._loop = loop
        self._beat = beat
        self._after_round = after_round
        self._speed = 1.0
        self._stopping = False
        self.paused = False
        self.lag_seconds = 0.0

    @property
    def speed(self) -> float:
        """Venue seconds per wall second that are asked for."""
        return self._speed

    @property
    def quotes_only(self) -> bool:
        """True when the clock is faster than the recording can be played."""
        return self._speed > MAX_FLOW_SPEED

    def set_speed(self, speed: float) -> None:
        """Ask for a speed in [0.1, 600]; :class:`OutOfRange` otherwise."""
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise OutOfRange("speed", speed, MIN_SPEED, MAX_SPEED)
        self._speed = speed
        self._loop.ingress.wake()

    def stop(self) -> None:
        """End the loop after its current round."""
        self._stopping = True
        self._loop.ingress.wake()

    def run(self) -> None:
        """Serve commands as they come; step the clock when its time has come."""
        next_tick = time.monotonic()
        while not self._stopping:
            self._beat()
            self._loop.serve()
            self._follow_mode()
            now = time.monotonic()
            if self.paused:
                next_tick = now
                self.lag_seconds = 0.0
            elif now >= next_tick:
                self.lag_seconds = now - next_tick
                speed = self._speed  # another may be chosen while the step runs
                step = venue_step(speed)
                self._step(step, speed)
                # a late clock does not try to catch up: it would only be later
                next_tick = max(next_tick + step / SECOND / speed, time.monotonic() - 0.1)
            self._after_round()
            wait = IDLE_WAIT if self.paused else next_tick - time.monotonic()
            if wait > 0:
                self._loop.ingress.wait(min(wait, IDLE_WAIT))

    def _step(self, step: int, speed: float) -> None:
        """Advance by one step; what is left of it is dropped when the clock stops, waits or gets another speed."""
        target = self._loop.venue.time + step
        while self._loop.venue.time < target and self._speed == speed and not self._stopping and not self.paused:
            if not self._loop.advance(target, quotes_only=speed > MAX_FLOW_SPEED):
                return

    def _follow_mode(self) -> None:
        hold = self._speed > 1.0
        if hold != self._loop.hold_for_proofs:
            self._loop.set_hold(hold)
        self._loop.blocks_every_slot = not self.quotes_only
