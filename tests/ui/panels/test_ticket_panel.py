"""The ticket through its widgets: typing, clicking, the receipt, locking and refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.errors import ProtocolError
from engine.exchange.refusals import InsufficientMargin
from engine.sequencer.events import Accepted, Rejected
from engine.sequencer.inputs import PlaceOrder
from tests.support.receipts import sample_receipt
from tests.support.sample_snapshot import SampleEngine
from ui.panels.ticket import panel as ticket_module
from ui.panels.ticket.panel import TicketPanel


@pytest.fixture(autouse=True)
def _receipts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket_module, "RECEIPT_EVERY_SECONDS", 0.0)


@pytest.fixture
def panel(qtbot, theme, engine: SampleEngine) -> TicketPanel:
    engine.receipt = sample_receipt()
    made = TicketPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(420, 560)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


def click(qtbot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def retype(qtbot, line: QLineEdit, text: str) -> None:
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)


def step(panel: TicketPanel, engine: SampleEngine) -> None:
    engine.update()
    panel.update_snapshot(engine.snapshot())


def sent(engine: SampleEngine) -> list[PlaceOrder]:
    return [value for name, value in engine.asked if name == "submit"]


def test_a_market_order_shows_no_price_field(qtbot, panel: TicketPanel) -> None:
    fields = panel.fields
    assert fields.price_edit.isHidden()
    assert fields.post_only.isHidden()
    assert fields.tif.isHidden()
    click(qtbot, fields.type.buttons["limit"])
    assert not fields.price_edit.isHidden()
    assert not fields.post_only.isHidden()
    assert not fields.tif.isHidden()


def test_what_is_clicked_before_the_first_picture_is_for_the_panel_s_market(qtbot, theme, engine: SampleEngine) -> None:
    made = TicketPanel(engine, theme)
    qtbot.addWidget(made)
    made.fields.type.buttons["limit"].click()
    assert (made.form.market, made.form.type) == (made.market, "limit")


def test_a_typed_order_is_sent_as_typed(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    click(qtbot, panel.fields.side.buttons["sell"])
    click(qtbot, panel.fields.type.buttons["limit"])
    retype(qtbot, panel.fields.price_edit.line, "57.5k")
    retype(qtbot, panel.fields.size_edit.line, "0.4")
    click(qtbot, panel.fields.post_only)
    assert panel.button.words == "Sell 0.400 BTC at 57,500.0, 23,000.00 pUSD"
    click(qtbot, panel.button)
    (order,) = sent(engine)
    assert (order.side, order.type, order.price, order.lots, order.post_only) == ("sell", "limit", 575_000, 400, True)
    assert order.client_id


def test_the_button_locks_until_the_acknowledgement(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    assert panel.button.words == "Buy 0.250 BTC at market, about 14,353.29 pUSD"
    click(qtbot, panel.button)
    assert not panel.button.isEnabled()
    assert panel.fields.size_edit.line.hasFocus()  # not whatever comes after a locked button
    assert "acknowledgement" in panel.button.words
    click(qtbot, panel.button)
    qtbot.keyClick(panel.fields.size_edit.line, Qt.Key.Key_Return)
    assert len(sent(engine)) == 1
    engine.events.append(Accepted(sequence=9, time=0, account=16, client_id=sent(engine)[0].client_id, order_id=5))
    with qtbot.waitSignal(panel.accepted) as caught:
        step(panel, engine)
    assert "accepted" in caught.args[0]
    assert panel.button.isEnabled()
    assert panel.fields.size_edit.text() == ""  # the same click again must not double the position


def test_what_is_typed_before_the_answer_comes_is_kept(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    click(qtbot, panel.button)
    retype(qtbot, panel.fields.size_edit.line, "0.4")
    engine.events.append(Accepted(sequence=9, time=0, account=16, client_id=sent(engine)[0].client_id, order_id=5))
    step(panel, engine)
    assert panel.fields.size_edit.text() == "0.4"
    click(qtbot, panel.button)
    assert [order.lots for order in sent(engine)] == [250, 400]


def test_the_second_press_of_a_double_click_neither_buys_again_nor_complains(
    qtbot, panel: TicketPanel, engine: SampleEngine
) -> None:
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    click(qtbot, panel.button)
    engine.events.append(Accepted(sequence=9, time=0, account=16, client_id=sent(engine)[0].client_id, order_id=5))
    step(panel, engine)
    click(qtbot, panel.button)
    assert len(sent(engine)) == 1
    assert panel.fields.size_edit.error == ""


def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(
    qtbot, panel: TicketPanel, engine: SampleEngine
) -> None:
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    click(qtbot, panel.button)
    engine.events.append(
        Rejected(
            sequence=9, time=0, account=16, client_id=sent(engine)[0].client_id, code="insufficient_margin",
            message="initial margin would be short by 123.45", field="lots", limit="0",
        )
    )  # fmt: skip
    with qtbot.waitSignal(panel.refused):
        step(panel, engine)
    assert panel.fields.size_edit.error == "initial margin would be short by 123.45"
    assert panel.fields.size_edit.text() == "0.25"
    assert panel.button.isEnabled()
    qtbot.keyClicks(panel.fields.size_edit.line, "1")
    assert panel.fields.size_edit.error == ""


def test_a_refusal_without_a_field_stands_above_the_button(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    engine.refusal = ProtocolError("the queue holds 4096 commands", field="queue", limit=4096)
    with qtbot.waitSignal(panel.refused):
        click(qtbot, panel.button)
    assert panel.message.text() == "the queue holds 4096 commands"
    assert panel.message.isVisible()
    assert panel.button.isEnabled()


@pytest.mark.parametrize(
    ("text", "part"), [("abc", "not a number"), ("0.0001", "3 decimals"), ("9999", "1,000.000 BTC")]
)
def test_bad_text_says_so_beside_the_field(
    qtbot, panel: TicketPanel, engine: SampleEngine, text: str, part: str
) -> None:
    retype(qtbot, panel.fields.size_edit.line, text)
    assert part in panel.fields.size_edit.error
    assert panel.button.isEnabled()
    assert panel.button.words == "Buy BTC: correct the size"
    click(qtbot, panel.button)
    assert sent(engine) == []
    assert part in panel.fields.size_edit.error


def test_pressing_with_empty_fields_names_them_and_takes_the_cursor_there(qtbot, panel: TicketPanel) -> None:
    click(qtbot, panel.fields.type.buttons["limit"])
    assert panel.fields.price_edit.error == ""
    click(qtbot, panel.button)
    assert panel.fields.price_edit.error == "enter a price"
    assert panel.fields.size_edit.error == "enter a size"
    qtbot.waitUntil(panel.fields.price_edit.line.hasFocus)


def test_percent_and_leverage_size_the_order(qtbot, panel: TicketPanel) -> None:
    click(qtbot, panel.fields.sizing.buttons[25])
    quarter = panel.reading.order
    assert quarter is not None
    panel.fields.sizing.slider.setFocus()
    qtbot.keyClick(panel.fields.sizing.slider, Qt.Key.Key_PageUp)
    assert panel.form.leverage_tenths == 30
    larger = panel.reading.order
    assert larger is not None
    assert larger.lots > quarter.lots
    assert panel.fields.sizing.buttons[25].isChecked()
    retype(qtbot, panel.fields.size_edit.line, "0.1")
    assert panel.form.percent is None
    assert not panel.fields.sizing.buttons[25].isChecked()


def test_a_percentage_never_asks_for_more_than_the_venue_accepts(
    qtbot, monkeypatch: pytest.MonkeyPatch, panel: TicketPanel, engine: SampleEngine
) -> None:
    short = InsufficientMargin(5_000_000, 1_000_000)
    monkeypatch.setattr(
        engine, "preview", lambda order: sample_receipt(refusal=short if order.lots > 1_000 else None), raising=True
    )
    retype(qtbot, panel.fields.sizing.box.line, "20")
    order = panel.reading.order
    assert order is not None
    assert 980 <= order.lots < 1_000
    assert panel.fields.size_edit.words.text().endswith("the maximum")
    assert not panel.message.isVisible()
    retype(qtbot, panel.fields.size_edit.line, "2")  # a typed size is the user's own
    order = panel.reading.order
    assert order is not None
    assert order.lots == 2_000
    assert "short by" in panel.message.text()


def test_a_percentage_that_cannot_be_accepted_at_all_shows_the_refusal(
    qtbot, panel: TicketPanel, engine: SampleEngine
) -> None:
    engine.receipt = sample_receipt(refusal=InsufficientMargin(5_000_000, 1_000_000))
    click(qtbot, panel.fields.sizing.buttons[50])
    assert panel.fields.size_edit.text() != ""
    assert "short by 5.00" in panel.message.text()


def test_typed_leverage_is_bounded(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    retype(qtbot, panel.fields.sizing.box.line, "25")
    assert "20x" in panel.fields.sizing.error
    step(panel, engine)
    assert panel.message.isVisible()
    assert panel.message.text() == panel.fields.sizing.error
    retype(qtbot, panel.fields.sizing.box.line, "12.5")
    assert panel.fields.sizing.error == ""
    assert panel.form.leverage_tenths == 125
    assert panel.form.percent == 100


def test_reduce_only_takes_a_share_of_the_position(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    assert not panel.fields.reduce_only.isEnabled()
    assert "long" in panel.fields.reduce_only.toolTip()
    click(qtbot, panel.fields.side.buttons["sell"])
    assert panel.fields.reduce_only.isEnabled()
    click(qtbot, panel.fields.reduce_only)
    click(qtbot, panel.fields.sizing.buttons[50])
    assert not panel.fields.sizing.slider.isEnabled()
    click(qtbot, panel.button)
    (order,) = sent(engine)
    assert (order.lots, order.reduce_only) == (625, True)


def test_the_receipt_follows_order_and_snapshot(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    assert panel.figures.value("Leverage") == "–"
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    assert panel.figures.value("Leverage") == "4.35x → 5.03x"
    engine.receipt = sample_receipt(liquidation_after=555_555)
    step(panel, engine)
    assert panel.figures.value("Liquidation at") == "51,220.4 → 55,555.5"


def test_a_refusal_ahead_is_shown_but_does_not_block(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    engine.receipt = sample_receipt(refusal=InsufficientMargin(5_000_000, 1_000_000))
    retype(qtbot, panel.fields.size_edit.line, "99")
    assert "short by 5.00" in panel.message.text()
    click(qtbot, panel.button)
    assert len(sent(engine)) == 1


def test_a_ladder_click_sets_side_and_price(panel: TicketPanel) -> None:
    panel.set_price("sell", 574_200)
    assert (panel.form.side, panel.form.type, panel.fields.price_edit.text()) == ("sell", "limit", "57,420.0")
    assert panel.fields.side.buttons["sell"].isChecked()


def test_each_market_keeps_its_form(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    panel.set_market(2)
    step(panel, engine)
    assert panel.fields.size_edit.text() == ""
    assert "ETH" in panel.button.words
    panel.set_market(1)
    step(panel, engine)
    assert panel.fields.size_edit.text() == "0.25"


def test_halted_and_no_account_are_said(panel: TicketPanel, engine: SampleEngine) -> None:
    assert engine.current is not None
    engine.update(sequencer=replace(engine.current.sequencer, halted="the journal does not write"))
    panel.update_snapshot(engine.snapshot())
    assert "the journal does not write" in panel.message.text()
    engine.update(user=None)
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "empty"


def test_an_answer_that_never_comes_unlocks_with_words(qtbot, panel: TicketPanel, engine: SampleEngine) -> None:
    retype(qtbot, panel.fields.size_edit.line, "0.25")
    click(qtbot, panel.button)
    engine.update(wall_time=60.0)
    panel.update_snapshot(engine.snapshot())
    assert "no acknowledgement" in panel.message.text()
    assert panel.button.isEnabled()
