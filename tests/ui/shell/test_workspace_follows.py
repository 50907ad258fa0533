"""The default workspace folds and unfolds with the window; an arrangement of the user's own is left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication

from tests.support.sample_snapshot import SampleEngine
from ui.desk import make_window
from ui.shell.window import DeskWindow


@pytest.fixture
def make(qtbot, engine: SampleEngine) -> Callable[..., DeskWindow]:
    def build(saved: dict | None = None, size: tuple[int, int] = (1920, 1080)) -> DeskWindow:
        made = make_window(engine, saved or {}, size)
        qtbot.addWidget(made)
        made.show()
        resized(made, *size)
        return made

    return build


def resized(window: DeskWindow, width: int, height: int) -> None:
    window.resize(width, height)
    for _ in range(2):
        window.loop.frame()
        QApplication.processEvents()


def is_folded(window: DeskWindow) -> bool:
    docks = window.workspace.docks
    return docks["account"].dockAreaWidget() == docks["ticket"].dockAreaWidget()


def button_is_on_screen(window: DeskWindow) -> bool:
    button = window.panels["ticket"].button  # type: ignore[attr-defined]
    return button.isVisible() and button.visibleRegion().boundingRect().height() == button.height()


def test_a_window_made_smaller_folds_and_made_larger_unfolds(make: Callable[..., DeskWindow]) -> None:
    window = make()
    assert not is_folded(window)
    resized(window, 1280, 800)
    assert is_folded(window)
    assert button_is_on_screen(window)
    resized(window, 1920, 1080)
    assert not is_folded(window)
    assert button_is_on_screen(window)


def test_an_arrangement_of_the_users_own_stays(make: Callable[..., DeskWindow]) -> None:
    window = make()
    window.workspace.docks["trades"].setFloating()
    resized(window, 1280, 800)
    assert not is_folded(window)


@pytest.mark.parametrize("own", [False, True])
def test_a_saved_layout_remembers_whose_it_is(make: Callable[..., DeskWindow], own: bool) -> None:
    first = make()
    if own:
        first.workspace.docks["trades"].setFloating()
    second = make({"layout": first.workspace.save()})
    resized(second, 1280, 800)
    assert is_folded(second) != own
