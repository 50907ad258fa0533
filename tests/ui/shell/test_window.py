"""The window: what it assembles, what it remembers, what it tells, and that nothing is clipped."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QScrollArea

from engine.errors import ProtocolError
from engine.sequencer.events import Rejected
from engine.sequencer.inputs import CancelAll
from tests.support.sample_snapshot import USER, SampleEngine, sample_threads
from ui.desk import make_window, remembered
from ui.model.panels import PANELS, panel_spec
from ui.shell import layout_file
from ui.shell.workspace import LAYOUT_VERSION, BadLayout
from ui.viewmodels.status import REMEDY


def frames(window, count=2):
    for _ in range(count):
        window.loop.frame(everything=True)
        QApplication.processEvents()


@pytest.fixture
def make(qtbot):
    def build(engine, saved=None, size=(1280, 800)):
        window = make_window(engine, saved or {}, size)
        qtbot.addWidget(window)
        window.show()
        frames(window)
        return window

    return build


@pytest.fixture
def window(make, engine):
    return make(engine)


def test_every_registered_panel_is_there_and_live(make, engine):
    window = make(engine, size=(1920, 1080))
    assert list(window.panels) == [spec.panel_id for spec in PANELS]
    for panel_id in window.panels:
        window.workspace.show_panel(panel_id)
        frames(window)
        assert window.panels[panel_id].state.kind in ("live", "empty"), panel_id
        assert window.panels[panel_id].accessibleName() == panel_spec(panel_id).title


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_nothing_is_squeezed_below_its_minimum_or_scrolls_sideways(make, engine, size):
    window = make(engine, size=size)
    assert (window.width(), window.height()) == size
    for panel_id, panel in window.panels.items():
        window.workspace.show_panel(panel_id)
        frames(window, 1)
        needed = panel.minimumSizeHint()
        assert panel.width() >= needed.width(), panel_id
        assert panel.height() >= needed.height(), panel_id
        for area in panel.findChildren(QScrollArea):
            assert not area.horizontalScrollBar().isVisible(), panel_id


@pytest.mark.parametrize(("width", "folded"), [(1280, True), (1920, False)])
def test_machine_room_and_account_fold_into_tabs_on_a_small_window(make, engine, width, folded):
    docks = make(engine, size=(width, 800 if folded else 1080)).workspace.docks
    same = docks["account"].dockAreaWidget() == docks["ticket"].dockAreaWidget()
    machine = docks["batches"].dockAreaWidget() == docks["tables"].dockAreaWidget()
    assert (same, machine) == (folded, folded)


def test_buttons_and_fields_have_names_for_screen_readers(make, engine):
    window = make(engine, size=(1920, 1080))
    for button in window.header.findChildren(QPushButton):
        assert button.accessibleName()
    for name in ("chart", "ladder", "trades"):
        for button in window.panels[name].findChildren(QPushButton):
            assert button.accessibleName() or button.text(), (name, button)


def test_the_market_tab_changes_every_panel(window, qtbot):
    qtbot.mouseClick(window.header.tabs.button(2), Qt.MouseButton.LeftButton)
    assert {panel.market for panel in window.panels.values()} == {2}
    frames(window)
    assert window.header.last.text() == "▲ 2,472.11"


def test_a_ladder_click_fills_the_ticket(window):
    taken = []
    window.panels["ticket"].set_price = lambda side, ticks: taken.append((side, ticks))
    window.panels["ladder"].price_clicked.emit("buy", 574_100)
    assert taken == [("buy", 574_100)]


def test_speed_and_pause_go_to_the_engine_and_show_what_it_says(window, engine, qtbot):
    window.commands.run("clock.faster")
    frames(window)
    assert engine.asked[-1] == ("set_speed", 2.0)
    assert window.header.speed_box.currentText() == "2x"
    qtbot.mouseClick(window.header.pause_button, Qt.MouseButton.LeftButton)
    frames(window)
    assert engine.asked[-1] == ("set_paused", True)
    assert window.header.pause_button.isChecked()


def test_a_refused_speed_is_told_and_the_box_shows_the_truth(window, engine):
    engine.refusal = ProtocolError("speed is 600; it must lie in [0.1, 100]")
    window.header.set_speed(600.0)
    frames(window)
    assert window.header.speed_box.currentText() == "1x"
    assert "must lie in" in window.notices.accessibleDescription()


def test_a_fast_clock_says_what_it_cannot_do(window, engine):
    assert not window.banner.isVisible()
    engine.update(speed=60.0, mode="quotes only: above 10x the recording is not played")
    frames(window)
    assert window.banner.isVisible()
    assert "quotes only" in window.banner.words.text()
    engine.update(speed=1.0, mode="recorded flow")
    frames(window)
    assert not window.banner.isVisible()


def test_a_dead_thread_is_a_banner(window, engine):
    engine.update(threads=sample_threads("out of memory"))
    frames(window)
    assert window.banner.words.text() == f"Stopped: prover. out of memory. {REMEDY}"
    assert window.banner.kind == "danger"


def test_refusals_and_engine_messages_become_notices_once(window, engine):
    frames(window)
    event = Rejected(
        sequence=1, time=0, account=USER, client_id="a", code="insufficient_margin", message="not enough margin"
    )
    engine.events.append(event)
    frames(window, 3)
    assert [n.text for _, n in window.notices.shown] == ["not enough margin"]
    engine.update(messages=("the relayer could not post batch 4",))
    frames(window, 3)
    assert window.notices.shown[-1][1].text == "the relayer could not post batch 4"
    assert len(window.notices.shown) == 2
    window.notices.on_frame(1e18)
    assert not window.notices.isVisible()


def test_cancel_all_works_from_the_registry(window, engine):
    window.commands.run("trade.cancel_all")
    name, command = engine.asked[-1]
    assert name == "submit"
    assert isinstance(command, CancelAll)
    assert command.account == USER
    engine.refusal = ProtocolError("the queue is full")
    window.commands.run("trade.cancel_all")
    assert "the queue is full" in window.notices.accessibleDescription()


def test_the_theme_action_changes_every_colour(window, theme):
    before = window.grab().toImage().pixelColor(3, window.height() - 40).name()
    window.commands.run("view.theme")
    frames(window)
    assert window.grab().toImage().pixelColor(3, window.height() - 40).name() != before
    assert window.theme.name == "light"


def test_a_silent_engine_makes_panels_stale(window):
    window.loop._changed_at -= 4.0
    window.loop.frame()
    kinds = {panel.state.kind for panel in window.panels.values() if panel.isVisible()}
    assert kinds == {"stale"}
    assert "no update for 4 s" in window.status.items[0].text or window.status._age >= 4.0


def test_a_floating_panel_closes_with_the_desk(window):
    window.workspace.docks["trades"].setFloating()
    QApplication.processEvents()
    floating = window.workspace.manager.floatingWidgets()
    assert len(floating) == 1
    frames(window)
    window.close()
    assert not any(widget.isVisible() for widget in floating)


# -- what is remembered ------------------------------------------------------------------------------------------------


def test_layout_theme_and_market_survive_a_restart(make, engine, tmp_path):
    window = make(engine)
    window.workspace.toggle_panel("trades")
    window.theme.use("light", "compact")
    window.set_market(2)
    layout_file.write(tmp_path, remembered(window))
    window.close()
    again = make(SampleEngine(), layout_file.read(tmp_path))
    assert not again.workspace.is_open("trades")
    assert again.workspace.is_open("ladder")
    assert (again.theme.name, again.theme.density.name, again.header.market) == ("light", "compact", 2)


def test_reset_layout_brings_back_what_was_closed(window):
    window.workspace.toggle_panel("ladder")
    assert not window.workspace.is_open("ladder")
    window.commands.run("view.reset")
    assert all(window.workspace.is_open(panel_id) for panel_id in window.panels)


@pytest.mark.parametrize(
    "saved", [None, {"version": LAYOUT_VERSION + 1}, {"version": LAYOUT_VERSION, "state": 3, "panels": []},
              {"version": LAYOUT_VERSION, "state": "AAAA", "panels": []}],
)  # fmt: skip
def test_a_layout_that_cannot_be_used_is_refused_and_changes_nothing(window, saved):
    with pytest.raises(BadLayout):
        window.workspace.restore(saved)
    assert all(window.workspace.is_open(panel_id) for panel_id in window.panels)


def test_a_bad_layout_in_the_file_falls_back_to_the_default(make, engine):
    window = make(engine, {"layout": {"version": 99}, "theme": "sepia", "density": 7, "market": 44})
    assert all(window.workspace.is_open(panel_id) for panel_id in window.panels)
    assert (window.theme.name, window.header.market) == ("dark", 1)


def test_a_panel_newer_than_the_layout_joins_its_area(make, engine):
    window = make(engine)
    saved = window.workspace.save()
    saved["panels"] = [p for p in saved["panels"] if p != "trades"]
    window.workspace.toggle_panel("trades")
    saved["state"] = window.workspace.save()["state"]
    window.workspace.restore(saved)
    assert window.workspace.is_open("trades")
    docks = window.workspace.docks
    assert docks["trades"].dockAreaWidget() == docks["ladder"].dockAreaWidget()


def test_a_file_that_does_not_decode_is_kept_aside(tmp_path, caplog):
    (tmp_path / layout_file.FILE_NAME).write_text("{ half")
    assert layout_file.read(tmp_path) == {}
    assert (tmp_path / "desk.json.bad").read_text() == "{ half"
    assert "does not decode" in caplog.text
    assert layout_file.read(tmp_path) == {}


def test_another_file_version_is_not_guessed_at(tmp_path):
    layout_file.write(tmp_path, {"theme": "light"})
    assert layout_file.read(tmp_path)["theme"] == "light"
    path = tmp_path / layout_file.FILE_NAME
    path.write_text(path.read_text().replace('"version": 1', '"version": 7'))
    assert layout_file.read(tmp_path) == {}


def test_a_missing_account_does_not_stop_the_desk(make):
    engine = SampleEngine()
    engine.current = replace(engine.current, user=None)
    window = make(engine)
    window.commands.run("trade.cancel_all")
    assert "no account" in window.notices.accessibleDescription()


@pytest.mark.parametrize("wrong", [[1], {"a": 1}, "x", 7.5, None, True, -1])
def test_any_wrong_part_of_the_saved_window_falls_back_alone(make, engine, wrong):
    saved = dict.fromkeys(("theme", "density", "market", "size", "layout"), wrong)
    window = make(engine, saved)
    assert (window.theme.name, window.theme.density.name, window.header.market) == ("dark", "normal", 1)
    assert all(window.workspace.is_open(panel.panel_id) for panel in PANELS)


def test_a_window_that_cannot_be_remembered_or_read_is_a_line_in_the_log(tmp_path, caplog):
    folder = tmp_path / "layouts"
    folder.write_text("a file in the way")
    layout_file.write(folder, {"theme": "light"})
    assert "the window is not remembered" in caplog.text
    folder.unlink()
    (folder / layout_file.FILE_NAME).mkdir(parents=True)
    assert layout_file.read(folder) == {}
    assert "the saved window cannot be read" in caplog.text


def test_a_window_saved_on_a_larger_screen_fits_this_one(qtbot, engine):
    screen = QApplication.primaryScreen().availableGeometry()
    window = make_window(engine, {"size": [screen.width() + 2000, screen.height() + 2000]})
    qtbot.addWidget(window)
    assert (window.width(), window.height()) == (max(screen.width(), 1280), max(screen.height(), 800))
    small = make_window(engine, {"size": [900, 700]})
    qtbot.addWidget(small)
    assert (small.width(), small.height()) == (900, 700)
