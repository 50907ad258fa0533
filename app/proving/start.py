"""From what was asked for to the workers that do it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.proving.choice import ProvingChoice
from app.proving.queue import MakeProver, ProverQueue
from app.proving.workers.process import ProcessWorker
from app.proving.workers.threads import ThreadWorker
from app.proving.workers.worker import Worker
from engine.exchange.config import VenueConfig
from engine.proving.parameters import profile_named
from engine.sequencer.inputs import ProofOutcome


def prover_with(choice: ProvingChoice) -> MakeProver:
    """A :class:`ProverQueue` with the workers of the choice; raises :class:`engine.errors.UnknownName`.

    A thread of this process stands by for a child process, and whatever proves here stands by for a cluster. It
    compiles nothing before it is needed.
    """
    profile = profile_named(choice.profile)

    def make(config: VenueConfig, proofs: Path, deliver: Callable[[ProofOutcome], None]) -> ProverQueue:
        spare = ThreadWorker(prepare=lambda progress: None)
        local: Worker = ProcessWorker() if choice.prover == "process" else ThreadWorker()
        if choice.cluster:
            from app.proving.workers.cluster import Cluster

            stand_by = [local] if choice.prover == "process" else [spare]
            return ProverQueue(
                config, proofs, deliver, profile=profile, stand_by=stand_by, sources=[Cluster(choice.cluster)]
            )
        stand_by = [spare] if choice.prover == "process" else []
        return ProverQueue(config, proofs, deliver, profile=profile, workers=[local], stand_by=stand_by)

    return make
