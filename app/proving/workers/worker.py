"""What the pool needs of a prover: a worker takes one job at a time, and reports.

A worker calls ``report`` on any thread, at once and without waiting; the pool reads reports on one thread. Whatever a
worker hands in is verified before it counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from engine.errors import UNDECODABLE, ProtocolError

IN_PROCESS = "in this process"
"""Name of the worker that is there when no other was asked for."""
Kind = Literal["thread", "process", "cluster"]


class Task(msgspec.Struct, frozen=True, tag=True):
    """One try at a job (``engine.proving.job``); no two tries have the same ``number``."""

    number: int
    batch: int
    job: bytes


class Preparing(msgspec.Struct, frozen=True, tag=True):
    """The worker starts; ``stage`` says what it does meanwhile, ``fraction`` how far it is."""

    stage: str
    fraction: float = 0.0


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The worker can take a job: it has started, or started again."""


class Progressed(msgspec.Struct, frozen=True, tag=True):
    """``fraction`` of the task, 0..1, is done, the end of ``stage`` being the last step."""

    task: int
    stage: str
    fraction: float


class Proved(msgspec.Struct, frozen=True, tag=True):
    """A file that the worker says is the proof. Seconds by its own clock: by stage, and in all."""

    task: int
    file: bytes
    stage_seconds: dict[str, float] = {}
    seconds: float = 0.0


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Proving raised an error; the worker is free again."""

    task: int
    reason: str


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """The task was cancelled; the worker is free again."""

    task: int


class Lost(msgspec.Struct, frozen=True, tag=True):
    """The worker is gone, its task with it. ``Ready`` follows when it comes back, unless it is lost ``for_good``."""

    reason: str
    for_good: bool = False


class Joined(msgspec.Struct, frozen=True):
    """A source of workers brings another one."""

    worker: "Worker"  # noqa: UP037 - the protocol below


WireReport = Preparing | Ready | Progressed | Proved | Failed | Stopped | Lost
Report = WireReport | Joined
Tell = Callable[["Worker | None", Report], None]
MAX_ANSWER = 1 << 26
"""Bytes of a report from elsewhere; a proof file has one or two million."""


class BadAnswer(ProtocolError):
    """Bytes that are no report."""


def encode_report(report: WireReport) -> bytes:
    """A report as msgpack, for those who work elsewhere."""
    return msgspec.msgpack.encode(report)


def decode_report(data: bytes) -> WireReport:
    """Inverse of :func:`encode_report`; :class:`BadAnswer` for anything else."""
    if len(data) > MAX_ANSWER:
        raise BadAnswer("the answer is too long", field="answer", value=len(data), limit=MAX_ANSWER)
    try:
        report: WireReport = msgspec.msgpack.decode(data, type=WireReport)
    except UNDECODABLE as error:
        raise BadAnswer(f"the answer is no report: {error}", field="answer") from error
    return report


class Worker(Protocol):
    """Somebody who proves. Calls come from the pool's thread and return at once, ``stop`` excepted."""

    name: str
    kind: Kind

    def start(self, report: Tell) -> None:
        """Get ready; ``Ready`` or ``Lost`` follows. Called once."""

    def submit(self, task: Task) -> None:
        """Prove; only called while the worker is free. Proved, Failed, Stopped or Lost follows."""

    def cancel(self) -> None:
        """Drop the task in hand, if there is one, within about a tenth of a second."""

    def stop(self) -> None:
        """Drop the task, end, and wait for the end; harmless when not started or called again."""


class Source(Protocol):
    """Where workers come from, as long as it is there: each is told as ``Joined``."""

    def start(self, report: Tell) -> None:
        """Look for workers. Called once."""

    def message(self) -> str:
        """What the window should say about it, "" when all is well."""

    def stop(self) -> None:
        """End; its workers are stopped already. Harmless when not started."""
