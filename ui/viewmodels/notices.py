"""What deserves a notice: facts of the user's own that must not be missed, in words, each once."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.exchange.config import VenueConfig
from engine.sequencer.events import (
    BatchStage,
    DepositCredited,
    Event,
    Fill,
    Liquidated,
    Rejected,
    WithdrawalStage,
)
from ui.viewmodels.wording import money_text, price_text, size_text

DEDUPE_SECONDS = 30.0
LIFETIME_SECONDS = {"info": 4.0, "good": 5.0, "warn": 8.0, "danger": 12.0}


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence. ``kind``: info, good, warn or danger."""

    kind: str
    text: str


@dataclass(slots=True)
class NoticeLog:
    """All notices of the session, newest last; the same words again within 30 s are only counted."""

    account: int | None
    config: VenueConfig
    history: list[tuple[float, Notice]] = field(default_factory=list)
    counts: dict[Notice, int] = field(default_factory=dict)

    def add(self, notice: Notice, now: float) -> bool:
        """Record; True when it is to be shown."""
        recent = any(old == notice and now - stamp < DEDUPE_SECONDS for stamp, old in reversed(self.history[-50:]))
        self.counts[notice] = self.counts.get(notice, 0) + 1
        if recent:
            return False
        self.history.append((now, notice))
        return True

    def from_events(self, events: list[Event]) -> list[Notice]:
        """The events that concern the user, in words."""
        return [notice for event in events if (notice := self._notice(event)) is not None]

    def _notice(self, event: Event) -> Notice | None:
        if isinstance(event, BatchStage):
            return Notice("warn", f"Batch {event.batch}: {event.detail}") if event.stage == "failed" else None
        if isinstance(event, Fill):
            return self._fill(event) if self.account in (event.maker_account, event.taker_account) else None
        if getattr(event, "account", None) != self.account:
            return None
        if isinstance(event, Rejected):
            return Notice("danger", f"Refused: {event.message}")
        if isinstance(event, Liquidated):
            market = self.config.market(event.market)
            return Notice("danger", f"Liquidated {size_text(market, event.lots)} at {price_text(market, event.price)}")
        if isinstance(event, DepositCredited):
            return Notice("good", f"Deposit of {money_text(event.amount)} credited from L1 block {event.block:,}")
        if isinstance(event, WithdrawalStage):
            words = event.stage.replace("_", " ")
            return Notice("info", f"Withdrawal {event.withdrawal_id} of {money_text(event.amount)}: {words}")
        return None

    def _fill(self, fill: Fill) -> Notice:
        market = self.config.market(fill.market)
        taker = fill.taker_account == self.account
        bought = (fill.side == "buy") == taker
        verb = "Bought" if bought else "Sold"
        return Notice("good", f"{verb} {size_text(market, fill.lots)} at {price_text(market, fill.price)}")
