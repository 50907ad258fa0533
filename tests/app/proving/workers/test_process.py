"""A child process that proves: a real one that is killed in the middle, and strange ones."""

from __future__ import annotations

import errno
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.proving.queue import ProverQueue
from app.proving.workers import process
from app.proving.workers.process import DEATHS, ProcessWorker
from app.proving.workers.worker import Lost, Progressed, Ready, Report, Task
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.job import decode_job
from tests.support.worker_world import LIMIT, Outcomes, sample_job


class Listener:
    """Reports of one worker, in order."""

    def __init__(self) -> None:
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()

    def __call__(self, worker: Any, report: Report) -> None:
        self.reports.put(report)

    def until(self, kind: type) -> Any:
        while not isinstance(report := self.reports.get(timeout=LIMIT), kind):
            pass
        return report


@pytest.mark.slow
def test_a_child_that_is_killed_in_the_middle_is_started_again_and_the_proof_arrives(tmp_path: Path) -> None:
    outcomes, worker = Outcomes(), ProcessWorker()
    prover = ProverQueue(DEFAULT_CONFIG, tmp_path, outcomes, workers=[worker])
    take, killed = prover._pool.take, []

    def kill_once(who: Any, report: Report, now: float) -> None:
        if isinstance(report, Progressed) and not killed:
            killed.append(worker.process_id)
            assert worker.process_id is not None
            os.kill(worker.process_id, signal.SIGKILL)
        take(who, report, now)

    prover._pool.take = kill_once  # type: ignore[method-assign]
    prover.submit(decode_job(sample_job()).batch)
    prover.start()
    (outcome,) = outcomes.wait(1)
    view = prover.workers()[0]
    prover.stop()
    assert (outcome.accepted, outcome.attempt) == (True, 2)
    assert outcome.reason == "child process: the process was killed by SIGKILL"
    assert (view.kind, view.proofs, view.failures) == ("process", 1, 1)
    assert worker.process_id is None
    assert killed[0] is not None
    with pytest.raises(ProcessLookupError):
        os.kill(killed[0], 0)


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ProcessWorker]:
    """Workers whose child does a wrong, by its name."""
    source = Path(__file__).with_name("strange_child.py").read_text()
    for deed in ("dies", "babbles", "hangs"):
        (tmp_path / f"strange_{deed}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return lambda deed: ProcessWorker(module=f"strange_{deed}")


def test_a_child_that_dies_or_talks_nonsense_is_lost_with_the_reason(strange: Callable[[str], ProcessWorker]) -> None:
    for deed, words in (("dies", "the process ended with status 3"), ("babbles", "nonsense")):
        listener, worker = Listener(), strange(deed)
        worker.start(listener)
        assert words in listener.until(Lost).reason
        worker.submit(Task(1, 1, b""))  # to nobody
        worker.stop()
        worker.stop()


def test_a_child_that_cannot_live_is_given_up(strange: Callable[[str], ProcessWorker]) -> None:
    listener, worker = Listener(), strange("dies")
    worker.start(listener)
    losses = [listener.until(Lost) for _ in range(DEATHS)]
    worker.stop()
    assert [loss.for_good for loss in losses] == [False] * (DEATHS - 1) + [True]


def test_a_child_that_cannot_be_started_is_given_up_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    listener, worker = Listener(), ProcessWorker()
    worker.start(listener)
    losses = [listener.until(Lost) for _ in range(DEATHS)]
    worker.stop()
    assert [loss.for_good for loss in losses] == [False] * (DEATHS - 1) + [True]
    assert "no more processes" in losses[0].reason


def test_a_child_that_does_not_hear_a_cancellation_is_killed(
    strange: Callable[[str], ProcessWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.0)
    monkeypatch.setattr(process, "TICK", 0.01)
    listener, worker = Listener(), strange("hangs")
    worker.start(listener)
    listener.until(Ready)
    worker.submit(Task(1, 1, b""))
    listener.until(Progressed)
    worker.cancel()
    assert listener.until(Lost).reason == "the process was killed by SIGKILL"
    listener.until(Ready)
    worker.stop()


@pytest.mark.slow
def test_the_child_ends_when_its_parent_is_killed() -> None:
    code = (
        "import os, signal\n"
        "from app.runtime import jit_cache; jit_cache.prepare()\n"
        "from app.proving.workers.process import ProcessWorker\n"
        "from app.proving.workers.worker import Ready\n"
        "worker = ProcessWorker()\n"
        "def told(who, report):\n"
        "    if isinstance(report, Ready):\n"
        "        print(worker.process_id, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "worker.start(told)\n"
    )
    # the child has the same stdout: reading it ends when both are gone
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, int(done.stdout) > 0) == (-signal.SIGKILL, True)
