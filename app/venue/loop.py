"""The sequencer's loop: number, journal, apply, acknowledge; the clock, the proofs' due times, the L1 slots.

One thread runs it in the desk (:mod:`app.venue.pacer`); a scenario calls the same methods step by step.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from app.l1.layer_one import ChainRequest, LayerOne, SlotDone
from app.proving.queue import ProverQueue
from app.runtime import crash_points
from app.snapshot.rules import MAX_ATTEMPTS
from app.storage.checkpoints import encode_checkpoint
from app.storage.journal import Journal
from app.venue.ingress import Command, Ingress
from app.venue.latency import L1_SLOT, proof_due
from engine.errors import ProtocolError
from engine.sequencer.batch import Batch
from engine.sequencer.events import AnyEvent
from engine.sequencer.inputs import ClockStep, Input, L1Block, ProofOutcome
from engine.sequencer.venue import Venue
from engine.units import Nanoseconds

GROUP_LIMIT = 512
EVENTS_KEPT = 20_000
WAIT_SECONDS = 0.5
CHECKPOINT_BATCHES = 3
"""A venue that was killed replays at most this many batches' inputs: 30 s of clock steps, about 0.6 s of work. A
checkpoint takes 2 ms to make after an hour, and 0.6 MB."""


class VenueHalted(ProtocolError):
    """An input was not applied to its end: the venue in memory is no longer the journal's, and takes nothing more."""


@dataclass(frozen=True, slots=True)
class ProveAgain:
    """A user's wish: one more attempt at a batch that was given up."""

    batch: int


class VenueLoop:
    """Owns the venue. Only one thread may call its methods (ingress excepted).

    ``hold_for_proofs``: proofs enter at their declared due time and the clock waits for them there (scenarios, and
    speeds above 1x); otherwise they enter when they are done.
    """

    def __init__(self, venue: Venue, journal: Journal, chain: LayerOne, prover: ProverQueue, ingress: Ingress) -> None:
        self.venue = venue
        self.journal = journal
        self.chain = chain
        self.prover = prover
        self.ingress = ingress
        self.sequence = journal.last_sequence
        self.hold_for_proofs = False
        self.blocks_every_slot = True
        self.halted = False
        self.checkpoint_batches = CHECKPOINT_BATCHES
        self.events: deque[AnyEvent] = deque(maxlen=EVENTS_KEPT)
        self.event_count = 0
        self._events_lock = threading.Lock()
        self.acknowledgements: deque[float] = deque(maxlen=4096)
        self.applied: deque[tuple[float, int]] = deque(maxlen=2048)
        self.on_applied: Callable[[], None] = lambda: None
        self.on_waiting: Callable[[], None] = lambda: None
        """Called now and then while a commit takes long; the venue is as it was before the inputs that wait."""
        self._due: dict[int, tuple[int, int]] = {}
        self._arrived: dict[int, ProofOutcome] = {}
        self._batches_since_checkpoint = 0
        self.next_slot = (venue.time // L1_SLOT + 1) * L1_SLOT

    @property
    def journal_bytes(self) -> int:
        """Bytes of the journal on disk."""
        return self.journal.size()

    # -- inputs

    def apply(self, inputs: list[Input]) -> list[AnyEvent]:
        """Journal and apply inputs of our own; returns their events."""
        return self.apply_commands([Command(input=value) for value in inputs])

    def apply_commands(self, commands: list[Command]) -> list[AnyEvent]:
        """Number, make durable, apply, acknowledge: in this order, for a group that shares one commit.

        Raises :class:`app.storage.journal_file.JournalError` when the commit fails and :class:`VenueHalted` ever after.
        """
        if not commands:
            return []
        if self.halted:
            raise VenueHalted("the venue is halted: it is rebuilt from its journal at the next start")
        self.halted = True  # until the whole group is applied: an error on the way leaves it so
        first = self.sequence + 1
        rows = [(first + i, command.data) for i, command in enumerate(commands)]
        self._wait_for(self.journal.append_inputs(rows))
        self.sequence += len(rows)
        crash_points.reach("after_commit_before_ack")
        happened: list[AnyEvent] = []
        for (sequence, _), command in zip(rows, commands, strict=True):
            events = self.venue.apply(sequence, command.input)
            happened.extend(events)
            if command.acknowledge is not None:
                self.acknowledgements.append(time.perf_counter() - command.submitted)
                command.acknowledge(sequence, events)
        with self._events_lock:
            self.events.extend(happened)
            self.event_count += len(happened)
        self.applied.append((time.monotonic(), len(rows)))
        self.halted = False
        for batch in self.venue.take_closed_batches():
            self._prove(batch, attempt=1)
            self._batches_since_checkpoint += 1
        if self._batches_since_checkpoint >= self.checkpoint_batches and not self.chain.busy:
            self.checkpoint()  # the L1's part would wait for the block that is being built
        self.on_applied()
        return happened

    def _wait_for(self, commit: Future[None]) -> None:
        """Until the commit is done; the window hears of a long wait."""
        while True:
            try:
                return commit.result(WAIT_SECONDS)
            except TimeoutError:
                if commit.done():
                    raise
                self.on_waiting()

    def events_since(self, cursor: int) -> tuple[int, list[AnyEvent]]:
        """Events after ``cursor`` that are still kept, and the next cursor. For any thread."""
        with self._events_lock:
            end, kept = self.event_count, len(self.events)
            fresh = min(max(0, end - cursor), kept)
            return end, [self.events[place] for place in range(kept - fresh, kept)]

    def serve(self) -> None:
        """Take what arrived: facts of our own threads first, then a group of commands."""
        for fact in self.ingress.take_facts():
            self._take_fact(fact)
        self.apply_commands(self.ingress.take(GROUP_LIMIT))

    def checkpoint(self) -> None:
        """Write a checkpoint of venue and L1 at the current sequence number; not of a venue that stopped half-way."""
        if self.halted:
            return
        self._batches_since_checkpoint = 0
        data = encode_checkpoint(self.venue.dump(), self.chain.chain.checkpoint(), self.journal.digest)
        crash_points.reach("in_checkpoint")
        self.journal.write_checkpoint(self.sequence, data)

    # -- the clock

    def advance(self, target: int, *, quotes_only: bool = False) -> bool:
        """One clock step towards ``target``, no further than the next L1 slot or due proof.

        Returns False when the clock is held by a proof that is due and not done, or by an L1 slot that is worked on.
        """
        if self.hold_for_proofs and self.chain.busy:
            return False
        due = min(((at, number) for number, (at, _) in self._due.items()), default=None)
        held_by = due if due is not None and self.hold_for_proofs else None
        limit = min(target, self.next_slot, held_by[0] if held_by else target)
        if limit > self.venue.time:
            self.apply([ClockStep(time=Nanoseconds(limit), quotes_only=quotes_only)])
        if held_by is not None and self.venue.time >= held_by[0]:
            outcome = self._arrived.pop(held_by[1], None)
            if outcome is None:
                return False
            self._apply_outcome(outcome)
        if self.venue.time >= self.next_slot:
            self._slot()
        return True

    def run_to(self, target: int, *, step: int, quotes_only: bool = False) -> None:
        """Advance synchronously in steps of ``step`` ns, waiting for proofs that are due; used by scenarios."""
        while self.venue.time < target or (self.hold_for_proofs and self.chain.busy):
            self.serve()
            if not self.advance(min(target, self.venue.time + step), quotes_only=quotes_only):
                self.ingress.wait(1.0)

    def is_held(self) -> bool:
        """True while the clock waits for a proof or a slot."""
        if self.hold_for_proofs and self.chain.busy:
            return True
        return self.hold_for_proofs and any(at <= self.venue.time for at, _ in self._due.values())

    # -- proofs and L1

    def resume(self) -> None:
        """After a restart: hand unproved batches to the prover and proved ones to the relayer, see unseen blocks."""
        for block in self.chain.unseen(self.venue.l1_block):
            self.apply([block])
        for batch in self.venue.unproved_batches():
            if batch.number not in self._due:  # an unseen block may have closed it just now
                self._prove(batch, attempt=1)
        for batch in self.venue.unposted_batches():
            digest = self.venue.batch_record(batch.number).digest
            if self.prover.holds(digest):
                self.chain.queue_batch(batch, digest)
            else:  # its file was lost or damaged: L1 wants the proof itself
                self._prove(batch, attempt=1)
        claiming = any(record.stage == "claiming" for record in self.venue.core.withdrawals.live.values())
        if claiming and self.chain.funds.claimable:
            self.chain.send_claim()  # the claim was journaled, its transaction may have been lost; it pays only once

    def _take_fact(self, fact: object) -> None:
        if isinstance(fact, ProofOutcome):
            if self.hold_for_proofs:
                self._arrived[fact.batch] = fact
            else:
                self._apply_outcome(fact)
        elif isinstance(fact, ChainRequest):
            self._request(fact)
        elif isinstance(fact, ProveAgain):
            self._prove_again(fact.batch)
        elif isinstance(fact, SlotDone):
            self._see(self.chain.take(fact.future.result()))
        else:
            raise TypeError(f"unknown fact {type(fact).__name__}")

    def _request(self, wish: ChainRequest) -> None:
        """Do the user's wish on L1; a refusal is a message, the venue goes on."""
        try:
            inputs = self.chain.request(wish)
        except ProtocolError as error:
            self.chain.errors.append(error.message)
            return
        self.apply(inputs)
        if wish.kind == "claim":
            crash_points.reach("claim_sent")

    def _prove(self, batch: Batch, attempt: int) -> None:
        self._due[batch.number] = (max(proof_due(batch, attempt), self.venue.time), attempt)
        self.prover.submit(batch, attempt)

    def _prove_again(self, number: int) -> None:
        """One more attempt at a batch that was given up; nothing for one that is proved or on its way."""
        record = self.venue.batch_record(number)
        if record.status == "failed" and number not in self._due:
            self._prove(self.venue.batch(number), record.attempts + 1)

    def _apply_outcome(self, outcome: ProofOutcome) -> None:
        self._due.pop(outcome.batch, None)
        self._arrived.pop(outcome.batch, None)
        self.apply([outcome])
        batch = self.venue.batch(outcome.batch)
        if outcome.accepted:
            self.chain.queue_batch(batch, outcome.digest)
        elif outcome.attempt < MAX_ATTEMPTS:
            self._prove(batch, outcome.attempt + 1)

    def set_hold(self, hold: bool) -> None:
        """Switch between proofs on arrival and proofs at their due time; arrived ones are let in."""
        self.hold_for_proofs = hold
        if not hold:
            for outcome in [self._arrived[number] for number in sorted(self._arrived)]:
                self._apply_outcome(outcome)

    def _slot(self) -> None:
        """An L1 slot: mine what is waiting (or an empty block), make it durable, then let the venue see it."""
        self.next_slot = (self.venue.time // L1_SLOT + 1) * L1_SLOT
        self._see(self.chain.mine(self.venue.time, allow_empty=self.blocks_every_slot))

    def _see(self, blocks: list[L1Block]) -> None:
        """Let the venue see L1 blocks that are durable."""
        if blocks:
            crash_points.reach("l1_block_written_unseen")
            self.apply([*blocks])
