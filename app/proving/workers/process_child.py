"""The child of a ``ProcessWorker``: ``python -m app.proving.workers.process_child FD``."""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection

from app.runtime import jit_cache

jit_cache.prepare()  # before anything imports numba

import msgspec  # noqa: E402

from app.proving.workers.process import Cancel  # noqa: E402
from app.proving.workers.threads import ThreadWorker  # noqa: E402
from app.proving.workers.worker import Joined, Report, Task, encode_report  # noqa: E402


def end_at_once() -> None:
    """End without waiting for any thread: the parent is gone, nobody wants their work."""
    os._exit(0)


def serve(pipe: Connection, worker: ThreadWorker) -> None:
    """Do what comes through the pipe until it ends, then end at once."""

    def report(_: object, said: Report) -> None:
        assert not isinstance(said, Joined), "a thread brings no workers"
        try:
            pipe.send_bytes(encode_report(said))
        except OSError:
            end_at_once()

    worker.start(report)
    try:
        while True:
            message = msgspec.msgpack.decode(pipe.recv_bytes(), type=Task | Cancel)
            if isinstance(message, Task):
                worker.submit(message)
            else:
                worker.cancel()
    except (EOFError, OSError):
        end_at_once()


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), ThreadWorker())
