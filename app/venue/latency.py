"""Declared latency models: when, in venue time, a proof is due while the clock does not run in real time.

In scenarios and at speeds above 1x the outcome of a proof enters the venue exactly at its due time; the clock waits
there for the real proof. The seed then fixes fills, batches and roots, and only measured seconds differ.
"""

from __future__ import annotations

from engine.sequencer.batch import Batch
from engine.units import SECOND

PROOF_BASE = 4 * SECOND
PROOF_PER_ACCOUNT = SECOND // 50
L1_SLOT = 12 * SECOND
"""Seconds between L1 blocks (Ethereum's slot)."""


def proof_due(batch: Batch, attempt: int) -> int:
    """Venue time at which the outcome of this attempt arrives."""
    return batch.closed_at + attempt * (PROOF_BASE + PROOF_PER_ACCOUNT * len(batch.updates))
