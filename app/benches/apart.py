"""Measuring in a process of its own, so that its peak of resident memory is its own too."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from engine.errors import ProtocolError

Measure = Callable[[Any], dict[str, Any]]


def apart(measure: Measure, case: Any) -> dict[str, Any]:
    """``measure(case)`` in a fresh process; both must be importable by name."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(there, measure, case))
    process.start()
    there.close()
    try:
        measured: dict[str, Any] = here.recv()
    except EOFError as error:
        raise ProtocolError("the measuring process ended early", field="case", value=case) from error
    finally:
        process.join()
        here.close()
    return measured


def _send(pipe: Connection, measure: Measure, case: Any) -> None:
    pipe.send(measure(case))
    pipe.close()
