"""The tape on screen."""

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from ui.panels.trades import FLASH_SECONDS, TradesPanel


@pytest.fixture
def panel(theme, engine, qtbot):
    made = TradesPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(320, 260)
    made.show()
    made.update_snapshot(engine.snapshot())
    QApplication.processEvents()
    return made


def test_a_new_trade_flashes_and_the_flash_ends_after_150_ms(panel, engine):
    assert FLASH_SECONDS <= 0.15
    assert panel.view.fresh == 0
    engine.advance()
    panel.update_snapshot(engine.snapshot())
    assert panel.view.fresh == 1
    now = time.perf_counter()
    assert not panel.on_frame(now)
    assert panel.on_frame(now + FLASH_SECONDS + 0.01)
    assert panel.view.fresh == 0
    assert not panel.on_frame(now + 1)


def test_a_scrolled_tape_does_not_move_under_the_reader(panel, engine):
    panel.view.offset = 10
    first = panel.model.rows[10].fill_id
    engine.advance()
    panel.update_snapshot(engine.snapshot())
    assert panel.model.rows[panel.view.offset].fill_id == first


def test_keys_scroll_to_older_trades_and_back(panel, qtbot):
    for key, offset in ((Qt.Key.Key_Down, 1), (Qt.Key.Key_PageDown, panel.view.visible_rows()), (Qt.Key.Key_Home, 0)):
        qtbot.keyClick(panel.view, key)
        assert panel.view.offset == offset


def test_only_rows_that_fit_are_painted(panel):
    panel.view.painted_rows = 0
    panel.view.repaint()
    view = panel.view
    assert view.painted_rows == view.visible_rows() < len(panel.model.rows)
    assert view.row_rect(view.painted_rows - 1).bottom() < view.height(), "no row is cut by the edge"


def test_a_market_without_trades_says_so(panel, engine):
    engine.update(trades=())
    panel.set_market(2)
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "empty"
