"""The window's tests: offscreen, bundled fonts, and nothing left running behind a test's back."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

QT_FREE = {"model", "viewmodels"}


@pytest.fixture
def theme(qapp: object) -> Iterator[object]:
    """A dark theme, applied."""
    from ui.theme.theme import Theme

    made = Theme("dark")
    made.apply()
    yield made
    made.deleteLater()


@pytest.fixture
def engine() -> object:
    """A stand-in engine with the sample snapshot."""
    from tests.support.sample_snapshot import SampleEngine

    return SampleEngine()


def _active_timers() -> list[str]:
    import gc

    from PySide6.QtCore import QTimer
    from shiboken6 import isValid

    found = []
    for thing in gc.get_objects():
        if issubclass(type(thing), QTimer) and isValid(thing) and thing.isActive():  # isinstance asks dead proxies
            found.append(f"QTimer {thing.objectName() or thing!r} of {thing.parent()!r}")
    return found


def _leaks(threads_before: set[threading.Thread]) -> list[str]:
    """What is still alive after a test: started timers, shown top-level windows, threads."""
    from PySide6.QtWidgets import QApplication

    found = [f"thread {t.name}" for t in threading.enumerate() if t not in threads_before and t.is_alive()]
    found += _active_timers()
    found += [f"window {w!r}" for w in QApplication.topLevelWidgets() if w.isVisible()]
    return found


@pytest.fixture(autouse=True)
def leak_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a running QTimer, a visible window or a thread behind."""
    if QT_FREE & set(Path(request.node.path).parts):
        yield
        return
    request.getfixturevalue("qapp")
    before = set(threading.enumerate())
    yield
    qtbot = request.node.funcargs.get("qtbot")
    if qtbot is not None:
        _close_widgets(request)
    left = _leaks(before)
    assert not left, f"left behind: {'; '.join(left)}"


def _close_widgets(request: pytest.FixtureRequest) -> None:
    """Close and delete what ``qtbot.addWidget`` registered now, so that the guard sees the state after it."""
    from PySide6.QtCore import QCoreApplication, QEvent
    from pytestqt.qtbot import _close_widgets as close

    close(request.node)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(autouse=True)
def no_logged_errors(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """A panel turns its failure into the broken state and a log record; in tests that record is a failure."""
    yield
    if request.node.get_closest_marker("expects_errors"):
        return
    errors = [
        r.getMessage() for r in caplog.get_records("call") if r.levelno >= logging.ERROR and r.name.startswith("ui")
    ]
    assert not errors, f"logged: {errors}"


def pytest_configure(config: pytest.Config) -> None:
    """Our marker."""
    config.addinivalue_line("markers", "expects_errors: the test makes a panel fail on purpose")
