"""What the book answers: plain tuples shared by the numba book and its slow reference."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import msgspec

from engine.errors import ProtocolError
from engine.units import AccountId, OrderId

Side = Literal["buy", "sell"]
# Why lots of a new order neither traded nor rested: "" none did; ioc: nothing (more) to trade with; post_only: it would
# have traded; limit: beyond limit_lots.
Reason = Literal["", "ioc", "post_only", "limit"]


class BookFull(ProtocolError):
    """The book holds as many resting orders as it may."""

    code: ClassVar[str] = "book_full"


class StaleOrderId(ProtocolError):
    """An order id is not greater than every earlier one of this book."""

    code: ClassVar[str] = "stale_order_id"


class ConflictingOrder(ProtocolError):
    """Order properties that exclude each other."""

    code: ClassVar[str] = "conflicting_order"


class BookFill(NamedTuple):
    """One match against a resting order; ``price`` ticks, ``maker_left`` lots of the maker that still rest."""

    maker_order: OrderId
    maker_account: AccountId
    price: int
    lots: int
    maker_left: int


class RemovedOrder(NamedTuple):
    """A maker cancelled by the self-trade rule, after ``after_fills`` fills of the same taker."""

    order_id: OrderId
    account: AccountId
    side: Side
    price: int
    lots: int
    after_fills: int


class BookOrder(NamedTuple):
    """A resting order."""

    order_id: OrderId
    side: Side
    price: int
    lots: int


class Walk(NamedTuple):
    """A taker's outlook: lots it would get, their cost in ticks x lots, the last price it would reach (0: none)."""

    lots: int
    cost: int
    worst_price: int


class PlaceResult(msgspec.Struct, frozen=True, gc=False):
    """What became of a new order; ``filled_lots + rested_lots + cancelled_lots`` are the lots asked for."""

    fills: tuple[BookFill, ...]
    removed: tuple[RemovedOrder, ...]
    filled_lots: int
    rested_lots: int
    cancelled_lots: int
    reason: Reason
