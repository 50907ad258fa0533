"""A panel with nothing but its registry line: placed, listed, toggled, reset, remembered, heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication

from engine.errors import UnknownName
from tests.support.extra_panel import ExtraPanel
from tests.support.sample_snapshot import SampleEngine
from ui.desk import make_window
from ui.model.panels import PANELS, Area, PanelSpec
from ui.shell.window import DeskWindow

AREAS: tuple[Area, ...] = ("chart", "book", "ticket", "tables", "machine")


def spec(area: Area) -> PanelSpec:
    return PanelSpec("extra", "Extra", "tests.support.extra_panel:ExtraPanel", area)


def frames(window: DeskWindow) -> None:
    for _ in range(2):
        window.loop.frame(everything=True)
        QApplication.processEvents()


@pytest.fixture
def make(qtbot, engine: SampleEngine) -> Callable[..., DeskWindow]:
    def build(area: Area = "machine", size: tuple[int, int] = (1920, 1080), saved: dict | None = None) -> DeskWindow:
        made = make_window(engine, saved or {}, size, (*PANELS, spec(area)))
        qtbot.addWidget(made)
        made.show()
        frames(made)
        return made

    return build


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("area", AREAS)
def test_it_joins_the_others_of_its_area_behind_those_in_front(make, area: Area, size: tuple[int, int]) -> None:
    window = make(area, size)
    docks = window.workspace.docks
    mates = [p.panel_id for p in PANELS if p.area == area]
    assert docks["extra"].dockAreaWidget() in [docks[mate].dockAreaWidget() for mate in mates]
    assert window.workspace.is_open("extra")
    assert not docks["extra"].isCurrentTab(), "the default workspace looks as it did"


def test_it_is_gone_to_shown_hidden_and_reset_by_its_commands(make) -> None:
    window = make()
    window.commands.run("view.go.extra")
    frames(window)
    panel = window.panels["extra"]
    assert isinstance(panel, ExtraPanel)
    assert panel.isVisible()
    assert panel.label.text() == f"snapshot {window.engine.snapshot().version}"
    window.qt_actions["view.toggle.extra"].trigger()
    assert not window.workspace.is_open("extra")
    window.qt_actions["view.toggle.extra"].trigger()
    assert window.workspace.is_open("extra")
    window.qt_actions["view.toggle.extra"].trigger()
    window.commands.run("view.reset")
    assert window.workspace.is_open("extra")
    window.workspace.follow(1280, 800)
    assert window.workspace.is_open("extra")


def test_what_it_tells_is_heard(make) -> None:
    window = make()
    window.panels["extra"].refused.emit("the lab is closed")
    assert "the lab is closed" in window.notices.accessibleDescription()
    window.panels["extra"].price_clicked.emit("sell", 574_200)
    assert window.panels["ticket"].form.price_text == "57,420.0"


@pytest.mark.parametrize("claims_to_know_it", [True, False])
def test_a_layout_from_before_it_was_added_has_a_place_for_it(make, qtbot, engine, claims_to_know_it: bool) -> None:
    before = make_window(engine, {}, (1920, 1080))
    qtbot.addWidget(before)
    layout = before.workspace.save()
    if claims_to_know_it:
        layout["panels"] = [*layout["panels"], "extra"]
    window = make(saved={"layout": layout})
    assert window.workspace.is_open("extra")
    window.qt_actions["view.toggle.extra"].trigger()
    assert not window.workspace.is_open("extra")


def test_a_panel_that_was_never_added_is_refused_by_name(make) -> None:
    with pytest.raises(UnknownName, match="extra"):
        make().workspace.show_panel("nothing")
