"""Opening the desk: a small window with progress while kernels compile and the journal is read, then the desk."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.paths import Paths, open_paths
from app.proving.choice import ProvingChoice
from app.storage.folder_question import FolderQuestion
from engine.errors import ProtocolError
from ui.shell.signals import closing_on_signals
from ui.theme.theme import Theme

if TYPE_CHECKING:
    from app.venue.facade import Engine

WIDTH = 460
LOG = logging.getLogger(__name__)


class GivenUp(ProtocolError):
    """The start window was closed before the venue was open."""


class Opener(QObject):
    """Opens the venue on a thread of its own and reports to the window's thread."""

    progressed = Signal(str, float)
    opened = Signal()
    failed = Signal(str)
    asked = Signal(str, str)
    """The folder's venue cannot be gone on with: why, and the folder of a fresh one if it is wanted."""

    def __init__(self, paths: Paths, speed: float, proving: ProvingChoice, l1: str | None = None) -> None:
        super().__init__()
        self.engine: Engine | None = None
        self._paths = paths
        self._speed = speed
        self._proving = proving
        self._l1 = l1
        self._given_up = False
        self.thread_of_work = threading.Thread(target=self._open, name="opener")

    def give_up(self) -> None:
        """Nobody waits any more: stop before the next step."""
        self._given_up = True

    def _progress(self, stage: str, fraction: float) -> None:
        if self._given_up:
            raise GivenUp("closed before the venue was open")
        self.progressed.emit(stage, fraction)

    def _open(self) -> None:
        try:
            self._progress("loading the engine", 0.0)
            from app.runtime.warmup import warm_up_trading

            warm_up_trading(self._progress)
            self._progress("loading the engine", 0.0)
            from app.proving.start import prover_with
            from app.venue.facade import Engine
            from app.venue.session import open_session

            make_prover = prover_with(self._proving)
            session = open_session(self._paths, progress=self._progress, make_prover=make_prover, l1=self._l1)
            try:
                engine = Engine(session)
                engine.set_speed(self._speed)
                engine.start()
            except BaseException:
                session.close()  # its threads and its lock on the folder would outlive the window
                raise
        except GivenUp:
            return
        except FolderQuestion as error:
            self.asked.emit(error.message, str(error.fresh))
            return
        except ProtocolError as error:
            self.failed.emit(error.message)
            return
        except Exception as error:  # noqa: BLE001 - whatever stops the start must be shown, not lost with the thread
            LOG.exception("the start failed")
            self.failed.emit(f"{type(error).__name__}: {error}")
            return
        self.engine = engine
        self.opened.emit()


class StartWindow(QWidget):
    """What is being done, and how far it is. ``chosen``: the fresh folder that the user asked for, or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen = ""
        self.setWindowTitle("Proofline")
        self.setFixedWidth(WIDTH)
        self.title = QLabel("Opening Proofline")
        self.stage = QLabel("starting")
        self.stage.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self._column = layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(8)
        self.fresh, self.leave = QPushButton("Open a fresh venue"), QPushButton("Quit")
        self.leave.clicked.connect(self.close)
        for widget in (self.title, self.stage, self.bar, self.fresh, self.leave):
            layout.addWidget(widget)
        for button in (self.fresh, self.leave):
            button.hide()

    @Slot(str, float)
    def show_progress(self, stage: str, fraction: float) -> None:
        """Called through a queued signal."""
        self.stage.setText(stage)
        self.bar.setValue(round(1000 * fraction))
        self._fit()

    @Slot(str)
    def show_failure(self, message: str) -> None:
        """The venue did not open: what happened, and the window stays until it is closed."""
        self.title.setText("Proofline could not open")
        self.stage.setText(message)
        self.bar.hide()
        self._fit()

    @Slot(str, str)
    def show_question(self, message: str, fresh: str) -> None:
        """The folder's venue stays as it is. A fresh one is made only when its button is pressed."""
        self.show_failure(message)
        self.title.setText("This venue cannot be gone on with")
        self.fresh.setText(f"Open a fresh venue in {Path(fresh).name}")
        self.fresh.setToolTip(fresh)
        self.fresh.clicked.connect(lambda: self._choose(fresh))
        for button in (self.fresh, self.leave):
            button.show()
        self.leave.setFocus()
        self._fit()

    def _choose(self, fresh: str) -> None:
        self.chosen = fresh
        self.close()

    def _fit(self) -> None:
        """As high as its words need: a window does not follow wrapped labels by itself."""
        self._column.activate()
        self.setFixedHeight(self._column.heightForWidth(WIDTH))


def start_application() -> QApplication:
    """The one QApplication; the desk's drawing options are set when the desk is imported."""
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication(sys.argv[:1])


def run(paths: Paths, speed: float, proving: ProvingChoice, l1: str | None = None, theme: str = "") -> int:
    """Open, show the desk until it is closed, stop everything in order; the exit status. ``theme``: "" as it was."""
    app = start_application()
    with closing_on_signals():
        while True:
            status, fresh = _run(app, paths, Opener(paths, speed, proving, l1), theme)
            if not fresh:
                return status
            paths = open_paths(fresh)


def _run(app: QApplication, paths: Paths, opener: Opener, theme: str) -> tuple[int, str]:
    """The exit status, and the folder of the fresh venue that was asked for instead, or nothing."""
    colours = Theme(theme or "dark", "normal")
    colours.apply()
    window = StartWindow()
    heard: list[str] = []
    opener.progressed.connect(window.show_progress, Qt.ConnectionType.QueuedConnection)
    opener.failed.connect(window.show_failure, Qt.ConnectionType.QueuedConnection)
    opener.asked.connect(window.show_question, Qt.ConnectionType.QueuedConnection)
    opener.failed.connect(lambda _: heard.append("failed"), Qt.ConnectionType.QueuedConnection)
    opener.asked.connect(lambda *_: heard.append("failed"), Qt.ConnectionType.QueuedConnection)
    opener.opened.connect(lambda: heard.append("opened"), Qt.ConnectionType.QueuedConnection)
    opener.opened.connect(window.close, Qt.ConnectionType.QueuedConnection)
    app.setQuitOnLastWindowClosed(True)
    window.show()
    opener.thread_of_work.start()
    app.exec()
    opener.give_up()  # without effect when the venue is open
    opener.thread_of_work.join()
    QApplication.processEvents()
    if opener.engine is None or "opened" not in heard:
        return _nothing_to_show(opener, failed="failed" in heard), window.chosen
    from ui.desk import run_desk

    try:
        return run_desk(opener.engine, paths, theme), ""
    finally:
        opener.engine.stop()


def _nothing_to_show(opener: Opener, *, failed: bool) -> int:
    """The start failed, or its window was closed first: then a venue that opened all the same is closed again."""
    if opener.engine is not None:
        opener.engine.stop()
    return 1 if failed else 0
