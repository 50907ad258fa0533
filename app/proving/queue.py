"""The prover queue: closed batches in, checked proof files and outcomes out.

Batches are proved by the workers of a pool (``app.workers``). The queue verifies every proof natively before it reports
it as accepted, whoever made it: on L1 a false one would be refused only after its gas was paid. A failure that no other
worker could make good is reported with its reason, and the venue's loop asks again, a few times.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.proving.workers.member import Item, LiveProof
from app.proving.workers.pool import Pool
from app.proving.workers.threads import ThreadWorker, lower_priority, reason_of
from app.proving.workers.worker import IN_PROCESS, Proved, Report, Source, Worker
from app.runtime import crash_points, interpreter
from app.runtime.supervisor import Supervised
from app.snapshot.views import SecurityTerm, WorkerView
from app.storage.proof_files import NO_FACTS, ProofFacts, ProofFileError, read_facts, read_stored, store_proof
from engine.exchange.config import VenueConfig
from engine.proving.parameters import DEFAULT_PROFILE, Profile
from engine.sequencer.batch import Batch
from engine.sequencer.inputs import ProofOutcome

if TYPE_CHECKING:
    from engine.proving.job import ProofJob
    from engine.proving.prover import VerifiedProof

REASON_LIMIT = 500
TICK = 0.5
"""Seconds between looks for tries that take too long."""


@dataclass(frozen=True, slots=True)
class _Asked:
    batch: Batch
    attempt: int


Verify = Callable[[bytes, "ProofJob"], "VerifiedProof"]


def verify_answer(file: bytes, job: ProofJob) -> VerifiedProof:
    """:func:`engine.proving.job.verify_answer`, imported when it is first needed."""
    from engine.proving import job as jobs

    return jobs.verify_answer(file, job)


class ProverQueue:
    """Hands batches to the pool in order of number, on one thread.

    ``deliver`` is called on that thread with each outcome; it must only hand it on. ``workers`` prove, by default one
    thread of this process; ``sources`` bring more of them; ``stand_by`` gets work only when none of them is usable, or
    one is slow.
    """

    def __init__(
        self,
        config: VenueConfig,
        proofs: Path,
        deliver: Callable[[ProofOutcome], None],
        *,
        profile: Profile = DEFAULT_PROFILE,
        workers: Iterable[Worker] = (),
        stand_by: Iterable[Worker] = (),
        sources: Iterable[Source] = (),
        verify: Verify = verify_answer,
    ) -> None:
        self._config = config
        self._proofs = proofs
        self._deliver = deliver
        self._profile = profile
        self._verify = verify
        self._sources, self._stand_by = tuple(sources), tuple(stand_by)
        self._workers = tuple(workers) or (() if self._sources else (ThreadWorker(),))
        self._events: queue.SimpleQueue[_Asked | tuple[Worker | None, Report] | None] = queue.SimpleQueue()
        self._pool = Pool(self._accept, self._give_up, self._report)
        self._stopping = threading.Event()
        self._asked: dict[int, ProofJob | None] = {}
        self._facts: dict[str, ProofFacts] = {}
        self._has_proved = False
        self.thread = Supervised("prover", self._run, restartable=True)

    def start(self) -> None:
        """Start proving."""
        self.thread.start()

    def submit(self, batch: Batch, attempt: int = 1) -> None:
        """Queue a batch."""
        self._asked[batch.number] = None
        self._events.put(_Asked(batch, attempt))

    def depth(self) -> int:
        """Batches waiting or being proved."""
        return len(self._asked)

    def waiting(self) -> int:
        """Batches that nobody works on yet."""
        return max(0, self.depth() - len({live.batch for live in self._running()}))

    def workers(self) -> tuple[WorkerView, ...]:
        """Who proves."""
        return tuple(member.view() for member in self._pool.members)

    @property
    def live(self) -> LiveProof | None:
        """The running try at the lowest batch."""
        return min(self._running(), key=lambda live: live.batch, default=None)

    def proving(self, number: int) -> LiveProof | None:
        """The try at this batch that is furthest."""
        tries = [live for live in self._running() if live.batch == number]
        return max(tries, key=lambda live: live.fraction, default=None)

    def messages(self) -> tuple[str, ...]:
        """What the window should say: why proving is not where it was asked for, what a worker compiles."""
        starting = [member.stage for member in self._pool.members if member.state == "starting" and member.stage]
        told = [source.message() for source in self._sources] + starting
        return tuple(dict.fromkeys(message for message in told if message))

    def holds(self, digest: str) -> bool:
        """Whether the proof file with this digest is there and whole."""
        try:
            read_stored(self._proofs, digest)
        except ProofFileError:
            return False
        return True

    def facts(self, digest: str) -> ProofFacts:
        """What was measured when the proof with this digest was made; blank for ""."""
        if not digest:
            return NO_FACTS
        if digest not in self._facts:
            self._facts[digest] = read_facts(self._proofs, digest)
        return self._facts[digest]

    def stop(self) -> None:
        """Cancel the running proofs and end all threads; unproved batches are queued again at the next start."""
        self._stopping.set()
        self._events.put(None)
        self.thread.join(60)
        self._pool.stop()
        for source in self._sources:
            source.stop()

    def _report(self, worker: Worker | None, report: Report) -> None:
        self._events.put((worker, report))

    def _running(self) -> list[LiveProof]:
        tries = ((member, member.item) for member in self._pool.members)
        return [member.live(item) for member, item in tries if item is not None]

    def _run(self) -> None:
        lower_priority()
        if not self._pool.members:
            for worker in self._workers:
                self._pool.add(worker)
            for worker in self._stand_by:
                self._pool.add(worker, stand_by=True)
            for source in self._sources:
                source.start(self._report)
        while not self._stopping.is_set():
            self.thread.beat()
            try:
                event = self._events.get(timeout=TICK)
            except queue.Empty:
                self._pool.tick(time.monotonic())
                continue
            if isinstance(event, _Asked):
                self._begin(event)
            elif event is not None:
                self._pool.take(*event, time.monotonic())

    def _begin(self, asked: _Asked) -> None:
        """Hand a batch to the pool; one that no job can hold fails like any other."""
        from engine.proving.job import ProofJob, encode_job

        batch = asked.batch
        job = ProofJob(batch, self._config, self._profile.name)
        self._asked[batch.number] = job
        item = Item(batch.number, asked.attempt, len(batch.updates), b"")
        try:
            item.job = encode_job(job)
        except Exception as error:  # noqa: BLE001 - any failure is an outcome with its reason, never silence
            item.failed.append((IN_PROCESS, reason_of(error)))
            self._give_up(item)
        else:
            self._pool.submit(item, time.monotonic())

    def _accept(self, item: Item, proved: Proved, worker: str) -> None:
        """Verify, keep, tell; raises what is wrong with the proof, or with keeping it."""
        job = self._asked[item.number]
        assert job is not None, "an item's job is kept as long as the item"
        started = time.perf_counter()
        verified = self._verify(proved.file, job)
        verify_seconds = time.perf_counter() - started
        facts = ProofFacts(
            stage_seconds=proved.stage_seconds,
            prove_seconds=proved.seconds,
            verify_seconds=verify_seconds,
            bits_proven=verified.bits_proven,
            bits_conjectured=verified.bits_conjectured,
            statement=verified.statement,
            terms=tuple(SecurityTerm(term.name, term.bits, term.grinding) for term in verified.terms),
            profile=verified.profile.name,
            worker=worker,
        )
        digest = hashlib.sha256(proved.file).hexdigest()
        store_proof(self._proofs, digest, proved.file, facts)
        crash_points.reach("proof_done_unposted")
        if not self._has_proved:
            interpreter.set_aside()  # the prover's modules, loaded with its first batch
        self._has_proved = True
        self._facts[digest] = facts
        self._tell(
            ProofOutcome(
                batch=item.number,
                accepted=True,
                digest=digest,
                reason=item.reasons()[:REASON_LIMIT],
                attempt=item.next_try,
                prove_milliseconds=round(proved.seconds * 1000),
                verify_milliseconds=round(verify_seconds * 1000),
                proof_bytes=len(proved.file),
            )
        )

    def _give_up(self, item: Item) -> None:
        self._tell(
            ProofOutcome(
                batch=item.number,
                accepted=False,
                digest="",
                reason=item.reasons()[:REASON_LIMIT],
                attempt=item.next_try - 1,
                prove_milliseconds=0,
                verify_milliseconds=0,
                proof_bytes=0,
            )
        )

    def _tell(self, outcome: ProofOutcome) -> None:
        del self._asked[outcome.batch]
        self._deliver(outcome)


MakeProver = Callable[[VenueConfig, Path, Callable[[ProofOutcome], None]], ProverQueue]
"""From configuration, folder of the proof files and ``deliver`` to a queue with its workers."""
