"""Journeys through the real window: a desk on a folder of its own, and nothing logged as an error on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.support.desk_world import Desk

OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(qtbot: QtBot, tmp_path: Path) -> Iterator[OpenDesk]:
    """Opens desks; what the test leaves open is closed, in order."""
    opened: list[Desk] = []
    interval = QApplication.doubleClickInterval()
    QApplication.setDoubleClickInterval(1)  # a test presses faster than a hand: two presses are two wishes here

    def build(folder: Path = tmp_path / "venue", size: tuple[int, int] = (1920, 1080)) -> Desk:
        opened.append(Desk(folder, qtbot, size))
        return opened[-1]

    yield build
    for desk in reversed(opened):
        desk.close()
    QApplication.setDoubleClickInterval(interval)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A desk that is ready to trade."""
    made = open_desk()
    made.wait_for_book()
    return made


@pytest.fixture(autouse=True)
def nothing_logged_as_error(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """A panel that fails shows its broken state and logs it: here that is a failure."""
    yield
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not errors, f"logged: {errors}"
