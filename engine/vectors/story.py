"""A venue that is driven step by step, and recorded as a vector.

No participants and no recorded feed: every order is an input, and index prices are what the story says, listed with
each clock step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from engine.errors import ProtocolError
from engine.exchange.config import DEFAULT_CONFIG, VenueConfig
from engine.sequencer.batch import root_bytes
from engine.sequencer.events import AnyEvent, BatchStage, CloseReason, Event, Fill, OrderClosed, Rejected
from engine.sequencer.inputs import (
    CancelAll,
    CancelOrder,
    ClaimRequested,
    ClockStep,
    Input,
    L1Block,
    L1Deposit,
    L1StateUpdate,
    L1Withdrawal,
    OrderType,
    PlaceOrder,
    ProofOutcome,
    RequestWithdrawal,
    Side,
    TimeInForce,
)
from engine.sequencer.solvency import withdrawable
from engine.sequencer.venue import Venue
from engine.sequencer.version import RULES_VERSION
from engine.units import FIXED_ONE, QUANTUM, SECOND, AccountId, Lots, MarketId, Nanoseconds, OrderId, Quanta, Ticks
from engine.vectors.encoding import FORMAT, Plain, digest_json, plain, struct_json
from engine.vectors.record import Recorder

E = TypeVar("E", bound=Event)
GENESIS_TIME = 1_723_075_200 * SECOND
"""A whole hour, so that funding times are whole hours after it."""
GUARDED = msgspec.structs.replace(
    DEFAULT_CONFIG, name="Proofline vectors", tree_height=6, batch_max_transactions=12, batch_max_accounts=8
)
"""The default venue with a small tree and small batches."""
CONFIG = msgspec.structs.replace(
    GUARDED,
    markets=tuple(
        msgspec.structs.replace(
            market, mark_bound=FIXED_ONE, price_band=20 * FIXED_ONE, index_jump=1 << 60, index_jump_most=1 << 60
        )
        for market in GUARDED.markets
    ),
)
"""The same with price guards so wide that a story which is not about them may move prices as it likes."""
START_TICKS = {1: 600_000, 2: 250_000}
INSURANCE, MAKER, ALICE, BOB, CAROL = CONFIG.insurance_account, 16, 17, 18, 19


def owner_of(account: int) -> bytes:
    """A recognisable L1 address, 20 bytes."""
    return account.to_bytes(20, "big")


class NotShown(ProtocolError):
    """A story does not show any more what it is there for: the rules have changed, and it must be told anew."""


def shows(condition: bool, what: str) -> None:
    """:class:`NotShown` when the condition does not hold."""
    if not condition:
        raise NotShown(f"not shown any more: {what}", field="story")


def of_kind(events: Sequence[AnyEvent], kind: type[E]) -> list[E]:
    """The events of one kind, in order."""
    return [event for event in events if isinstance(event, kind)]


def refused(events: Sequence[AnyEvent], code: str) -> None:
    """The input was refused with this code."""
    found = [event.code for event in of_kind(events, Rejected)]
    shows(found == [code], f"a refusal {code}; there were {found or 'none'}")


def filled(events: Sequence[AnyEvent], lots: int) -> list[Fill]:
    """The fills, which add up to this many lots."""
    fills = of_kind(events, Fill)
    found = sum(fill.lots for fill in fills)
    shows(found == lots, f"fills of {lots} lots; there were {found}")
    return fills


def closed(events: Sequence[AnyEvent], account: int, reason: CloseReason) -> OrderClosed:
    """The last order of this account that ended so."""
    found = [event for event in of_kind(events, OrderClosed) if (event.account, event.reason) == (account, reason)]
    shows(bool(found), f"an order of account {account} closed as {reason}")
    return found[-1]


def sequenced(events: Sequence[AnyEvent]) -> int:
    """The number of the batch that was closed."""
    found = [event.batch for event in of_kind(events, BatchStage) if event.stage == "sequenced"]
    shows(bool(found), "a batch was closed")
    return found[-1]


class Story:
    """Inputs in order, and what each did. Amounts in whole tokens, prices in ticks, times in seconds."""

    def __init__(self, config: VenueConfig = CONFIG, ticks: Mapping[int, int] = START_TICKS) -> None:
        self.config = config
        self.units = {market.market_id: market.tick_value * FIXED_ONE for market in config.markets}
        prices = {market: ticks[market] * unit for market, unit in self.units.items()}
        self.recorder = Recorder(config, prices, GENESIS_TIME)
        self.block = 0
        self.steps: list[Plain] = []
        self.head: Plain = {
            "config": struct_json(config),
            "genesis_time": str(GENESIS_TIME),
            "genesis_index_prices": plain(prices),
            "genesis_root": digest_json(self.venue.state_root()),
        }

    @property
    def venue(self) -> Venue:
        """The venue itself, to look at."""
        return self.recorder.venue

    # -- inputs

    def apply(self, value: Input) -> list[AnyEvent]:
        """Apply an input and record what it did."""
        events, step = self.recorder.apply(value)
        self.steps.append(step)
        return events

    def clock(
        self, seconds: float = 1, *, quotes_only: bool = False, silent: bool = False, **ticks: int
    ) -> list[AnyEvent]:
        """Move time; ``btc`` and ``eth`` set index prices in ticks. ``silent``: there are no readings from here on."""
        if silent:
            self.recorder.source.prices.clear()
        for market in self.config.markets:
            if market.base.lower() in ticks:
                price = ticks[market.base.lower()] * self.units[market.market_id]
                self.recorder.source.prices[market.market_id] = price
        return self.apply(ClockStep(time=Nanoseconds(self.venue.time + int(seconds * SECOND)), quotes_only=quotes_only))

    def order(
        self,
        account: int,
        side: Side,
        lots: int,
        price: int = 0,
        *,
        market: int = 1,
        kind: OrderType | None = None,
        tif: TimeInForce = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_id: str = "",
        worst_price: int = 0,
    ) -> list[AnyEvent]:
        """Place an order: a limit order where there is a price, otherwise a market order."""
        return self.apply(
            PlaceOrder(
                account=AccountId(account),
                market=MarketId(market),
                side=side,
                type=kind or ("limit" if price else "market"),
                lots=Lots(lots),
                price=Ticks(price),
                tif=tif,
                post_only=post_only,
                reduce_only=reduce_only,
                client_id=client_id,
                worst_price=worst_price,
            )
        )

    def cancel(self, account: int, order_id: int) -> list[AnyEvent]:
        """Cancel one order."""
        return self.apply(CancelOrder(account=AccountId(account), order_id=OrderId(order_id), client_id="c"))

    def cancel_all(self, account: int, market: int = 0) -> list[AnyEvent]:
        """Cancel an account's orders."""
        return self.apply(CancelAll(account=AccountId(account), market=MarketId(market)))

    def withdraw(self, account: int, quanta: int) -> list[AnyEvent]:
        """Ask for a withdrawal, in quanta."""
        return self.apply(RequestWithdrawal(account=AccountId(account), amount=Quanta(quanta), client_id="w"))

    # -- what comes from L1 and from the prover

    def l1(
        self,
        *,
        deposits: Sequence[L1Deposit] = (),
        updates: Sequence[L1StateUpdate] = (),
        payments: Sequence[L1Withdrawal] = (),
        number: int | None = None,
    ) -> list[AnyEvent]:
        """The next L1 block, or one with a number of its own."""
        if number is None:
            self.block += 1
        return self.apply(
            L1Block(
                number=self.block if number is None else number,
                timestamp=self.venue.time // SECOND,
                block_hash=bytes(32),
                deposits=tuple(deposits),
                state_updates=tuple(updates),
                withdrawals=tuple(payments),
            )
        )

    def entry(
        self,
        account: int,
        quanta: int,
        *,
        owner: bytes | None = None,
        ahead: int = 0,
        reclaim_at: int = 0,
        key_digest: bytes = bytes(32),
    ) -> L1Deposit:
        """The queue's next entry, or the one ``ahead`` of it."""
        found = owner_of(account) if owner is None else owner
        return L1Deposit(
            entry=self.venue.core.counters.queue_length + ahead,
            account=AccountId(account),
            owner=found,
            depositor=found,
            amount=Quanta(quanta),
            transaction=bytes(32),
            key_digest=key_digest,
            reclaim_at=reclaim_at,
        )

    def deposit(self, *amounts: tuple[int, int], owner: bytes | None = None) -> list[AnyEvent]:
        """One block with deposits: pairs of account and whole tokens."""
        entries = [
            self.entry(account, tokens * QUANTUM, owner=owner, ahead=i) for i, (account, tokens) in enumerate(amounts)
        ]
        return self.l1(deposits=entries)

    def prove(self, batch: int, *, accepted: bool = True, attempt: int = 1) -> list[AnyEvent]:
        """The outcome of proving a batch."""
        return self.apply(
            ProofOutcome(
                batch=batch,
                accepted=accepted,
                digest="ab" * 32 if accepted else "",
                reason="" if accepted else "refused",
                attempt=attempt,
                prove_milliseconds=1500,
                verify_milliseconds=20,
                proof_bytes=100_000,
            )
        )

    def post(self, batch: int, root: bytes | None = None, *, entries: int = 0, consumed: int = 0) -> list[AnyEvent]:
        """A block in which the contract accepted a batch.

        Root, entries and what it consumed of the queue are the venue's: another root where one is given, and as many
        more of the others as are given.
        """
        batches = self.venue.core.batches
        found = batches.unposted.get(batch)
        if found is not None:
            entries += len(found.deposits) + len(found.withdrawals)
            consumed += batches.queue_posted + found.queue_count
        update = L1StateUpdate(
            batch_number=batch,
            new_root=root_bytes(self.venue.batch_record(batch).new_root) if root is None else root,
            transaction=bytes(32),
            gas_used=210_000,
            entries=entries,
            queue_consumed=consumed,
        )
        return self.l1(updates=[update])

    def claim(self, account: int, owner: bytes | None = None) -> list[AnyEvent]:
        """The user asks to claim."""
        found = owner_of(account) if owner is None else owner
        return self.apply(ClaimRequested(account=AccountId(account), owner=found, transaction=bytes(32)))

    def pay(self, account: int, quanta: int) -> list[AnyEvent]:
        """A block in which L1 paid an account's owner."""
        return self.l1(payments=[L1Withdrawal(owner=owner_of(account), amount=Quanta(quanta), transaction=bytes(32))])

    # -- what is shown

    def size(self, account: int, market: int = 1) -> int:
        """Signed lots of a position."""
        return self.venue.account(AccountId(account)).size(MarketId(market))

    def balance(self, account: int) -> int:
        """Collateral in quanta."""
        return self.venue.account(AccountId(account)).collateral

    def withdrawable(self, account: int) -> int:
        """Quanta that the account may take out."""
        core = self.venue.core
        return withdrawable(core, core.account(AccountId(account)))

    def liquidation_price(self, account: int, market: int = 1) -> int:
        """In ticks; the story fails when there is none."""
        price = self.venue.liquidation_price(AccountId(account), MarketId(market))
        if price is None:
            raise NotShown(f"account {account} has no liquidation price in market {market}")
        return price

    # -- the record

    def vector(self, name: str, given: str, when: str, then: str) -> Plain:
        """The whole vector, ready to be written."""
        return {
            "format": FORMAT,
            "rules": str(RULES_VERSION),
            "name": name,
            "given": given,
            "when": when,
            "then": then,
            **self.head,
            "steps": self.steps,
            "end": self.recorder.end(),
        }
