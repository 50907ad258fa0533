"""Children of a process worker that do wrong: what they do is the name that they were started by."""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection

from app.proving.workers.worker import Progressed, Ready, encode_report


def main(pipe: Connection, deed: str) -> None:
    """Die at once, talk nonsense, or hear nothing any more."""
    if deed == "dies":
        os._exit(3)
    if deed == "babbles":
        pipe.send_bytes(b"what?")
    pipe.send_bytes(encode_report(Ready()))
    pipe.recv_bytes()  # the task
    pipe.send_bytes(encode_report(Progressed(1, "trance", 0.1)))
    while True:
        pipe.recv_bytes()  # whatever is said to it


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), __spec__.name.rsplit("_", 1)[-1])
