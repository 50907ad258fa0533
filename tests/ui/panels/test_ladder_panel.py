"""The ladder on screen: clicks, keys, only changed rows painted, own orders marked."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from tests.support.sample_snapshot import BTC_MID, SampleEngine
from ui.panels.ladder.panel import LadderPanel
from ui.panels.ladder.view import lots_text


@pytest.fixture
def panel(theme, engine, qtbot):
    made = LadderPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(384, 620)
    made.show()
    made.update_snapshot(engine.snapshot())
    QApplication.processEvents()
    return made


def slot_of(panel, price):
    return next(k for k, row in enumerate(panel.model.rows) if row.price == price)


def centre(panel, slot, column):
    rect = panel.view.columns(panel.view.row_rect(slot))[column]
    return rect.center()


@pytest.mark.parametrize(("column", "side"), [(1, "buy"), (3, "sell")])
def test_a_click_offers_price_and_side(panel, qtbot, column, side):
    slot = slot_of(panel, BTC_MID - 5)
    with qtbot.waitSignal(panel.price_clicked) as caught:
        qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=centre(panel, slot, column))
    assert caught.args == [side, BTC_MID - 5]


def test_a_click_on_the_spread_row_or_the_titles_offers_nothing(panel, qtbot):
    slot = slot_of(panel, None)
    with qtbot.assertNotEmitted(panel.price_clicked):
        qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=centre(panel, slot, 1))
        qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=QPoint(200, 4))


def test_keys_choose_a_row_and_offer_it(panel, qtbot):
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    ticks = panel.model.price_of_slot(panel.view.cursor_row)
    for key, side in ((Qt.Key.Key_B, "buy"), (Qt.Key.Key_S, "sell")):
        with qtbot.waitSignal(panel.price_clicked) as caught:
            qtbot.keyClick(panel.view, key)
        assert caught.args == [side, ticks]


def test_only_changed_rows_are_painted(panel, engine):
    QApplication.processEvents()
    panel.view.painted_rows = 0
    engine.advance(changes=1)
    panel.update_snapshot(engine.snapshot())
    QApplication.processEvents()
    assert panel.view.painted_rows < len(panel.model.rows) // 2


def test_the_same_version_paints_nothing(panel, engine):
    panel.view.painted_rows = 0
    assert not panel.update_snapshot(engine.snapshot())
    QApplication.processEvents()
    assert panel.view.painted_rows == 0


def test_own_orders_are_painted_in_their_row(panel, theme):
    slot = slot_of(panel, BTC_MID - 6)
    box = panel.view.columns(panel.view.row_rect(slot))[0]
    image = panel.view.grab().toImage()
    assert image.pixelColor(box.left() + 1, box.center().y()).name() == theme.color("bid").name()
    assert image.pixelColor(box.right() - 2, box.center().y()).name() == theme.color("accent_fill").name()


def test_regrouping_takes_effect_at_once(panel):
    panel.group_box.setCurrentIndex(4)
    assert all(row.price % 10 == 0 for row in panel.model.rows if row.price is not None)


def test_the_wheel_scrolls_and_the_button_brings_the_market_back(panel, qtbot):
    panel.model.scroll(500)
    panel._show_again()
    assert None not in [row.price for row in panel.model.rows]
    assert panel.centre_button.isVisible()
    qtbot.mouseClick(panel.centre_button, Qt.MouseButton.LeftButton)
    assert None in [row.price for row in panel.model.rows]
    assert not panel.centre_button.isVisible()


def test_the_touch_is_said_to_screen_readers(panel):
    said = panel.view.accessibleDescription()
    assert said == "best bid 57,412.2, best ask 57,412.3, 5 orders of yours"


def test_another_market_shows_its_own_prices(panel, engine):
    panel.set_market(2)
    panel.update_snapshot(engine.snapshot())
    assert any("2,472" in row.text for row in panel.model.rows)


def test_an_empty_book_is_said(theme, qtbot):
    from dataclasses import replace

    engine = SampleEngine()
    view = engine.current.markets[1]
    engine.update(markets={1: replace(view, bids=view.bids[:0], asks=view.asks[:0])})
    panel = LadderPanel(engine, theme)
    qtbot.addWidget(panel)
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "empty"
    engine.update(markets={1: view})
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "live"


@pytest.mark.parametrize(("lots", "text"), [(1, "0.001"), (1_234_567, "1234.567"), (1000, "1.000")])
def test_sizes_keep_all_decimals(lots, text):
    assert lots_text(lots, 3) == text
