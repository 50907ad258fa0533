"""The ladder's rows: fixed prices, the spread row, grouping, recentring, own orders, and only the changed slots."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchange.config import BTC
from tests.support.sample_snapshot import BTC_MID, market_view, sample_orders
from ui.viewmodels.ladder import BAR_STEPS, LadderModel, cumulative, fitting_group, grouped, nice_ceiling, own_marks

SLOTS = 21


def view(bids, asks, last=1000):
    def side(rows):
        return np.array([(p, lots, 1) for p, lots in rows], dtype=np.int64).reshape(-1, 3)

    sample = market_view(BTC, BTC_MID, np.random.default_rng(1))
    return replace(sample, bids=side(bids), asks=side(asks), last_price=last)


def shown(model, bids, asks, orders=(), slots=SLOTS):
    return model.update(view(bids, asks), orders, slots)


def prices(model):
    return [row.price for row in model.rows]


def test_prices_fall_from_top_to_bottom_with_the_spread_row_above_the_best_bid():
    model = LadderModel(BTC)
    shown(model, [(1000, 5)], [(1001, 7)])
    spread = prices(model).index(None)
    assert prices(model)[spread + 1] == 1000
    assert prices(model)[spread - 1] == 1001
    rest = [p for p in prices(model) if p is not None]
    assert rest == list(range(rest[0], rest[0] - SLOTS + 1, -1))


def test_a_tick_up_swaps_two_slots_and_moves_no_other():
    model = LadderModel(BTC)
    shown(model, [(1000, 5)], [(1001, 7)])
    before = prices(model)
    changed = shown(model, [(1001, 5)], [(1002, 7)])
    after = prices(model)
    differing = [k for k in range(SLOTS) if before[k] != after[k]]
    assert len(differing) == 2
    assert differing[1] == differing[0] + 1
    assert set(differing) <= set(changed)
    assert len(changed) < 6


def test_only_changed_slots_are_named():
    model = LadderModel(BTC)
    bids, asks = [(1000, 50), (999, 40)], [(1001, 100)]
    shown(model, bids, asks)
    assert shown(model, bids, asks) == []
    changed = shown(model, [(1000, 50), (999, 41)], asks)
    assert [model.rows[k].price for k in changed] == [999]


def test_the_ladder_stays_until_the_market_leaves_the_middle_half():
    model = LadderModel(BTC)
    shown(model, [(1000, 5)], [(1001, 7)])
    anchor = model.anchor
    quarter = SLOTS // 4 - 1
    shown(model, [(1000 + quarter, 5)], [(1001 + quarter, 7)])
    assert model.anchor == anchor
    shown(model, [(1000 + 2 * quarter + 2, 5)], [(1001 + 2 * quarter + 2, 7)])
    assert model.anchor != anchor


def test_a_scrolled_ladder_stays_wherever_the_market_goes_until_it_is_recentred():
    model = LadderModel(BTC)
    shown(model, [(1000, 5)], [(1001, 7)])
    model.scroll(3)
    anchor = model.anchor
    shown(model, [(2000, 5)], [(2001, 7)])
    assert model.anchor == anchor
    assert None not in prices(model)
    model.recentre()
    shown(model, [(2000, 5)], [(2001, 7)])
    assert None in prices(model)
    assert model.follow


@pytest.mark.parametrize(("bid", "ask"), [(2000, 2001), (100, 101)])
def test_far_away_markets_leave_plain_falling_prices(bid, ask):
    model = LadderModel(BTC)
    shown(model, [(1000, 5)], [(1001, 7)])
    model.scroll(1)
    shown(model, [(bid, 5)], [(ask, 7)])
    rest = prices(model)
    assert rest == list(range(rest[0], rest[0] - SLOTS, -1))


levels = st.dictionaries(st.integers(1, 400), st.integers(1, 10**6), max_size=60)


@settings(max_examples=80, deadline=None)
@given(levels, st.sampled_from([1, 2, 5, 10, 50]), st.booleans())
def test_grouping_equals_adding_up_one_by_one(book, group, up):
    rows = np.array(sorted(book.items()), dtype=np.int64).reshape(-1, 2)
    rows = np.column_stack([rows, np.ones(len(rows), dtype=np.int64)])
    slow = {}
    for price, lots in book.items():
        index = -(-price // group) if up else price // group
        slow[index] = slow.get(index, 0) + lots
    assert grouped(rows, group, up=up) == slow


@settings(max_examples=60, deadline=None)
@given(st.integers(300, 700), st.integers(1, 30), st.sampled_from([1, 2, 5, 10]), st.integers(3, 40))
def test_a_row_never_shows_a_better_price_than_the_book_has(bid, spread, group, slots):
    model = LadderModel(BTC, group=group)
    shown(model, [(bid, 5)], [(bid + spread, 7)], slots=slots)
    for row in model.rows:
        if row.bid:
            assert row.price <= bid
        if row.ask:
            assert row.price >= bid + spread
    assert len(model.rows) == slots


def test_own_orders_show_remaining_size_and_the_queue_before_them():
    marks = own_marks(sample_orders(), BTC.market_id, 1)
    mark = marks[(BTC_MID - 6, "buy")]
    assert (mark.lots, mark.lots_ahead) == (250, 1_840)
    assert marks[(BTC_MID + 9, "sell")].lots == 280
    assert LadderModel(BTC).own_text(mark) == "0.250 ▸ 1.840"
    assert not own_marks(sample_orders(), 99, 1)


def test_own_orders_of_one_row_are_added_up_and_the_nearest_queue_is_shown():
    first, *_ = sample_orders()
    second = replace(first, order_id=1, lots=100, filled=40, lots_ahead=10)
    mark = own_marks((first, second), BTC.market_id, 1)[(first.price, "buy")]
    assert (mark.lots, mark.lots_ahead, mark.orders) == (310, 10, 2)


def test_the_spread_row_tells_spread_and_basis_points_or_what_is_wrong():
    model = LadderModel(BTC)
    shown(model, [(10_000, 5)], [(10_010, 7)])
    assert model.spread_text() == "spread 1.0 · 10.00 bp"
    shown(model, [], [(1001, 7)])
    assert model.spread_text() == "no bids"
    shown(model, [(1000, 7)], [])
    assert model.spread_text() == "no asks"
    shown(model, [(1001, 7)], [(1000, 7)])
    assert model.spread_text() == "crossed book"


@settings(max_examples=60, deadline=None)
@given(levels, st.sampled_from([1, 2, 5, 10]), st.booleans(), st.lists(st.integers(-5, 420), max_size=30))
def test_depth_equals_adding_up_every_level_to_the_row(book, group, up, rows):
    ordered = np.array(sorted(book.items(), reverse=not up), dtype=np.int64).reshape(-1, 2)
    slow = []
    for row in rows:
        grouped_rows = [(-(-p // group) if up else p // group, lots) for p, lots in book.items()]
        slow.append(sum(lots for index, lots in grouped_rows if (index <= row if up else index >= row)))
    got = cumulative(np.column_stack([ordered, ordered[:, 1]]), np.array(rows, dtype=np.int64), group, up=up)
    assert got.tolist() == slow


def test_depth_is_shown_on_its_own_side_only():
    model = LadderModel(BTC)
    shown(model, [(1000, 50), (998, 30)], [(1001, 10), (1004, 90)])
    rows = {row.price: row for row in model.rows}
    assert rows[999].bid_depth == rows[1000].bid_depth == 500
    assert rows[998].bid_depth == rows[997].bid_depth == 800
    assert rows[1003].ask_depth == 100
    assert rows[1004].ask_depth == 1000
    assert rows[1001].bid_depth == rows[1000].ask_depth == 0


def test_the_book_chooses_the_group_that_fills_most_rows_and_keeps_it_until_placed_anew():
    dense = [(1000 - k, 5) for k in range(40)], [(1001 + k, 5) for k in range(40)]
    sparse = [(1000 - 7 * k, 5) for k in range(40)], [(1001 + 7 * k, 5) for k in range(40)]
    assert fitting_group(view(*dense), 10) == 1
    assert fitting_group(view(*sparse), 10) == 5
    model = LadderModel(BTC, auto=True)
    shown(model, *sparse)
    assert model.group == 5
    shown(model, *dense)
    assert model.group == 5
    model.recentre()
    shown(model, *dense)
    assert model.group == 1
    model.set_group(50)
    shown(model, *dense)
    assert (model.group, model.auto) == (50, False)


@pytest.mark.parametrize(("side", "price", "row"), [("buy", 1001, 1010), ("sell", 1009, 1000), ("buy", 1010, 1010)])
def test_the_last_trade_is_marked_on_the_side_it_took_from(side, price, row):
    model = LadderModel(BTC, group=10)
    book = replace(view([(1000, 5)], [(1001, 7)], last=price), last_side=side)
    model.update(book, (), SLOTS)
    assert [entry.price for entry in model.rows if entry.last and entry.price] == [row]


def test_bars_are_shares_of_a_round_size_that_seldom_changes():
    model = LadderModel(BTC)
    shown(model, [(1000, 90)], [(1001, 50)])
    rows = {row.price: row for row in model.rows}
    assert rows[1000].bid_bar == 900
    assert rows[1001].ask_bar == 500
    shown(model, [(1000, 60)], [(1001, 50)])
    assert {row.price: row for row in model.rows}[1001].ask_bar == 500


@given(st.integers(1, 10**15))
def test_nice_ceiling_is_the_next_round_size(value):
    ceiling = nice_ceiling(value)
    steps = sorted({s * 10**k for s in BAR_STEPS for k in range(17)})
    assert ceiling == next(s for s in steps if s >= value)
