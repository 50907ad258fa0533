"""Book dumps: what is refused and why."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from engine.book import codec
from engine.book.book import OrderBook
from engine.errors import CorruptData


def sealed(body: bytes) -> bytes:
    """A body with a right checksum."""
    return body + hashlib.sha256(body).digest()


def columns(*orders: tuple[int, int, int, int, int]) -> np.ndarray:
    """Columns id, account, side, price, lots."""
    return np.array(orders, np.int64).T


@pytest.fixture
def dump() -> bytes:
    book = OrderBook()
    book.place(3, 1, "buy", 5, 100)
    book.place(8, 2, "sell", 6, 101)
    return book.dump()


def test_every_flipped_byte_and_every_cut_is_refused(dump: bytes) -> None:
    for at in range(len(dump)):
        with pytest.raises(CorruptData):
            OrderBook.load(dump[:at] + bytes([dump[at] ^ 1]) + dump[at + 1 :])
        with pytest.raises(CorruptData):
            OrderBook.load(dump[:at])


def test_an_empty_book_keeps_its_last_id() -> None:
    book = OrderBook()
    book.place(41, 1, "buy", 5, 100)
    book.cancel(41)
    assert OrderBook.load(book.dump()).last_order_id == 41


@pytest.mark.parametrize(
    ("last_id", "orders", "field"),
    [
        (2, [(1, 0, 0, 100, 5), (3, 0, 0, 100, 5)], "last_id"),
        (9, [(3, 0, 0, 100, 5), (3, 0, 0, 100, 5)], "order_id"),
        (9, [(0, 0, 0, 100, 5)], "order_id"),
        (9, [(1, 1 << 20, 0, 100, 5)], "account"),
        (9, [(1, 0, 2, 100, 5)], "side"),
        (9, [(1, 0, 0, 0, 5)], "price"),
        (9, [(1, 0, 0, 100, 0)], "lots"),
        (9, [(1, 0, 0, 101, 5), (2, 0, 1, 101, 5)], "prices"),
    ],
)
def test_well_formed_bytes_with_wrong_values_name_the_field(
    last_id: int, orders: list[tuple[int, int, int, int, int]], field: str
) -> None:
    with pytest.raises(CorruptData) as caught:
        OrderBook.load(codec.encode(last_id, columns(*orders)))
    assert caught.value.field == field


def test_magic_version_and_count_are_checked_behind_a_right_checksum(dump: bytes) -> None:
    body = dump[:-32]
    for bad, field in (
        (b"X" + body[1:], "magic"),
        (body[:6] + b"\x07\x00" + body[8:], "version"),
        (body[:-8], "count"),
        (body[:16] + (1).to_bytes(8, "little") + body[24:], "count"),
    ):
        with pytest.raises(CorruptData) as caught:
            OrderBook.load(sealed(bad))
        assert caught.value.field == field


def test_a_dump_larger_than_the_book_may_be_is_refused(dump: bytes) -> None:
    with pytest.raises(CorruptData) as caught:
        OrderBook.load(dump, max_orders=1)
    assert caught.value.limit == 1
