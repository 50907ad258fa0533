"""The workers of a Dask cluster as workers of the pool.

A thread of its own runs an asyncio loop with Dask's client; everything said to the cluster is said there. Each job is
pinned to one worker, so that the pool knows who made a proof and who was lost: Dask's own retries would hide it. The
cluster tells when workers come and go. When the scheduler cannot be reached, or is lost, its workers are lost, the
window says so, and it is tried again every ``AGAIN`` seconds.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from distributed import Client

from app.proving.workers import cluster_task
from app.proving.workers.worker import (
    BadAnswer,
    Failed,
    Joined,
    Kind,
    Lost,
    Preparing,
    Ready,
    Stopped,
    Task,
    Tell,
    WireReport,
    decode_report,
)
from engine.errors import ProtocolError

PATIENCE = 5.0
"""Seconds to connect, and to say good-bye."""
AGAIN = 10.0
LOOK = 1.0
"""Seconds between looks whether the scheduler is still there."""
HERE = "proofs are made on this machine meanwhile"


class ClusterUnusable(ProtocolError):
    """The scheduler cannot be used; the message says why."""


class ClusterWorker:
    """One worker of the cluster, by its address."""

    kind: Kind = "cluster"

    def __init__(self, cluster: Cluster, address: str) -> None:
        self.name = address.split("://")[-1]
        self.address = address
        self._cluster = cluster
        self._key = ""

    def start(self, report: Tell) -> None:
        """Let it compile its kernels and say which program it runs."""
        report(self, Preparing("connected; its kernels are compiled there the first time"))
        self._cluster.say(self._cluster.prepare(self))

    def submit(self, task: Task) -> None:
        """Have a task proved there."""
        self._key = f"proofline-{uuid.uuid4().hex}"
        self._cluster.say(self._cluster.prove(self, task, self._key))

    def cancel(self) -> None:
        """Stop the task in hand."""
        if self._key:
            self._cluster.say(self._cluster.cancel(self, self._key))

    def stop(self) -> None:
        """Nothing of it runs in this process."""


class Cluster:
    """Where cluster workers come from: a Dask scheduler's address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._topic = f"proofline-{uuid.uuid4().hex}"
        self._report: Tell = lambda worker, report: None
        self._message = ""
        self._complain("is being looked for")
        self._workers: dict[str, ClusterWorker] = {}
        self._tasks: dict[int, ClusterWorker] = {}
        self._proving: dict[ClusterWorker, asyncio.Task[Any] | None] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="cluster")

    # -- for the pool's thread

    def start(self, report: Tell) -> None:
        """Connect in the background; workers are told as they are found."""
        self._report = report
        self._thread.start()
        self._ready.wait()

    def message(self) -> str:
        """What keeps the cluster from proving, "" when nothing does."""
        return self._message

    def say(self, talk: Coroutine[Any, Any, None]) -> None:
        """Have something said to the cluster."""
        if not self._call(lambda: self._keep(talk)):
            talk.close()

    def stop(self) -> None:
        """Say good-bye and end the thread."""
        if self._thread.ident is not None:
            self._call(self._stopping.set)
            self._thread.join()

    def _call(self, action: Callable[[], None]) -> bool:
        loop = self._loop
        if loop is None or loop.is_closed():
            return False
        try:
            loop.call_soon_threadsafe(action)
        except RuntimeError:  # closed just now
            return False
        return True

    # -- on the cluster's thread

    def _keep(self, talk: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(talk)
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        while not self._stopping.is_set():
            try:
                await self._visit()
            except ClusterUnusable as error:
                self._complain(error.message)
            except Exception as error:  # noqa: BLE001 - whatever a cluster does, the desk goes on and says what it was
                self._complain(f"cannot be used: {type(error).__name__}: {error}")
            self._lose_all("the connection to the cluster is gone")
            await self._pause(AGAIN)

    async def _meet(self, client: Client) -> None:
        """Check versions and see who is there, within ``PATIENCE``: a scheduler may fall silent after its handshake."""
        try:
            async with asyncio.timeout(PATIENCE):
                check_versions(await client.get_versions())
                client.subscribe_topic("all", self._on_event)
                client.subscribe_topic(self._topic, self._on_progress)
                for address in await client.nthreads():
                    self._join(address)
        except TimeoutError as error:
            raise ClusterUnusable(f"does not answer within {PATIENCE:.0f} s") from error

    async def _visit(self) -> None:
        """Connect, and stay until the scheduler is gone or the desk ends."""
        try:
            client = await Client(
                self.address, asynchronous=True, timeout=PATIENCE, set_as_default=False, name="proofline"
            )
        except (OSError, TimeoutError) as error:
            raise ClusterUnusable(f"cannot be reached: {error}") from error
        self._client = client
        try:
            await self._meet(client)
            self._complain("" if self._workers else "has no workers yet")
            while client.status == "running" and not self._stopping.is_set():
                await self._pause(LOOK)
            if not self._stopping.is_set():
                raise ClusterUnusable("is gone")
            if self._talks:
                await asyncio.wait(self._talks, timeout=PATIENCE)
        finally:
            self._client = None
            await client.close(timeout=PATIENCE)

    def _complain(self, words: str) -> None:
        self._message = words and f"the cluster at {self.address} {words}; {HERE}"

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _on_event(self, event: tuple[float, Any]) -> None:
        """The scheduler's log: workers come and go."""
        said = event[1] if isinstance(event[1], dict) else {}
        address = str(said.get("worker", ""))
        if said.get("action") == "add-worker":
            self._join(address)
        elif said.get("action") == "remove-worker":
            self._lose(address, "the cluster lost this worker")

    def _on_progress(self, event: tuple[float, Any]) -> None:
        try:
            report = decode_report(bytes(event[1]))
        except (BadAnswer, TypeError, ValueError):
            return  # progress is only shown
        worker = self._tasks.get(getattr(report, "task", 0))
        if worker is not None:
            self._report(worker, report)

    def _join(self, address: str) -> None:
        if address in self._workers:
            return
        worker = self._workers[address] = ClusterWorker(self, address)
        self._complain("")
        self._report(None, Joined(worker))

    def _lose(self, address: str, reason: str) -> None:
        worker = self._workers.pop(address, None)
        if worker is None:
            return
        self._report(worker, Lost(reason, for_good=True))
        if (proving := self._proving.get(worker)) is not None:
            proving.cancel()  # Dask would wait for the worker to come back
        if not self._workers:
            self._complain("has no workers left")

    def _lose_all(self, reason: str) -> None:
        message = self._message
        for address in tuple(self._workers):
            self._lose(address, reason)
        self._message = message

    async def prepare(self, worker: ClusterWorker) -> None:
        """Ask a new worker what it runs."""
        try:
            found = await self._submit(worker, cluster_task.prepare, key=f"proofline-{uuid.uuid4().hex}")
            if found != cluster_task.identity():
                raise ClusterUnusable("it runs another version of this program")
        except ClusterUnusable as error:
            self._report(worker, Lost(error.message, for_good=True))
        except Exception as error:  # noqa: BLE001 - anything may come from elsewhere; the worker is not used
            self._report(worker, Lost(f"it cannot prove: {type(error).__name__}: {error}", for_good=True))
        else:
            self._report(worker, Ready())

    async def prove(self, worker: ClusterWorker, task: Task, key: str) -> None:
        """Have a task proved by this worker, and tell what became of it."""
        self._tasks[task.number], self._proving[worker] = worker, asyncio.current_task()
        try:
            report = await self._answer(worker, task, key)
        finally:
            self._tasks.pop(task.number, None)
            self._proving.pop(worker, None)
        self._report(worker, report)

    async def _answer(self, worker: ClusterWorker, task: Task, key: str) -> WireReport:
        try:
            data = await self._submit(worker, cluster_task.prove, task.job, task.number, key, self._topic, key=key)
            report = decode_report(data)
        except asyncio.CancelledError:
            return Stopped(task.number)
        except Exception as error:  # noqa: BLE001 - anything may come from elsewhere; it is told as this task's failure
            return Failed(task.number, f"{type(error).__name__}: {error}")
        if getattr(report, "task", task.number) != task.number:
            return Failed(task.number, "it answered another question")
        return report

    async def cancel(self, worker: ClusterWorker, key: str) -> None:
        """Stop a task; a worker that cannot be told finishes it for nobody."""
        if self._client is not None and worker in self._proving:
            await self._client.run(cluster_task.stop, key, workers=[worker.address], on_error="ignore")

    async def _submit(self, worker: ClusterWorker, function: Callable[..., bytes], *arguments: Any, key: str) -> bytes:
        if self._client is None:
            raise ClusterUnusable("is gone")
        future = self._client.submit(
            function, *arguments, key=key, workers=[worker.address], allow_other_workers=False, pure=False
        )
        return bytes(await self._client.gather(future))


def check_versions(versions: dict[str, Any]) -> None:
    """Dask promises nothing between versions: client and scheduler must have the same; :class:`ClusterUnusable`."""
    ours, theirs = (versions[side]["packages"]["distributed"] for side in ("client", "scheduler"))
    if ours != theirs:
        raise ClusterUnusable(f"runs Dask {theirs}, and this program {ours}")
