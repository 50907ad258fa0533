"""Batches, proof, withdrawals and sequencer through their widgets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from engine.errors import ProtocolError
from tests.support.sample_snapshot import SampleEngine, batch_view
from ui.panels.batches.lanes import STAMP, lane_layout
from ui.panels.batches.panel import BatchesPanel
from ui.panels.sequencer import SequencerPanel
from ui.panels.withdrawals import WithdrawalsPanel
from ui.widgets.row_list import TITLES


@pytest.fixture
def batches(qtbot, theme, engine: SampleEngine) -> BatchesPanel:
    made = BatchesPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(576, 280)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


def test_the_head_tells_prove_times_and_failures(batches: BatchesPanel) -> None:
    assert batches.prove_times.text().startswith("proving p50")
    assert batches.failures.text() == "1 failed attempt"
    assert len(batches.history.values) == 120
    assert batches.gate.text() == "L1 gate: only what the verifier contracts have checked moves the root"


@pytest.mark.parametrize("width", [360, 576, 700, 1000, 1280, 1920])
def test_lanes_fit_their_width_and_stamps_fit_their_steps(width: int) -> None:
    layout = lane_layout(width)
    places = [layout.number, layout.contents, *layout.steps, layout.time, layout.size, layout.gas, layout.note]
    assert all(place[0] + place[1] <= width for place in places)
    lefts = [left for left, _ in (layout.number, *layout.steps, layout.time, layout.size, layout.gas, layout.note)]
    assert lefts == sorted(lefts)
    if width >= 576:
        assert min(wide for _, wide in layout.steps) >= STAMP


def test_a_click_marks_a_batch_and_a_double_click_wants_to_inspect_it(qtbot, batches: BatchesPanel) -> None:
    wanted: list[int] = []
    batches.inspect_wanted.connect(wanted.append)
    centre = batches.lanes.row_rect(6).center()
    qtbot.mouseClick(batches.lanes.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert (batches.lanes.marked, wanted) == (41, [])
    qtbot.mouseDClick(batches.lanes.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert wanted == [41]


def test_the_keyboard_reaches_every_batch(qtbot, batches: BatchesPanel) -> None:
    wanted: list[int] = []
    batches.inspect_wanted.connect(wanted.append)
    batches.lanes.setFocus()
    for _ in range(12):
        qtbot.keyClick(batches.lanes, Qt.Key.Key_Down)
    assert batches.lanes.verticalScrollBar().value() > 0
    qtbot.keyClick(batches.lanes, Qt.Key.Key_Return)
    assert wanted == [36]


def test_a_click_on_the_titles_marks_nothing(qtbot, batches: BatchesPanel) -> None:
    qtbot.mouseClick(batches.lanes.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, TITLES // 2))
    assert batches.lanes.marked == -1


def test_the_menu_of_a_batch_inspects_and_copies(batches: BatchesPanel) -> None:
    wanted: list[int] = []
    batches.inspect_wanted.connect(wanted.append)
    batches.lanes.menu_wanted.emit(45, QPoint(0, 0))
    menu = batches.findChildren(QMenu)[-1]
    actions = {action.text(): action for action in menu.actions() if action.text()}
    assert list(actions) == ["Inspect batch 45", "Copy old root", "Copy new root", "Copy L1 transaction"]
    assert not actions["Copy L1 transaction"].isEnabled(), "it is not on L1 yet"
    actions["Inspect batch 45"].trigger()
    actions["Copy new root"].trigger()
    assert wanted == [45]
    assert QApplication.clipboard().text() == f"0x{batch_view(45, 'proving', 0).new_root}"
    menu.close()


def test_another_density_changes_the_rows_and_how_far_they_scroll(batches: BatchesPanel, theme) -> None:
    before = batches.lanes.verticalScrollBar().maximum()
    theme.use(density="roomy")
    assert batches.lanes.row_height == theme.density.table_row
    assert batches.lanes.verticalScrollBar().maximum() > before


def test_new_batches_do_not_move_a_scrolled_list(batches: BatchesPanel, engine: SampleEngine) -> None:
    bar = batches.lanes.verticalScrollBar()
    bar.setValue(96)
    under = batches.lanes.row_at(QPoint(20, 100))
    assert engine.current is not None
    newest = batch_view(48, "open", engine.current.time)
    engine.update(batches=(newest, *engine.current.batches))
    batches.update_snapshot(engine.snapshot())
    after = batches.lanes.row_at(QPoint(20, 100))
    assert under is not None
    assert after is not None
    assert after.number == under.number


def test_no_batches_is_said(batches: BatchesPanel, engine: SampleEngine) -> None:
    engine.update(batches=())
    batches.update_snapshot(engine.snapshot())
    assert batches.state.kind == "empty"


@pytest.fixture
def withdrawals(qtbot, theme, engine: SampleEngine) -> WithdrawalsPanel:
    made = WithdrawalsPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(384, 280)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


def test_withdrawals_have_steps_and_the_missing_exits_are_named(withdrawals: WithdrawalsPanel) -> None:
    assert [card.title.text() for card in withdrawals.cards] == [
        "#3  2,500.00 pUSD",
        "#2  1,250.44 pUSD",
        "#1  800.00 pUSD",
    ]
    assert [card.claim.isHidden() for card in withdrawals.cards] == [True, False, True]
    words = " ".join(label.text() for label in withdrawals.findChildren(QLabel))
    for name in ("Fast withdrawal: not built yet", "Forced withdrawal: not built yet", "Escape: not built yet"):
        assert name in words
    assert "last 20 batches" in withdrawals.source.text()


def test_a_claim_from_the_stepper_is_sent_once(qtbot, withdrawals: WithdrawalsPanel, engine: SampleEngine) -> None:
    card = withdrawals.cards[1]
    with qtbot.waitSignal(withdrawals.noticed):
        qtbot.mouseClick(card.claim, Qt.MouseButton.LeftButton)
    assert [name for name, _ in engine.asked] == ["claim"]
    assert card.claim.isHidden()
    assert "claim sent" in card.next.text()


def test_a_refused_claim_keeps_the_button(qtbot, withdrawals: WithdrawalsPanel, engine: SampleEngine) -> None:
    engine.refusal = ProtocolError("nothing waits on L1")
    with qtbot.waitSignal(withdrawals.refused):
        qtbot.mouseClick(withdrawals.cards[1].claim, Qt.MouseButton.LeftButton)
    assert withdrawals.state.kind == "refused"
    assert not withdrawals.cards[1].claim.isHidden()


def test_without_withdrawals_the_panel_offers_one(qtbot, withdrawals: WithdrawalsPanel, engine: SampleEngine) -> None:
    engine.update(withdrawals=())
    withdrawals.update_snapshot(engine.snapshot())
    assert withdrawals.cards == []
    assert not withdrawals.nothing.isHidden()
    with qtbot.waitSignal(withdrawals.withdraw_pressed):
        qtbot.mouseClick(withdrawals.withdraw, Qt.MouseButton.LeftButton)


def test_the_sequencer_says_when_and_why_it_is_halted(qtbot, theme, engine: SampleEngine) -> None:
    panel = SequencerPanel(engine, theme)
    qtbot.addWidget(panel)
    panel.resize(384, 280)
    panel.show()
    panel.update_snapshot(engine.snapshot())
    assert panel.figures.value("Sequence number") == "184,220"
    assert panel.fill.share == 0.4
    assert panel.halted.isHidden()
    assert engine.current is not None
    engine.update(sequencer=replace(engine.current.sequencer, halted="the disk is full"))
    panel.update_snapshot(engine.snapshot())
    assert panel.halted.text() == "The sequencer has halted: the disk is full"
    assert not panel.halted.isHidden()


@pytest.mark.parametrize("kind", [BatchesPanel, WithdrawalsPanel, SequencerPanel])
def test_panels_begin_with_loading_and_drain_when_stale(qtbot, theme, engine: SampleEngine, kind: type) -> None:
    panel = kind(engine, theme)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.state.kind == "loading"
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "live"
    panel.set_age(4.0)
    assert panel.state.kind == "stale"
