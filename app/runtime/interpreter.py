"""How the interpreter runs while somebody watches: short turns for its threads, no long collections of garbage.

Importing and compiling leave about a million objects that live as long as the process. Looking through them in one
collection took 110 to 200 ms, in which no thread runs Python, the window's least of all. They are therefore set aside
(:func:`gc.freeze`) once they are there; what is made later is collected as always.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.0005
"""A thread that computes gives way after this long (Python's default is 5 ms: a frame that takes the lock four times
beside a busy thread would already be late)."""


_watched = threading.Event()


@contextmanager
def watched() -> Iterator[None]:
    """While the window is up. Everything is put back at the end, and what was set aside is collected again."""
    old_turn = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    _watched.set()
    set_aside()
    try:
        yield
    finally:
        _watched.clear()
        gc.unfreeze()
        sys.setswitchinterval(old_turn)


def set_aside() -> None:
    """What is alive now stays: collections pass it over. Microseconds, on any thread; nothing without a window."""
    if _watched.is_set():
        gc.freeze()
