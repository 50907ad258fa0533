"""Which viewers are fed in a frame, so that no frame carries all of the window's work. No Qt here.

The ladder follows every snapshot. The others have a pace: figures that change forty times a second cannot be read, and
spread over the frames between two snapshots they cost no latency where it matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

LIGHT_PER_FRAME = 2
LATE = 2.0  # periods after which a heavy viewer no longer waits for a frame without news


@dataclass(frozen=True, slots=True)
class Pace:
    """``period`` in seconds between two feedings, 0 for every snapshot. ``heavy``: alone in a frame where possible."""

    period: float = 0.0
    heavy: bool = False


EVERY_SNAPSHOT = Pace()


class Paced(Protocol):
    """What the governor asks of a viewer."""

    pace: Pace

    @property
    def shown_version(self) -> int:
        """Version of the snapshot on screen, -1 when the next one has to be shown at once."""


class Governor:
    """Remembers when each viewer was fed last."""

    def __init__(self) -> None:
        self._fed: dict[int, float] = {}

    def choose(self, viewers: Iterable[Paced], version: int, *, news: bool, now: float) -> set[int]:
        """``id``s of the viewers to feed with snapshot ``version``; ``news``: it came with this frame."""
        chosen, due = set(), []
        for viewer in viewers:
            shown = viewer.shown_version
            if not viewer.pace.period or shown < 0:
                chosen.add(id(viewer))
            elif shown != version:
                lateness = (now - self._fed.get(id(viewer), 0.0)) / viewer.pace.period
                if lateness >= 1.0:
                    due.append((lateness, viewer))
        due.sort(key=lambda entry: -entry[0])
        heavy = [viewer for lateness, viewer in due if viewer.pace.heavy and (not news or lateness >= LATE)]
        light = [viewer for _, viewer in due if not viewer.pace.heavy]
        chosen.update(id(viewer) for viewer in (heavy[:1] or light[:LIGHT_PER_FRAME]))
        for number in chosen:
            self._fed[number] = now
        return chosen
