"""Events: what applying an input did. Facts that reach the user; all derivable again from the journal."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.exchange.guards import HaltReason
from engine.sequencer.inputs import OrderType, Side, TimeInForce
from engine.units import AccountId, MarketId, OrderId

CloseReason = Literal[
    "filled",
    "cancelled",
    "ioc",
    "post_only",
    "self_trade",
    "margin",
    "reduce_only",
    "batch_limit",
    "worst_price",
    "index_unconfirmed",
]
DeferralReason = Literal["in_steps", "thin_book", "in_deleveraging", "out_of_range", "index_unusable"]
DeleveragingReason = Literal["bankrupt", "opposing"]


class Event(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True, gc=False):
    """Base. ``sequence``: of the input that caused it. ``time``: venue nanoseconds.

    Events hold plain values only, so that the garbage collector can pass them over.
    """

    sequence: int
    time: int


class Accepted(Event, frozen=True, tag="Accepted", kw_only=True):
    """A user command was accepted; ``order_id`` is 0 unless it placed an order."""

    account: AccountId
    client_id: str
    order_id: OrderId = OrderId(0)


class Rejected(Event, frozen=True, tag="Rejected", kw_only=True):
    """A user command was refused by a rule: ``code`` (``docs/refusals.md``), words, and the number that failed.

    ``value`` was refused for ``limit``, both as text: decimal digits, [a, b] for several, "" where there is none.
    """

    account: AccountId
    client_id: str
    code: str
    message: str
    field: str = ""
    value: str = ""
    limit: str = ""


class OrderRested(Event, frozen=True, tag="OrderRested", kw_only=True):
    """The rest of an order went onto the book."""

    account: AccountId
    market: MarketId
    order_id: OrderId
    client_id: str
    side: Side
    price: int
    lots: int


class OrderClosed(Event, frozen=True, tag="OrderClosed", kw_only=True):
    """An order left the book or never rested."""

    account: AccountId
    market: MarketId
    order_id: OrderId
    client_id: str
    side: Side
    type: OrderType
    tif: TimeInForce
    filled: int
    remaining: int
    reason: CloseReason


class OrderCut(Event, frozen=True, tag="OrderCut", kw_only=True):
    """A resting reduce-only order was cut by ``cut`` lots to the position; ``lots`` still rest, in the same place."""

    account: AccountId
    market: MarketId
    order_id: OrderId
    client_id: str
    lots: int
    cut: int


class Fill(Event, frozen=True, tag="Fill", kw_only=True):
    """One match. ``price`` ticks, ``lots``; fees in quanta, positive = paid; ``side`` is the taker's."""

    fill_id: int
    market: MarketId
    price: int
    lots: int
    side: Side
    maker_account: AccountId
    taker_account: AccountId
    maker_order: OrderId
    taker_order: OrderId
    maker_fee: int
    taker_fee: int
    liquidation: bool


class Liquidated(Event, frozen=True, tag="Liquidated", kw_only=True):
    """An account was closed (in part) below maintenance. ``price``: average in ticks, rounded down.

    ``insurance`` quanta from the account to the insurance account: the liquidation fee (+), or the loss beyond the
    bankruptcy price that the insurance account paid (-); with market 0 and 0 lots, the debt of an account without
    positions.
    """

    account: AccountId
    market: MarketId
    lots: int
    price: int
    insurance: int


class LiquidationDeferred(Event, frozen=True, tag="LiquidationDeferred", kw_only=True):
    """A liquidation waits for the next step, and why; told once per reason."""

    account: AccountId
    reason: DeferralReason


class Deleveraged(Event, frozen=True, tag="Deleveraged", kw_only=True):
    """Lots were closed at a bankruptcy price against an opposing account, without a fee; told for both accounts.

    ``fill_id``: counted with the fills. ``side``, ``lots``: what this account did. ``notional`` quanta, exact;
    ``price`` the same in ticks, rounded down. ``reason``: this account is ``bankrupt``, or held the ``opposing``
    position.
    """

    fill_id: int
    account: AccountId
    market: MarketId
    side: Side
    lots: int
    price: int
    notional: int
    reason: DeleveragingReason
    counterparty: AccountId


class TradingHalted(Event, frozen=True, tag="TradingHalted", kw_only=True):
    """A market takes only reducing orders from now on, and why (``docs/refusals.md``)."""

    market: MarketId
    reason: HaltReason


class TradingResumed(Event, frozen=True, tag="TradingResumed", kw_only=True):
    """A market's halt is over; ``reason``: what it had been for."""

    market: MarketId
    reason: HaltReason


class FundingApplied(Event, frozen=True, tag="FundingApplied", kw_only=True):
    """A market's funding index moved. ``rate`` 0.32 per interval, ``index`` and ``index_delta`` 32.32."""

    market: MarketId
    rate: int
    index_delta: int
    index: int


class FundingPaid(Event, frozen=True, tag="FundingPaid", kw_only=True):
    """An account's position was settled: ``amount`` quanta, negative = paid by the account."""

    account: AccountId
    market: MarketId
    amount: int
    size: int


class DepositCredited(Event, frozen=True, tag="DepositCredited", kw_only=True):
    """An L1 deposit reached the account."""

    account: AccountId
    amount: int
    block: int


class DepositReclaimed(Event, frozen=True, tag="DepositReclaimed", kw_only=True):
    """The queue's entry ``entry`` brought nothing: its depositor took the money back on L1."""

    account: AccountId
    entry: int
    block: int


class WithdrawalStage(Event, frozen=True, tag="WithdrawalStage", kw_only=True):
    """A withdrawal moved on. ``stage``: requested, in_batch, proved, on_l1 (= claimable), claiming, claimed."""

    withdrawal_id: int
    account: AccountId
    amount: int
    stage: str
    batch: int


class BatchStage(Event, frozen=True, tag="BatchStage", kw_only=True):
    """A batch moved on. ``stage``: sequenced (closed), proved, failed (attempt refused), posted (on L1), final."""

    batch: int
    stage: str
    detail: str


AnyEvent = (
    Accepted
    | Rejected
    | OrderRested
    | OrderClosed
    | OrderCut
    | Fill
    | Liquidated
    | LiquidationDeferred
    | Deleveraged
    | TradingHalted
    | TradingResumed
    | FundingApplied
    | FundingPaid
    | DepositCredited
    | DepositReclaimed
    | WithdrawalStage
    | BatchStage
)
