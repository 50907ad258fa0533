"""What the venue needs from the market room: participants it steps, and a source of index prices.

Both are deterministic: the same calls give the same answers. A participant trades from an ordinary account, is stepped
by clock inputs and never reads a clock of its own; its commands are derived from the clock step and not journaled.
"""

from __future__ import annotations

from typing import Protocol

from engine.sequencer.inputs import CancelAll, CancelOrder, PlaceOrder, Side
from engine.units import AccountId, MarketId

Command = PlaceOrder | CancelOrder | CancelAll


class MarketAccess(Protocol):
    """The venue as a participant may see it, at the moment of its step."""

    def best_bid(self, market: MarketId) -> int | None:
        """Highest bid in ticks, None on an empty side."""
        ...

    def best_ask(self, market: MarketId) -> int | None:
        """Lowest ask in ticks, None on an empty side."""
        ...

    def orders_of(self, account: AccountId, market: MarketId) -> list[tuple[int, Side, int, int]]:
        """Resting orders, oldest first: order id, side, price in ticks, lots left."""
        ...

    def position(self, account: AccountId, market: MarketId) -> int:
        """Signed lots; 0 for an account that is not open."""
        ...

    def index_fixed(self, market: MarketId) -> int:
        """Index price of this step, 32.32 quanta per lot."""
        ...


class Participant(Protocol):
    """A seeded trader stepped by the clock."""

    account: AccountId

    def step(self, view: MarketAccess, previous_time: int, time: int, quotes_only: bool) -> list[Command]:
        """Commands for (previous_time, time]; they are applied at once, in order, before the next participant steps."""
        ...

    def dump(self) -> bytes:
        """Everything that its later steps depend on."""
        ...

    def load(self, data: bytes) -> None:
        """Inverse of :meth:`dump`; raises :class:`engine.errors.CorruptData`."""
        ...


class PriceSource(Protocol):
    """Index prices by venue time."""

    def index_fixed(self, market_id: MarketId, time: int) -> int | None:
        """Index price, 32.32 quanta per lot; None when nothing new came. At genesis in [1, 2^64)."""
        ...
