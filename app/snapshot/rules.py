"""Rules of the venue that the window must know beside a snapshot: how its clock steps, how often a proof is tried.

They are kept here, below both, so that a view-model that names one does not load the venue.
"""

from __future__ import annotations

from engine.units import SECOND

MAX_ATTEMPTS = 5
"""Attempts at a batch's proof before it is given up."""
MAX_FLOW_SPEED = 10.0
"""Venue seconds per wall second up to which the recorded flow is played."""
BASE_STEP = SECOND // 20
FAST_STEPS_PER_SECOND = 10
MODES = {
    False: "recorded flow",
    True: "quotes only: above 10x the recording is not played, quotes are refreshed at each step",
}
"""What the clock plays, by whether it is faster than the recording can be played."""


def venue_step(speed: float) -> int:
    """Venue nanoseconds of one clock step: 0.05 s up to 1x, 0.5 s at 10x; above, speed / 10 seconds."""
    if speed > MAX_FLOW_SPEED:
        return int(speed * SECOND / FAST_STEPS_PER_SECOND)
    return max(BASE_STEP, int(speed * SECOND / 20))
