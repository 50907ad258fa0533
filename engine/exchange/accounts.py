"""Accounts and positions: what a leaf of the accounts tree says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from engine.units import AccountId, MarketId

Digest = tuple[int, ...]
"""8 canonical KoalaBear elements: a leaf's or node's digest."""

EMPTY_KEY = (0, 0, 0, 0, 0, 0, 0, 0)
ACCOUNT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    """One market's position: signed lots (never 0) and the funding index (32.32, signed) it was last settled at."""

    market_id: MarketId
    size: int
    funding_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One leaf. ``version`` 0 is the empty leaf: nothing owned, no owner.

    ``key_digest``: 8 field elements of the owner's L2 key (not used yet: orders and withdrawals are not yet signed).
    ``l1_address``: 20 bytes. ``collateral``: signed quanta in [-2^63, 2^63). ``positions``: ascending market id.
    """

    version: int = 0
    key_digest: tuple[int, ...] = EMPTY_KEY
    l1_address: bytes = bytes(20)
    next_signature_index: int = 0
    collateral: int = 0
    positions: tuple[Position, ...] = field(default=())

    def position(self, market_id: MarketId) -> Position | None:
        """The position in this market, or None."""
        for position in self.positions:
            if position.market_id == market_id:
                return position
        return None

    def size(self, market_id: MarketId) -> int:
        """Signed lots in this market, 0 when there is no position."""
        position = self.position(market_id)
        return position.size if position else 0

    def with_position(self, market_id: MarketId, size: int, funding_index: int) -> Account:
        """A copy with this market's position replaced (removed when ``size`` is 0)."""
        others = [p for p in self.positions if p.market_id != market_id]
        if size:
            others.append(Position(market_id, size, funding_index))
        return replace(self, positions=tuple(sorted(others, key=lambda p: p.market_id)))


EMPTY_ACCOUNT = Account()


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """One touched account: its leaf before and after, and the 2^height tree path, siblings from leaf to root.

    The siblings are those at the moment of this update: after all earlier updates of the batch, before later ones.
    """

    account: AccountId
    old: Account
    new: Account
    siblings: tuple[Digest, ...]
