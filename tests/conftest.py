"""Rules that every test runs under: no Qt below the window, no thread left behind, kernels cached by content."""

from __future__ import annotations

import builtins
import os
import tempfile
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from app.runtime import jit_cache

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_data = tempfile.TemporaryDirectory(prefix="proofline-tests-")
os.environ["XDG_DATA_HOME"] = _data.name  # no test reads or writes the venue and the settings of whoever runs it
jit_cache.prepare()  # before any test module imports numba

QT_FREE = ("engine", "app", "ui.model", "ui.viewmodels")
REFUSED = ("PySide6", "shiboken6", "pyqtgraph", "PySide6QtAds")

_plain_import = builtins.__import__  # replaced at session start, when Qt's own hook is in place


def _in(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _guarded_import(name: str, globals: Any = None, *rest: Any, **named: Any) -> ModuleType:
    """Python's import, refusing Qt (and the window) to the rooms that must not know it."""
    importer = (globals or {}).get("__name__", "")
    if _in(importer, QT_FREE):
        if _in(name, REFUSED):
            raise ImportError(f"{importer} must not import {name}: no Qt below the window")
        if _in(name, ("ui",)) and not (_in(importer, ("ui",)) and _in(name, ("ui.model", "ui.viewmodels"))):
            raise ImportError(f"{importer} must not import {name}: the window is above it")
    return _plain_import(name, globals, *rest, **named)


def pytest_sessionstart() -> None:
    """Install the hook after pytest-qt has imported Qt, which brings an import hook of its own."""
    global _plain_import
    _plain_import = builtins.__import__
    builtins.__import__ = _guarded_import


@pytest.fixture(autouse=True)
def no_thread_left_behind() -> Iterator[None]:
    """A test that leaves a non-daemon thread running fails, by name."""
    before = set(threading.enumerate())
    yield
    new = [t for t in threading.enumerate() if t not in before and not t.daemon]
    for thread in new:  # one that is just ending may end
        thread.join(5)
    left = [thread.name for thread in new if thread.is_alive()]
    assert not left, f"threads left running: {left}"
