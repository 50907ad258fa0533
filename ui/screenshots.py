"""Pictures of the whole window, of the prover and of the proof inspector: two sizes, dark and light, no display."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QPushButton

from engine.errors import ProtocolError
from engine.units import MarketId
from ui.desk import make_application, make_window
from ui.model.engine_protocol import DeskEngine
from ui.panels.inspector.panel import InspectorPanel
from ui.shell.window import DeskWindow

SIZES = ((1920, 1080), (1280, 800))
THEMES = ("dark", "light")
SETTLE_FRAMES = 6
PANEL_FRAMES = 2  # where only one panel is new
EXAMPLE_SIZE = "size 25 percent"
CANDLE_WAIT_SECONDS = 5.0
JOB_WAIT_SECONDS = 60.0


class PictureFailed(ProtocolError):
    """A picture could not be written."""


def save_pictures(engine: DeskEngine, folder: Path, *, market: MarketId | None = None) -> list[Path]:
    """Write ``<what>-<theme>-<width>x<height>.png`` of desk, prover and inspector for every theme and size; returns the
    files."""
    make_application()
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for width, height in SIZES:
        window = make_window(engine, {}, (width, height))
        if market is not None:
            window.set_market(market)
        window.show()
        settle(window)
        type_an_order(window)
        for name in THEMES:
            window.theme.use(name)
            settle(window)
            ending = f"{name}-{width}x{height}.png"
            files.append(_save(window, folder / f"desk-{ending}"))
            window.workspace.show_panel("prover")
            settle(window, PANEL_FRAMES)
            files.append(_save(window, folder / f"prover-{ending}"))
            inspect(window)
            files.append(_save(window, folder / f"inspector-{ending}"))
            window.workspace.arrange(width, height)
        close(window)
    return files


def type_an_order(window: DeskWindow) -> None:
    """Choose a size in the ticket, so that the picture shows a receipt; nothing is sent."""
    ticket = window.panels.get("ticket")
    for button in ticket.findChildren(QPushButton) if ticket is not None else ():
        if button.accessibleName() == EXAMPLE_SIZE:
            button.click()


def inspect(window: DeskWindow) -> None:
    """Open the newest proof that L1 has in the inspector and verify it; without a proof the inspector says so."""
    inspector = window.panels["inspector"]
    assert isinstance(inspector, InspectorPanel)
    snapshot = window.engine.snapshot()
    newest = next((batch.number for batch in snapshot.batches if batch.gas), None) if snapshot else None
    assert window.commands is not None, "make_window gives them"
    window.commands.desk.inspect(newest)
    wait_for(window, inspector)
    inspector.start_verifying()
    wait_for(window, inspector)


def wait_for(window: DeskWindow, inspector: InspectorPanel) -> None:
    """Frames until the inspector's thread has answered (or a minute is over)."""
    deadline = time.perf_counter() + JOB_WAIT_SECONDS
    while inspector.busy and time.perf_counter() < deadline:
        window.loop.frame(everything=True)
        QApplication.processEvents()
    settle(window, PANEL_FRAMES)


def settle(window: DeskWindow, frames: int = SETTLE_FRAMES) -> None:
    """Frames until every visible panel has shown a snapshot and the chart has candles (or five seconds are over)."""
    deadline = time.perf_counter() + CANDLE_WAIT_SECONDS
    for _ in range(frames):
        window.loop.frame(everything=True)
        QApplication.processEvents()
    chart = window.panels.get("chart")
    while getattr(chart, "series", True) is None and time.perf_counter() < deadline:
        window.loop.frame(everything=True)
        QApplication.processEvents()


def _save(window: DeskWindow, path: Path) -> Path:
    if not window.grab().save(str(path)):
        raise PictureFailed(f"{path} cannot be written", field="folder", value=str(path.parent))
    return path


def close(window: DeskWindow) -> None:
    """Close and delete now: the next picture starts from nothing."""
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
