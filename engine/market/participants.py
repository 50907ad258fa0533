"""Participants that make the venue's book live: a maker who quotes the external book, takers who replay its trades.

They are pure functions of what they were built with, of the calls so far and of what the venue shows them; venue time
comes in as an argument. Each trades one market from one account.
"""

from __future__ import annotations

import msgspec
import numpy as np

from engine.errors import UNDECODABLE, CorruptData, check_range
from engine.exchange.config import MarketConfig
from engine.market.feed import TOP_LEVELS
from engine.market.replay import RecordedMarket
from engine.sequencer.inputs import CancelOrder, PlaceOrder, Side
from engine.sequencer.participant import Command, MarketAccess
from engine.units import FIXED_ONE, PPM, QUANTUM, AccountId, Lots, MarketId, OrderId, Ticks

URGENT = 4  # best prices of a side that are quoted at once
SPARE = 8  # orders too many or too few that may wait
POSITION_LIMIT = 20_000_000 * QUANTUM  # of a participant that is not given one


def mixed(values: np.ndarray, seed: int) -> np.ndarray:
    """SplitMix64 finaliser of ``values + seed * golden ratio``, elementwise, uint64; the same on every machine."""
    word = values.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % (1 << 64))
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def default_limit(market: RecordedMarket) -> int:
    """Lots worth POSITION_LIMIT at the recording's first mid price, rounded down, at least 1."""
    return max(1, 2 * POSITION_LIMIT // (market.mid_at(market.start) * market.market.tick_value))


class _State(msgspec.Struct, forbid_unknown_fields=True):
    """A participant's memory. ``kind`` and ``account`` must match on load; carries are lots x PPM not yet sent."""

    kind: str
    account: AccountId
    market: MarketId
    carry_buy: int = 0
    carry_sell: int = 0


class _Remembering:
    """Account, market and memory of a participant, with its checkpoint."""

    def __init__(self, kind: str, account: AccountId, market_id: MarketId) -> None:
        self.account = account
        self._state = _State(kind, account, market_id)

    def dump(self) -> bytes:
        """Everything that later steps depend on besides construction and venue."""
        return msgspec.msgpack.encode(self._state)

    def load(self, data: bytes) -> None:
        """Inverse of :meth:`dump`; :class:`CorruptData` when the bytes are not this participant's."""
        try:
            state = msgspec.msgpack.decode(data, type=_State)
        except UNDECODABLE as error:
            raise CorruptData(f"participant checkpoint does not decode: {error}", field="participant") from error
        mine = (self._state.kind, self._state.account, self._state.market)
        if (state.kind, state.account, state.market) != mine or not self._holds(state):
            raise CorruptData(
                "participant checkpoint belongs to another participant",
                field="participant",
                value=repr(state),
                limit=mine,
            )
        self._state = state

    @staticmethod
    def _holds(state: _State) -> bool:
        return 0 <= state.carry_buy < PPM and 0 <= state.carry_sell < PPM


class MarketMaker(_Remembering):
    """Quotes the external book's levels on the venue's book.

    The targets are the recorded top ``levels`` and the cells behind them: prices as recorded, sizes scaled by
    ``scale_ppm`` and a seeded factor of 3/4 .. 5/4 fixed per price. Each step walks both, targets and resting orders,
    from the best price outwards and cancels what is off the targets, places what is missing and replaces an order
    whose size is off by more than a quarter, ``changes`` prices a side at most (more while the numbers of orders and
    targets differ much); the rest waits for the next steps and keeps its time priority. What lies before or among the
    ``URGENT`` best targets is always brought in order.

    Inventory: with the position at ``k`` parts of ``max_inventory`` (eighths), the best ``2 k`` prices on the side
    that would enlarge it are not quoted; at ``max_inventory`` that side is not quoted at all. Quotes are plain limit
    orders: a resting order of somebody else that the market has moved through is taken.
    """

    def __init__(
        self,
        account: AccountId,
        market: RecordedMarket,
        *,
        seed: int,
        levels: int = 40,
        scale_ppm: int = PPM,
        max_inventory: int | None = None,
        changes: int = 6,
    ) -> None:
        config = market.market
        super().__init__("maker", account, config.market_id)
        self.market, self.seed = market, seed
        self.levels = check_range("levels", levels, 1, TOP_LEVELS)
        self.scale_ppm = check_range("scale_ppm", scale_ppm, 1, 1000 * PPM)
        self.max_inventory = check_range("max_inventory", max_inventory or default_limit(market), 1, 1 << 40)
        self.changes = check_range("changes", changes, 1, TOP_LEVELS)

    def step(self, view: MarketAccess, previous_time: int, time: int, quotes_only: bool) -> list[Command]:
        """Cancels first, then new quotes, best prices first; the same with ``quotes_only``."""
        config = self.market.market
        near, far = self.market.depth_at(time, self.levels), self.market.far_depth_at(time)
        bids, asks = _joined(near[0], far[0], -1), _joined(near[1], far[1], 1)
        position = view.position(self.account, config.market_id)
        resting: dict[Side, dict[int, tuple[int, int]]] = {"buy": {}, "sell": {}}
        cancels: list[Command] = []
        for order_id, side, price, lots in view.orders_of(self.account, config.market_id):
            if price in resting[side]:  # one order a price; a second one can only come from another configuration
                cancels.append(CancelOrder(account=self.account, order_id=OrderId(order_id)))
            else:
                resting[side][price] = (order_id, lots)
        places: list[Command] = []
        self._requote("buy", self._targets(bids, position), resting["buy"], cancels, places)
        self._requote("sell", self._targets(asks, -position), resting["sell"], cancels, places)
        return cancels + places

    def _targets(self, levels: np.ndarray, inventory: int) -> dict[int, int]:
        """Lots by price for one side; ``inventory`` is positive when a fill on this side would enlarge it."""
        if inventory >= self.max_inventory:
            return {}
        skipped = 2 * (8 * inventory // self.max_inventory) if inventory > 0 else 0
        levels = levels[skipped:]
        factor = 96 + (mixed(levels[:, 0], self.seed) & np.uint64(63)).astype(np.int64)  # of 128
        lots = levels[:, 1] * factor * self.scale_ppm // (128 * PPM)
        lots = np.clip(lots, 1, self.market.market.max_order_lots)
        return dict(zip(levels[:, 0].tolist(), lots.tolist(), strict=True))

    def _requote(
        self,
        side: Side,
        targets: dict[int, int],
        resting: dict[int, tuple[int, int]],
        cancels: list[Command],
        places: list[Command],
    ) -> None:
        """Append the commands that bring what rests nearer to the targets (in order from the best price)."""
        market_id = self.market.market.market_id
        sign = -1 if side == "buy" else 1
        signed = [sign * price for price in targets]
        urgent = signed[min(URGENT, len(signed)) - 1] if signed else 1 << 62  # no targets: everything goes
        best = signed[0] if signed else 1 << 62
        budget = self.changes + max(0, abs(len(resting) - len(targets)) - SPARE)
        for key in sorted({*signed, *(sign * price for price in resting)}):
            if key > urgent and budget <= 0:
                break
            price = sign * key
            lots, current = targets.get(price, 0), resting.get(price)
            if current is not None and lots and 4 * abs(lots - current[1]) <= lots:
                continue
            if current is not None:
                cancels.append(CancelOrder(account=self.account, order_id=OrderId(current[0])))
            if lots:
                places.append(
                    PlaceOrder(
                        account=self.account,
                        market=market_id,
                        side=side,
                        type="limit",
                        lots=Lots(lots),
                        price=Ticks(price),
                    )
                )
            if key >= best:
                budget -= 1


def _joined(near: np.ndarray, far: np.ndarray, sign: int) -> np.ndarray:
    """Near levels, then the far cells that lie behind them; ``sign`` -1 for bids."""
    if not len(near):
        return far
    return np.concatenate([near, far[sign * far[:, 0] > sign * int(near[-1, 0])]])


class TakerFlow(_Remembering):
    """Replays recorded trades: signs and sizes, as immediate-or-cancel orders, one a side and step.

    Every recorded trade belongs to one of ``flows`` takers, drawn by ``seed``; this one is number ``flow``. Sizes are
    scaled by ``scale_ppm``, fractions of a lot are carried to the next step. An order reaches ``slippage_ppm`` beyond
    the index price, and never takes the position past ``max_position`` lots. With ``quotes_only`` nothing is traded.
    """

    def __init__(
        self,
        account: AccountId,
        market: RecordedMarket,
        *,
        seed: int,
        flow: int = 0,
        flows: int = 1,
        scale_ppm: int = PPM // 4,
        slippage_ppm: int = 2_000,
        max_position: int | None = None,
    ) -> None:
        super().__init__("taker", account, market.market.market_id)
        self.market = market
        check_range("flows", flows, 1, 64)
        check_range("flow", flow, 0, flows - 1)
        self.scale_ppm = check_range("scale_ppm", scale_ppm, 1, 1000 * PPM)
        self.slippage_ppm = check_range("slippage_ppm", slippage_ppm, 0, PPM // 2)
        self.max_position = check_range("max_position", max_position or default_limit(market), 1, 1 << 40)
        numbers = np.arange(len(market.feed.trades), dtype=np.int64)
        self._mine = mixed(numbers, seed) % np.uint64(flows) == np.uint64(flow)

    def step(self, view: MarketAccess, previous_time: int, time: int, quotes_only: bool) -> list[Command]:
        """At most one buy and one sell, in the order in which the recording's first buy and sell came."""
        if quotes_only:
            return []
        trades = self.market.trades_between(previous_time, time)
        mine = self._mine[trades.number]
        sides, lots = trades.side[mine], trades.lots[mine]
        if not len(sides):
            return []
        sold = int(lots[sides == 1].sum()) * self.scale_ppm + self._state.carry_sell
        bought = int(lots.sum()) * self.scale_ppm - (sold - self._state.carry_sell) + self._state.carry_buy
        (buy, self._state.carry_buy), (sell, self._state.carry_sell) = divmod(bought, PPM), divmod(sold, PPM)
        config = self.market.market
        position = view.position(self.account, config.market_id)
        wanted: list[tuple[Side, int]] = [
            ("buy", min(buy, self.max_position - position)),
            ("sell", min(sell, self.max_position + position)),
        ]
        if sides[0] == 1:
            wanted.reverse()
        index = view.index_fixed(config.market_id)
        return [self._order(config, side, lots, index) for side, lots in wanted if lots > 0]

    def _order(self, config: MarketConfig, side: Side, lots: int, index: int) -> PlaceOrder:
        """An order with its limit ``slippage_ppm`` beyond the index, rounded towards the index, at least one tick."""
        unit = PPM * config.tick_value * FIXED_ONE
        if side == "buy":
            price = index * (PPM + self.slippage_ppm) // unit
        else:
            price = -(-index * (PPM - self.slippage_ppm) // unit)
        lots = min(lots, config.max_order_lots)
        return PlaceOrder(
            account=self.account,
            market=config.market_id,
            side=side,
            type="limit",
            lots=Lots(lots),
            price=Ticks(max(1, price)),
            tif="ioc",
        )
