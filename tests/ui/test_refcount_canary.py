"""PySide6 6.12.0 drops references to True and None on Python 3.11 until the interpreter aborts; ours must not."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from PySide6.QtCore import QCoreApplication, QObject, Signal

class Sender(QObject):
    fired = Signal(int)

application = QCoreApplication([])
sender = Sender()
seen = []
sender.fired.connect(seen.append)
before = sys.getrefcount(True), sys.getrefcount(None)
for number in range(20_000):
    sender.fired.emit(number)
    sender.objectName()
    sender.setObjectName("x")
after = sys.getrefcount(True), sys.getrefcount(None)
assert len(seen) == 20_000
assert abs(after[0] - before[0]) < 100 and abs(after[1] - before[1]) < 100, (before, after)
print("stable")
"""


def test_20000_signals_leave_the_reference_counts_alone() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "stable"
