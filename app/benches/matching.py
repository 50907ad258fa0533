"""``bench matching``: operations a second of the sequencer's own matching kernel on a committed-seed mix."""

from __future__ import annotations

from typing import Any

from app.commands.bench import result
from engine.book.workload import run_matching_benchmark

OPERATIONS, QUICK_OPERATIONS = 3_000_000, 300_000
SEED = 20240808
ROUNDS = 5


def measure(*, quick: bool) -> dict[str, Any]:
    """The median of five rounds, after one that is not counted."""
    operations = QUICK_OPERATIONS if quick else OPERATIONS
    rounds = [run_matching_benchmark(operations, SEED) for _ in range(1 + (1 if quick else ROUNDS))][1:]
    rounds.sort(key=lambda found: found["value"])
    middle = rounds[len(rounds) // 2]
    details = {key: value for key, value in middle.items() if key not in ("value", "parameters")}
    details["rounds"] = [found["value"] for found in rounds]
    return result("matching", middle["value"], "operations/s", middle["parameters"], details)
