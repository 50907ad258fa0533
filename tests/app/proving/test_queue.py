"""The queue over real and stand-in workers: what is not the answer is never accepted, and order does not matter."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.faults.crash_child import stand_in_proof, stand_in_verify
from app.paths import open_paths
from app.proving.queue import ProverQueue
from app.proving.workers.threads import NICE, ThreadWorker, lower_priority, prove_job
from app.venue.session import Session
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.job import decode_job
from engine.settlement.keys.keys import demo_key, role_key
from engine.stark.errors import ProvingCancelled
from tests.support.app_world import opened, run
from tests.support.worker_world import LIMIT, Outcomes, sample_job


def no_preparing(progress: Any) -> None:
    """Kernels are compiled when they are needed."""


def test_a_true_proof_of_another_batch_sets_its_maker_aside_and_another_proves(tmp_path: Path) -> None:
    other = prove_job(sample_job(9))
    cheat = ThreadWorker("cheat", prove=lambda job, **hooks: other, prepare=no_preparing)
    honest = ThreadWorker("honest", prepare=no_preparing)
    outcomes = Outcomes()
    prover = ProverQueue(DEFAULT_CONFIG, tmp_path, outcomes, workers=[cheat], stand_by=[honest])
    prover.submit(decode_job(sample_job(12)).batch)
    prover.start()
    (outcome,) = outcomes.wait(1)
    views = {view.name: view for view in prover.workers()}
    facts = prover.facts(outcome.digest)
    prover.stop()
    assert (outcome.accepted, outcome.attempt) == (True, 2)
    assert outcome.reason == "cheat: proof refused at public input: a proof of something else"
    assert (views["cheat"].state, views["cheat"].proofs, views["honest"].proofs) == ("set aside", 0, 1)
    assert facts.worker == "honest"
    assert [path.stem for path in tmp_path.glob("*.proof")] == [outcome.digest]


def test_the_prover_s_modules_are_set_aside_with_the_first_proof_also_in_an_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures of an old folder ask for the facts of its proofs before anything is proved."""
    calls: list[int] = []
    monkeypatch.setattr("app.proving.queue.interpreter.set_aside", lambda: calls.append(1))
    outcomes = Outcomes()
    prover = ProverQueue(DEFAULT_CONFIG, tmp_path, outcomes, workers=[ThreadWorker(prepare=no_preparing)])
    prover.facts("ab" * 32)
    prover.start()
    for count in (1, 2):
        prover.submit(replace(decode_job(sample_job(9)).batch, number=count))
        outcomes.wait(count)
    prover.stop()
    assert len(calls) == 1


def test_a_batch_that_no_job_can_hold_is_a_failed_attempt(tmp_path: Path) -> None:
    outcomes = Outcomes()
    prover = ProverQueue(DEFAULT_CONFIG, tmp_path, outcomes, workers=[ThreadWorker(prepare=no_preparing)])
    prover.submit(replace(decode_job(sample_job(9)).batch, transactions=1 << 70))
    prover.start()
    (outcome,) = outcomes.wait(1)
    assert prover.thread.view().alive
    prover.stop()
    assert (outcome.accepted, outcome.attempt, prover.depth()) == (False, 1, 0)
    assert outcome.reason.startswith("OverflowError")


def test_proving_gives_way_and_keeps_the_niceness_of_a_program_that_has_more() -> None:
    seen: list[int] = []

    def proves(before: int) -> None:
        me = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, before)
        lower_priority()
        seen.append(os.getpriority(os.PRIO_PROCESS, me))

    own = os.getpriority(os.PRIO_PROCESS, 0)
    for before in (own, 19):
        thread = threading.Thread(target=proves, args=(before,))
        thread.start()
        thread.join(LIMIT)
    assert seen == [max(own, NICE), 19]


class Backwards:
    """Proofs of odd batches are done only when the next batch's is."""

    def __init__(self) -> None:
        self._done: defaultdict[int, threading.Event] = defaultdict(threading.Event)
        self.order: list[int] = []

    def prove(self, job: bytes, *, cancelled: Any, **hooks: Any) -> Any:
        number = decode_job(job).batch.number
        while number % 2 and not self._done[number + 1].wait(0.01):
            if cancelled():
                raise ProvingCancelled("cancelled", field="cancelled")
        self.order.append(number)
        self._done[number].set()
        return stand_in_proof(job)


def course(session: Session) -> list[tuple[int, dict[str, int], Any]]:
    """What became of each batch, and when."""
    session.prover.start()
    run(session, 25, parts=25)
    records = session.loop.venue.core.batches.records
    return [(number, dict(record.stages), record.new_root) for number, record in records.items()]


def test_the_venue_s_course_does_not_depend_on_the_order_of_proofs(tmp_path: Path) -> None:
    backwards = Backwards()
    for name in ("backwards", "forwards"):  # the same user: the address is in the leaves
        demo_key(open_paths(tmp_path / name).keys, secret=role_key(7, "taker"))

    def make(config: Any, proofs: Path, deliver: Any) -> ProverQueue:
        workers = [ThreadWorker(name, prove=backwards.prove, prepare=no_preparing) for name in "ab"]
        return ProverQueue(config, proofs, deliver, workers=workers, verify=stand_in_verify)

    with opened(tmp_path / "backwards", make_prover=make, new=True) as session:
        there = course(session)
    with opened(tmp_path / "forwards", new=True) as session:
        assert course(session) == there
    assert len(there) > 4
    assert backwards.order[:4] == [2, 1, 4, 3]
    assert sum("final" in stages for _, stages, _ in there) > 2
