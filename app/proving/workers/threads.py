"""The worker that is there by default: a thread of this process, whose kernels run without the interpreter's lock."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.proving.workers.worker import (
    IN_PROCESS,
    Failed,
    Kind,
    Lost,
    Preparing,
    Progressed,
    Proved,
    Ready,
    Stopped,
    Task,
    Tell,
)
from app.runtime import jit_cache
from app.runtime.warmup import warm_up_prover
from engine.errors import ProtocolError
from engine.stark.errors import ProvingCancelled

if TYPE_CHECKING:
    from engine.proving.prover import ProvedBatch

NICE = 5
"""Least niceness of what proves, so that the sequencer and the window go first."""
THREADS = 2
"""Threads of one proof, of a batch that is large enough."""
SMALL_JOB = 1 << 18
"""Bytes of a job, about a kilobyte an update, up to which one thread proves: it takes 0.2 to 0.4 s if quick,
little more than two would, and leaves the window a core of two."""
COMPILING = "first launch: the prover's kernels are being compiled; the first proofs wait for them"
Prove = Callable[..., "ProvedBatch"]
Prepare = Callable[[Callable[[str, float], None]], None]


def prove_job(data: bytes, **hooks: Any) -> ProvedBatch:
    """:func:`engine.proving.job.prove_job`, imported with the first job: trading does not wait."""
    from engine.proving import job

    return job.prove_job(data, **hooks)


def compile_kernels(progress: Callable[[str, float], None]) -> None:
    """On the first launch of a build: compile the prover's kernels."""
    if not jit_cache.is_warm():
        warm_up_prover(progress)


class ThreadWorker:
    """Proves on a thread of its own, low in priority; ``threads`` share the proof of a large batch.

    ``prove`` and ``prepare`` are what it runs; tests put others in.
    """

    kind: Kind = "thread"

    def __init__(
        self,
        name: str = IN_PROCESS,
        *,
        threads: int = THREADS,
        prove: Prove = prove_job,
        prepare: Prepare = compile_kernels,
    ) -> None:
        self.name = name
        self._threads = threads
        self._prove = prove
        self._prepare = prepare
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._stopping = threading.Event()
        self._report: Tell = lambda worker, report: None
        self._thread = threading.Thread(target=self._run, name=f"prover {name}")

    def start(self, report: Tell) -> None:
        """Start the thread."""
        self._report = report
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Prove a task next."""
        self._cancelled.clear()
        self._tasks.put(task)

    def cancel(self) -> None:
        """Stop the running proof at its next pause."""
        self._cancelled.set()

    def stop(self) -> None:
        """Cancel and wait for the thread."""
        self._stopping.set()
        self._tasks.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        lower_priority()
        if not self._ready():
            return
        while (task := self._tasks.get()) is not None:
            self._attempt(task)

    def _ready(self) -> bool:
        try:
            self._prepare(self._preparing)
        except ProvingCancelled:
            return False  # stopped while compiling; the next start goes on
        except Exception as error:  # noqa: BLE001 - a worker that cannot start is lost, with its reason
            self._report(self, Lost(f"{type(error).__name__}: {error}", for_good=True))
            return False
        self._report(self, Ready())
        return True

    def _preparing(self, stage: str, fraction: float) -> None:
        if self._stopping.is_set():
            raise ProvingCancelled("the prover is stopping", field="cancelled")
        self._report(self, Preparing(COMPILING, fraction))

    def _attempt(self, task: Task) -> None:
        def progress(stage: str, fraction: float) -> None:
            self._report(self, Progressed(task.number, stage, fraction))

        threads = 1 if len(task.job) <= SMALL_JOB else self._threads
        try:
            proved = self._prove(task.job, progress=progress, cancelled=self._is_cancelled, threads=threads)
        except ProvingCancelled:
            self._report(self, Stopped(task.number))
        except Exception as error:  # noqa: BLE001 - any failure of a prover is told with its reason, never silence
            self._report(self, Failed(task.number, reason_of(error)))
        else:
            self._report(self, Proved(task.number, proved.file, dict(proved.stage_seconds), proved.seconds))

    def _is_cancelled(self) -> bool:
        return self._cancelled.is_set() or self._stopping.is_set()


def reason_of(error: Exception) -> str:
    """An error in words: an expected one has its own."""
    return error.message if isinstance(error, ProtocolError) else f"{type(error).__name__}: {error}"


def lower_priority() -> None:
    """On Linux niceness is per thread, and threads that it starts inherit it; elsewhere nothing is changed.

    A program that runs under ``nice`` keeps its own: going back is refused to all but the superuser.
    """
    if hasattr(os, "setpriority") and hasattr(os, "PRIO_PROCESS"):
        thread = threading.get_native_id()
        if os.getpriority(os.PRIO_PROCESS, thread) < NICE:
            os.setpriority(os.PRIO_PROCESS, thread, NICE)
