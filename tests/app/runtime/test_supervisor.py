"""Supervised threads report and restart; the prover's queue stops promptly and tells every outcome."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from app.faults.crash_child import stand_in_proof, stand_in_prover
from app.runtime.supervisor import MAX_RESTARTS, Supervised
from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.batch import Batch
from engine.sequencer.inputs import L1Block, ProofOutcome
from engine.stark.errors import ProvingCancelled, VerificationError
from tests.support.app_world import OWNER, l1_deposit, quiet_venue, step

LIMIT = 30.0


def test_a_restartable_thread_is_restarted_three_times_and_shows_its_error(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []

    def body() -> None:
        runs.append(len(runs))
        raise ValueError(f"run {len(runs)}")

    thread = Supervised("worker", body, restartable=True)
    thread.start()
    assert thread.join(LIMIT)
    view = thread.view()
    assert (len(runs), view.restarts, view.alive) == (MAX_RESTARTS + 1, MAX_RESTARTS, False)
    assert view.error == f"ValueError: run {MAX_RESTARTS + 1}"
    assert "ValueError: run 1" in caplog.text


def test_a_thread_that_recovers_goes_on_and_keeps_the_error_in_view(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []

    def body() -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            raise ValueError("not yet")

    thread = Supervised("worker", body, restartable=True)
    thread.start()
    assert thread.join(LIMIT)
    assert (len(runs), thread.view().restarts, thread.view().error) == (3, 2, "ValueError: not yet")
    assert caplog.text.count("ValueError: not yet") == 2


def test_a_thread_that_must_not_restart_does_not(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []

    def body() -> None:
        runs.append(1)
        raise KeyError("venue")

    thread = Supervised("sequencer", body, restartable=False)
    assert not thread.view().alive
    thread.start()
    assert thread.join(LIMIT)
    assert (runs, thread.view().restarts) == ([1], 0)
    assert "KeyError" in thread.view().error
    assert "KeyError" in caplog.text


def test_a_beat_makes_the_heartbeat_young() -> None:
    thread = Supervised("worker", lambda: None, restartable=True)
    thread._beat -= 100
    assert thread.view().heartbeat_age >= 100
    thread.beat()
    assert thread.view().heartbeat_age < 100
    assert thread.join(0), "a thread that was never started needs no waiting"


def batches(count: int) -> list[Batch]:
    """Batches 1, 2, ... of one deposit each."""
    venue = quiet_venue()
    for number in range(1, count + 1):
        deposit = l1_deposit(number - 1, 40, OWNER, venue.config.min_opening_deposit)
        block = L1Block(number=number, timestamp=0, block_hash=bytes(32), deposits=(deposit,))
        venue.apply(venue.sequence + 1, block)
        step(venue, 10)
    return venue.take_closed_batches()


class Collected:
    """Outcomes as they are delivered; ``wait`` for so many."""

    def __init__(self) -> None:
        self.outcomes: list[ProofOutcome] = []
        self._arrived = threading.Condition()

    def __call__(self, outcome: ProofOutcome) -> None:
        with self._arrived:
            self.outcomes.append(outcome)
            self._arrived.notify_all()

    def wait(self, count: int) -> list[ProofOutcome]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.outcomes) >= count, LIMIT)
        return self.outcomes


def test_stop_cancels_the_running_proof_and_delivers_nothing(tmp_path: Path) -> None:
    running, collected = threading.Event(), Collected()

    def prove(job: bytes, *, progress: Any, cancelled: Any, threads: int) -> Any:
        running.set()
        while not cancelled():
            progress("commitment", 0.5)
        raise ProvingCancelled("cancelled", field="cancelled")

    prover = stand_in_prover(DEFAULT_CONFIG, tmp_path, collected, prove=prove)
    for batch in batches(2):
        prover.submit(batch)
    prover.start()
    assert running.wait(LIMIT)
    assert prover.live is not None
    assert (prover.live.batch, prover.live.stage) in ((1, "waiting"), (1, "commitment"))
    assert prover.depth() == 2
    prover.stop()
    assert not prover.thread.view().alive
    assert (collected.outcomes, prover.live, list(tmp_path.iterdir())) == ([], None, [])
    prover.stop()


def test_a_proof_that_is_done_while_stopping_is_dropped(tmp_path: Path) -> None:
    running, collected = threading.Event(), Collected()

    def deaf(job: bytes, *, progress: Any, cancelled: Any, threads: int) -> Any:
        running.set()
        while not cancelled():
            pass
        return stand_in_proof(job)

    whole = stand_in_prover(DEFAULT_CONFIG, tmp_path, collected, prove=deaf)
    whole.submit(batches(1)[0])
    whole.start()
    assert running.wait(LIMIT)
    whole.stop()
    assert (collected.outcomes, list(tmp_path.iterdir())) == ([], [])


def test_batches_are_proved_in_order_of_number(tmp_path: Path) -> None:
    collected = Collected()
    prover = stand_in_prover(DEFAULT_CONFIG, tmp_path, collected)
    for batch in reversed(batches(4)):
        prover.submit(batch)
    prover.start()
    outcomes = collected.wait(4)
    prover.stop()
    assert [(outcome.batch, outcome.accepted) for outcome in outcomes] == [(n, True) for n in (1, 2, 3, 4)]
    assert {f"{outcome.digest}.proof" for outcome in outcomes} == {path.name for path in tmp_path.glob("*.proof")}


def test_every_failure_is_an_outcome_with_its_reason(tmp_path: Path) -> None:
    collected = Collected()
    prover = stand_in_prover(DEFAULT_CONFIG, tmp_path / "gone", collected)  # the folder does not exist
    first, second = batches(2)
    prover.submit(first)
    prover.start()
    collected.wait(1)

    def refuse(data: bytes, job: Any) -> Any:
        raise VerificationError("fri", "a folded value is wrong")

    prover._verify = refuse
    prover.submit(second, attempt=4)
    outcomes = collected.wait(2)
    prover.stop()
    assert [outcome.accepted for outcome in outcomes] == [False, False]
    assert outcomes[0].reason.startswith("FileNotFoundError")
    assert (outcomes[1].attempt, outcomes[1].reason) == (4, "proof refused at fri: a folded value is wrong")
    assert [outcome.digest for outcome in outcomes] == ["", ""]
