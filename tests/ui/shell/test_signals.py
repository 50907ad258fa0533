"""Ctrl+C and a request to end close the windows, also while nothing in Python runs."""

import os
import signal

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from ui.shell.signals import SIGNALS, closing_on_signals

GUARD_MS = 20_000


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_closes_the_windows_and_the_old_handlers_come_back(qapp, number):
    before = [signal.getsignal(known) for known in SIGNALS]
    window, guard, late = QWidget(), QTimer(), []
    guard.setSingleShot(True)
    guard.timeout.connect(lambda: (late.append(True), QApplication.quit()))
    with closing_on_signals():
        window.show()
        QTimer.singleShot(0, lambda: os.kill(os.getpid(), number))
        guard.start(GUARD_MS)
        qapp.exec()
        guard.stop()
    assert not late
    assert not window.isVisible()
    assert [signal.getsignal(known) for known in SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1
