"""The tables through their widgets, and their models under Qt's own checks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_order
from PySide6.QtCore import QAbstractItemModel, QPoint, Qt
from PySide6.QtWidgets import QApplication

from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.events import Accepted, Rejected
from engine.sequencer.inputs import CancelAll, CancelOrder, PlaceOrder
from tests.support.receipts import sample_receipt
from tests.support.sample_snapshot import SampleEngine, sample_fills
from ui.panels.tables.panel import SPECS, TablesPanel
from ui.viewmodels.tables import Cell, Row
from ui.viewmodels.tables_history import FILLS, fill_rows
from ui.viewmodels.tables_live import ORDERS, POSITIONS, order_rows
from ui.widgets.table_model import RowsModel, SortedRows


@pytest.fixture
def panel(qtbot, theme, engine: SampleEngine) -> TablesPanel:
    made = TablesPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(1280, 260)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


def press(qtbot, panel: TablesPanel, table: str, row: int, column: str) -> None:
    view = panel.views[table]
    index = view.model().index(row, view.spec.index(column))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())


def sent(engine: SampleEngine) -> list[object]:
    return [value for name, value in engine.asked if name == "submit"]


def text(model: QAbstractItemModel, row: int, column: int) -> str:
    return str(model.index(row, column).data())


def test_models_pass_qt_checks_through_changes(qtmodeltester, engine: SampleEngine) -> None:
    snapshot = engine.snapshot()
    assert snapshot is not None
    model = RowsModel(FILLS, "pUSD")
    rows = fill_rows(snapshot, DEFAULT_CONFIG)
    model.set_rows(rows[5:])
    qtmodeltester.check(model, force_py=True)  # stays connected: every change below is checked too
    for shown in (rows, rows[:3] + rows[7:], tuple(reversed(rows)), ()):
        model.set_rows(shown)
        assert [model.key(row) for row in range(model.rowCount())] == [row.key for row in shown]
    assert not model.set_rows(())


def test_only_the_cells_that_differ_are_told(engine: SampleEngine) -> None:
    snapshot = engine.snapshot()
    assert snapshot is not None
    assert snapshot.user is not None
    model = RowsModel(ORDERS, "pUSD")
    model.set_rows(order_rows(snapshot.user, DEFAULT_CONFIG))
    told: list[tuple[int, int, int, int]] = []
    model.dataChanged.connect(lambda a, b, _=None: told.append((a.row(), a.column(), b.row(), b.column())))
    first = snapshot.user.orders[0]
    moved = replace(snapshot.user, orders=(replace(first, lots_ahead=first.lots_ahead - 1), *snapshot.user.orders[1:]))
    model.set_rows(order_rows(moved, DEFAULT_CONFIG))
    row = [row.key for row in model.rows].index(first.order_id)
    assert told == [(row, ORDERS.index("ahead"), row, ORDERS.index("ahead"))]


def test_sorting_compares_values_beyond_32_bits_not_text(qtmodeltester) -> None:
    model = RowsModel(POSITIONS, "pUSD")
    width = len(POSITIONS.columns)
    values = (9_000_000_000, -5, 10_000_000_000_000, 3)
    model.set_rows([Row(k, tuple(Cell(str(value), value) for _ in range(width))) for k, value in enumerate(values)])
    proxy = SortedRows(model)
    qtmodeltester.check(proxy, force_py=True)
    proxy.sort(4, Qt.SortOrder.DescendingOrder)
    assert [proxy.key(row) for row in range(4)] == [2, 0, 3, 1]


def test_positions_show_units_and_align(panel: TablesPanel) -> None:
    model = panel.views["positions"].model()
    header = model.headerData(POSITIONS.index("entry"), Qt.Orientation.Horizontal)
    assert header == "Entry pUSD"
    alignment = model.index(0, POSITIONS.index("entry")).data(Qt.ItemDataRole.TextAlignmentRole)
    assert alignment & Qt.AlignmentFlag.AlignRight
    assert text(model, 0, POSITIONS.index("health")) == "10.8 % to liquidation at 51,220.4"
    assert panel.tabs.tabText(0) == "Positions 2"
    assert panel.tabs.tabText(1) == "Orders 5"


@pytest.mark.parametrize(("column", "lots"), [("close", 1_250), ("half", 625)])
def test_closing_sends_a_reducing_market_order(
    qtbot, panel: TablesPanel, engine: SampleEngine, column: str, lots: int
) -> None:
    press(qtbot, panel, "positions", 0, column)
    (order,) = sent(engine)
    assert isinstance(order, PlaceOrder)
    assert (order.market, order.side, order.type, order.lots, order.reduce_only) == (1, "sell", "market", lots, True)


def point(panel: TablesPanel, row: int, column: str) -> None:
    view = panel.views["positions"]
    view._hover(view.model().index(row, view.spec.index(column)))


def told(panel: TablesPanel) -> dict[str, str]:
    """The closing strip: names and values."""
    return {fact.name: fact.text for fact in panel.closing.facts}


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch, engine: SampleEngine) -> list[PlaceOrder]:
    """The engine prices what it is asked: 12,000,000 quanta of fee for a whole position, 6,000,000 for a part."""
    asked: list[PlaceOrder] = []

    def preview(order: PlaceOrder) -> object:
        asked.append(order)
        size = engine.current.user.account.size(order.market)  # type: ignore[union-attr]
        fee = 12_000_000 if order.lots == abs(size) else 6_000_000
        return sample_receipt(
            lots=order.lots, filled=order.lots, size_before=size, fee_taker=fee, realised=527_250_000, mark_bps=3
        )

    monkeypatch.setattr(engine, "preview", preview)
    return asked


def test_what_closing_costs_is_seen_before_the_click(qtbot, priced: list, panel: TablesPanel) -> None:
    """Without pointing: Close of the first position. One click is still enough."""
    assert panel.closing.isVisible()
    assert told(panel) == {
        "Close BTC-USD at market": "sell 1.250 BTC",
        "Average": "57,413.1",
        "Fee pUSD": "12.00",
        "Worse than mark": "3 bps",
        "Realises pUSD": "+527.25",
    }
    point(panel, 0, "half")
    assert (told(panel)["Half BTC-USD at market"], told(panel)["Fee pUSD"]) == ("sell 0.625 BTC", "6.00")
    point(panel, 1, "close")
    assert told(panel)["Close ETH-USD at market"] == "buy 8.000 ETH"
    tip = panel.views["positions"].model().index(1, POSITIONS.index("close")).data(Qt.ItemDataRole.ToolTipRole)
    assert "buy 8.000 ETH" in tip
    assert "Fee pUSD 12.00" in tip


def test_the_order_that_is_priced_is_the_order_that_is_sent(
    qtbot, priced: list, panel: TablesPanel, engine: SampleEngine
) -> None:
    panel.closing.preview(engine.current.user)  # type: ignore[union-attr]
    half, whole = priced[0], priced[1]
    press(qtbot, panel, "positions", 0, "close")
    assert replace_order(sent(engine)[0], client_id="") == whole
    assert replace_order(whole, lots=625) == half


def test_the_keyboard_points_too(qtbot, priced: list, panel: TablesPanel) -> None:
    view = panel.views["positions"]
    view.setCurrentIndex(view.model().index(0, POSITIONS.index("half")))
    assert "Half BTC-USD at market" in told(panel)


def test_the_strip_follows_the_tab_and_the_positions(qtbot, priced: list, panel: TablesPanel, engine) -> None:
    panel.show_table("orders")
    assert not panel.closing.isVisible()
    panel.show_table("positions")
    assert panel.closing.isVisible()
    user = engine.current.user
    engine.update(user=replace(user, account=user.account.with_position(1, 40, 0), positions=moved(user.positions, 40)))
    panel.update_snapshot(engine.snapshot())  # at once, not at the next time of asking
    assert told(panel)["Close BTC-USD at market"] == "sell 0.040 BTC"
    engine.update(user=replace(user, positions=()))
    panel.update_snapshot(engine.snapshot())
    assert not panel.closing.isVisible()


def moved(positions: tuple, size: int) -> tuple:
    return (replace(positions[0], size=size), *positions[1:])


def test_a_close_locks_until_it_is_answered(qtbot, panel: TablesPanel, engine: SampleEngine) -> None:
    press(qtbot, panel, "positions", 0, "close")
    close = POSITIONS.index("close")
    assert text(panel.views["positions"].model(), 0, close) == "Closing"
    press(qtbot, panel, "positions", 0, "close")
    assert len(sent(engine)) == 1
    order = sent(engine)[0]
    assert isinstance(order, PlaceOrder)
    engine.events.append(Accepted(sequence=1, time=0, account=16, client_id=order.client_id))
    engine.update()
    with qtbot.waitSignal(panel.accepted) as caught:
        panel.update_snapshot(engine.snapshot())
    assert caught.args == ["close BTC-USD: accepted"]
    assert text(panel.views["positions"].model(), 0, close) == "Close"


def test_a_double_click_on_half_halves_once(qtbot, panel: TablesPanel, engine: SampleEngine) -> None:
    for _ in range(3):  # each press is answered before the next one comes
        press(qtbot, panel, "positions", 0, "half")
        order = sent(engine)[-1]
        assert isinstance(order, PlaceOrder)
        engine.events.append(Accepted(sequence=1, time=0, account=16, client_id=order.client_id))
        engine.update()
        panel.update_snapshot(engine.snapshot())
    assert len(sent(engine)) == 1


def test_a_refused_cancel_is_shown_with_its_reason(
    qtbot, monkeypatch: pytest.MonkeyPatch, panel: TablesPanel, engine: SampleEngine
) -> None:
    monkeypatch.setattr(QApplication, "doubleClickInterval", lambda: -1)  # presses below are meant one by one
    panel.show_table("orders")
    press(qtbot, panel, "orders", 1, "cancel")
    (command,) = sent(engine)
    assert isinstance(command, CancelOrder)
    assert command.order_id == panel.views["orders"].rows.key(1)
    for _ in range(2):  # the same refusal twice is shown twice
        engine.events.append(
            Rejected(
                sequence=1, time=0, account=16, client_id=sent(engine)[-1].client_id, code="unknown_order",  # type: ignore[attr-defined]
                message="order 7 is not resting on this account", field="order_id", limit="resting",
            )
        )  # fmt: skip
        engine.update()
        with qtbot.waitSignal(panel.refused):
            panel.update_snapshot(engine.snapshot())
        assert panel.state.kind == "refused"
        assert "not resting" in panel.state.title
        press(qtbot, panel, "orders", 1, "cancel")


def test_cancel_all_says_how_many(qtbot, panel: TablesPanel, engine: SampleEngine) -> None:
    assert panel.cancel_all.text() == "Cancel 5 orders"
    qtbot.mouseClick(panel.cancel_all, Qt.MouseButton.LeftButton)
    (command,) = sent(engine)
    assert isinstance(command, CancelAll)
    assert command.market == 0
    assert panel.cancel_all.text() == "Cancelling all"
    assert not panel.cancel_all.isEnabled()
    assert engine.current is not None
    assert engine.current.user is not None
    engine.events.append(Accepted(sequence=1, time=0, account=16, client_id=command.client_id))
    engine.update(user=replace(engine.current.user, orders=()))
    panel.update_snapshot(engine.snapshot())
    assert panel.cancel_all.text() == "No orders to cancel"
    assert not panel.cancel_all.isEnabled()


def test_enter_on_an_action_cell_acts_and_elsewhere_does_not(qtbot, panel: TablesPanel, engine: SampleEngine) -> None:
    panel.show_table("orders")
    view = panel.views["orders"]
    view.setFocus()
    view.setCurrentIndex(view.model().index(0, ORDERS.index("price")))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert sent(engine) == []
    view.setCurrentIndex(view.model().index(0, ORDERS.index("cancel")))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert len(sent(engine)) == 1


def test_sorted_orders_cancel_the_row_that_is_shown(qtbot, panel: TablesPanel, engine: SampleEngine) -> None:
    panel.show_table("orders")
    view = panel.views["orders"]
    view.sortByColumn(ORDERS.index("size"), Qt.SortOrder.DescendingOrder)
    press(qtbot, panel, "orders", 0, "cancel")
    (command,) = sent(engine)
    assert isinstance(command, CancelOrder)
    assert command.order_id == 70_003  # the 12 ETH


def test_rows_do_not_jump_under_the_pointer(qtbot, panel: TablesPanel, engine: SampleEngine) -> None:
    panel.show_table("fills")
    view = panel.views["fills"]
    view.sortByColumn(FILLS.index("price"), Qt.SortOrder.DescendingOrder)
    before = [view.sorted.key(row) for row in range(view.sorted.rowCount())]
    qtbot.mouseMove(view.viewport(), QPoint(20, 20))
    view.sorted.setDynamicSortFilter(False)  # what entering with the pointer does
    assert engine.current is not None
    moved = tuple(replace(fill, price=fill.price + 7_000 * (k % 2)) for k, fill in enumerate(engine.current.fills))
    engine.update(fills=moved)
    panel.update_snapshot(engine.snapshot())
    assert [view.sorted.key(row) for row in range(view.sorted.rowCount())] == before
    view.sorted.setDynamicSortFilter(True)
    view.sorted.sort(FILLS.index("price"), Qt.SortOrder.DescendingOrder)
    assert [view.sorted.key(row) for row in range(view.sorted.rowCount())] != before


@pytest.mark.parametrize("width", [480, 760, 960, 1280, 1920])
def test_nothing_scrolls_sideways_and_actions_stay(qtbot, theme, engine: SampleEngine, width: int) -> None:
    panel = TablesPanel(engine, theme)
    qtbot.addWidget(panel)
    panel.resize(width, 240)
    panel.show()
    panel.update_snapshot(engine.snapshot())
    for spec in SPECS:
        panel.show_table(spec.name)
        view = panel.views[spec.name]
        qtbot.waitUntil(lambda view=view: view.viewport().width() > width - 40)
        shown = [k for k in range(len(spec.columns)) if not view.isColumnHidden(k)]
        assert all(k in shown for k, column in enumerate(spec.columns) if column.rank == 0)
        if width >= 760:
            assert sum(view.columnWidth(k) for k in shown) <= view.viewport().width()


def test_only_the_front_table_is_built(panel: TablesPanel, engine: SampleEngine) -> None:
    assert panel.views["fills"].rows.rowCount() == 0
    panel.show_table("fills")
    assert panel.views["fills"].rows.rowCount() == len(sample_fills())
    with pytest.raises(KeyError):
        panel.show_table("nothing")


def test_a_table_without_rows_says_why(panel: TablesPanel, engine: SampleEngine) -> None:
    engine.update(user=None, fills=())
    panel.update_snapshot(engine.snapshot())
    view = panel.views["positions"]
    assert view.rows.rowCount() == 0
    image = view.viewport().grab().toImage()
    ground = image.pixelColor(2, 2)
    assert any(image.pixelColor(x, image.height() // 2) != ground for x in range(image.width()))
