"""``bench launch``: from starting the program to a moving book on screen, on a data folder that was used before.

Each run is a fresh process with its own imports; kernels come from the cache. The journal holds an hour of recorded
flow.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app.commands.bench import result
from app.session import open_session
from app.settings import ROOT, open_paths
from app.warmup import warm_up
from engine.units import MINUTE, SECOND

FLOW, QUICK_FLOW = 60 * MINUTE, 2 * MINUTE
ROUNDS, QUICK_ROUNDS = 5, 1
STEP = SECOND // 20


def measure(*, quick: bool) -> dict[str, Any]:
    """Median of several launches; the value is seconds until the book had changed on a painted window."""
    warm_up(lambda stage, fraction: None)
    with tempfile.TemporaryDirectory(prefix="proofline-launch-") as folder:
        inputs = _fill(Path(folder), QUICK_FLOW if quick else FLOW)
        runs = [_launch(Path(folder)) for _ in range(QUICK_ROUNDS if quick else ROUNDS)]
    runs.sort(key=lambda run: run["moving_book"])
    middle = runs[len(runs) // 2]
    details = {"stages": middle, "rounds": [run["moving_book"] for run in runs], "journal_inputs": inputs}
    return result(
        "launch", middle["moving_book"], "seconds", {"flow_minutes": (QUICK_FLOW if quick else FLOW) // MINUTE}, details
    )


def _fill(folder: Path, duration: int) -> int:
    """An hour of flow in the journal; batches close and are proved as in the desk, the clock does not wait for them."""
    session = open_session(open_paths(folder))
    try:
        session.prover.start()
        session.loop.run_to(session.loop.venue.time + duration, step=STEP)
        return session.loop.sequence
    finally:
        session.close()


def _launch(folder: Path) -> dict[str, float]:
    started = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "ui.benches.launch_child", str(folder), str(started)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    stages: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return stages
