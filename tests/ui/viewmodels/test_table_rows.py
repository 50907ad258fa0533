"""Rows of the tables, their differences, and which columns give way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.config import DEFAULT_CONFIG
from tests.support.sample_snapshot import sample_account, sample_snapshot
from ui.viewmodels.tables import Cell, Column, Row, row_changes, visible_columns
from ui.viewmodels.tables_history import FILLS, fill_rows, finality, funding_rows, transfer_rows
from ui.viewmodels.tables_live import ORDERS, POSITIONS, closing_order, order_rows, position_rows

SNAPSHOT = sample_snapshot()
USER = sample_account()


def rows(*items: tuple[int, str]) -> tuple[Row, ...]:
    return tuple(Row(key, (Cell(text),)) for key, text in items)


def applied(old: tuple[Row, ...], new: tuple[Row, ...]) -> tuple[Row, ...]:
    """What a model makes of ``old`` by following the changes."""
    changes = row_changes(old, new)
    if changes.reset:
        return new
    work = list(old)
    for first, last in changes.removed:
        del work[first : last + 1]
    for first, last in changes.inserted:
        work[first:first] = new[first : last + 1]
    for index in changes.changed:
        work[index] = new[index]
    return tuple(work)


ROW_LISTS = st.lists(st.integers(0, 12), unique=True, max_size=10).flatmap(
    lambda keys: st.tuples(*[st.tuples(st.just(key), st.sampled_from("abc")) for key in keys])
)


@given(ROW_LISTS, ROW_LISTS)
def test_following_the_changes_gives_the_new_rows(
    old: tuple[tuple[int, str], ...], new: tuple[tuple[int, str], ...]
) -> None:
    assert applied(rows(*old), rows(*new)) == rows(*new)


def test_a_new_row_at_the_top_is_one_insertion() -> None:
    changes = row_changes(rows((1, "a"), (2, "b")), rows((3, "c"), (1, "a"), (2, "x")))
    assert (changes.reset, changes.inserted, changes.removed, changes.changed) == (False, ((0, 0),), (), (2,))


def test_rows_that_swap_reset() -> None:
    assert row_changes(rows((1, "a"), (2, "b")), rows((2, "b"), (1, "a"))).reset


def test_columns_give_way_by_rank_and_never_the_essential_ones() -> None:
    columns = [
        Column("a", "A", "x"),
        Column("b", "B", "x", rank=1),
        Column("c", "C", "x", rank=3),
        Column("d", "D", "x"),
    ]
    assert visible_columns([50] * 4, columns, 200) == [True, True, True, True]
    assert visible_columns([50] * 4, columns, 199) == [True, True, False, True]
    assert visible_columns([50] * 4, columns, 149) == [True, False, False, True]
    assert visible_columns([50] * 4, columns, 10) == [True, False, False, True]


def test_positions_read_like_the_account() -> None:
    btc, eth = position_rows(USER, DEFAULT_CONFIG)
    text = {column.key: cell.text for column, cell in zip(POSITIONS.columns, btc.cells, strict=True)}
    assert text["size"] == "+1.250 BTC"
    assert text["unrealised"] == "+531.61"
    assert text["health"] == "10.8 % to liquidation at 51,220.4"
    assert text["funding"] == "-1.20"
    assert eth.cells[POSITIONS.index("size")].tone == "ask"
    assert eth.cells[POSITIONS.index("unrealised")].tone == "loss"
    for row in (btc, eth):
        assert len(row.cells) == len(POSITIONS.columns)


def test_a_position_without_a_liquidation_price_sorts_last() -> None:
    safe = replace(USER.positions[0], liquidation_price=None)
    first, second = position_rows(replace(USER, positions=(safe, USER.positions[1])), DEFAULT_CONFIG)
    health = POSITIONS.index("health")
    assert first.cells[health].sort > second.cells[health].sort  # type: ignore[operator]
    assert "no liquidation price" in first.cells[health].text


@pytest.mark.parametrize(
    ("size", "half", "side", "lots"), [(5, True, "sell", 3), (5, False, "sell", 5), (-1, True, "buy", 1)]
)
def test_closing_orders_reduce(size: int, half: bool, side: str, lots: int) -> None:
    user = replace(USER, account=USER.account.with_position(1, size, 0))
    order = closing_order(user, 1, "id", half=half)
    assert order is not None
    assert (order.side, order.lots, order.type, order.reduce_only, order.client_id) == (
        side,
        lots,
        "market",
        True,
        "id",
    )


def test_nothing_to_close() -> None:
    assert closing_order(replace(USER, account=USER.account.with_position(1, 0, 0)), 1, "id", half=False) is None


def test_orders_show_their_exact_place_in_the_queue() -> None:
    shown = order_rows(USER, DEFAULT_CONFIG)
    assert [row.key for row in shown] == sorted((order.order_id for order in USER.orders), reverse=True)
    ahead = ORDERS.index("ahead")
    assert shown[0].cells[ahead].text == "1.840 BTC"
    assert "first" in {row.cells[ahead].text for row in shown}


@pytest.mark.parametrize(
    ("more", "words"),
    [({}, ""), ({"reduce_only": True}, "reduce-only"), ({"reduce_only": True, "cut": 40}, "reduce-only, cut 0.040")],
)
def test_reduce_only_orders_say_so_and_what_was_cut(more: dict, words: str) -> None:
    order = replace(USER.orders[0], lots=250, filled=50, **more)
    (row,) = order_rows(replace(USER, orders=(order,)), DEFAULT_CONFIG)
    assert row.cells[ORDERS.index("flags")].text == words
    assert (row.cells[ORDERS.index("size")].text, row.cells[ORDERS.index("filled")].text) == ("0.250 BTC", "0.050")


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (47, "matched, batch 47 open"),
        (46, "in batch 46"),
        (45, "in batch 45, proving"),
        (44, "in batch 44, proof failed"),
        (43, "proved, batch 43"),
        (42, "on L1, batch 42"),
        (41, "on L1, batch 41, final"),
        (3, "on L1, batch 3, final"),
        (90, "in batch 90"),
        (0, "matched"),
    ],
)
def test_where_money_stands(batch: int, words: str) -> None:
    status = {view.number: view.status for view in SNAPSHOT.batches}
    assert finality(batch, status, SNAPSHOT.l1.last_batch)[0] == words


def test_fills_follow_their_batch() -> None:
    column = FILLS.index("finality")
    before = fill_rows(SNAPSHOT, DEFAULT_CONFIG)
    assert before[0].cells[column].text == "on L1, batch 41, final"
    reopened = tuple(replace(b, status="proved") if b.number == 41 else b for b in SNAPSHOT.batches)
    after = fill_rows(replace(SNAPSHOT, batches=reopened), DEFAULT_CONFIG)
    assert after[0].cells[column].text == "proved, batch 41"
    assert len({row.key for row in after}) == len(SNAPSHOT.fills)


def test_a_deleveraged_fill_says_so() -> None:
    fill = replace(SNAPSHOT.fills[0], deleveraged=True, liquidation=False)
    cell = fill_rows(replace(SNAPSHOT, fills=(fill,)), DEFAULT_CONFIG)[0].cells[FILLS.index("role")]
    assert (cell.text, cell.tone) == ("deleveraged", "text")
    assert "bankruptcy price" in cell.tip


def test_funding_is_exact_to_the_quantum() -> None:
    first = funding_rows(SNAPSHOT, DEFAULT_CONFIG)[0]
    assert first.cells[3].text == "-0.030412"
    assert first.cells[3].tone == "loss"


def test_equal_transfers_keep_their_keys_when_newer_ones_arrive() -> None:
    same = (100, "deposit", 5, "credited")
    old = transfer_rows(replace(SNAPSHOT, transfers=(same, same)))
    new = transfer_rows(replace(SNAPSHOT, transfers=((200, "withdrawal", 7, "claimed"), same, same)))
    assert len({row.key for row in old}) == 2
    assert [row.key for row in new[1:]] == [row.key for row in old]


def test_transfer_kinds_are_words() -> None:
    (row,) = transfer_rows(replace(SNAPSHOT, transfers=((1, "deposit_reclaimed", 5, "L1 block 7"),)))
    assert [cell.text for cell in row.cells[1:]] == ["deposit reclaimed", "0.000005", "L1 block 7"]


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(KeyError):
        FILLS.index("nothing")
