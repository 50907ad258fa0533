"""The six states of every panel."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout

from tests.support.sample_snapshot import SampleEngine, widget_colors
from ui.widgets.panel import Panel
from ui.widgets.state import LIVE, empty, loading, refused


class Probe(Panel):
    title = "Probe"

    def __init__(self, engine, theme):
        super().__init__(engine, theme)
        self.seen = []
        self.fail = False
        QVBoxLayout(self.body).addWidget(QLabel("content"))

    def refresh(self, snapshot):
        if self.fail:
            raise ValueError("no such column")
        self.seen.append(snapshot.version)


@pytest.fixture
def panel(theme, engine, qtbot):
    made = Probe(engine, theme)
    qtbot.addWidget(made)
    made.resize(320, 240)
    made.show()
    return made


def page_text(panel):
    return panel._page.accessibleName()


def colors(panel):
    QApplication.processEvents()
    return widget_colors(panel)


def test_it_begins_with_loading_and_goes_live_with_the_first_picture(panel, engine):
    assert panel.state.kind == "loading"
    assert "Waiting" in page_text(panel)
    assert not panel.update_snapshot(None)
    assert panel.state.kind == "loading"
    assert panel.update_snapshot(engine.snapshot())
    assert panel.state == LIVE
    assert not panel._page.isVisible()


def test_a_version_is_shown_once(panel, engine):
    panel.update_snapshot(engine.snapshot())
    assert not panel.update_snapshot(engine.snapshot())
    engine.advance()
    assert panel.update_snapshot(engine.snapshot())
    assert panel.seen == [1, 2]


def test_stale_keeps_the_content_tells_the_age_and_ends_with_news(panel, engine):
    panel.update_snapshot(engine.snapshot())
    panel.set_age(0.9)
    assert panel.state.kind == "live"
    panel.set_age(3.2)
    assert panel.state.title == "stale · 3 s old"
    assert panel._veil.isVisible()
    assert panel._live.isVisible()
    engine.advance()
    panel.update_snapshot(engine.snapshot())
    panel.set_age(0.0)
    assert panel.state.kind == "live"
    assert not panel._veil.isVisible()


def test_empty_says_why_and_its_action_works(panel, engine, qtbot):
    pressed = []
    panel.update_snapshot(engine.snapshot())
    panel.set_state(empty("No positions", "buy or sell to open one", ("Open the ticket", lambda: pressed.append(1))))
    assert "No positions" in page_text(panel)
    qtbot.mouseClick(panel._page._button, Qt.MouseButton.LeftButton)
    assert pressed == [1]


def test_loading_shows_how_far_it_is(panel):
    panel.set_state(loading("Compiling", "kernel 3 of 12", 0.25))
    assert panel._page._progress.isVisible()
    assert panel._page._progress.value() == 25


def test_refused_keeps_the_content_and_shows_rule_and_number(panel, engine, qtbot):
    panel.update_snapshot(engine.snapshot())
    panel.set_state(refused("Initial margin", "needs 4,577.11, free 12.00"))
    assert panel._live.isVisible()
    assert panel._refused.words.text() == "Initial margin needs 4,577.11, free 12.00"
    qtbot.mouseClick(panel._refused.close_button, Qt.MouseButton.LeftButton)
    assert not panel._refused.isVisible()


@pytest.mark.expects_errors
def test_a_failing_panel_breaks_alone_says_what_happened_and_restarts(panel, engine, qtbot):
    panel.update_snapshot(engine.snapshot())
    panel.fail = True
    engine.advance()
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "broken"
    assert "ValueError: no such column" in page_text(panel)
    engine.advance()
    assert not panel.update_snapshot(engine.snapshot())
    panel.fail = False
    qtbot.mouseClick(panel._page._button, Qt.MouseButton.LeftButton)
    assert panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "live"


@pytest.mark.parametrize("name", ["dark", "light"])
def test_no_state_is_a_blank_rectangle(panel, theme, name):
    theme.use(name)
    for state in (loading("a"), empty("b"), refused("c"), LIVE):
        panel.set_state(state)
        assert len(colors(panel)) > 8, state


def test_changing_market_shows_the_same_version_again(theme, qtbot):
    engine = SampleEngine()
    panel = Probe(engine, theme)
    qtbot.addWidget(panel)
    panel.update_snapshot(engine.snapshot())
    panel.set_market(2)
    assert panel.update_snapshot(engine.snapshot())
    assert panel.market == 2
