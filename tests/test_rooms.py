"""The rooms' import direction, shown by importing every module where Qt cannot be imported at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"PySide6", "shiboken6", "pyqtgraph", "PySide6QtAds"}:
            raise ImportError("Qt refused: " + name)
        return None

sys.meta_path.insert(0, Refuse())
count = 0
for package in ("engine", "app", "ui.model", "ui.viewmodels"):
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        if found.name != "engine.settlement.contracts.compile_contracts":  # needs the Vyper compiler, a test tool
            importlib.import_module(found.name)
            count += 1
print(count)
"""


@pytest.mark.slow
def test_everything_below_the_window_imports_without_qt() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 20


SEEN_BY_VIEW_MODELS = """
import importlib, pkgutil, sys

for package in ("ui.model", "ui.viewmodels"):
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        importlib.import_module(found.name)
print(*sorted(name for name in sys.modules if name.startswith("app.")))
"""


def test_view_models_load_snapshots_and_nothing_else_of_the_running_venue() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEEN_BY_VIEW_MODELS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["app.snapshot", "app.snapshot.rules", "app.snapshot.views"]


def test_the_import_hook_refuses_qt_to_the_engine() -> None:
    scope = {"__name__": "engine.book.somewhere"}
    with pytest.raises(ImportError, match="no Qt below the window"):
        exec("import PySide6", scope)
    with pytest.raises(ImportError, match="the window is above it"):
        exec("from ui.shell import window", {"__name__": "app.somewhere"})
