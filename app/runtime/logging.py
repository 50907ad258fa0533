"""The log: one rotating file in the data folder, bounded in size and readable by its owner only.

Whoever logs puts a message on a bounded queue and goes on; a thread of its own writes. Where the writer does not keep
up, messages are dropped and their number is told. Exceptions that nobody caught, of any thread, land here before they
are reported as usual. Warnings and worse go to the terminal too.
"""

from __future__ import annotations

import logging
import os
import platform
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from app.paths import BadDataFolder
from app.runtime.redaction import Redactor
from engine.errors import ProtocolError

MAX_BYTES, OLD_FILES = 1 << 20, 4
"""Of one file, and how many older ones are kept: at most 5 MiB in all."""
WAITING = 4096
"""Messages on their way to the file."""
STOP_SECONDS = 5.0
FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s %(process)d %(threadName)s %(name)s: %(message)s"
DATES = "%Y-%m-%d %H:%M:%S"
CONTINUED = "\n  | "
"""Before every further line of a message: what looks like another message's head is none."""
FILE_ONLY = {"file_only": True}
OURS = ("proofline", "app", "engine", "ui", "desk", "layout")
"""Loggers whose level is set; of numba and its like nobody wants to read the rest."""
LOG = logging.getLogger("proofline")


class LogFile(RotatingFileHandler):
    """The file. Another process with the same data folder may rotate it: then this one goes on in the new file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=OLD_FILES, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.fchmod(descriptor, 0o600)
        return open(descriptor, self.mode, encoding=self.encoding, errors=self.errors)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message, into the file that has the name now."""
        if self.stream is not None and self._moved(self.stream.fileno()):
            self.stream.close()
            self.stream = self._open()
        super().emit(record)

    def _moved(self, descriptor: int) -> bool:
        try:
            return not os.path.samestat(os.stat(self.baseFilename), os.fstat(descriptor))
        except OSError:
            return True


class Sender(QueueHandler):
    """Puts messages on the queue and never waits; what finds no room is counted and told once there is some."""

    def __init__(self, messages: queue.Queue[Any]) -> None:
        super().__init__(messages)
        self.dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Called by whoever logs, one thread at a time."""
        try:
            if self.dropped:
                self.queue.put_nowait(self._notice())
                self.dropped = 0
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def _notice(self) -> logging.LogRecord:
        words = f"{self.dropped} messages were dropped: the log did not keep up"
        return LOG.makeRecord(LOG.name, logging.WARNING, __file__, 0, words, (), None, extra=FILE_ONLY)


class Redacting(logging.Filter):
    """Secrets out, further lines marked. It sees messages as the queue carries them: whole, tracebacks included."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the message; lets every one through."""
        lines = self._redact(record.getMessage()).splitlines() or [""]
        record.msg, record.args = CONTINUED.join(lines), None
        return True


class Writer(QueueListener):
    """Takes messages off the queue, passes each through the filter, and has them written."""

    def __init__(self, messages: queue.Queue[Any], redacting: Redacting, *handlers: logging.Handler) -> None:
        super().__init__(messages, *handlers, respect_handler_level=True)
        self._redacting = redacting

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """On the writer's thread: whoever logs does not wait for it."""
        self._redacting.filter(record)
        return record

    def enqueue_sentinel(self) -> None:
        """Ask the thread to end behind what is on the bounded queue."""
        with suppress(queue.Full):  # then nothing was written for that long, and the thread is a daemon
            self.queue.put(None, timeout=STOP_SECONDS)  # type: ignore[attr-defined]


class Terminal(logging.StreamHandler[Any]):
    """Warnings and worse, on standard error as it is at the time, but for what is said there anyway."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setLevel(logging.WARNING)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message, unless it is for the file only."""
        if not getattr(record, "file_only", False):
            super().emit(record)


@contextmanager
def logging_to(path: Path, level: str, addresses: Iterable[str] = (), what: str = "") -> Iterator[None]:
    """Log into the file until the end of the block, from ``level`` (a name of :mod:`app.settings`) up.

    ``what`` is going on is told at both ends of it.

    ``addresses``: whose secrets are hidden wherever they occur. Raises :class:`app.paths.BadDataFolder`.
    """
    file = _opened(path)
    terminal = Terminal()
    messages: queue.Queue[Any] = queue.Queue(WAITING)
    sender, writer = Sender(messages), Writer(messages, Redacting(Redactor(addresses)), file, terminal)
    root, restore_levels = logging.getLogger(), _set_levels(level)
    root.addHandler(sender)
    writer.start()
    restore_hooks = _install_hooks()
    machine = (platform.python_version(), platform.platform(), os.cpu_count())
    LOG.info("%s started: Python %s, %s, %s processors", what or "it", *machine)
    try:
        yield
    except ProtocolError as error:
        LOG.error("%s", error.message, extra=FILE_ONLY)
        raise
    except Exception:
        LOG.critical("nobody caught this", exc_info=True, extra=FILE_ONLY)
        raise
    finally:
        LOG.info("%s ended", what or "it")
        restore_hooks()
        root.removeHandler(sender)
        restore_levels()
        writer.stop()
        for handler in (sender, file, terminal):
            handler.close()


def _opened(path: Path) -> LogFile:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = LogFile(path)
    except OSError as error:
        raise BadDataFolder(
            f"the log {path} cannot be written: {error.strerror or error}", field="--data", value=str(path)
        ) from error
    file.setFormatter(logging.Formatter(FORMAT, DATES))
    return file


def _set_levels(level: str) -> Callable[[], None]:
    """Of this program's loggers; libraries tell warnings and worse, as ever. Returns what sets the old ones again."""
    old = {name: logging.getLogger(name).level for name in OURS}
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())

    def restore() -> None:
        for name, value in old.items():
            logging.getLogger(name).setLevel(value)

    return restore


def _install_hooks() -> Callable[[], None]:
    """Log what nobody caught, then let the hooks that were there report it; returns what takes the new hooks out."""
    old, old_thread, old_unraisable = sys.excepthook, threading.excepthook, sys.unraisablehook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        LOG.critical("nobody caught this", exc_info=(kind, error, trace), extra=FILE_ONLY)
        old(kind, error, trace)

    def thread_hook(arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread else "?"
        LOG.error("thread %s died", name, exc_info=_exception(arguments), extra=FILE_ONLY)
        old_thread(arguments)

    def unraisable_hook(arguments: sys.UnraisableHookArgs) -> None:
        LOG.error("in %r", arguments.object, exc_info=_exception(arguments), extra=FILE_ONLY)
        old_unraisable(arguments)

    sys.excepthook, threading.excepthook, sys.unraisablehook = hook, thread_hook, unraisable_hook

    def restore() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = old, old_thread, old_unraisable

    return restore


def _exception(arguments: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> Any:
    error = arguments.exc_value
    return (arguments.exc_type, error, arguments.exc_traceback) if error is not None else None
