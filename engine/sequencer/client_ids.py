"""Client ids are idempotent: an order with an id that its account has used is refused, and nothing else happens.

So a client that heard no answer may send the same order again. Remembered are the ids of all resting orders and of the
account's last :data:`REMEMBERED` orders that ended, in the order in which they ended; an older one may be used anew. An
order that was refused used no id. Ids without characters are no ids.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from engine.exchange.refusals import DuplicateClientId
from engine.sequencer.events import CloseReason
from engine.sequencer.orders import OpenOrder
from engine.units import AccountId, OrderId

REMEMBERED = 1024
"""Ended orders per account whose client ids are kept."""


class EndedOrder(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """An order that used a client id and ended."""

    client_id: str
    order_id: OrderId
    reason: CloseReason


class ClientIds:
    """The ids that each account has used."""

    def __init__(self) -> None:
        self._open: dict[AccountId, dict[str, OrderId]] = {}
        self._ended: dict[AccountId, dict[str, EndedOrder]] = {}

    def check(self, account: AccountId, client_id: str) -> None:
        """Raise :class:`DuplicateClientId` when the account has used the id."""
        order_id = self._open.get(account, {}).get(client_id)
        if order_id is not None:
            raise DuplicateClientId(client_id, order_id, "open")
        ended = self._ended.get(account, {}).get(client_id)
        if ended is not None:
            raise DuplicateClientId(client_id, ended.order_id, ended.reason)

    def opened(self, order: OpenOrder) -> None:
        """An order rests."""
        if order.client_id:
            self._open.setdefault(order.account, {})[order.client_id] = order.order_id

    def ended(self, account: AccountId, client_id: str, order_id: OrderId, reason: CloseReason) -> None:
        """An order ended, whether it has rested or not."""
        if not client_id:
            return
        self._open.get(account, {}).pop(client_id, None)
        kept = self._ended.setdefault(account, {})
        kept[client_id] = EndedOrder(client_id=client_id, order_id=order_id, reason=reason)
        if len(kept) > REMEMBERED:
            del kept[next(iter(kept))]

    def dump(self) -> dict[AccountId, list[EndedOrder]]:
        """Ended orders by account, oldest first; the others are those that rest."""
        return {account: list(self._ended[account].values()) for account in sorted(self._ended)}

    def restore(self, resting: Iterable[OpenOrder], ended: dict[AccountId, list[EndedOrder]]) -> None:
        """Inverse of :meth:`dump`."""
        for order in resting:
            self.opened(order)
        self._ended = {account: {order.client_id: order for order in kept} for account, kept in ended.items()}
