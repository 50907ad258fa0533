"""The mixed flow of ``bench venue``: what many accounts send, made from a seed before anything is timed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from engine.exchange.config import DEFAULT_CONFIG, MarketConfig
from engine.sequencer.batch import root_bytes
from engine.sequencer.events import AnyEvent
from engine.sequencer.inputs import CancelOrder, Input, L1Block, L1Deposit, L1StateUpdate, PlaceOrder, Side
from engine.sequencer.venue import Venue
from engine.units import FIXED_ONE, QUANTUM, SECOND, AccountId, Lots, MarketId, OrderId, Quanta, Ticks

SEED = 20240808
GENESIS = 1_723_075_200 * SECOND
CONFIG = msgspec.structs.replace(DEFAULT_CONFIG, seed=SEED)
FIRST = CONFIG.first_user_account
MIDDLES = {1: 600_000, 2: 250_000}
LOTS = {1: 20, 2: 400}
RICH, POOR, POOR_SHARE = 200_000 * QUANTUM, 100 * QUANTUM, 0.1
"""Every tenth account can carry little: some of its orders are refused, some may no longer fill when they are met."""


class HeldPrices:
    """Index prices that move when they are told to; the flow itself has no clock steps."""

    def __init__(self) -> None:
        self.ticks = dict(MIDDLES)

    def index_fixed(self, market_id: int, time: int) -> int:
        """32.32 quanta per lot."""
        return self.ticks[market_id] * CONFIG.market(MarketId(market_id)).tick_value * FIXED_ONE


class Driven:
    """A venue with funded accounts, the numbering of its inputs, and an L1 that takes every batch.

    ``amounts``: quanta of account ``FIRST``, the next one, and so on.
    """

    def __init__(self, amounts: Sequence[int]) -> None:
        self.prices = HeldPrices()
        self.venue = Venue(CONFIG, self.prices, (), GENESIS)
        self.sequence = self.block = self.consumed = 0
        deposits = [
            L1Deposit(
                entry=i,
                account=AccountId(FIRST + i),
                owner=(FIRST + i).to_bytes(20, "big"),
                depositor=(FIRST + i).to_bytes(20, "big"),
                amount=Quanta(amount),
                transaction=bytes(32),
            )
            for i, amount in enumerate(amounts)
        ]
        self._l1(deposits=tuple(deposits))
        self.post()

    def apply(self, value: Input) -> list[AnyEvent]:
        """The next input."""
        self.sequence += 1
        return self.venue.apply(self.sequence, value)

    def post(self) -> None:
        """L1 takes the batches closed so far, so that the venue need not keep them."""
        updates = []
        for batch in self.venue.take_closed_batches():
            self.consumed += batch.queue_count
            update = L1StateUpdate(
                batch_number=batch.number,
                new_root=root_bytes(batch.new_root),
                transaction=bytes(32),
                gas_used=0,
                entries=len(batch.deposits) + len(batch.withdrawals),
                queue_consumed=self.consumed,
            )
            updates.append(update)
        if updates:
            self._l1(state_updates=tuple(updates))

    def _l1(self, deposits: tuple[L1Deposit, ...] = (), state_updates: tuple[L1StateUpdate, ...] = ()) -> None:
        self.block += 1
        block = L1Block(
            number=self.block, timestamp=0, block_hash=bytes(32), deposits=deposits, state_updates=state_updates
        )
        self.apply(block)


def mixed_amounts(accounts: int) -> list[int]:
    """Quanta of the flow's accounts."""
    numbers = Random(SEED)
    return [POOR if numbers.random() < POOR_SHARE else RICH for _ in range(accounts)]


class FlowMaker:
    """Writes the flow beside a venue of its own, whose resting orders the cancels name."""

    def __init__(self, accounts: int, block: int) -> None:
        self._random = Random(SEED + 1)
        self._accounts, self._block = accounts, block
        self._driven = Driven(mixed_amounts(accounts))
        self._placed: list[int] = []
        self._away = dict.fromkeys(MIDDLES, 0)

    def make(self, count: int) -> list[Input]:
        """``count`` inputs; batches are posted after every block of them, as they must be when they are played."""
        flow: list[Input] = []
        while len(flow) < count:
            for _ in range(min(self._block, count - len(flow))):
                value = self._next()
                flow.append(value)
                for event in self._driven.apply(value):
                    if event.__struct_config__.tag == "OrderRested":
                        self._placed.append(event.order_id)  # type: ignore[union-attr]  # told by its tag
            self._driven.post()
        return flow

    def _next(self) -> Input:
        kind = self._random.random()
        cancel = self._cancel() if kind < 0.22 else None
        return cancel or self._order(kind)

    def _cancel(self) -> Input | None:
        """Of a random resting order; None when nothing rests."""
        orders = self._driven.venue.core.orders
        while self._placed:
            at = self._random.randrange(len(self._placed))
            self._placed[at], self._placed[-1] = self._placed[-1], self._placed[at]
            order = orders.get(OrderId(self._placed.pop()))
            if order is not None:
                return CancelOrder(account=order.account, order_id=order.order_id)
        return None

    def _order(self, kind: float) -> Input:
        random = self._random
        account = FIRST + random.randrange(self._accounts)
        market = CONFIG.market(MarketId(1 if random.random() < 0.7 else 2))
        side: Side = "buy" if random.random() < 0.5 else "sell"
        lots = random.randint(1, LOTS[market.market_id])
        middle, sign = self._middle(market), 1 if side == "buy" else -1
        if kind >= 0.90:
            reduce_only = kind >= 0.97
            if reduce_only:
                side = "sell" if self._driven.venue.account(AccountId(account)).size(market.market_id) > 0 else "buy"
            return PlaceOrder(
                account=AccountId(account),
                market=market.market_id,
                side=side,
                type="market",
                lots=Lots(lots),
                reduce_only=reduce_only,
            )
        crossing = kind >= 0.60
        away = random.randint(1, 30) if crossing else -random.randint(1, 60)
        return PlaceOrder(
            account=AccountId(account),
            market=market.market_id,
            side=side,
            type="limit",
            lots=Lots(lots),
            price=Ticks(middle + sign * 10 * away),
            tif="ioc" if crossing and random.random() < 0.3 else "gtc",
            post_only=not crossing and random.random() < 0.2,
            client_id=f"{account}-{self._driven.sequence}",
        )

    def _middle(self, market: MarketConfig) -> int:
        """A walk that stays within 0.2 % of the index."""
        drift = self._away[market.market_id] + self._random.choice((-10, 0, 10))
        bound = MIDDLES[market.market_id] // 500
        self._away[market.market_id] = max(-bound, min(bound, drift))
        return MIDDLES[market.market_id] + self._away[market.market_id]
