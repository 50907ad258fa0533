"""Ctrl+C in the terminal, and a polite request to end, close the windows as the user would.

Qt's event loop runs in C++ and Python's handlers only between two pieces of Python, which a window that waits does not
run. A signal therefore also writes a byte into a socket that the event loop watches.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def closing_on_signals() -> Iterator[None]:
    """For the main thread; the old handlers come back at the end."""
    watched, written = socket.socketpair()
    for end in (watched, written):
        end.setblocking(False)
    notifier = QSocketNotifier(watched.fileno(), QSocketNotifier.Type.Read)

    def close() -> None:
        watched.recv(4096)
        QApplication.closeAllWindows()

    notifier.activated.connect(close)
    old_descriptor = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
    old_handlers = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_descriptor)
        notifier.setEnabled(False)
        watched.close()
        written.close()
