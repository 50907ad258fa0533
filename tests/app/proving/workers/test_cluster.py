"""A real Dask cluster on this machine: a scheduler and two workers in processes of their own, one of which dies."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from app.paths import ROOT
from app.proving.queue import ProverQueue
from app.proving.workers import cluster
from app.proving.workers.cluster import Cluster, ClusterUnusable, check_versions
from app.proving.workers.threads import ThreadWorker
from app.proving.workers.worker import Joined, Progressed, Ready, Report
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.job import decode_job
from tests.support.worker_world import LIMIT, Outcomes, sample_job

MAIN = str(ROOT / "main.py")
LISTENING = "0A"
SCHEDULER = [sys.executable, "-m", "distributed.cli.dask_scheduler"]


class Background:
    """A process, listened to so that it never blocks."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._listen, name="reader")
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def said(self, words: str) -> str:
        """The next line with something like ``words``."""
        while not re.search(words, line := self._lines.get(timeout=LIMIT)):
            pass
        return line

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def listens(self, inode: str) -> bool:
        """Whether a socket is this process's."""
        handles = Path(f"/proc/{self.process.pid}/fd").iterdir()
        return any(handle.is_socket() and handle.stat().st_ino == int(inode) for handle in handles)


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a scheduler."""
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter"]
    background = Background([*SCHEDULER, *options])
    try:
        yield background.said(r"Scheduler at:.*tcp://").split()[-1]
    finally:
        background.end()


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_is_replaced_and_the_proof_is_verified(scheduler: str, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    command = [sys.executable, MAIN, "worker", scheduler, "--threads", "1"]
    workers = [Background(command) for _ in range(2)]
    outcomes, ready = Outcomes(), queue.SimpleQueue[str]()
    source = Cluster(scheduler)
    prover = ProverQueue(DEFAULT_CONFIG, tmp_path, outcomes, stand_by=[ThreadWorker()], sources=[source])
    take, killed = prover._pool.take, []

    def kill_the_first_that_proves(who: Any, report: Report, now: float) -> None:
        if isinstance(report, Ready) and who.kind == "cluster":
            ready.put(who.name)
        if isinstance(report, Progressed) and not killed:
            killed.append(who.name)
            os.kill(owner_of(who.name, workers), signal.SIGKILL)
        take(who, report, now)

    prover._pool.take = kill_the_first_that_proves  # type: ignore[method-assign]
    try:
        prover.start()
        names = {ready.get(timeout=LIMIT) for _ in workers}
        assert source.message() == ""
        prover.submit(decode_job(sample_job(256)).batch)
        (outcome,) = outcomes.wait(1)
        views = {view.name: view for view in prover.workers()}
    finally:
        prover.stop()
        for worker in workers:
            worker.end()
    (lost,) = killed
    (other,) = names - {lost}
    assert (outcome.accepted, outcome.attempt) == (True, 2)
    assert outcome.reason == f"{lost}: the cluster lost this worker"
    assert (views[lost].state, views[lost].failures, views[other].proofs) == ("lost", 1, 1)
    assert views["in this process"].proofs == 0
    assert [path.name for path in tmp_path.glob("*.proof")] == [f"{outcome.digest}.proof"]
    assert not [thread for thread in threading.enumerate() if thread not in before]


def owner_of(name: str, workers: list[Background]) -> int:
    """Process id of the worker that listens at this address."""
    port = int(name.rsplit(":", 1)[1])
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inode = next(row[9] for row in rows if row[3] == LISTENING and int(row[1].split(":")[1], 16) == port)
    return next(worker.process.pid for worker in workers if worker.listens(inode))


@pytest.mark.slow
def test_a_cluster_that_cannot_be_reached_leaves_proving_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    outcomes, source = Outcomes(), Cluster("tcp://127.0.0.1:9")
    prover = ProverQueue(DEFAULT_CONFIG, tmp_path, outcomes, stand_by=[ThreadWorker()], sources=[source])
    prover.submit(decode_job(sample_job()).batch)
    prover.start()
    (outcome,) = outcomes.wait(1)
    messages = prover.messages()
    prover.stop()
    assert outcome.accepted
    assert len(messages) == 1
    assert messages[0].startswith("the cluster at tcp://127.0.0.1:9 ")
    assert messages[0].endswith("proofs are made on this machine meanwhile")


def test_the_extra_is_pinned_to_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (pin,) = project["project"]["optional-dependencies"]["cluster"]
    assert pin == f"distributed=={distributed.__version__}"
    assert pin in (ROOT / "requirements-cluster.in").read_text().splitlines()
    for name in ("requirements-cluster.txt", "requirements-dev.txt"):
        assert f"{pin} \\\n    --hash=" in (ROOT / name).read_text()


def test_a_scheduler_of_another_version_is_refused_in_words() -> None:
    def versions(theirs: str) -> dict[str, Any]:
        return {"client": {"packages": {"distributed": "2.1"}}, "scheduler": {"packages": {"distributed": theirs}}}

    check_versions(versions("2.1"))
    with pytest.raises(ClusterUnusable, match="runs Dask 2.0, and this program 2.1"):
        check_versions(versions("2.0"))


def test_workers_come_and_go_as_the_scheduler_says() -> None:
    source, told = Cluster("tcp://127.0.0.1:9"), []
    source._report = lambda worker, report: told.append((worker, report))
    for said in (None, {}, {"action": "add-worker", "worker": "tcp://10.0.0.1:5"}, {"action": "add-client"}):
        source._on_event((0.0, said))
        source._on_progress((0.0, said))
    ((nobody, joined),) = told
    assert isinstance(joined, Joined)
    assert (nobody, joined.worker.name, source.message()) == (None, "10.0.0.1:5", "")
    gone = {"action": "remove-worker", "worker": "tcp://10.0.0.1:5"}
    source._on_event((0.0, gone))
    source._on_event((0.0, gone))
    assert len(told) == 2
    assert told[1][0] is joined.worker
    assert "no workers left" in source.message()
    source.stop()


def test_a_scheduler_that_falls_silent_after_its_handshake_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the desk could not even be closed."""
    monkeypatch.setattr(cluster, "PATIENCE", 0.05)

    class Silent:
        async def get_versions(self) -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError("it spoke")

    with pytest.raises(ClusterUnusable, match="does not answer"):
        asyncio.run(Cluster("tcp://127.0.0.1:9")._meet(Silent()))  # type: ignore[arg-type]
