"""Supervised threads: heartbeat, last error, restarts. A dead thread is a banner, never silence."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from app.snapshot.views import ThreadView

MAX_RESTARTS = 3
LOG = logging.getLogger(__name__)


class Supervised:
    """A named thread that runs ``body(beat)`` and restarts it after an unexpected error, three times at most.

    ``body`` returns when its owner asked it to stop. ``restartable`` is False for the sequencer: a venue that failed
    half-way through an input must not go on; it is rebuilt from its journal instead.
    """

    def __init__(self, name: str, body: Callable[[], None], *, restartable: bool) -> None:
        self.name = name
        self._body = body
        self._restartable = restartable
        self._beat = time.monotonic()
        self.error = ""
        self.restarts = 0
        self._over = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=False)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def beat(self) -> None:
        """Say that the loop came round."""
        self._beat = time.monotonic()

    def join(self, timeout: float) -> bool:
        """Wait for the end; True when the thread has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def view(self) -> ThreadView:
        """What the status bar shows."""
        return ThreadView(
            name=self.name,
            alive=self._thread.is_alive() and not self._over,
            heartbeat_age=time.monotonic() - self._beat,
            error=self.error,
            restarts=self.restarts,
        )

    def note_failure(self, error: BaseException) -> None:
        """Keep the error that ends the body; one that may not run again counts as dead from here on."""
        self.error = f"{type(error).__name__}: {error}"
        self._over = not self._restartable or self.restarts >= MAX_RESTARTS

    def _run(self) -> None:
        while True:
            try:
                self._body()
            except Exception as error:  # noqa: BLE001 - the supervisor's job is to keep and show any error
                self.note_failure(error)
                LOG.error("thread %s failed", self.name, exc_info=error)
                if self._over:
                    return
                self.restarts += 1
                continue
            return
