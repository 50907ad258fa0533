"""Refusals by the rules of the exchange: one class per cause, and a ``code`` that names it in a Rejected event.

Codes are part of what the venue computes (``docs/refusals.md`` lists them): a class may be renamed, its code not.
"""

from __future__ import annotations

from typing import ClassVar

from engine.errors import ProtocolError
from engine.units import AccountId, MarketId, OrderId, format_decimal, format_quanta


class UnknownAccount(ProtocolError):
    """No deposit has opened this account yet."""

    code: ClassVar[str] = "unknown_account"

    def __init__(self, account: AccountId) -> None:
        super().__init__(
            f"account {account} is not open: it needs a deposit first", field="account", value=account, limit="opened"
        )


class SystemAccount(ProtocolError):
    """The funding, insurance and fee accounts neither trade nor withdraw."""

    code: ClassVar[str] = "system_account"

    def __init__(self, account: AccountId) -> None:
        super().__init__(
            f"account {account} belongs to the venue and cannot trade or withdraw",
            field="account",
            value=account,
            limit="not a system account",
        )


class UnknownMarket(ProtocolError):
    """The venue has no such market."""

    code: ClassVar[str] = "unknown_market"

    def __init__(self, market: MarketId, valid: list[MarketId]) -> None:
        super().__init__(
            f"market {market} does not exist; valid: {', '.join(map(str, valid))}",
            field="market",
            value=market,
            limit=valid,
        )


class BadOrder(ProtocolError):
    """Order fields that contradict each other."""

    code: ClassVar[str] = "bad_order"


class TooManyOrders(ProtocolError):
    """The account already rests as many orders as the venue allows."""

    code: ClassVar[str] = "too_many_orders"

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"{count} orders are resting; {limit} are allowed per account", field="account", value=count, limit=limit
        )


class DuplicateClientId(ProtocolError):
    """The account has given this client id to an order before.

    ``value``: the first order's id. ``limit``: its state, ``open`` or why it ended (a reason of OrderClosed).
    """

    code: ClassVar[str] = "duplicate_client_id"

    def __init__(self, client_id: str, order_id: OrderId, state: str) -> None:
        words = "is open" if state == "open" else f"ended ({state})"
        super().__init__(
            f"client id {client_id!r} is that of order {order_id}, which {words}",
            field="client_id",
            value=order_id,
            limit=state,
        )


class UnknownOrder(ProtocolError):
    """No such order rests, or it is not this account's."""

    code: ClassVar[str] = "unknown_order"

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(
            f"order {order_id} is not resting on this account", field="order_id", value=order_id, limit="resting"
        )


class NotReducing(ProtocolError):
    """A reduce-only order without an opposite position to reduce."""

    code: ClassVar[str] = "not_reducing"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"reduce-only needs an opposite position; the account is {_direction(size)}",
            field="reduce_only",
            value=size,
            limit="opposite position",
        )


def _direction(size: int) -> str:
    return "flat" if size == 0 else "long" if size > 0 else "short"


class InsufficientMargin(ProtocolError):
    """The order would leave less equity than its initial margin. ``limit``: free collateral before it, quanta."""

    code: ClassVar[str] = "insufficient_margin"

    def __init__(self, shortfall: int, free: int) -> None:
        super().__init__(
            f"initial margin would be short by {format_quanta(shortfall)} of collateral; {format_quanta(free)} is free",
            field="lots",
            value=shortfall,
            limit=free,
        )


class WorsensMargin(ProtocolError):
    """A reducing order of an unhealthy account at prices that make its equity to requirement ratio worse."""

    code: ClassVar[str] = "worsens_margin"

    def __init__(self) -> None:
        super().__init__(
            "the account is below maintenance margin and this price would make its ratio worse",
            field="price",
            limit="ratio of equity to requirement may not fall",
        )


HALTED_FOR = {
    "index_invalid": "the index source sends no usable price",
    "index_stale": "the index source has been silent for too long",
    "index_unconfirmed": "index readings have contradicted each other for too long",
    "book_off_index": "the order book has been far from the index for too long",
}
"""Why a market is halted, in words."""


class MarketHalted(ProtocolError):
    """The market takes only orders that reduce a position, until the cause is gone. ``limit``: the reason's code."""

    code: ClassVar[str] = "market_halted"

    def __init__(self, symbol: str, reason: str) -> None:
        super().__init__(
            f"{symbol} takes only orders that reduce a position: {HALTED_FOR[reason]}",
            field="market",
            value=symbol,
            limit=reason,
        )


class PriceOutsideBand(ProtocolError):
    """A buy above, or a sell below, the price band around the mark. ``limit``: the band, [lowest, highest] ticks."""

    code: ClassVar[str] = "price_outside_band"

    def __init__(self, field: str, side: str, price: int, band: tuple[int, int], decimals: int) -> None:
        low, high = (format_decimal(edge, decimals) for edge in band)
        allowed = f"buy above {high}" if side == "buy" else f"sell below {low}"
        super().__init__(
            f"{format_decimal(price, decimals)} is too far from the mark: nobody may {allowed} now "
            f"(the band is {low} to {high})",
            field=field,
            value=price,
            limit=band,
        )


class WithdrawalTooLarge(ProtocolError):
    """More than the equity above initial margin and what is kept back. ``limit``: withdrawable quanta."""

    code: ClassVar[str] = "withdrawal_too_large"

    def __init__(self, amount: int, withdrawable: int) -> None:
        super().__init__(
            f"{format_quanta(amount)} of collateral is more than the withdrawable {format_quanta(withdrawable)}",
            field="amount",
            value=amount,
            limit=withdrawable,
        )


class WithdrawalUncovered(ProtocolError):
    """More than all that the venue holds for its layer 2: a last check, which the rules of margin never let happen."""

    code: ClassVar[str] = "withdrawal_uncovered"

    def __init__(self, amount: int, held: int) -> None:
        super().__init__(
            f"{format_quanta(amount)} of collateral is more than the {format_quanta(held)} that the venue holds",
            field="amount",
            value=amount,
            limit=held,
        )


class MarketInDeleveraging(ProtocolError):
    """An order that could grow a position in a market where a bankrupt position waits to be closed."""

    code: ClassVar[str] = "market_in_deleveraging"

    def __init__(self, market: MarketId) -> None:
        super().__init__(
            "a bankrupt position in this market waits to be closed: only orders that reduce a position are taken",
            field="market",
            value=market,
            limit="reducing orders",
        )


class NothingToClaim(ProtocolError):
    """No withdrawal of this account waits on L1, or the owner is not the account's."""

    code: ClassVar[str] = "nothing_to_claim"


class ClockBackwards(ProtocolError):
    """Venue time only moves forwards."""

    code: ClassVar[str] = "clock_backwards"

    def __init__(self, time: int, now: int) -> None:
        super().__init__(f"clock step to {time} is before {now}", field="time", value=time, limit=now)


class UnknownBatch(ProtocolError):
    """A batch number that was never closed."""

    code: ClassVar[str] = "unknown_batch"

    def __init__(self, batch: int, newest: int) -> None:
        super().__init__(
            f"batch {batch} does not exist; the newest is {newest}", field="batch", value=batch, limit=newest
        )


class BlockOutOfOrder(ProtocolError):
    """An L1 block that does not follow the one that was seen last."""

    code: ClassVar[str] = "block_out_of_order"

    def __init__(self, number: int, expected: int) -> None:
        super().__init__(
            f"L1 block {number} arrived; block {expected} comes next", field="number", value=number, limit=expected
        )


class L1Contradiction(ProtocolError):
    """L1 says something of the venue that cannot be."""

    code: ClassVar[str] = "l1_contradiction"

    def __init__(self, what: str, field: str, got: object, expected: object) -> None:
        super().__init__(f"L1 has {what}: {field} {got}, not {expected}", field=field, value=got, limit=expected)


class L1Disagrees(ProtocolError):
    """The venue takes no orders and no withdrawals since L1 contradicted it."""

    code: ClassVar[str] = "l1_disagrees"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the venue takes no orders and no withdrawals: {why}", field="l1", value=why, limit="agrees with the venue"
        )


class RootMismatch(ProtocolError):
    """The contract's root after a batch is not the root the venue computed."""

    code: ClassVar[str] = "root_mismatch"

    def __init__(self, batch: int, got: str, expected: str) -> None:
        super().__init__(
            f"the contract's root after batch {batch} is {got}, the venue computed {expected}",
            field="new_root",
            value=got,
            limit=expected,
        )
