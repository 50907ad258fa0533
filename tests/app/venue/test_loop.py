"""The loop: number, journal, apply, acknowledge; failed proofs, held clock, and what a failure leaves behind."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.faults.crash_child import stand_in_proof, stand_in_prover
from app.l1.layer_one import USER_TRANSACTIONS, ChainRequest
from app.proving.queue import ProverQueue
from app.snapshot.rules import MAX_ATTEMPTS
from app.storage.journal_file import JournalError
from app.venue.ingress import Command
from app.venue.latency import L1_SLOT, proof_due
from app.venue.loop import ProveAgain, VenueHalted
from app.venue.session import USER_WALLET, Session
from engine.errors import ProtocolError
from engine.proving.job import decode_job
from engine.sequencer.events import Accepted, BatchStage
from engine.sequencer.inputs import CancelAll, ClockStep, PlaceOrder, ProofOutcome, decode_input
from engine.units import SECOND
from tests.support.app_world import opened, run


def rows_on_disk(session: Session) -> int:
    """Inputs that another connection sees: durable ones."""
    connection = sqlite3.connect(session.journal.path)
    try:
        return int(connection.execute("SELECT count(*) FROM inputs").fetchone()[0])
    finally:
        connection.close()


def execute(session: Session, statement: str) -> None:
    """Damage the journal from outside."""
    connection = sqlite3.connect(session.journal.path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def journaled(session: Session, kind: type) -> list[Any]:
    """All inputs of a kind, read back from disk."""
    values = [decode_input(data) for _, data in session.journal.read_inputs()]
    return [value for value in values if isinstance(value, kind)]


def test_an_input_is_on_disk_before_it_is_applied_and_applied_before_it_is_acknowledged(folder: Path) -> None:
    with opened(folder) as session:
        happened: list[tuple[str, int, int]] = []
        apply = session.loop.venue.apply

        def watched(sequence: int, value: Any) -> Any:
            happened.append(("apply", sequence, rows_on_disk(session)))
            return apply(sequence, value)

        session.loop.venue.apply = watched  # type: ignore[method-assign]
        first = session.loop.sequence + 1
        for name in ("a", "b"):
            order = PlaceOrder(
                account=session.chain.user_account,
                market=1,
                side="buy",
                type="limit",
                lots=1,
                price=900,
                client_id=name,
            )
            command = Command(
                input=order, acknowledge=lambda number, events: happened.append(("ack", number, len(events)))
            )
            session.loop.ingress.submit(command)
        session.loop.serve()
        assert happened == [
            ("apply", first, first + 1),
            ("ack", first, 2),
            ("apply", first + 1, first + 1),
            ("ack", first + 1, 2),
        ]


def test_a_group_shares_one_commit(folder: Path) -> None:
    with opened(folder) as session:
        groups: list[int] = []
        append = session.journal.append_inputs

        def watched(rows: list[tuple[int, bytes]]) -> Any:
            groups.append(len(rows))
            return append(rows)

        session.journal.append_inputs = watched  # type: ignore[method-assign]
        for _ in range(700):
            session.loop.ingress.submit(Command(input=CancelAll(account=session.chain.user_account)))
        session.loop.serve()
        session.loop.serve()
        assert groups == [512, 188]


def failing_prover(times: int) -> Callable[..., ProverQueue]:
    """A prover that fails so often with each batch before the stand-in's answer."""

    def make(config: Any, proofs: Path, deliver: Any) -> ProverQueue:
        attempts: Counter[int] = Counter()

        def failing(job: bytes, **more: Any) -> Any:
            batch = decode_job(job).batch.number
            attempts[batch] += 1
            if (number := attempts[batch]) <= times:
                raise ProtocolError(f"failure {number}") if number % 2 else RuntimeError(f"failure {number}")
            return stand_in_proof(job, **more)

        return stand_in_prover(config, proofs, deliver, prove=failing)

    return make


def test_a_failed_proof_is_retried_and_counted(folder: Path) -> None:
    with opened(folder, make_prover=failing_prover(2)) as session:
        session.prover.start()
        number = session.loop.venue.unproved_batches()[0].number
        before = session.loop.event_count
        run(session, 40, parts=40)
        record = session.loop.venue.batch_record(number)
        assert (record.attempts, record.status) == (3, "final")
        told = [event for event in session.loop.events_since(before)[1] if isinstance(event, BatchStage)]
        assert [event.detail for event in told if (event.batch, event.stage) == (number, "failed")] == [
            "attempt 1: failure 1",
            "attempt 2: RuntimeError: failure 2",
        ]
        outcomes = [(o.attempt, o.accepted) for o in journaled(session, ProofOutcome) if o.batch == number]
        assert outcomes == [(1, False), (2, False), (3, True)]
        assert record.stages["proved"] == record.stages["sequenced"] + 3 * (4 * SECOND + SECOND // 50 * record.accounts)


def test_a_batch_that_was_given_up_is_proved_again_on_request(folder: Path) -> None:
    with opened(folder, make_prover=failing_prover(MAX_ATTEMPTS)) as session:
        session.prover.start()
        number = session.loop.venue.unproved_batches()[0].number
        run(session, 60, parts=60)
        record = session.loop.venue.batch_record(number)
        assert (record.attempts, record.status) == (MAX_ATTEMPTS, "failed")
        for _ in range(2):  # the second wish finds it on its way
            session.loop.ingress.deliver(ProveAgain(number))
        run(session, 60, parts=60)
        assert (record.attempts, record.status) == (MAX_ATTEMPTS + 1, "final")
        session.loop.ingress.deliver(ProveAgain(number))
        run(session, 1, parts=1)
        assert record.attempts == MAX_ATTEMPTS + 1, "it is proved"


def test_a_proof_that_never_comes_is_given_up_and_the_venue_goes_on(folder: Path) -> None:
    with opened(folder, make_prover=failing_prover(10**6)) as session:
        session.prover.start()
        number = session.loop.venue.unproved_batches()[0].number
        run(session, 60, parts=60)
        record = session.loop.venue.batch_record(number)
        assert (record.attempts, record.status) == (MAX_ATTEMPTS, "failed")
        assert session.loop.venue.core.batches.open.number > number
        assert session.chain.last_batch == number - 1
    with opened(folder) as session:  # the next start tries again
        session.prover.start()
        run(session, 30, parts=30)
        assert session.loop.venue.batch_record(number).status == "final"


def test_the_clock_waits_for_a_due_proof_and_only_then(folder: Path) -> None:
    go = threading.Event()

    def make(config: Any, proofs: Path, deliver: Any) -> ProverQueue:
        def waiting(job: bytes, **more: Any) -> Any:
            assert go.wait(60)
            return stand_in_proof(job, **more)

        return stand_in_prover(config, proofs, deliver, prove=waiting)

    with opened(folder, make_prover=make) as session:
        loop = session.loop
        session.prover.start()
        batch = loop.venue.unproved_batches()[0]
        due = max(proof_due(batch, 1), loop.venue.time)
        try:
            while loop.advance(loop.venue.time + 20 * SECOND):
                assert not loop.is_held()
            assert loop.is_held()
            assert loop.venue.time == due
            sequence = loop.sequence
            assert not loop.advance(due + SECOND)
            assert (loop.venue.time, loop.sequence) == (due, sequence)
        finally:
            go.set()
        loop.run_to(due + SECOND, step=SECOND)
        assert loop.venue.batch_record(batch.number).stages["proved"] == due


def test_blocks_come_at_slots_whatever_the_step(folder: Path) -> None:
    with opened(folder) as session:
        session.prover.start()
        start = session.chain.chain.head.number
        run(session, 60, parts=2)
        times = [block.time for block in session.chain.chain.blocks_since(start)]
        assert len(times) == 5
        assert all(time % L1_SLOT == 0 for time in times)
        assert session.loop.venue.l1_block == session.chain.chain.head.number


def test_a_failed_commit_halts_the_venue_with_words_and_writes_no_checkpoint(folder: Path) -> None:
    with opened(folder) as session:
        root, sequence = session.loop.venue.live_root(), session.loop.venue.sequence
        checkpoints = len(list(session.journal.checkpoints()))
        execute(session, "ALTER TABLE inputs RENAME TO lost")
        with pytest.raises(JournalError, match="commit failed"):
            session.loop.apply([ClockStep(session.loop.venue.time + SECOND)])
        assert (session.loop.venue.live_root(), session.loop.venue.sequence) == (root, sequence)
        with pytest.raises(VenueHalted, match="next start"):
            session.loop.apply([CancelAll(account=16)])
        session.loop.checkpoint()
        assert len(list(session.journal.checkpoints())) == checkpoints
        execute(session, "ALTER TABLE lost RENAME TO inputs")
        with pytest.raises(JournalError, match="no such table"):
            session.close()
    with opened(folder) as session:
        assert session.loop.venue.live_root() == root
        session.loop.apply([ClockStep(session.loop.venue.time + SECOND)])


def test_an_error_half_way_through_an_input_halts_the_venue_and_is_not_kept(folder: Path) -> None:
    with opened(folder) as session:
        venue, before = session.loop.venue, [sequence for sequence, _ in session.journal.checkpoints()]
        apply = venue.apply

        def broken(sequence: int, value: Any) -> Any:
            venue.core.account(session.chain.user_account).collateral += 1  # half of something
            venue.core.sequence = sequence
            raise RuntimeError("in the middle")

        venue.apply = broken  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            session.loop.apply([CancelAll(account=session.chain.user_account)])
        venue.apply = apply  # type: ignore[method-assign]
        with pytest.raises(VenueHalted):
            session.loop.apply([CancelAll(account=session.chain.user_account)])
        session.close()
        collateral = venue.account(session.chain.user_account).collateral
    with opened(folder) as session:
        assert [sequence for sequence, _ in session.journal.checkpoints()] == before
        assert session.loop.venue.account(session.chain.user_account).collateral == collateral - 1


def test_an_unknown_fact_is_an_error_not_silence(folder: Path) -> None:
    with opened(folder) as session:
        session.loop.ingress.deliver("what is this")
        with pytest.raises(TypeError, match="unknown fact"):
            session.loop.serve()


def test_wishes_on_l1_are_refused_in_words_and_the_venue_goes_on(folder: Path) -> None:
    with opened(folder) as session:
        loop, chain = session.loop, session.chain
        wishes = [ChainRequest("deposit", 0), ChainRequest("deposit", USER_WALLET + 1), ChainRequest("give")]
        for wish in wishes:
            loop.ingress.deliver(wish)
        loop.serve()
        assert len(chain.errors) == 3
        assert str(USER_WALLET) in chain.errors[1]
        for _ in range(USER_TRANSACTIONS + 3):
            loop.ingress.deliver(ChainRequest("deposit", 2))
        loop.serve()
        assert [f"{USER_TRANSACTIONS} requests wait" in error for error in chain.errors[3:]] == [True] * 3
        session.prover.start()
        run(session, 13, parts=13)
        assert chain.funds.wallet == USER_WALLET - 2 * USER_TRANSACTIONS
        loop.ingress.deliver(ChainRequest("deposit", 2))
        loop.serve()
        assert len(chain.errors) == 6, "there is room again after the block"


def test_events_are_read_by_cursor_without_gaps_or_repeats(folder: Path) -> None:
    with opened(folder) as session:
        loop = session.loop
        cursor, _ = loop.events_since(0)
        seen = []
        for number in range(5):
            loop.apply([CancelAll(account=session.chain.user_account, client_id=str(number))])
            if number % 2:
                cursor, fresh = loop.events_since(cursor)
                seen += [event.client_id for event in fresh if isinstance(event, Accepted)]
                assert loop.events_since(cursor) == (cursor, [])
        assert seen == ["0", "1", "2", "3"]
        assert [event.client_id for event in loop.events_since(cursor - 1)[1]] == ["3", "4"]
        assert len(loop.events_since(0)[1]) == loop.event_count
        assert loop.events_since(cursor + 100)[1] == []
