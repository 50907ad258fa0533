"""What deserves a notice: facts of the user's own that must not be missed, in words, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.exchange.config import VenueConfig
from engine.exchange.refusals import HALTED_FOR
from engine.sequencer.events import (
    BatchStage,
    Deleveraged,
    DepositCredited,
    Event,
    Fill,
    Liquidated,
    LiquidationDeferred,
    OrderClosed,
    OrderRested,
    Rejected,
    TradingHalted,
    TradingResumed,
    WithdrawalStage,
)
from engine.units import FIXED_ONE, AccountId
from ui.viewmodels.wording import exact_money_text, fixed_price_text, plural, price_text, size_text

DEDUPE_SECONDS = 30.0
REPEATED = ("warn", "danger")  # kinds that a lasting cause raises again and again; two equal fills are two facts
UNFILLED = {
    "ioc": "{0} not filled: no liquidity left at that price",
    "post_only": "{0} not placed: post-only, but it would have matched at once",
    "self_trade": "{0} cancelled: it would have traded with another of your orders",
    "margin": "{0} cancelled: insufficient margin",
    "reduce_only": "{0} cancelled: reduce-only, and the position is closed or has turned",
    "batch_limit": "{0} cancelled: it met as many orders as one batch can hold",
    "worst_price": "{0} not filled: the other offers are beyond the price band around the mark",
    "index_unconfirmed": "{0} not filled: an index reading is under confirmation, and the next offer depends on it",
}
"""Why an order ended with something left, by the event's reason."""
DEFERRED = {
    "in_deleveraging": "In deleveraging: worth less than nothing, and no opposing account can take the position yet",
    "index_unusable": "Below maintenance margin; nothing is liquidated until an index reading can be relied on",
}
"""What is said when a liquidation waits, by the event's reason."""
LIFETIME_SECONDS = {"info": 4.0, "good": 5.0, "warn": 8.0, "danger": 12.0}


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence. ``kind``: info, good, warn or danger."""

    kind: str
    text: str


@dataclass(slots=True)
class NoticeLog:
    """All notices of the session, newest last; the same words again within 30 s are only counted."""

    account: AccountId | None
    config: VenueConfig
    history: list[tuple[float, Notice]] = field(default_factory=list)
    counts: dict[Notice, int] = field(default_factory=dict)

    def add(self, notice: Notice, now: float) -> bool:
        """Record; True when it is to be shown."""
        recent = notice.kind in REPEATED and any(
            old == notice and now - stamp < DEDUPE_SECONDS for stamp, old in reversed(self.history[-50:])
        )
        self.counts[notice] = self.counts.get(notice, 0) + 1
        if recent:
            return False
        self.history.append((now, notice))
        return True

    def from_events(self, events: Sequence[Event]) -> list[Notice]:
        """The events that concern the user, in words. Fills of one order, and cancels at one time, are one notice."""
        groups: dict[object, list[Event]] = {}
        for event in events:
            key = self._group(event)
            if key is not None:
                groups.setdefault(key, []).append(event)
        notices = (self._notice(group) for group in groups.values())
        return [notice for notice in notices if notice is not None]

    def _group(self, event: Event) -> object:
        """What an event is told together with; None when it is not the user's."""
        if isinstance(event, Fill):
            order = self._own_order(event)
            return None if order is None else ("order", order)
        if (
            not isinstance(event, BatchStage | TradingHalted | TradingResumed)
            and getattr(event, "account", None) != self.account
        ):
            return None
        if isinstance(event, OrderClosed) and event.reason == "cancelled":
            return ("cancelled", event.sequence)
        return id(event)

    def _notice(self, group: list[Event]) -> Notice | None:
        event = group[0]
        if isinstance(event, Fill):
            return self._filled([fill for fill in group if isinstance(fill, Fill)])
        if isinstance(event, BatchStage):
            return Notice("warn", f"Batch {event.batch}: {event.detail}") if event.stage == "failed" else None
        if isinstance(event, TradingHalted):
            symbol = self.config.market(event.market).symbol
            return Notice("danger", f"{symbol} takes reducing orders only: {HALTED_FOR[event.reason]}")
        if isinstance(event, TradingResumed):
            return Notice("good", f"{self.config.market(event.market).symbol} takes all orders again")
        if isinstance(event, Rejected):
            return Notice("danger", event.message)  # the panel that sent it says the same words: shown once
        if isinstance(event, OrderRested):
            market = self.config.market(event.market)
            size, price = size_text(market, event.lots), price_text(market, event.price)
            return Notice("info", f"{event.side.capitalize()} {size} at {price} is on the book")
        if isinstance(event, OrderClosed):
            return self._closed(event) if len(group) == 1 else Notice("info", f"{len(group):,} orders cancelled")
        if isinstance(event, Liquidated):
            return self._liquidated(event)
        if isinstance(event, LiquidationDeferred):
            words = DEFERRED.get(event.reason)
            return Notice("danger", words) if words else None
        if isinstance(event, Deleveraged):
            return self._deleveraged(event)
        if isinstance(event, DepositCredited):
            return Notice("good", f"Deposit of {self._money(event.amount)} credited from L1 block {event.block:,}")
        if isinstance(event, WithdrawalStage):
            words = event.stage.replace("_", " ")
            return Notice("info", f"Withdrawal {event.withdrawal_id} of {self._money(event.amount)}: {words}")
        return None

    def _liquidated(self, event: Liquidated) -> Notice:
        paid = f"the insurance fund paid {self._money(-event.insurance)}" if event.insurance < 0 else ""
        if not event.lots:
            return Notice("danger", f"No positions left and less than nothing: {paid}")
        market = self.config.market(event.market)
        words = f"Liquidated {size_text(market, event.lots)} at {price_text(market, event.price)}"
        return Notice("danger", f"{words}; {paid}" if paid else words)

    def _deleveraged(self, event: Deleveraged) -> Notice:
        market = self.config.market(event.market)
        did = "bought" if event.side == "buy" else "sold"
        size, price = size_text(market, event.lots), price_text(market, event.price)
        words = f"Deleveraged: {did} {size} at {price}, without a fee"
        if event.reason == "bankrupt":
            return Notice("danger", f"{words}; the account had no value left")
        return Notice("warn", f"{words}, to close a bankrupt account on the other side")

    def _money(self, quanta: int) -> str:
        return f"{exact_money_text(quanta)} {self.config.collateral_symbol}"

    def _own_order(self, fill: Fill) -> int | None:
        """The user's order in a fill, None when it is between others."""
        if fill.taker_account == self.account:
            return fill.taker_order
        return fill.maker_order if fill.maker_account == self.account else None

    def _filled(self, fills: list[Fill]) -> Notice:
        """``fills``: of one order, at least one."""
        first = fills[0]
        market = self.config.market(first.market)
        bought = (first.side == "buy") == (first.taker_account == self.account)
        lots = sum(fill.lots for fill in fills)
        cost = sum(fill.lots * fill.price for fill in fills)
        average = fixed_price_text(market, cost * market.tick_value * FIXED_ONE // lots)
        words = f"{'Bought' if bought else 'Sold'} {size_text(market, lots)} at {average}"
        return Notice("good", words if len(fills) == 1 else f"{words} on average, {plural(len(fills), 'fill')}")

    def _closed(self, event: OrderClosed) -> Notice | None:
        """What is left of an order that ended; nothing when it was filled."""
        market = self.config.market(event.market)
        what = f"{event.side.capitalize()} {size_text(market, event.remaining)}"
        if event.reason == "cancelled":
            return Notice("info", f"{what} cancelled")
        if event.remaining and event.reason in UNFILLED:
            return Notice("warn", UNFILLED[event.reason].format(what))
        return None
