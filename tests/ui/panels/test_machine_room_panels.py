"""Batches, proof, withdrawals and sequencer through their widgets."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel
from sample_snapshot import SampleEngine, batch_view

from engine.errors import CorruptData, ProtocolError
from engine.proving.coverage import COVERED, NOT_COVERED
from ui.panels.batches import BatchesPanel
from ui.panels.batches_lanes import HEADER, STAMP, lane_layout
from ui.panels.sequencer import SequencerPanel
from ui.panels.withdrawals import WithdrawalsPanel


@pytest.fixture
def batches(qtbot, theme, engine: SampleEngine) -> BatchesPanel:
    made = BatchesPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(576, 280)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


def click_lane(qtbot, panel: BatchesPanel, index: int) -> None:
    centre = panel.lanes.lane_rect(index).center()
    qtbot.mouseClick(panel.lanes.viewport(), Qt.MouseButton.LeftButton, pos=centre)


def test_the_head_tells_prove_times_and_failures(batches: BatchesPanel) -> None:
    assert batches.prove_times.text().startswith("prove p50")
    assert batches.failures.text() == "1 failed, retried"
    assert len(batches.history.values) == 120
    assert batches.gate.text() == "L1 gate: fact registered by an operator key after native verification"


@pytest.mark.parametrize("width", [360, 576, 700, 1000, 1280, 1920])
def test_lanes_fit_their_width_and_stamps_fit_their_steps(width: int) -> None:
    layout = lane_layout(width)
    places = [layout.number, layout.contents, *layout.steps, layout.time, layout.size, layout.gas, layout.note]
    assert all(place[0] + place[1] <= width for place in places)
    lefts = [left for left, _ in (layout.number, *layout.steps, layout.time, layout.size, layout.gas, layout.note)]
    assert lefts == sorted(lefts)
    if width >= 576:
        assert min(wide for _, wide in layout.steps) >= STAMP


def test_choosing_a_batch_shows_its_proof_and_the_way_back(qtbot, batches: BatchesPanel) -> None:
    click_lane(qtbot, batches, 6)
    assert batches.pages.currentIndex() == 1
    assert batches.proof.title.text() == "Batch 41"
    assert batches.proof.facts.value("Security") == "102 bits proven, 128 conjectured"
    words = [label.text() for label in batches.proof.findChildren(QLabel)]
    assert all(f"+ {text}" in words for text in COVERED)
    assert all(f"- {text}" in words for text in NOT_COVERED)
    assert "What gates L1 today: fact registered by an operator key after native verification." in words
    qtbot.keyClick(batches.proof.back, Qt.Key.Key_Escape)
    assert batches.pages.currentIndex() == 0


def test_the_keyboard_reaches_every_batch(qtbot, batches: BatchesPanel) -> None:
    batches.lanes.setFocus()
    for _ in range(12):
        qtbot.keyClick(batches.lanes, Qt.Key.Key_Down)
    assert batches.lanes.verticalScrollBar().value() > 0
    qtbot.keyClick(batches.lanes, Qt.Key.Key_Return)
    assert batches.proof.title.text() == "Batch 36"


def test_a_click_on_the_titles_chooses_nothing(qtbot, batches: BatchesPanel) -> None:
    qtbot.mouseClick(batches.lanes.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, HEADER // 2))
    assert batches.pages.currentIndex() == 0


def test_new_batches_do_not_move_a_scrolled_list(batches: BatchesPanel, engine: SampleEngine) -> None:
    bar = batches.lanes.verticalScrollBar()
    bar.setValue(96)
    under = batches.lanes._lane_at(QPoint(20, 100))
    assert engine.current is not None
    newest = batch_view(48, "open", engine.current.time)
    engine.update(batches=(newest, *engine.current.batches))
    batches.update_snapshot(engine.snapshot())
    after = batches.lanes._lane_at(QPoint(20, 100))
    assert under is not None
    assert after is not None
    assert after.number == under.number


def test_verifying_runs_off_the_window_thread_and_tells_the_verdict(
    qtbot, batches: BatchesPanel, engine: SampleEngine
) -> None:
    threads: list[threading.Thread] = []
    plain = engine.verify_batch

    def verify(number: int) -> str:
        threads.append(threading.current_thread())
        return plain(number)

    engine.verify_batch = verify  # type: ignore[method-assign]
    batches.show_batch(41)
    qtbot.mouseClick(batches.proof.verify, Qt.MouseButton.LeftButton)
    assert not batches.proof.verify.isEnabled()
    qtbot.waitUntil(lambda: batches.on_frame(0.0))
    assert batches.proof.verdict.text() == "batch 41: accepted"
    assert threads[0] is not threading.main_thread()
    assert batches.proof.verify.isEnabled()


def test_a_proof_that_does_not_verify_is_told(qtbot, batches: BatchesPanel, engine: SampleEngine) -> None:
    engine.refusal = CorruptData("proof file of batch 41: Merkle path 3 does not match", field="proof")
    batches.show_batch(41)
    qtbot.mouseClick(batches.proof.verify, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: batches.on_frame(0.0))
    assert "does not match" in batches.proof.verdict.text()
    assert batches.proof.verdict.property("tone") == "danger"


def test_a_batch_without_a_proof_cannot_be_verified(batches: BatchesPanel) -> None:
    batches.show_batch(45)
    assert not batches.proof.verify.isEnabled()
    assert batches.proof.verify.toolTip() == "there is no proof yet"
    assert batches.proof.facts.value("Security") == "–"


def test_a_batch_that_leaves_the_view_returns_to_the_lanes(batches: BatchesPanel, engine: SampleEngine) -> None:
    batches.show_batch(41)
    assert engine.current is not None
    engine.update(batches=engine.current.batches[:3])
    batches.update_snapshot(engine.snapshot())
    assert batches.pages.currentIndex() == 0


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
    assert "claim is sent" in card.next.text()


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
    assert panel.halted.text() == "The sequencer takes no inputs: the disk is full"
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
