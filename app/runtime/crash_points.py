"""Named points at which a test may kill the process, to show that nothing is lost.

``PROOFLINE_CRASH_AT=point:n`` kills this process with SIGKILL the n-th time the point is reached. Unset, a point is a
dictionary look-up.
"""

from __future__ import annotations

import os
import signal

from engine.errors import UnknownName

VARIABLE = "PROOFLINE_CRASH_AT"
POINTS = (
    "committed_before_tip",
    "after_commit_before_ack",
    "in_checkpoint",
    "proof_done_unposted",
    "l1_block_executed_unwritten",
    "l1_batch_half_posted",
    "l1_block_written_unseen",
    "claim_sent",
)

MARK = "killed at"
"""Written to standard error, with the point, just before the end: a test can tell this death from another."""

_armed: dict[str, int] = {}


def arm_from_environment() -> None:
    """Read the variable; an unknown point is a typed error listing the valid ones."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return
    point, _, count = text.partition(":")
    if point not in POINTS:
        raise UnknownName("crash point", point, list(POINTS))
    _armed[point] = int(count or "1")


def reach(point: str) -> None:
    """Die here if this is the armed visit."""
    if point in _armed:
        _armed[point] -= 1
        if _armed[point] == 0:
            os.write(2, f"{MARK} {point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
