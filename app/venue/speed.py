"""Bounds of the venue clock's speed, in venue seconds per wall second."""

from __future__ import annotations

MIN_SPEED, MAX_SPEED = 0.1, 600.0
