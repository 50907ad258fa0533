"""Keeps the second press of a double click from acting twice: an order can be answered before it comes."""

from __future__ import annotations

import time
from collections.abc import Hashable

from PySide6.QtWidgets import QApplication


class PressGuard:
    """Tells a new press from one that belongs to the same burst of clicks, for each thing that can be pressed."""

    def __init__(self) -> None:
        self._pressed: dict[Hashable, float] = {}

    def is_new(self, thing: Hashable) -> bool:
        """Record a press; False when the last one is no older than the system's double-click interval."""
        now = time.monotonic()
        last = self._pressed.get(thing)
        self._pressed[thing] = now
        return last is None or now - last > QApplication.doubleClickInterval() / 1000

    def forget(self, thing: Hashable) -> None:
        """What is pressed now means something else: the next press is a new one."""
        self._pressed.pop(thing, None)
