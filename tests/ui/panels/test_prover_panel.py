"""The prover panel on screen: bars and tabs at both widths, the running proof, what it says when there is nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt

from app.snapshot.rules import MAX_ATTEMPTS
from engine.errors import ProtocolError
from tests.support.sample_snapshot import SampleEngine, batch_view, widget_colors
from ui.panels.prover.bars import bar_layout
from ui.panels.prover.panel import AT_WORK, FAILED, SECURITY, STAGES, TIMES, ProverPanel
from ui.viewmodels.wording import NOTHING
from ui.widgets.history_chart import LINE, label_places


@pytest.fixture
def panel(qtbot, theme, engine: SampleEngine) -> ProverPanel:
    made = ProverPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(576, 280)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


def show(panel: ProverPanel, engine: SampleEngine, **more: object) -> None:
    engine.update(**more)
    panel.update_snapshot(engine.snapshot())


@pytest.mark.parametrize("width", [240, 360, 576, 860, 1280])
def test_columns_fit_their_width(width: int) -> None:
    layout = bar_layout(width)
    places = [layout.number, layout.bar, layout.slowest, layout.time, layout.size]
    assert all(left + wide <= width for left, wide in places)
    assert [left for left, _ in places] == sorted(left for left, _ in places)
    if width >= 576:
        assert min(wide for _, wide in places) > 0


def test_stages_are_the_first_tab_when_narrow_and_have_their_own_place_when_wide(panel: ProverPanel) -> None:
    assert (panel.tabs.currentIndex(), panel.bars.isVisible(), panel.side.isVisible()) == (STAGES, True, False)
    panel.show_tab(AT_WORK)
    assert not panel.bars.isVisible()
    panel.show_tab(STAGES)
    panel.resize(1280, 200)
    assert (panel.tabs.currentIndex(), panel.bars.isVisible(), panel.side.isVisible()) == (TIMES, True, True)
    assert not panel.tabs.isTabVisible(STAGES)
    panel.resize(576, 280)
    assert panel.tabs.currentIndex() == STAGES
    panel.show_tab(FAILED)
    panel.resize(1280, 200)
    panel.resize(576, 280)
    assert panel.tabs.currentIndex() == FAILED


def test_the_running_proof_moves_and_only_it_is_painted_again(panel: ProverPanel, engine: SampleEngine) -> None:
    assert engine.current is not None
    before = panel.bars.shown
    moved = tuple(
        replace(view, running_seconds=8.1, progress=0.7) if view.number == 45 else replace(view)
        for view in engine.current.batches
    )
    show(panel, engine, batches=moved)
    assert [a.number for a, b in zip(before, panel.bars.shown, strict=True) if a is not b] == [45]
    assert next(row for row in panel.bars.shown if row.number == 45).words == "70 %, quotient done, attempt 2"


def test_only_the_slowest_stage_is_loud(panel: ProverPanel, theme) -> None:
    colors = widget_colors(panel.bars.viewport())
    assert theme.tokens.proved in colors
    assert theme.tokens.proved_fill in colors


def test_tabs_count_what_is_wrong(panel: ProverPanel, engine: SampleEngine) -> None:
    assert [panel.tabs.tabText(k) for k in (AT_WORK, FAILED)] == ["Workers 4, 2 out", "Failures 1"]
    panel.show_tab(AT_WORK)
    assert [row.key for row in panel.tables[0].rows.rows][0] == "in this process"
    panel.show_tab(FAILED)
    assert [row.key for row in panel.tables[1].rows.rows] == [44]
    panel.show_tab(SECURITY)
    assert len(panel.tables[2].rows.rows) == 8
    show(panel, engine, workers=())
    assert panel.tabs.tabText(AT_WORK) == "Workers 0"
    panel.show_tab(AT_WORK)
    assert panel.tables[0].rows.rows == ()
    assert "batches wait until one joins" in panel.tables[0].spec.empty


def test_a_batch_that_was_given_up_can_be_proved_again(qtbot, panel: ProverPanel, engine: SampleEngine) -> None:
    assert engine.current is not None
    panel.show_tab(FAILED)
    table = panel.tables[1]
    assert table.rows.cell(0, 4).text == NOTHING, "it is tried again by itself"
    given_up = tuple(
        replace(view, attempts=MAX_ATTEMPTS) if view.number == 44 else view for view in engine.current.batches
    )
    show(panel, engine, batches=given_up)
    with qtbot.waitSignal(panel.noticed):
        table.act_on(44, "again")
    assert engine.asked[-1] == ("prove_again", 44)
    engine.refusal = ProtocolError("batch 44 is not given up")
    with qtbot.waitSignal(panel.refused):
        table.act_on(44, "again")


def test_times_show_percentiles_or_say_why_there_are_none(panel: ProverPanel, engine: SampleEngine) -> None:
    assert len(panel.times.values) == 120
    assert [words.split()[0] for _, words in panel.times.levels] == ["p50", "p95", "p99"]
    assert engine.current is not None
    show(panel, engine, batches=engine.current.batches[:2], prove_seconds=engine.current.prove_seconds[:0])
    assert panel.times.values == ()
    assert panel.state.kind == "live"
    show(panel, engine, batches=())
    assert panel.state.kind == "empty"


def test_labels_keep_apart_and_inside() -> None:
    places = label_places([100, 96, 3])
    assert places == sorted(places, reverse=True)
    assert min(places) >= 8
    assert all(a - b >= LINE for a, b in pairwise(places))


def test_enter_on_a_bar_wants_to_inspect_it(qtbot, panel: ProverPanel) -> None:
    wanted: list[int] = []
    panel.inspect_wanted.connect(wanted.append)
    panel.bars.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(panel.bars, key)
    assert wanted == [45]


def test_a_much_longer_proof_is_cut_and_its_time_is_told(panel: ProverPanel, engine: SampleEngine) -> None:
    assert engine.current is not None
    slow = batch_view(60, "final", 0, stage_seconds={"fri": 300.0}, prove_seconds=300.0)
    show(panel, engine, batches=(slow, *engine.current.batches))
    assert panel.bars.seconds < 30
    assert panel.bars.shown[0].prove_time == "5 min 00 s"
    panel.bars.viewport().grab()
