"""What a plan stands on: the venue itself, or a preview's copy of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from engine.exchange.admission import FeeRates
from engine.exchange.config import MarketConfig, VenueConfig
from engine.exchange.guards import MarketGuard
from engine.exchange.state import AccountState, MarketTerms
from engine.sequencer.inputs import Side
from engine.sequencer.orders import OpenOrder
from engine.units import AccountId, MarketId, MarketIndex


class Liquidity(Protocol):
    """One market's resting orders: a live book, or a copy of its best levels."""

    @property
    def best_bid(self) -> int | None:
        """Highest bid in ticks."""
        ...

    @property
    def best_ask(self) -> int | None:
        """Lowest ask in ticks."""
        ...

    def next_makers(
        self, side: Side, price: int | None, lots: int, account: AccountId | None, behind: int, most: int
    ) -> list[list[int]]:
        """Makers that such a taker would reach, see :meth:`engine.book.book.OrderBook.next_makers`."""
        ...


class Orders(Protocol):
    """Resting orders beside the book. ``reduce_only``: ids of all that are."""

    @property
    def reduce_only(self) -> Collection[int]:
        """Ids of resting reduce-only orders, of any account."""
        ...

    def count_of(self, account: AccountId) -> int:
        """How many orders of this account rest."""
        ...

    def of_account(self, account: AccountId) -> list[OpenOrder]:
        """The account's orders, oldest first."""
        ...


class Ground(Protocol):
    """What a plan stands on: the venue itself, or a preview's copy. Sequences run over markets in ascending id."""

    @property
    def config(self) -> VenueConfig:
        """Limits and fees."""
        ...

    @property
    def markets(self) -> Sequence[MarketConfig]:
        """The markets' configurations."""
        ...

    @property
    def terms(self) -> Sequence[MarketTerms]:
        """The markets as margin sees them now."""
        ...

    @property
    def fees(self) -> FeeRates:
        """Maker and taker fee."""
        ...

    @property
    def books(self) -> Sequence[Liquidity]:
        """The markets' liquidity."""
        ...

    @property
    def orders(self) -> Orders:
        """Resting orders; at least those of the account that orders."""
        ...

    @property
    def guards(self) -> Sequence[MarketGuard]:
        """The markets' price bands, halts and unconfirmed index readings."""
        ...

    @property
    def accounts(self) -> Mapping[AccountId, AccountState]:
        """Open accounts; at least the one that orders and those of the makers."""
        ...

    @property
    def deleveraging_markets(self) -> Collection[int]:
        """Indices of markets that take reducing orders only (:mod:`engine.exchange.deleveraging`)."""
        ...

    def market_index(self, market_id: MarketId) -> MarketIndex:
        """Index of a market; :class:`engine.exchange.refusals.UnknownMarket`."""
        ...
