"""An account as the venue works on it: mutable integers, its positions in market order, and history beside the leaf.

What a leaf says is ``version, key_digest, l1_address, next_signature_index, collateral`` and each position's ``size``
and ``funding_index``. Everything else is derived from the inputs and is not committed to: resting order totals, entry
cost, realised profit, fees and funding paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from engine.exchange.accounts import ACCOUNT_VERSION, EMPTY_KEY, Account, Position
from engine.exchange.config import VenueConfig
from engine.units import FIXED_ONE, AccountId, MarketId, MarketIndex

NO_OWNER = bytes(20)


class MarketTerms(NamedTuple):
    """A market as margin sees it: fractions 0.32, ``mark`` and ``funding_index`` 32.32 per lot."""

    market_id: MarketId
    tick_value: int
    initial: int
    maintenance: int
    mark: int
    funding_index: int


class PositionState:
    """One account in one market: its position, its resting orders summed by side, and derived history.

    ``size`` signed lots; ``*_lots`` and ``*_notional`` (quanta, at limit prices) of resting orders, without reduce-only
    ones; ``cost`` signed quanta paid for the position (negative for a short); ``realised``, ``funding_paid`` (negative
    = paid by the account) and ``fees`` in quanta since the account was opened.
    """

    __slots__ = (
        "size",
        "funding_index",
        "buy_lots",
        "buy_notional",
        "sell_lots",
        "sell_notional",
        "cost",
        "realised",
        "funding_paid",
        "fees",
    )

    def __init__(self, numbers: Sequence[int] = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) -> None:
        (
            self.size,
            self.funding_index,
            self.buy_lots,
            self.buy_notional,
            self.sell_lots,
            self.sell_notional,
            self.cost,
            self.realised,
            self.funding_paid,
            self.fees,
        ) = numbers

    def numbers(self) -> tuple[int, ...]:
        """All fields in the order of ``__slots__``: the constructor's argument."""
        return (
            self.size,
            self.funding_index,
            self.buy_lots,
            self.buy_notional,
            self.sell_lots,
            self.sell_notional,
            self.cost,
            self.realised,
            self.funding_paid,
            self.fees,
        )

    def copy(self) -> PositionState:
        """Another one with the same numbers."""
        other = PositionState.__new__(PositionState)
        other.size = self.size
        other.funding_index = self.funding_index
        other.buy_lots = self.buy_lots
        other.buy_notional = self.buy_notional
        other.sell_lots = self.sell_lots
        other.sell_notional = self.sell_notional
        other.cost = self.cost
        other.realised = self.realised
        other.funding_paid = self.funding_paid
        other.fees = self.fees
        return other

    def add_resting(self, buy: bool, lots: int, notional: int) -> None:
        """Count resting lots in (or out, when negative) on one side."""
        if buy:
            self.buy_lots += lots
            self.buy_notional += notional
        else:
            self.sell_lots += lots
            self.sell_notional += notional

    @property
    def entry_fixed(self) -> int:
        """Average entry price, 32.32 quanta per lot, rounded down; 0 without a position."""
        return abs(self.cost) * FIXED_ONE // abs(self.size) if self.size else 0


class AccountState:
    """One account with one :class:`PositionState` per market of the configuration, ascending market id."""

    __slots__ = ("account_id", "version", "key_digest", "l1_address", "next_signature_index", "collateral", "positions")

    def __init__(self, account_id: AccountId, markets: int) -> None:
        self.account_id = account_id
        self.version = 0
        self.key_digest: tuple[int, ...] = EMPTY_KEY
        self.l1_address = NO_OWNER
        self.next_signature_index = 0
        self.collateral = 0
        self.positions = [PositionState() for _ in range(markets)]

    def open(self, owner: bytes) -> None:
        """Make the leaf a live account owned by ``owner`` (20 bytes)."""
        self.version = ACCOUNT_VERSION
        self.l1_address = owner

    def copy(self) -> AccountState:
        """A copy: changing it leaves this account alone."""
        other = self.what_if(MarketIndex(0))
        other.positions = [position.copy() for position in self.positions]
        return other

    def what_if(self, market_index: MarketIndex) -> AccountState:
        """A copy to change in this one market and to look at before this account changes: the others are shared."""
        other = AccountState.__new__(AccountState)
        other.account_id = self.account_id
        other.version = self.version
        other.key_digest = self.key_digest
        other.l1_address = self.l1_address
        other.next_signature_index = self.next_signature_index
        other.collateral = self.collateral
        other.positions = self.positions.copy()
        other.positions[market_index] = other.positions[market_index].copy()
        return other

    def has_position(self) -> bool:
        """Whether any market's size is not 0."""
        return any(position.size for position in self.positions)

    def leaf(self, market_ids: Sequence[MarketId]) -> Account:
        """The committed leaf; ``market_ids`` are the configuration's, ascending."""
        held = [
            Position(market_id, position.size, position.funding_index)
            for market_id, position in zip(market_ids, self.positions, strict=True)
            if position.size
        ]
        return Account(
            version=self.version,
            key_digest=self.key_digest,
            l1_address=self.l1_address,
            next_signature_index=self.next_signature_index,
            collateral=self.collateral,
            positions=tuple(held),
        )


def state_of(account_id: AccountId, leaf: Account, market_ids: Sequence[MarketId]) -> AccountState:
    """The working state of a leaf, without history or resting orders."""
    state = AccountState(account_id, len(market_ids))
    state.version, state.key_digest, state.l1_address = leaf.version, leaf.key_digest, leaf.l1_address
    state.next_signature_index, state.collateral = leaf.next_signature_index, leaf.collateral
    for held in leaf.positions:
        position = state.positions[market_ids.index(held.market_id)]
        position.size, position.funding_index = held.size, held.funding_index
    return state


def market_terms(config: VenueConfig, marks: Iterable[int], funding_indices: Iterable[int]) -> tuple[MarketTerms, ...]:
    """Terms of all markets in ascending id; ``marks`` and ``funding_indices`` in the same order."""
    markets = sorted(config.markets, key=lambda market: market.market_id)
    return tuple(
        MarketTerms(
            market_id=m.market_id,
            tick_value=m.tick_value,
            initial=m.initial_margin,
            maintenance=m.maintenance_margin,
            mark=mark,
            funding_index=index,
        )
        for m, mark, index in zip(markets, marks, funding_indices, strict=True)
    )
