"""The desk as a program, and its pictures."""

import logging
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from engine.errors import ProtocolError
from tests.support.sample_snapshot import SampleEngine
from ui.desk import install_hooks, run_desk
from ui.screenshots import SIZES, THEMES, save_pictures
from ui.shell import layout_file
from ui.shell.window import DeskWindow


@dataclass
class Settings:
    layouts: Path


class LiveEngine(SampleEngine):
    """Publishes a new picture whenever it is asked for one."""

    def snapshot(self):
        self.advance()
        return super().snapshot()


@pytest.fixture
def patience(qapp):
    """Ends a desk that nobody closes: an exception in a slot would leave its event loop running for ever."""
    guard = QTimer()
    guard.setSingleShot(True)
    guard.timeout.connect(lambda: [window.close() for window in shown_desks()] or qapp.exit(70))
    guard.start(120_000)
    yield
    guard.stop()


def shown_desks():
    """Desks on screen; closed ones of earlier tests may still wait for their deletion."""
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, DeskWindow) and w.isVisible()]


def test_the_desk_runs_until_its_window_is_closed_and_remembers_it(qapp, tmp_path, patience):
    seen = []

    def act():
        windows = shown_desks()
        if not windows or len(windows[0].loop.recorder.stamps) < 3:
            QTimer.singleShot(10, act)
            return
        seen.append(len(windows[0].loop.recorder.stamps))
        windows[0].theme.use("light")
        windows[0].close()

    QTimer.singleShot(0, act)
    assert run_desk(LiveEngine(), Settings(tmp_path)) == 0
    assert len(seen) == 1
    assert layout_file.read(tmp_path)["theme"] == "light"


def test_a_theme_that_is_set_comes_before_the_remembered_one(qapp, tmp_path, patience):
    layout_file.write(tmp_path, {"theme": "dark"})
    seen = []

    def act():
        if not shown_desks():
            QTimer.singleShot(10, act)
            return
        seen.append(shown_desks()[0].theme.name)
        shown_desks()[0].close()

    for theme in ("light", ""):
        QTimer.singleShot(0, act)
        assert run_desk(LiveEngine(), Settings(tmp_path), theme) == 0
        layout_file.write(tmp_path, {"theme": "dark"})
    assert seen == ["light", "dark"]


def test_unexpected_errors_are_told_and_logged_and_the_old_hooks_come_back(caplog):
    told, before = [], (sys.excepthook, threading.excepthook)
    restore = install_hooks(told.append)
    try:
        sys.excepthook(ValueError, ValueError("broken pen"), None)
        sys.excepthook(ProtocolError, ProtocolError("the queue is full"), None)
    finally:
        restore()
    assert told == ["Unexpected ValueError: broken pen", "the queue is full"]
    assert "broken pen" in caplog.text
    assert (sys.excepthook, threading.excepthook) == before


@pytest.mark.expects_errors
def test_a_dying_thread_is_logged_with_its_name(caplog):
    restore = install_hooks(lambda text: None)
    try:
        with caplog.at_level(logging.ERROR):
            arguments = (ValueError, ValueError("no memory"), None, threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(arguments))
    finally:
        restore()
    assert threading.current_thread().name in caplog.text


def test_pictures_are_taken_in_every_theme_and_size(qapp, tmp_path):
    files = save_pictures(LiveEngine(), tmp_path / "pictures")
    assert len(files) == 3 * len(SIZES) * len(THEMES)
    found = {(image.width(), image.height()) for image in (QImage(str(path)) for path in files)}
    assert found == set(SIZES)
    grounds = {QImage(str(path)).pixelColor(4, image_height(path) // 2).lightness() > 128 for path in files}
    assert grounds == {True, False}


def image_height(path):
    return QImage(str(path)).height()
