"""The tape's rows."""

from app.snapshot.views import TradePrint
from engine.exchange.config import BTC
from engine.units import SECOND
from ui.viewmodels.trades import KEEP, TapeModel, aggregated


def print_(fill_id, *, time=0, market=1, price=1000, lots=5, side="buy", liquidation=False):
    return TradePrint(
        fill_id=fill_id, time=time * SECOND, market=market, price=price, lots=lots, side=side, liquidation=liquidation
    )


def test_a_taker_that_eats_several_makers_is_one_row_per_price():
    prints = [print_(4, time=9, price=1001), print_(3, time=8, lots=2), print_(2, time=8, lots=3), print_(1, time=7)]
    assert [[p.fill_id for p in g] for g in aggregated(prints)] == [[4], [3, 2], [1]]
    model = TapeModel(BTC)
    model.update(tuple(prints))
    assert [row.lots for row in model.rows] == [5, 5, 5]
    assert [row.prints for row in model.rows] == [1, 2, 1]


def test_sides_and_liquidations_are_never_merged():
    prints = [print_(3, side="sell"), print_(2), print_(1, liquidation=True)]
    assert len(aggregated(prints)) == 3


def test_only_new_prints_count_as_fresh():
    model = TapeModel(BTC)
    assert model.update((print_(1, time=1),)) == 0
    assert model.update((print_(1, time=1),)) == -1
    assert model.update((print_(3, time=3), print_(2, time=2), print_(1, time=1))) == 2
    assert [row.fill_id for row in model.rows] == [3, 2, 1]


def test_growing_by_pieces_equals_taking_all_at_once():
    prints = tuple(print_(k, time=k // 2, price=1000 + k % 3) for k in range(60, 0, -1))
    whole, pieces = TapeModel(BTC), TapeModel(BTC)
    whole.update(prints)
    for end in range(60, -1, -4):
        pieces.update(prints[end:])
    assert pieces.rows[0].fill_id == whole.rows[0].fill_id
    assert sum(row.lots for row in pieces.rows) == sum(row.lots for row in whole.rows)


def test_another_market_is_left_out_and_small_rows_can_be_hidden():
    model = TapeModel(BTC, minimum=10)
    model.update((print_(3, market=2, lots=99), print_(2, time=2, lots=9), print_(1, time=1, lots=10)))
    assert [row.fill_id for row in model.rows] == [1]


def test_texts_carry_all_decimals_and_milliseconds():
    model = TapeModel(BTC)
    model.update(
        (
            TradePrint(
                fill_id=1,
                time=3_661 * SECOND + 7_000_000,
                market=1,
                price=574_123,
                lots=1_205,
                side="sell",
                liquidation=False,
            ),
        )
    )
    row = model.rows[0]
    assert (row.time, row.price, row.size) == ("01:01:01.007", "57,412.3", "1.205")
    assert row.large


def test_the_tape_is_bounded():
    model = TapeModel(BTC)
    for start in range(0, 1000, 100):
        model.update(tuple(print_(k, time=k) for k in range(start + 100, start, -1)))
    assert len(model.rows) == KEEP
