"""A seeded mixed flow: everything at once, in an order that nobody chose."""

from __future__ import annotations

from functools import partial
from random import Random

from engine.sequencer.events import AnyEvent, Fill, FundingPaid, Liquidated, Rejected, WithdrawalStage
from engine.sequencer.inputs import Side
from engine.units import QUANTUM, AccountId
from engine.vectors.scenarios.scenario import Scenario
from engine.vectors.story import INSURANCE, MAKER, START_TICKS, Story, of_kind, shows

STEPS = 300
ACCOUNTS = range(17, 29)
SEEDS = (3, 11)
SIDES: tuple[Side, Side] = ("buy", "sell")


class Flow:
    """One seed's flow over a story. Integers alone decide, so that the same seed tells the same story everywhere."""

    def __init__(self, story: Story, seed: int) -> None:
        self.story = story
        self.random = Random(seed)
        self.ticks = dict(START_TICKS)
        self.told: list[AnyEvent] = []
        often = [self.order] * 12 + [self.quote] * 8 + [self.tick] * 5 + [self.jump, self.cancel, self.settle] * 2
        self.acts = [*often, self.hour, self.deposit, self.withdraw]

    def play(self) -> None:
        """Open accounts, then one act after another."""
        owned = [(account, self.random.randrange(300, 1_500)) for account in ACCOUNTS]
        self.note(self.story.deposit((MAKER, 2_000_000), (INSURANCE, 50_000), *owned))
        for _ in range(STEPS):
            self.random.choice(self.acts)()
        self.note(self.story.clock(60))

    def note(self, events: list[AnyEvent]) -> None:
        """Remember what happened."""
        self.told += events

    def market(self) -> int:
        """One of the markets."""
        return self.random.choice(sorted(self.ticks))

    def order(self) -> None:
        """Somebody orders: mostly near the price, often with much leverage, sometimes nonsense."""
        market, random = self.market(), self.random
        price = self.ticks[market] + random.randrange(-120, 121)
        unit = {1: 25, 2: 60}[market]
        kind = random.randrange(10)
        self.note(
            self.story.order(
                random.choice(ACCOUNTS),
                random.choice(SIDES),
                random.randrange(1, 20) * unit,
                0 if kind < 3 else price,
                market=market,
                tif="ioc" if kind == 4 else "gtc",
                post_only=kind == 5,
                reduce_only=kind in (2, 6),
                client_id=f"o{len(self.story.steps)}",
            )
        )

    def quote(self) -> None:
        """The maker renews one side of a market."""
        market, side = self.market(), self.random.choice(SIDES)
        for order in self.story.venue.core.orders.of_account(AccountId(MAKER)):
            if (order.market, order.side) == (market, side):
                self.note(self.story.cancel(MAKER, order.order_id))
        away = self.random.randrange(1, 60) * (-1 if side == "buy" else 1)
        lots = self.random.randrange(500, 5_000)
        self.note(self.story.order(MAKER, side, lots, self.ticks[market] + away, market=market))

    def tick(self) -> None:
        """A few seconds, and prices move a little."""
        self.move(1 + self.random.randrange(8), 300)

    def jump(self) -> None:
        """Prices move by up to a few percent: somebody is liquidated."""
        self.move(1, 30_000)

    def hour(self) -> None:
        """Half an hour passes."""
        self.move(1_800, 500)

    def move(self, seconds: int, most: int) -> None:
        """Time and prices; ``most``: of BTC, in ticks."""
        for market, part in ((1, 1), (2, 2)):
            moved = self.ticks[market] + self.random.randrange(-most, most + 1) // part
            self.ticks[market] = min(max(moved, START_TICKS[market] // 2), START_TICKS[market] * 2)
        self.note(self.story.clock(seconds, btc=self.ticks[1], eth=self.ticks[2]))

    def cancel(self) -> None:
        """An order of somebody's, or all of them."""
        account = self.random.choice(ACCOUNTS)
        held = self.story.venue.core.orders.of_account(AccountId(account))
        if held and self.random.randrange(2):
            self.note(self.story.cancel(account, self.random.choice(held).order_id))
        else:
            self.note(self.story.cancel_all(account, self.random.randrange(3)))

    def deposit(self) -> None:
        """More collateral for somebody."""
        self.note(self.story.deposit((self.random.choice(ACCOUNTS), self.random.randrange(1, 2_000))))

    def withdraw(self) -> None:
        """Somebody asks for more or less than there is."""
        self.note(self.story.withdraw(self.random.choice(ACCOUNTS), self.random.randrange(1, 1_000 * QUANTUM)))

    def settle(self) -> None:
        """The oldest batch that is not proved is proved; or the oldest that is not posted is posted, and paid out."""
        batches = self.story.venue.core.batches
        number = batches.last_posted + 1
        if number >= batches.open.number:
            return
        if "proved" not in batches.record(number).stages:
            self.note(self.story.prove(number))
            return
        self.note(self.story.post(number))
        for record in list(self.story.venue.core.withdrawals.live.values()):
            if record.stage == "on_l1":
                self.note(self.story.claim(record.account))
                self.note(self.story.pay(record.account, record.amount))


def _play(story: Story, seed: int) -> None:
    flow = Flow(story, seed)
    flow.play()
    told = flow.told
    shows(len(of_kind(told, Fill)) > 25, "more than 25 fills")
    shows(bool(of_kind(told, Liquidated)), "a liquidation")
    shows(len(of_kind(told, FundingPaid)) > 5, "funding")
    shows(len({event.code for event in of_kind(told, Rejected)}) > 1, "refusals")
    shows(bool(of_kind(told, WithdrawalStage)), "a withdrawal")
    shows(story.venue.core.batches.last_posted > 2, "batches on L1")


SCENARIOS = tuple(
    Scenario(
        name=f"random_flow_{seed}",
        given=f"twelve accounts, a maker and an insurance account; seed {seed}",
        when="orders, cancels, price moves and jumps, deposits, withdrawals, proofs and state updates come mixed",
        then="there are fills, liquidations, funding, refusals, withdrawals and batches, and every invariant holds",
        play=partial(_play, seed=seed),
    )
    for seed in SEEDS
)
