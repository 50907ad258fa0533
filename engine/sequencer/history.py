"""What people look back at: the tape of each market; fills, funding and transfers of each user account.

Derived from events, bounded, newest last, not part of the state root. Participants' accounts keep no history.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from engine.sequencer.events import Deleveraged, Fill
from engine.sequencer.inputs import Side
from engine.units import AccountId, MarketId

TAPE_KEPT = 200
ACCOUNT_KEPT = 500


class TapeLine(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """A trade as everybody sees it."""

    fill_id: int
    time: int
    market: MarketId
    price: int
    lots: int
    side: Side
    liquidation: bool


class AccountFill(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """A fill from one account's side; ``fee`` quanta, ``batch`` the number of the batch that carries it.

    ``deleveraged``: closed at a bankruptcy price, not in the book; ``liquidation``: this account was the one closed.
    """

    fill_id: int
    time: int
    market: MarketId
    side: Side
    price: int
    lots: int
    fee: int
    maker: bool
    liquidation: bool
    batch: int
    deleveraged: bool = False


class FundingLine(NamedTuple):
    """A funding settlement; ``amount`` quanta, negative = paid."""

    time: int
    market: MarketId
    size: int
    amount: int


class TransferLine(NamedTuple):
    """Money in or out: ``kind`` deposit, withdrawal or claim; ``where`` says which block or batch."""

    time: int
    kind: str
    amount: int
    where: str


class AccountHistory(msgspec.Struct):
    """Copies of one account's past, newest last."""

    fills: list[AccountFill]
    funding: list[FundingLine]
    transfers: list[TransferLine]


class _Kept:
    """One account's past, bounded."""

    def __init__(self) -> None:
        self.fills: deque[AccountFill] = deque(maxlen=ACCOUNT_KEPT)
        self.funding: deque[FundingLine] = deque(maxlen=ACCOUNT_KEPT)
        self.transfers: deque[TransferLine] = deque(maxlen=ACCOUNT_KEPT)

    def copy(self) -> AccountHistory:
        return AccountHistory(list(self.fills), list(self.funding), list(self.transfers))


class HistoryDump(msgspec.Struct):
    """The history in a checkpoint."""

    tapes: dict[MarketId, list[TapeLine]]
    accounts: dict[AccountId, AccountHistory]


class History:
    """Tapes by market id and histories by account."""

    def __init__(self, market_ids: Collection[MarketId], quiet: Collection[AccountId]) -> None:
        self._quiet = frozenset(quiet)
        self.tapes: dict[MarketId, deque[TapeLine]] = {m: deque(maxlen=TAPE_KEPT) for m in market_ids}
        self._accounts: dict[AccountId, _Kept] = {}

    def of(self, account: AccountId) -> AccountHistory:
        """The account's history (empty when it has none)."""
        return self._accounts.get(account, _Kept()).copy()

    def _writable(self, account: AccountId) -> _Kept | None:
        history = self._accounts.get(account)
        if history is None and account not in self._quiet:
            history = self._accounts[account] = _Kept()
        return history

    def fill(self, fill: Fill, batch: int) -> None:
        """Enter a fill in the tape and on both sides."""
        f = fill
        self.tapes[f.market].append(
            TapeLine(
                fill_id=f.fill_id,
                time=f.time,
                market=f.market,
                price=f.price,
                lots=f.lots,
                side=f.side,
                liquidation=f.liquidation,
            )
        )
        taker = self._writable(f.taker_account)
        if taker is not None:
            taker.fills.append(
                AccountFill(
                    fill_id=f.fill_id,
                    time=f.time,
                    market=f.market,
                    side=f.side,
                    price=f.price,
                    lots=f.lots,
                    fee=f.taker_fee,
                    maker=False,
                    liquidation=f.liquidation,
                    batch=batch,
                )
            )
        maker = self._writable(f.maker_account)
        if maker is not None:
            side: Side = "sell" if f.side == "buy" else "buy"
            maker.fills.append(
                AccountFill(
                    fill_id=f.fill_id,
                    time=f.time,
                    market=f.market,
                    side=side,
                    price=f.price,
                    lots=f.lots,
                    fee=f.maker_fee,
                    maker=True,
                    liquidation=False,
                    batch=batch,
                )
            )

    def deleveraged(self, event: Deleveraged, batch: int) -> None:
        """Enter one side of a deleveraging; it is no trade of the market, so the tape does not have it."""
        history = self._writable(event.account)
        if history is not None:
            history.fills.append(
                AccountFill(
                    fill_id=event.fill_id,
                    time=event.time,
                    market=event.market,
                    side=event.side,
                    price=event.price,
                    lots=event.lots,
                    fee=0,
                    maker=False,
                    liquidation=event.reason == "bankrupt",
                    batch=batch,
                    deleveraged=True,
                )
            )

    def funding(self, account: AccountId, line: FundingLine) -> None:
        """Enter a funding settlement."""
        history = self._writable(account)
        if history is not None:
            history.funding.append(line)

    def transfer(self, account: AccountId, line: TransferLine) -> None:
        """Enter a deposit, withdrawal or claim."""
        history = self._writable(account)
        if history is not None:
            history.transfers.append(line)

    def dump(self) -> HistoryDump:
        """Everything, for a checkpoint."""
        return HistoryDump(
            {m: list(tape) for m, tape in self.tapes.items()},
            {account: self._accounts[account].copy() for account in sorted(self._accounts)},
        )

    def restore(self, data: HistoryDump) -> None:
        """Inverse of :meth:`dump`."""
        for market, lines in data.tapes.items():
            if market in self.tapes:
                self.tapes[market].extend(lines)
        for account, stored in data.accounts.items():
            history = self._writable(account)
            if history is not None:
                history.fills.extend(stored.fills)
                history.funding.extend(stored.funding)
                history.transfers.extend(stored.transfers)
