"""A small venue for tests: a steered price source, a plain market maker, and shortcuts for inputs."""

from __future__ import annotations

import json

import msgspec

from engine.exchange.config import BTC, DEFAULT_CONFIG, ETH, VenueConfig
from engine.sequencer.batch import root_bytes
from engine.sequencer.events import AnyEvent, OrderClosed
from engine.sequencer.inputs import (
    CancelAll,
    ClockStep,
    Input,
    L1Block,
    L1Deposit,
    L1StateUpdate,
    L1Withdrawal,
    PlaceOrder,
    ProofOutcome,
)
from engine.sequencer.participant import Command, MarketAccess
from engine.sequencer.venue import Venue
from engine.units import FIXED_ONE, QUANTUM, SECOND

GENESIS = 1_723_075_200 * SECOND  # a whole hour
BTC_TICKS, ETH_TICKS = 600_000, 250_000
GUARDED = msgspec.structs.replace(DEFAULT_CONFIG, tree_height=8, batch_max_transactions=64, batch_max_accounts=16)
UNGUARDED = {
    "mark_bound": FIXED_ONE,
    "price_band": 20 * FIXED_ONE,
    "index_jump": FIXED_ONE,
    "index_jump_most": FIXED_ONE,
}
"""Bounds so wide that a test which is not about them may move prices as it likes."""
CONFIG = msgspec.structs.replace(
    GUARDED, markets=tuple(msgspec.structs.replace(market, **UNGUARDED) for market in GUARDED.markets)
)
MAKER, ALICE, BOB = 4, 16, 17


def owner_of(account: int) -> bytes:
    """A recognisable L1 address."""
    return account.to_bytes(20, "big")


class SteeredPrices:
    """Index prices in ticks, set by the test; ``drift`` ticks per second from genesis."""

    def __init__(self, drift: int = 0) -> None:
        self.ticks: dict[int, int | None] = {BTC.market_id: BTC_TICKS, ETH.market_id: ETH_TICKS}
        self.unit = {market.market_id: market.tick_value * FIXED_ONE for market in (BTC, ETH)}
        self.drift = drift

    def index_fixed(self, market_id: int, time: int) -> int | None:
        if self.ticks[market_id] is None:
            return None
        ticks = self.ticks[market_id] + self.drift * ((time - GENESIS) // SECOND)
        return ticks * self.unit[market_id]


class Quoter:
    """Cancels everything and quotes ``levels`` prices a side around the index at every step."""

    def __init__(self, account: int = MAKER, levels: int = 5, lots: int = 1000, gap: int = 10) -> None:
        self.account, self.levels, self.lots, self.gap = account, levels, lots, gap
        self.steps = 0

    def step(self, view: MarketAccess, previous_time: int, time: int, quotes_only: bool) -> list[Command]:
        self.steps += 1
        commands: list[Command] = [CancelAll(account=self.account)]
        for market in (BTC, ETH):
            middle = view.index_fixed(market.market_id) // (market.tick_value * FIXED_ONE)
            for level in range(1, self.levels + 1):
                for side, sign in (("buy", -1), ("sell", 1)):
                    price = middle + sign * level * self.gap
                    commands.append(
                        PlaceOrder(
                            account=self.account,
                            market=market.market_id,
                            side=side,
                            type="limit",
                            lots=self.lots,
                            price=price,
                        )
                    )
        return commands

    def dump(self) -> bytes:
        return json.dumps(self.steps).encode()

    def load(self, data: bytes) -> None:
        self.steps = json.loads(data)


class World:
    """A venue and the numbering of its inputs."""

    def __init__(self, config: VenueConfig = CONFIG, quoter: Quoter | None = None, drift: int = 0) -> None:
        self.config = config
        self.prices = SteeredPrices(drift)
        self.participants = [quoter] if quoter else []
        self.venue = Venue(config, self.prices, self.participants, GENESIS)
        self.inputs: list[Input] = []
        self.block = 0
        self.entries = 0

    def apply(self, value: Input) -> list[AnyEvent]:
        self.inputs.append(value)
        return self.venue.apply(len(self.inputs), value)

    def l1(self, deposits=(), updates=(), withdrawals=()) -> list[AnyEvent]:
        self.block += 1
        return self.apply(
            L1Block(
                number=self.block,
                timestamp=self.venue.time // SECOND,
                block_hash=bytes(32),
                deposits=tuple(deposits),
                state_updates=tuple(updates),
                withdrawals=tuple(withdrawals),
            )
        )

    def entry(self, account: int, quanta: int, **more) -> L1Deposit:
        """The queue's next entry."""
        self.entries += 1
        owner = more.pop("owner", owner_of(account))
        values = {"depositor": owner, "transaction": bytes(32), **more}
        return L1Deposit(entry=self.entries - 1, account=account, owner=owner, amount=quanta, **values)

    def deposit(self, account: int, tokens: int) -> list[AnyEvent]:
        return self.l1([self.entry(account, tokens * QUANTUM)])

    def order(self, account: int, side: str, lots: int, price: int = 0, market: int = 1, **more) -> list[AnyEvent]:
        kind = "limit" if price else "market"
        return self.apply(
            PlaceOrder(account=account, market=market, side=side, type=kind, lots=lots, price=price, **more)
        )

    def step(self, seconds: float = 1.0) -> list[AnyEvent]:
        return self.apply(ClockStep(self.venue.time + int(seconds * SECOND)))

    def prove(self, number: int, accepted: bool = True, attempt: int = 1) -> list[AnyEvent]:
        reason = "" if accepted else "refused"
        return self.apply(
            ProofOutcome(
                batch=number,
                accepted=accepted,
                digest="ab" * 32,
                reason=reason,
                attempt=attempt,
                prove_milliseconds=1500,
                verify_milliseconds=20,
                proof_bytes=100_000,
            )
        )

    def post(self, number: int) -> list[AnyEvent]:
        return self.l1(updates=[self.update(number)])

    def update(self, number: int) -> L1StateUpdate:
        """What L1 tells when it took this batch."""
        batch = self.venue.core.batches.unposted.get(number)
        entries = len(batch.deposits) + len(batch.withdrawals) if batch else 0
        return L1StateUpdate(
            batch_number=number,
            new_root=root_bytes(self.venue.batch_record(number).new_root),
            transaction=bytes(32),
            gas_used=210_000,
            entries=entries,
            queue_consumed=self.venue.core.batches.queue_posted + (batch.queue_count if batch else 0),
        )

    def paid(self, account: int, amount: int) -> list[AnyEvent]:
        return self.l1(withdrawals=[L1Withdrawal(owner=owner_of(account), amount=amount, transaction=bytes(32))])

    def check(self) -> None:
        found = self.venue.invariants()
        assert dict.fromkeys(found, True) == found


def kinds(events: list[AnyEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


def only(events: list[AnyEvent], kind: type) -> AnyEvent:
    """The one event of this kind."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, kinds(events)
    return found[0]


def closed_of(events: list[AnyEvent], account: int) -> OrderClosed:
    """The last order of this account that was closed."""
    return [event for event in events if isinstance(event, OrderClosed) and event.account == account][-1]


def funded(quoter: Quoter | None = None, **more) -> World:
    """A world with a funded maker, Alice and Bob, one step after genesis."""
    world = World(quoter=quoter, **more)
    world.deposit(MAKER, 10_000_000)
    world.deposit(world.config.insurance_account, 100_000)
    world.deposit(ALICE, 10_000)
    world.deposit(BOB, 10_000)
    world.step()
    return world
