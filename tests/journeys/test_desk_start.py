"""Opening the program: progress, failures in words, giving up, and nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.paths import Paths, open_paths
from app.proving.choice import ProvingChoice
from app.storage.folder_lock import FolderLock
from app.venue.session import open_session
from engine.exchange.config import DEFAULT_CONFIG
from tests.support import venue_fixture
from ui import start
from ui.shell.window import DeskWindow
from ui.start import Opener, StartWindow

PATIENCE_MS = 120_000  # a first launch compiles


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return open_paths(tmp_path / "venue")


@pytest.fixture
def no_other_thread() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:  # one that is just ending may end
        thread.join(5)
    assert [thread.name for thread in left if thread.is_alive()] == []


class Poll:
    """Calls ``act`` until it says that it is done: what a person does at the program's windows, in its event loop."""

    def __init__(self, act: Callable[[], bool]) -> None:
        self._act = act
        self.done = False
        self.timer = QTimer()
        self.timer.setInterval(20)
        self.timer.timeout.connect(self._tick)
        self.timer.start()

    def _tick(self) -> None:
        if self._act():
            self.done = True
            self.timer.stop()


def shown(kind: type) -> list:
    return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible()]


def opened_with_failure(qtbot: QtBot, paths: Paths, speed: float = 1.0) -> StartWindow:
    window, opener = StartWindow(), Opener(paths, speed, ProvingChoice())
    qtbot.addWidget(window)
    opener.progressed.connect(window.show_progress)
    opener.failed.connect(window.show_failure)
    window.show()
    with qtbot.waitSignal(opener.failed, timeout=PATIENCE_MS):
        opener.thread_of_work.start()
    opener.thread_of_work.join(10)
    assert opener.engine is None
    assert window.isVisible()
    assert window.title.text() == "Proofline could not open"
    for label in window.findChildren(QLabel):
        needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
        assert label.height() >= needed, f"cut off: {label.text()}"
    return window


@pytest.mark.usefixtures("no_other_thread")
def test_progress_is_shown_and_the_venue_runs(qtbot: QtBot, paths: Paths) -> None:
    window, opener = StartWindow(), Opener(paths, 2.0, ProvingChoice("frugal"))
    qtbot.addWidget(window)
    seen: list[tuple[str, float]] = []
    opener.progressed.connect(window.show_progress)
    opener.progressed.connect(lambda stage, share: seen.append((stage, share)))
    window.show()
    with qtbot.waitSignal(opener.opened, timeout=PATIENCE_MS):
        opener.thread_of_work.start()
    opener.thread_of_work.join(10)
    engine = opener.engine
    assert engine is not None
    try:
        assert {"journal", "layer 1"} <= {stage for stage, _ in seen}
        assert all(0 <= share <= 1 for _, share in seen)
        assert window.stage.text() == seen[-1][0]
        first = engine.snapshot()
        assert first is not None
        qtbot.waitUntil(lambda: engine.snapshot().time > first.time, timeout=PATIENCE_MS)  # type: ignore[union-attr]
        assert engine.snapshot().speed == 2.0  # type: ignore[union-attr]
    finally:
        engine.stop()


@pytest.mark.usefixtures("no_other_thread")
def test_a_venue_that_opened_and_cannot_run_is_closed_again(qtbot: QtBot, paths: Paths) -> None:
    window = opened_with_failure(qtbot, paths, speed=1e6)
    assert "speed" in window.stage.text()
    FolderLock(paths.lock).release()  # refused as long as the venue is open


@pytest.mark.usefixtures("no_other_thread")
def test_another_venues_folder_is_refused_in_words(qtbot: QtBot, paths: Paths) -> None:
    open_session(paths, msgspec.structs.replace(DEFAULT_CONFIG, seed=77)).close()
    before = paths.journal.read_bytes()
    window = opened_with_failure(qtbot, paths)
    assert "another configuration" in window.stage.text()
    assert "--data" in window.stage.text()
    assert paths.journal.read_bytes() == before, "what is not ours is not touched"


@pytest.mark.usefixtures("no_other_thread")
def test_a_venue_of_another_statement_is_refused_in_words(
    qtbot: QtBot, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("app.venue.session.statement_id", lambda shape: bytes(31) + b"\x07")
        open_session(paths).close()
    window = opened_with_failure(qtbot, paths)
    assert "another version" in window.stage.text()
    assert "--data" in window.stage.text()


@pytest.mark.usefixtures("no_other_thread")
@pytest.mark.parametrize("wanted", [True, False], ids=["fresh venue", "quit"])
def test_a_venue_of_another_version_is_asked_about(qtbot: QtBot, paths: Paths, wanted: bool) -> None:
    venue_fixture.unpack("rules-1", paths.data)
    before, fresh = paths.journal.read_bytes(), paths.data.with_name("venue-2")
    said: list[str] = []

    def answer() -> bool:
        for window in shown(StartWindow):
            if window.fresh.isVisible() and not said:
                said.append(window.stage.text())
                assert not fresh.exists()
                assert window.fresh.text() == "Open a fresh venue in venue-2"
                qtbot.mouseClick(window.fresh if wanted else window.leave, Qt.MouseButton.LeftButton)
        for window in shown(DeskWindow):
            window.close()
            return True
        return bool(said) and not wanted

    person = Poll(answer)
    assert start.run(paths, 1.0, ProvingChoice()) == (0 if wanted else 1)
    assert person.done
    assert "another version" in said[0]
    assert "main.py export" in said[0]
    assert fresh.exists() == wanted
    assert paths.journal.read_bytes() == before


@pytest.mark.usefixtures("no_other_thread")
def test_a_folder_in_use_is_refused_in_words(qtbot: QtBot, paths: Paths) -> None:
    session = open_session(paths)
    try:
        window = opened_with_failure(qtbot, paths)
    finally:
        session.close()
    assert "use" in window.stage.text()
    assert str(paths.data) in window.stage.text()


@pytest.mark.parametrize("part", ["journal", "key"])
@pytest.mark.usefixtures("no_other_thread")
def test_damaged_files_are_named(qtbot: QtBot, paths: Paths, part: str) -> None:
    open_session(paths).close()
    damaged = paths.journal if part == "journal" else next(paths.keys.glob("*.json"))
    damaged.write_bytes(b"\x00 this is no such file \xff" * 100)
    window = opened_with_failure(qtbot, paths)
    assert damaged.name in window.stage.text()
    assert "Error" not in window.stage.text(), "a sentence, not an exception's name"


@pytest.mark.usefixtures("no_other_thread")
def test_the_program_opens_and_ends_with_its_window(qtbot: QtBot, paths: Paths) -> None:
    def close_the_desk() -> bool:
        for window in shown(DeskWindow):
            snapshot = window.engine.snapshot()
            if snapshot is not None and snapshot.user is not None:
                window.close()
                return True
        return False

    person = Poll(close_the_desk)
    assert start.run(paths, 1.0, ProvingChoice()) == 0
    assert person.done
    assert paths.layouts.exists()
    open_session(paths).close()  # the folder was let go


@pytest.mark.usefixtures("no_other_thread")
def test_closing_the_start_window_gives_up(qtbot: QtBot, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    import ui.desk

    opened: list[object] = []
    monkeypatch.setattr(ui.desk, "run_desk", lambda *arguments: opened.append(arguments) or 0)

    def close_at_once() -> bool:
        windows = shown(StartWindow)
        for window in windows:
            window.close()
        return bool(windows)

    person = Poll(close_at_once)
    assert start.run(paths, 1.0, ProvingChoice()) == 0
    assert person.done
    assert opened == [], "a desk must not come up after its start was given up"
