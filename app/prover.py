"""The prover queue: closed batches in, checked proof files and outcomes out, on a background thread of low priority.

The queue is the operator's: it verifies every proof natively before it reports it as accepted, because its key then
attests the fact on L1. A failed attempt is reported with its reason and tried again, a few times.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import faults, interpreter, jit_cache
from app.busy import BusyShare
from app.proof_files import NO_FACTS, ProofFacts, read_facts, store_proof
from app.snapshots import SecurityTerm, WorkerView
from app.supervisor import Supervised
from app.warmup import warm_up_prover
from engine.errors import ProtocolError
from engine.exchange.config import VenueConfig
from engine.proving.parameters import DEFAULT_PROFILE, Profile, profile_named
from engine.sequencer.batch import Batch
from engine.sequencer.inputs import ProofOutcome
from engine.stark.errors import ProvingCancelled

if TYPE_CHECKING:
    from engine.proving.prover import ProvedBatch, VerifiedProof

MAX_ATTEMPTS = 5
NICE = 5
"""Added to the prover thread's niceness, so that the sequencer and the window go first."""


@dataclass(slots=True)
class LiveProof:
    """Progress of the attempt that is running. ``stage_seconds``: of the stages that ended, replaced and never changed,
    so that any thread may read it."""

    batch: int
    attempt: int
    stage: str = "waiting"
    fraction: float = 0.0
    started: float = field(default_factory=time.monotonic)
    moved: float = field(default_factory=time.monotonic)
    stage_seconds: dict[str, float] = field(default_factory=dict)

    def advance(self, stage: str, fraction: float) -> None:
        """``stage`` ended (some end several times): the time since the last call was its own."""
        now = time.monotonic()
        spent = self.stage_seconds.get(stage, 0.0) + now - self.moved
        self.stage_seconds = {**self.stage_seconds, stage: spent}
        self.stage, self.fraction, self.moved = stage, fraction, now


Prove = Callable[..., "ProvedBatch"]
Verify = Callable[[bytes], "VerifiedProof"]


def prove_batch(batch: Batch, config: VenueConfig, **hooks: Any) -> ProvedBatch:
    """:func:`engine.proving.prover.prove_batch`, imported with the first batch: trading does not wait."""
    from engine.proving import prover

    return prover.prove_batch(batch, config, **hooks)


def prover_with(profile: str) -> Callable[..., ProverQueue]:
    """A :class:`ProverQueue` for the parameter set with this name; raises :class:`engine.errors.UnknownName`."""
    return partial(ProverQueue, profile=profile_named(profile))


def verify_file(data: bytes) -> VerifiedProof:
    """:func:`engine.proving.prover.verify_file`, imported when it is first needed."""
    from engine.proving import prover

    return prover.verify_file(data)


class ProverQueue:
    """Proves batches in order of number on one thread.

    ``deliver`` is called on the prover's thread with each outcome; it must only hand it on.
    """

    def __init__(
        self,
        config: VenueConfig,
        proofs: Path,
        deliver: Callable[[ProofOutcome], None],
        *,
        profile: Profile = DEFAULT_PROFILE,
        prove: Prove = prove_batch,
        verify: Verify = verify_file,
    ) -> None:
        self._config = config
        self._proofs = proofs
        self._deliver = deliver
        self._profile = profile
        self._prove = prove
        self._verify = verify
        self._jobs: queue.PriorityQueue[tuple[int, int, Batch | None]] = queue.PriorityQueue()
        self._stopping = threading.Event()
        self.live: LiveProof | None = None
        self._facts: dict[str, ProofFacts] = {}
        self.preparing = ""
        self._prepared = 0.0
        self._busy = BusyShare()
        self._made = self._failed = 0
        self._last_failure = ""
        self.thread = Supervised("prover", self._run, restartable=True)

    def start(self) -> None:
        """Start proving."""
        self.thread.start()

    def submit(self, batch: Batch, attempt: int = 1) -> None:
        """Queue a batch."""
        self._jobs.put((batch.number, attempt, batch))

    def depth(self) -> int:
        """Batches waiting or being proved."""
        return self.waiting() + (self.live is not None)

    def waiting(self) -> int:
        """Batches that nobody works on yet."""
        return self._jobs.qsize()

    def workers(self) -> tuple[WorkerView, ...]:
        """Who proves: today one thread of this process."""
        live = self.live
        return (
            WorkerView(
                name="in this process",
                kind="thread",
                state="starting" if self.preparing else "proving" if live else "idle",
                batch=live.batch if live else None,
                stage=live.stage if live else "",
                fraction=live.fraction if live else self._prepared,
                busy=self._busy.share(),
                proofs=self._made,
                failures=self._failed,
                last_failure=self._last_failure,
            ),
        )

    def facts(self, digest: str) -> ProofFacts:
        """What was measured when the proof with this digest was made; blank for ""."""
        if not digest:
            return NO_FACTS
        if digest not in self._facts:
            self._facts[digest] = read_facts(self._proofs, digest)
        return self._facts[digest]

    def stop(self) -> None:
        """Cancel the running proof and end the thread; unproved batches are queued again at the next start."""
        self._stopping.set()
        self._jobs.put((-1, 0, None))
        self.thread.join(60)

    def _run(self) -> None:
        _lower_priority()
        self._prepare()
        while not self._stopping.is_set():
            self.thread.beat()
            try:
                _, attempt, batch = self._jobs.get(timeout=0.5)
            except queue.Empty:
                continue
            if batch is None:
                return
            self._attempt(batch, attempt)

    def _prepare(self) -> None:
        """On the first launch of a build: compile the prover's kernels here, while the desk trades already."""
        if self._prove is not prove_batch or jit_cache.is_warm():
            return
        self.preparing = "first launch: the prover's kernels are being compiled; the first proofs wait for them"
        try:
            warm_up_prover(self._preparing)
        except ProvingCancelled:
            return  # stopped while compiling; the next start goes on
        finally:
            self.preparing, self._prepared = "", 0.0

    def _preparing(self, stage: str, fraction: float) -> None:
        self.thread.beat()
        self._prepared = fraction
        if self._stopping.is_set():
            raise ProvingCancelled("the prover is stopping", field="cancelled")

    def _attempt(self, batch: Batch, attempt: int) -> None:
        self.live = LiveProof(batch.number, attempt)
        self._busy.begin()
        try:
            outcome = self._prove_and_check(batch, attempt)
        except ProvingCancelled:
            return
        except ProtocolError as error:
            outcome = _refused(batch.number, attempt, error.message)
        except Exception as error:  # noqa: BLE001 - any failure of a prover is an outcome with its reason, never silence
            outcome = _refused(batch.number, attempt, f"{type(error).__name__}: {error}")
        finally:
            self.live = None
            self._busy.end()
        if outcome.accepted:
            self._made += 1
            if self._made == 1:
                interpreter.set_aside()  # the prover's modules, loaded with its first batch
        else:
            self._failed += 1
            self._last_failure = outcome.reason
        self._deliver(outcome)

    def _prove_and_check(self, batch: Batch, attempt: int) -> ProofOutcome:
        proved = self._prove(
            batch,
            self._config,
            profile=self._profile,
            progress=self._progress,
            cancelled=self._stopping.is_set,
        )
        if self._stopping.is_set():
            raise ProvingCancelled("the prover is stopping", field="cancelled")
        self._progress("verifying", 1.0)
        started = time.perf_counter()
        verified = self._verify(proved.file)
        verify_seconds = time.perf_counter() - started
        facts = ProofFacts(
            dict(proved.stage_seconds),
            proved.seconds,
            verify_seconds,
            verified.bits_proven,
            verified.bits_conjectured,
            verified.statement,
            tuple(SecurityTerm(term.name, term.bits, term.grinding) for term in verified.terms),
            verified.profile.name,
        )
        store_proof(self._proofs, proved.digest, proved.file, facts)
        faults.reach("proof_done_unposted")
        self._facts[proved.digest] = facts
        return ProofOutcome(
            batch=batch.number,
            accepted=True,
            digest=proved.digest,
            reason="",
            attempt=attempt,
            prove_milliseconds=round(proved.seconds * 1000),
            verify_milliseconds=round(verify_seconds * 1000),
            proof_bytes=len(proved.file),
        )

    def _progress(self, stage: str, fraction: float) -> None:
        self.thread.beat()
        if (live := self.live) is not None:
            live.advance(stage, fraction)


def _refused(batch: int, attempt: int, reason: str) -> ProofOutcome:
    return ProofOutcome(
        batch=batch,
        accepted=False,
        digest="",
        reason=reason[:500],
        attempt=attempt,
        prove_milliseconds=0,
        verify_milliseconds=0,
        proof_bytes=0,
    )


def _lower_priority() -> None:
    """On Linux niceness is per thread; elsewhere the prover runs at the process's priority."""
    if hasattr(os, "setpriority") and hasattr(os, "PRIO_PROCESS"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
