"""The desk as a program: application, theme, window, and what is remembered between runs."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from app.runtime import interpreter
from engine.errors import ProtocolError
from ui.acts import DeskActs
from ui.model.command_set import CommandSet
from ui.model.commands import desk_commands
from ui.model.engine_protocol import DeskEngine
from ui.model.panels import PANELS, PanelSpec
from ui.shell import layout_file
from ui.shell.window import DeskWindow
from ui.shell.workspace import BadLayout
from ui.theme.metrics import DENSITIES
from ui.theme.theme import Theme
from ui.theme.tokens import theme_names
from ui.wiring import wire

LOG = logging.getLogger("desk")
DEFAULT_SIZE, SMALLEST = (1920, 1080), (1280, 800)


class DeskSettings(Protocol):
    """What the desk needs to know: where layouts are kept (``app.paths.Paths`` has it)."""

    @property
    def layouts(self) -> Path:
        """Folder of saved workspaces."""


def make_application() -> QApplication:
    """The one QApplication, with the drawing options that the chart relies on."""
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("Proofline")
    pg.setConfigOptions(antialias=False, imageAxisOrder="row-major", useOpenGL=False)
    return app


def make_window(
    engine: DeskEngine,
    saved: dict[str, Any],
    size: tuple[int, int] | None = None,
    specs: tuple[PanelSpec, ...] = PANELS,
) -> DeskWindow:
    """A window with its commands, wired, as it was left; what is missing or wrong falls back to the default."""
    name, density = saved.get("theme"), saved.get("density")
    theme = Theme(name if name in theme_names() else "dark", density if density in tuple(DENSITIES) else "normal")
    theme.apply()
    window = DeskWindow(engine, theme, specs=specs, size=size or _saved_size(saved))
    theme.setParent(window)
    acts = DeskActs(window)
    commands = CommandSet(desk_commands(specs, engine.config.markets, DENSITIES), acts)
    window.use_commands(commands)
    wire(window, commands, acts)
    if "layout" in saved:
        try:
            window.workspace.restore(saved["layout"])
        except BadLayout as error:
            LOG.warning("the saved layout is not used: %s", error.message)
            window.workspace.arrange(window.width(), window.height())
    if saved.get("market") in [m.market_id for m in engine.config.markets]:
        window.set_market(saved["market"])
    return window


def _saved_size(saved: dict[str, Any]) -> tuple[int, int]:
    """The saved size, else the default, no larger than the screen unless that is very small."""
    size, wanted = saved.get("size"), DEFAULT_SIZE
    if isinstance(size, list) and len(size) == 2 and all(isinstance(v, int) and 400 <= v <= 20_000 for v in size):
        wanted = size[0], size[1]
    screen = QApplication.primaryScreen().availableGeometry()
    return min(wanted[0], max(screen.width(), SMALLEST[0])), min(wanted[1], max(screen.height(), SMALLEST[1]))


def remembered(window: DeskWindow) -> dict[str, Any]:
    """What to write when the window closes."""
    return {
        "size": [window.width(), window.height()],
        "theme": window.theme.name,
        "density": window.theme.density.name,
        "market": window.header.market,
        "layout": window.workspace.save(),
    }


def install_hooks(tell: Callable[[str], None]) -> Callable[[], None]:
    """Unexpected exceptions, of slots and of threads, are logged and told; returns what puts the old hooks back."""
    old_hook, old_thread_hook = sys.excepthook, threading.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        LOG.error("unexpected: %s", "".join(traceback.format_exception(kind, error, trace)))
        if isinstance(error, ProtocolError):
            tell(error.message)
        else:
            tell(f"Unexpected {kind.__name__}: {error}")

    def thread_hook(arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread else "?"
        LOG.error("thread %s died", name, exc_info=arguments.exc_value)

    sys.excepthook, threading.excepthook = hook, thread_hook

    def restore() -> None:
        sys.excepthook, threading.excepthook = old_hook, old_thread_hook

    return restore


def run_desk(engine: DeskEngine, settings: DeskSettings, theme: str = "") -> int:
    """Show the window until it is closed; the exit status. The engine is left running: the caller stops it.

    ``theme``: its name, "" for the one that the window was left in.
    """
    app = make_application()
    saved = layout_file.read(settings.layouts)
    window = make_window(engine, {**saved, "theme": theme} if theme else saved)
    restore_hooks = install_hooks(lambda text: window.notify("danger", text, time.perf_counter()))
    window.closed.connect(lambda: layout_file.write(settings.layouts, remembered(window)))
    window.loop.start()
    window.show()
    try:
        with interpreter.watched():
            return app.exec()
    finally:
        window.loop.stop()
        restore_hooks()
