"""The order book's rules, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from numba.core.errors import TypingError

from engine.book.book import OrderBook
from engine.book.layout import MAX_LOTS, MAX_PRICE, ROW
from engine.book.results import BookFill, BookFull, BookOrder, ConflictingOrder, RemovedOrder, StaleOrderId, Walk
from engine.errors import OutOfRange, UnknownName


@pytest.fixture
def book() -> OrderBook:
    """Bids 100 x 5 (id 1), 99 x 7 (id 2); asks 102 x 4 (id 3), 102 x 6 (id 4), 105 x 9 (id 5); accounts 1 .. 5."""
    book = OrderBook()
    for order_id, side, price, lots in (
        (1, "buy", 100, 5),
        (2, "buy", 99, 7),
        (3, "sell", 102, 4),
        (4, "sell", 102, 6),
        (5, "sell", 105, 9),
    ):
        assert book.place(order_id, order_id, side, lots, price).rested_lots == lots
    return book


def test_price_then_time_priority_and_partial_fill(book: OrderBook) -> None:
    result = book.place(6, 9, "buy", 12, 105)
    assert result.fills == (BookFill(3, 3, 102, 4, 0), BookFill(4, 4, 102, 6, 0), BookFill(5, 5, 105, 2, 7))
    assert (result.filled_lots, result.rested_lots, result.cancelled_lots, result.reason) == (12, 0, 0, "")
    assert book.best_ask == 105
    assert book.orders_of(5) == [BookOrder(5, "sell", 105, 7)]


def test_the_rest_of_a_crossing_limit_order_rests(book: OrderBook) -> None:
    result = book.place(6, 9, "buy", 15, 103)
    assert (result.filled_lots, result.rested_lots) == (10, 5)
    assert (book.best_bid, book.best_ask) == (103, 105)
    assert book.uncrossed()


def test_ioc_remainder_is_cancelled(book: OrderBook) -> None:
    result = book.place(6, 9, "sell", 20, 100, ioc=True)
    assert (result.filled_lots, result.rested_lots, result.cancelled_lots, result.reason) == (5, 0, 15, "ioc")
    assert book.best_bid == 99


def test_market_takes_any_price_and_never_rests(book: OrderBook) -> None:
    result = book.place(6, 9, "sell", 20, market=True)
    assert [fill.price for fill in result.fills] == [100, 99]
    assert (result.filled_lots, result.cancelled_lots, result.reason) == (12, 8, "ioc")
    assert book.best_bid is None


def test_market_on_an_empty_book_is_cancelled() -> None:
    result = OrderBook().place(1, 1, "buy", 3, market=True)
    assert (result.fills, result.cancelled_lots, result.reason) == ((), 3, "ioc")


def test_post_only_is_refused_when_it_would_trade_and_rests_otherwise(book: OrderBook) -> None:
    before = book.depth(10)
    crossing = book.place(6, 9, "buy", 3, 102, post_only=True)
    assert (crossing.cancelled_lots, crossing.reason, crossing.fills) == (3, "post_only", ())
    for old, new in zip(before, book.depth(10), strict=True):
        assert np.array_equal(old, new)
    assert book.place(7, 9, "buy", 3, 101, post_only=True).rested_lots == 3


def test_post_only_is_refused_against_its_own_account_too(book: OrderBook) -> None:
    assert book.place(6, 3, "buy", 3, 102, post_only=True).reason == "post_only"
    assert book.orders_of(3) == [BookOrder(3, "sell", 102, 4)]


def test_self_trade_cancels_the_resting_order(book: OrderBook) -> None:
    result = book.place(6, 4, "buy", 12, 105)
    assert result.removed == (RemovedOrder(4, 4, "sell", 102, 6, after_fills=1),)
    assert result.fills == (BookFill(3, 3, 102, 4, 0), BookFill(5, 5, 105, 8, 1))
    assert result.filled_lots == 12


def test_a_filled_taker_leaves_its_own_later_orders_alone(book: OrderBook) -> None:
    assert book.place(6, 4, "buy", 4, 105).removed == ()
    assert book.orders_of(4) == [BookOrder(4, "sell", 102, 6)]


def test_limit_lots_bounds_trading_and_resting_together(book: OrderBook) -> None:
    traded = book.place(6, 9, "buy", 10, 102, limit_lots=3)
    assert (traded.filled_lots, traded.rested_lots, traded.cancelled_lots, traded.reason) == (3, 0, 7, "limit")
    rested = book.place(7, 9, "buy", 20, 102, limit_lots=9)
    assert (rested.filled_lots, rested.rested_lots, rested.cancelled_lots, rested.reason) == (7, 2, 11, "limit")
    nothing = book.place(8, 9, "sell", 4, 105, limit_lots=0)
    assert (nothing.filled_lots, nothing.rested_lots, nothing.reason) == (0, 0, "limit")


def test_cancel_returns_the_lots_left_or_none(book: OrderBook) -> None:
    book.place(6, 9, "buy", 1, 102)
    assert book.cancel(3) == 3
    assert book.cancel(3) is None
    assert book.cancel(777) is None
    assert book.count == 4


def test_a_reduced_order_keeps_its_place_in_the_queue(book: OrderBook) -> None:
    assert book.reduce(3, 1) == 3
    assert book.depth(1)[1].tolist() == [[102, 7, 2]]
    assert (book.lots_ahead(3), book.lots_ahead(4)) == (0, 1)
    assert book.place(6, 9, "buy", 2, 102).fills == (BookFill(3, 3, 102, 1, 0), BookFill(4, 4, 102, 1, 5))


def test_an_order_is_never_reduced_to_more_than_it_has(book: OrderBook) -> None:
    before = book.dump()
    assert book.reduce(3, 4) == book.reduce(3, MAX_LOTS) == 0
    assert book.reduce(77, 1) is None
    assert book.dump() == before
    for order_id, lots, field in ((0, 1, "order_id"), (3, 0, "lots"), (3, MAX_LOTS + 1, "lots")):
        with pytest.raises(OutOfRange, match=field):
            book.reduce(order_id, lots)
    assert book.dump() == before


def test_cancel_account_oldest_first(book: OrderBook) -> None:
    book.place(6, 5, "buy", 1, 50)
    book.place(7, 5, "sell", 1, 106)
    assert book.cancel_account(5) == (5, 6, 7)
    assert book.cancel_account(5) == ()
    assert book.cancel_account(900_000) == ()
    assert book.best_ask == 102


def test_depth_has_price_lots_orders_from_the_best_outwards(book: OrderBook) -> None:
    bids, asks = book.depth(10)
    assert bids.tolist() == [[100, 5, 1], [99, 7, 1]]
    assert asks.tolist() == [[102, 10, 2], [105, 9, 1]]
    assert [len(side) for side in book.depth(1)] == [1, 1]
    assert book.depth(0)[0].shape == (0, 3)


def test_walk_and_peek_change_nothing_and_say_what_a_taker_gets(book: OrderBook) -> None:
    digest = book.digest()
    assert book.walk("buy", 12) == Walk(12, 10 * 102 + 2 * 105, 105)
    assert book.walk("buy", 100, 102) == Walk(10, 1020, 102)
    assert book.walk("buy", 8, account=3) == Walk(8, 6 * 102 + 2 * 105, 105)
    assert book.walk("sell", 1, 101) == Walk(0, 0, 0)
    ids, accounts, prices, lots = book.peek_makers("buy", 105, 12)
    assert [ids.tolist(), accounts.tolist(), prices.tolist(), lots.tolist()] == [
        [3, 4, 5],
        [3, 4, 5],
        [102, 102, 105],
        [4, 6, 2],
    ]
    assert len(book.peek_makers("sell", None, 30)[0]) == 2
    assert book.next_makers("buy", None, 12, None, 0, 9) == [[3, 4, 5], [3, 4, 5], [102, 102, 105], [4, 6, 9]]
    assert book.next_makers("buy", None, 12, 4, 3, 9) == [[5], [5], [105], [9]]
    assert book.next_makers("buy", 104, 12, None, 4, 9) == [[], [], [], []]
    assert book.next_makers("buy", None, 12, None, 0, 2)[0] == [3, 4]
    with pytest.raises(ValueError, match="order 99 does not rest"):
        book.next_makers("buy", None, 12, None, 99, 2)
    assert book.digest() == digest


def test_queue_position_counts_lots_before_at_the_same_price(book: OrderBook) -> None:
    assert (book.lots_ahead(3), book.lots_ahead(4), book.lots_ahead(5), book.lots_ahead(99)) == (0, 4, 0, None)
    book.place(6, 9, "buy", 1, 102)
    assert book.lots_ahead(4) == 3


def test_find(book: OrderBook) -> None:
    assert book.find(5) == (5, BookOrder(5, "sell", 105, 9))
    assert book.find(6) is None


def test_extreme_prices_and_sizes() -> None:
    book = OrderBook()
    assert book.place(1, 0, "buy", MAX_LOTS, 1).rested_lots == MAX_LOTS
    assert book.place(2, (1 << 20) - 1, "sell", MAX_LOTS, MAX_PRICE).rested_lots == MAX_LOTS
    assert (book.best_bid, book.best_ask) == (1, MAX_PRICE)
    assert book.walk("buy", MAX_LOTS).cost == MAX_LOTS * MAX_PRICE
    assert book.place(3, 5, "buy", MAX_LOTS, market=True).fills == (BookFill(2, (1 << 20) - 1, MAX_PRICE, MAX_LOTS, 0),)
    assert book.place(4, 5, "sell", 1, market=True).fills[0].price == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_id": 0}, "order_id"),
        ({"account": -1}, "account"),
        ({"account": 1 << 20}, "account"),
        ({"lots": 0}, "lots"),
        ({"lots": MAX_LOTS + 1}, "lots"),
        ({"price": 0}, "price"),
        ({"price": MAX_PRICE + 1}, "price"),
        ({"limit_lots": -1}, "limit_lots"),
    ],
)
def test_values_out_of_range_name_the_field(book: OrderBook, changes: dict[str, int], field: str) -> None:
    digest = book.digest()
    arguments = {"order_id": 6, "account": 1, "side": "buy", "lots": 1, "price": 100} | changes
    with pytest.raises(OutOfRange) as caught:
        book.place(**arguments)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert book.digest() == digest


def test_the_first_wrong_value_is_named_and_numbers_beyond_64_bits_are_ranges_too(book: OrderBook) -> None:
    digest = book.digest()
    for field, arguments in (
        ("order_id", (1 << 70, -1, "buy", 0, 0)),
        ("account", (6, 1 << 70, "buy", 0, 0)),
        ("lots", (6, 1, "buy", 1 << 70, 0)),
        ("price", (6, 1, "buy", 1, -(1 << 70))),
    ):
        with pytest.raises(OutOfRange) as caught:
            book.place(*arguments, limit_lots=-1)  # type: ignore[arg-type]
        assert caught.value.field == field
    with pytest.raises(OutOfRange):
        book.cancel(1 << 70)
    assert book.digest() == digest
    assert book.place(6, 1, "buy", 4, 1 << 70, market=True).filled_lots == 4


def test_single_calls_give_room_to_more_fills_than_the_outputs_hold() -> None:
    book, count = OrderBook(), 2_100
    for order_id in range(1, count + 1):
        book.place(order_id, order_id % 7, "sell", 1, 100)
    result = book.place(count + 1, 7, "buy", count + 5, 100)
    assert [fill.maker_order for fill in result.fills] == list(range(1, count + 1))
    assert (result.filled_lots, result.rested_lots) == (count, 5)
    rest = book.place(count + 2, 7, "sell", 6, 100)
    assert rest.removed == (RemovedOrder(count + 1, 7, "buy", 100, 5, 0),)


def test_a_full_book_still_says_first_that_an_id_is_stale() -> None:
    book = OrderBook(max_orders=1)
    book.place(5, 1, "buy", 2, 100)
    with pytest.raises(StaleOrderId):
        book.place(5, 1, "buy", 2, 100)
    with pytest.raises(BookFull):
        book.place(6, 1, "buy", 2, 100)


def test_kernels_refuse_arrays_that_are_not_plain_words(book: OrderBook) -> None:
    rows = np.zeros(4 * ROW, np.int64)
    for wrong in (rows[::2], rows.astype(np.float64)):
        with pytest.raises(TypingError):
            book.run(rows, wrong, 0, 1)


def test_bad_side_flags_and_stale_ids_are_refused(book: OrderBook) -> None:
    with pytest.raises(UnknownName):
        book.place(6, 1, "hold", 1, 100)  # type: ignore[arg-type]
    with pytest.raises(ConflictingOrder):
        book.place(6, 1, "buy", 1, 100, ioc=True, post_only=True)
    with pytest.raises(ConflictingOrder):
        book.place(6, 1, "buy", 1, market=True, post_only=True)
    with pytest.raises(StaleOrderId):
        book.place(5, 1, "buy", 1, 100)


def test_a_full_book_refuses_resting_orders_but_still_trades_and_cancels() -> None:
    book = OrderBook(max_orders=3)
    for order_id in (1, 2, 3):
        book.place(order_id, 1, "buy", 2, 100)
    digest = book.digest()
    with pytest.raises(BookFull) as caught:
        book.place(4, 1, "buy", 1, 100)
    assert caught.value.limit == 3
    assert book.digest() == digest
    assert book.place(4, 2, "sell", 3, market=True).filled_lots == 3
    assert book.cancel(3) == 2
    assert book.place(5, 1, "buy", 1, 99).rested_lots == 1


def test_memory_grows_with_orders_prices_and_accounts_and_keeps_everything() -> None:
    book = OrderBook()
    count = 5_000
    for order_id in range(1, count + 1):
        price = 1 + order_id * 850_000  # a trie path of its own for nearly every order
        assert book.place(order_id, order_id * 200, "sell", order_id, price).rested_lots == order_id
    _, asks = book.depth(count)
    assert asks[:, 0].tolist() == [1 + i * 850_000 for i in range(1, count + 1)]
    assert book.place(count + 1, 7, "buy", sum(range(1, count + 1)), market=True).filled_lots == asks[:, 1].sum()
    assert book.count == 0
