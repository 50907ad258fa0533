"""``bench launch``: from starting the program to a moving book on screen, on a data folder that was used before.

Each run is a fresh process with its own imports; kernels come from the cache. The journal holds an hour of recorded
flow. The value is that of a venue that was closed; ``after_kill`` is that of one that was killed with the longest tail
behind its newest checkpoint.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app.commands.bench import result
from app.paths import ROOT, open_paths
from app.runtime.warmup import warm_up
from app.venue.loop import CHECKPOINT_BATCHES
from app.venue.session import open_session
from engine.units import MINUTE, SECOND

FLOW, QUICK_FLOW = 60 * MINUTE, 2 * MINUTE
ROUNDS, QUICK_ROUNDS = 5, 1
STEP = SECOND // 20
NEVER = 10**9


def measure(*, quick: bool) -> dict[str, Any]:
    """Median of several launches; the value is seconds until the book had changed on a painted window."""
    warm_up(lambda stage, fraction: None)
    with tempfile.TemporaryDirectory(prefix="proofline-launch-") as folder:
        closed, killed = Path(folder) / "closed", Path(folder) / "killed"
        inputs = _fill(closed, killed, QUICK_FLOW if quick else FLOW)
        after_kill = _launch(killed)
        runs = [_launch(closed) for _ in range(QUICK_ROUNDS if quick else ROUNDS)]
    runs.sort(key=lambda run: run["moving_book"])
    middle = runs[len(runs) // 2]
    details = {
        "stages": middle,
        "rounds": [run["moving_book"] for run in runs],
        "journal_inputs": inputs,
        "after_kill": after_kill,
    }
    return result(
        "launch", middle["moving_book"], "seconds", {"flow_minutes": (QUICK_FLOW if quick else FLOW) // MINUTE}, details
    )


def _fill(folder: Path, killed: Path, duration: int) -> int:
    """An hour of flow in the journal; batches close and are proved as in the desk, the clock does not wait for them.

    ``killed`` becomes a copy of the folder as it was before the venue was closed, a whole tail after its checkpoint.
    """
    session = open_session(open_paths(folder))
    loop = session.loop
    try:
        session.prover.start()
        loop.run_to(loop.venue.time + duration, step=STEP)
        loop.checkpoint()
        loop.checkpoint_batches = NEVER
        loop.run_to(loop.venue.time + CHECKPOINT_BATCHES * session.config.batch_max_age, step=STEP)
        session.prover.stop()
        shutil.copytree(folder, killed)
        return loop.sequence
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
