"""A worker in a process of its own: the desk's interpreter lock is not touched, and a crash takes only the proof.

Parent and child share a pipe: tasks and cancellations one way, reports the other. The child ends when the pipe does, so
that none is left behind when the desk is killed. One that dies is started again; one that dies ``DEATHS`` times without
a proof between is lost for good.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import msgspec

from app.paths import ROOT
from app.proving.workers.worker import MAX_ANSWER, BadAnswer, Kind, Lost, Preparing, Proved, Task, Tell, decode_report

DEATHS = 3
PATIENCE = 5.0
"""Seconds that a cancelled task may go on before the process is killed."""
TICK = 0.5


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """What the parent sends to stop the task in hand."""


class ProcessWorker:
    """Proves in a child process, low in priority, with the kernel cache of this one."""

    kind: Kind = "process"

    def __init__(self, name: str = "child process", *, module: str = "app.proving.workers.process_child") -> None:
        self.name = name
        self._module = module
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._pipe_lock = threading.Lock()
        self._stopping = threading.Event()
        self._cancelled_at: float | None = None
        self._report: Tell = lambda worker, report: None
        self._thread = threading.Thread(target=self._run, name=f"prover {name}")

    @property
    def process_id(self) -> int | None:
        """The child's, while there is one."""
        return self._child.pid if self._child is not None else None

    def start(self, report: Tell) -> None:
        """Start the child, and the thread that listens to it."""
        self._report = report
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Send a task. A child that just died is told as lost by the listening thread."""
        self._cancelled_at = None
        self._send(task)

    def cancel(self) -> None:
        """Ask the child to drop its task; it is killed when it does not."""
        self._cancelled_at = time.monotonic()
        self._send(Cancel())

    def stop(self) -> None:
        """Kill the child, which has nothing to lose, and wait for the end."""
        self._stopping.set()
        with self._pipe_lock:
            if self._child is not None:
                self._child.kill()
        if self._thread.ident is not None:
            self._thread.join()

    def _send(self, message: Task | Cancel) -> None:
        with self._pipe_lock:
            if self._pipe is None:
                return
            try:
                self._pipe.send_bytes(msgspec.msgpack.encode(message))
            except OSError:
                return  # the other end is gone: the listening thread says so

    def _run(self) -> None:
        deaths = 0
        while deaths < DEATHS and not self._stopping.is_set():
            try:
                child, pipe = self._spawn()
            except OSError as error:  # no memory, no descriptors, no more processes
                deaths += 1
                self._report(self, Lost(f"the process does not start: {error}", for_good=deaths >= DEATHS))
                continue
            proved, problem = self._listen(pipe, child)
            child.kill()
            status = child.wait()
            with self._pipe_lock:
                self._child = self._pipe = None
                pipe.close()
            deaths = 1 if proved else deaths + 1
            if not self._stopping.is_set():
                self._report(self, Lost(problem or death_words(status), for_good=deaths >= DEATHS))

    def _spawn(self) -> tuple[subprocess.Popen[bytes], Connection]:
        self._report(self, Preparing("the process starts"))
        here, there = Pipe()
        command = [sys.executable, "-m", self._module, str(there.fileno())]
        with self._pipe_lock:
            try:
                child = subprocess.Popen(
                    command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[there.fileno()], start_new_session=True
                )
            except OSError:
                here.close()
                raise
            finally:
                there.close()
            self._child, self._pipe, self._cancelled_at = child, here, None
            if self._stopping.is_set():
                child.kill()
        return child, here

    def _listen(self, pipe: Connection, child: subprocess.Popen[bytes]) -> tuple[bool, str]:
        """Pass reports on until the child is gone: whether it made a proof, and what was wrong with its words."""
        proved = False
        while True:
            try:
                if not pipe.poll(TICK):
                    self._lose_patience(child)
                    continue
                report = decode_report(pipe.recv_bytes(MAX_ANSWER))
            except (EOFError, ConnectionError):
                return proved, ""
            except (OSError, BadAnswer) as error:
                return proved, f"the process talks nonsense: {error}"
            proved = proved or isinstance(report, Proved)
            self._report(self, report)

    def _lose_patience(self, child: subprocess.Popen[bytes]) -> None:
        since = self._cancelled_at
        if since is not None and time.monotonic() - since > PATIENCE:
            child.kill()


def death_words(status: int) -> str:
    """How a process ended, for people."""
    if status >= 0:
        return f"the process ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"the process was killed by {name}"
