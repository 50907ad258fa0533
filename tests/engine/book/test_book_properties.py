"""The numba book against the slow reference, on random operations."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.book.book import OrderBook
from engine.book.reference import ReferenceBook

SIDES = st.sampled_from(["buy", "sell"])
NEAR = st.integers(95, 105)
FAR = st.sampled_from([1, 63, 64, 4095, 4096, 1 << 18, 1 << 30, 1 << 32])
PRICES = st.one_of(NEAR, NEAR, NEAR, FAR)
ACCOUNTS = st.integers(0, 4)
LOTS = st.integers(1, 20)
PLACES = st.tuples(
    st.just("place"), ACCOUNTS, SIDES, LOTS, PRICES, st.sampled_from(["gtc", "gtc", "ioc", "market", "post_only"]),
    st.one_of(st.none(), st.none(), st.integers(0, 20)),
)  # fmt: skip
CANCELS = st.tuples(st.just("cancel"), st.integers(1, 60))
ACCOUNT_CANCELS = st.tuples(st.just("cancel_account"), ACCOUNTS)
REDUCTIONS = st.tuples(st.just("reduce"), st.integers(1, 60), LOTS)
OPERATIONS = st.lists(st.one_of(PLACES, PLACES, PLACES, PLACES, CANCELS, REDUCTIONS, ACCOUNT_CANCELS), max_size=60)


def apply(book: OrderBook | ReferenceBook, number: int, operation: tuple) -> object:
    """Do one operation; what the book answered."""
    if operation[0] == "cancel":
        return book.cancel(operation[1])
    if operation[0] == "reduce":
        return book.reduce(operation[1], operation[2])
    if operation[0] == "cancel_account":
        return book.cancel_account(operation[1])
    _, account, side, lots, price, kind, limit = operation
    flags = {} if kind == "gtc" else {kind: True}
    return book.place(number, account, side, lots, price, limit_lots=limit, **flags)


def same(book: OrderBook, reference: ReferenceBook) -> None:
    """Both books look the same from every side."""
    bids, asks = book.depth(100)
    assert ([*map(list, bids.tolist())], [*map(list, asks.tolist())]) == reference.depth(100)
    assert book.count == len(reference.orders)
    assert book.uncrossed()
    for account in range(5):
        assert book.orders_of(account) == reference.orders_of(account)
    for order_id in reference.orders:
        assert book.lots_ahead(order_id) == reference.lots_ahead(order_id)


@settings(max_examples=150, deadline=None)
@given(OPERATIONS)
def test_every_answer_and_the_book_equal_the_reference(operations: list[tuple]) -> None:
    book, reference = OrderBook(), ReferenceBook()
    for number, operation in enumerate(operations, 1):
        assert apply(book, number, operation) == apply(reference, number, operation)
    same(book, reference)


@settings(max_examples=60, deadline=None)
@given(OPERATIONS, SIDES, LOTS, st.one_of(st.none(), PRICES), st.one_of(st.none(), ACCOUNTS))
def test_previews_equal_the_reference_and_the_order_that_follows(
    operations: list[tuple], side: str, lots: int, price: int | None, account: int | None
) -> None:
    book, reference = OrderBook(), ReferenceBook()
    for number, operation in enumerate(operations, 1):
        apply(book, number, operation)
        apply(reference, number, operation)
    before = book.dump()
    walk = book.walk(side, lots, price, account)
    makers = list(zip(*(column.tolist() for column in book.peek_makers(side, price, lots, account)), strict=True))
    assert walk == reference.walk(side, lots, price, account)
    assert makers == reference.makers(side, price, lots, account)
    for behind in (0, *reference.orders):
        if behind and reference.orders[behind].side == side:
            continue
        for most in (1, 3, 100):
            asked = (side, price, lots, account, behind, most)
            assert book.next_makers(*asked) == reference.next_makers(*asked)
    assert book.dump() == before
    taker = 9 if account is None else account
    result = book.place(1000, taker, side, lots, price or 0, market=price is None, ioc=True)
    assert [(fill.maker_order, fill.maker_account, fill.price, fill.lots) for fill in result.fills] == makers
    assert result.filled_lots == walk.lots


@settings(max_examples=60, deadline=None)
@given(OPERATIONS, OPERATIONS)
def test_a_loaded_dump_goes_on_exactly_as_the_original(first: list[tuple], second: list[tuple]) -> None:
    book, reference = OrderBook(), ReferenceBook()
    for number, operation in enumerate(first, 1):
        apply(book, number, operation)
        apply(reference, number, operation)
    copy = OrderBook.load(book.dump())
    assert copy.dump() == book.dump()
    assert copy.last_order_id == book.last_order_id
    for number, operation in enumerate(second, 100):
        assert apply(copy, number, operation) == apply(book, number, operation) == apply(reference, number, operation)
    same(copy, reference)
    assert copy.digest() == book.digest()
