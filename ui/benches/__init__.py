"""What can be measured of the window. Each module has ``measure(quick) -> result`` and its record here."""

from __future__ import annotations

from app.benches import Bench

BENCHES = (
    Bench("launch", "second launch to a moving book, after an hour of journal", "ui.benches.launch"),
    Bench("ui", "frame time of the whole window, idle and while proving", "ui.benches.ui"),
)
