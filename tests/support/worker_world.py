"""A small batch of the venue, and outcomes as they come."""

from __future__ import annotations

import threading
from functools import lru_cache

from app.benches.batches import venue_batch
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.job import ProofJob, encode_job
from engine.sequencer.inputs import ProofOutcome

LIMIT = 100.0
"""Seconds that anything may take on a machine with other work."""


@lru_cache
def sample_job(updates: int = 64) -> bytes:
    """A batch of payments, with some deposits and withdrawals."""
    return encode_job(ProofJob(venue_batch(updates, 4, 2), DEFAULT_CONFIG))


class Outcomes:
    """Outcomes as they are delivered; ``wait`` for so many."""

    def __init__(self) -> None:
        self.all: list[ProofOutcome] = []
        self._arrived = threading.Condition()

    def __call__(self, outcome: ProofOutcome) -> None:
        with self._arrived:
            self.all.append(outcome)
            self._arrived.notify_all()

    def wait(self, count: int) -> list[ProofOutcome]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.all) >= count, LIMIT)
        return self.all
