"""Makers and takers on a bare venue."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.errors import CorruptData, OutOfRange
from engine.exchange.config import BTC
from engine.market.feed import Feed
from engine.market.participants import MarketMaker, TakerFlow
from engine.market.replay import RecordedMarket
from engine.sequencer.inputs import PlaceOrder
from engine.sequencer.participant import Participant
from engine.units import PPM, SECOND
from tests.support.market_world import MILLISECOND, BareVenue

START = 7_000 * SECOND
STEP = 100 * MILLISECOND


@pytest.fixture(scope="module")
def market(btc_feed: Feed) -> RecordedMarket:
    return RecordedMarket(btc_feed, BTC, START)


def makers_and_takers(market: RecordedMarket) -> list[Participant]:
    return [
        TakerFlow(12, market, seed=5, flow=0, flows=2),
        TakerFlow(13, market, seed=5, flow=1, flows=2),
        MarketMaker(8, market, seed=5),
    ]


def run(
    venue: BareVenue, participants: Sequence[Participant], first: int, last: int, quotes_only: bool = False
) -> list[list]:
    """Steps ``first .. last - 1`` of 100 ms; all commands."""
    commands = []
    for number in range(first, last):
        before = START + number * STEP
        venue.time = before + STEP
        for participant in participants:
            batch = participant.step(venue, before, venue.time, quotes_only)
            for command in batch:
                venue.apply(command)
            commands.append(batch)
        assert all(book.uncrossed() for book in venue.books.values())
    return commands


def test_a_minute_of_market_is_alive_deep_and_near_the_index(market: RecordedMarket) -> None:
    venue = BareVenue({1: market})
    participants = makers_and_takers(market)
    run(venue, participants, 0, 5)
    venue.changes = 0
    distances = []
    for second in range(60):
        run(venue, participants, 5 + 10 * second, 15 + 10 * second)
        bid, ask = venue.best_bid(1), venue.best_ask(1)
        assert bid is not None
        assert ask is not None
        distances.append(abs(bid + ask - market.mid_at(venue.time)) / 2)
        bids, asks = venue.books[1].depth(100)
        assert min(len(bids), len(asks)) >= 30
        assert len(venue.orders_of(8, 1)) <= 200
    assert venue.changes >= 50 * 60
    assert sorted(distances)[len(distances) // 2] < 2  # ticks
    assert venue.taken > 10_000


def test_the_same_calls_give_the_same_commands(market: RecordedMarket) -> None:
    first, second = (run(BareVenue({1: market}), makers_and_takers(market), 0, 40) for _ in range(2))
    assert first == second
    other = [TakerFlow(12, market, seed=6), MarketMaker(8, market, seed=6)]
    assert run(BareVenue({1: market}), other, 0, 2)[1] != first[2]


def test_participants_go_on_from_a_checkpoint(market: RecordedMarket) -> None:
    venue, participants = BareVenue({1: market}), makers_and_takers(market)
    run(venue, participants, 0, 30)
    copies = makers_and_takers(market)
    for copy, original in zip(copies, participants, strict=True):
        copy.load(original.dump())
        assert copy.dump() == original.dump()
    venue.time = START + 31 * STEP
    for copy, original in zip(copies, participants, strict=True):
        arguments = (venue, START + 30 * STEP, venue.time, False)
        assert copy.step(*arguments) == original.step(*arguments)


def test_a_maker_settles_on_its_targets_when_the_market_stands_still(market: RecordedMarket) -> None:
    venue = BareVenue({1: market})
    maker = MarketMaker(8, market, seed=5)
    for time in [START + 10 * STEP] + [START + 50 * STEP] * 40:
        for command in maker.step(venue, time, time, False):
            venue.apply(command)
    bids, asks = market.depth_at(venue.time or START + 50 * STEP, 40)
    quoted = {(side, price) for _, side, price, _ in venue.orders_of(8, 1)}
    assert {("buy", price) for price in bids[:, 0].tolist()} <= quoted
    assert {("sell", price) for price in asks[:, 0].tolist()} <= quoted
    assert maker.step(venue, START + 50 * STEP, START + 50 * STEP, False) == []


def test_small_changes_keep_time_priority(market: RecordedMarket) -> None:
    venue = BareVenue({1: market})
    maker = MarketMaker(8, market, seed=5)
    run(venue, [maker], 0, 1)
    before = {order[0] for order in venue.orders_of(8, 1)}
    run(venue, [maker], 1, 2)
    assert len(before & {order[0] for order in venue.orders_of(8, 1)}) > len(before) // 2


def test_sizes_follow_the_recording_within_the_seeded_factor(market: RecordedMarket) -> None:
    venue = BareVenue({1: market})
    run(venue, [MarketMaker(8, market, seed=5, scale_ppm=2 * PPM)], 0, 1)
    bids, _ = market.depth_at(START + STEP, 40)
    recorded = dict(bids.tolist())
    ours = {price: lots for _, side, price, lots in venue.orders_of(8, 1) if side == "buy"}
    common = recorded.keys() & ours.keys()
    assert len(common) >= 30
    for price in common:
        assert recorded[price] * 3 // 2 <= ours[price] <= recorded[price] * 5 // 2


@pytest.mark.parametrize(("position", "side"), [(600, "buy"), (-600, "sell")])
def test_inventory_moves_the_quotes_of_the_side_that_would_enlarge_it(
    market: RecordedMarket, position: int, side: str
) -> None:
    def best(inventory: int) -> dict[str, int]:
        venue = BareVenue({1: market})
        venue.positions[8, 1] = inventory
        run(venue, [MarketMaker(8, market, seed=5, max_inventory=1_000)], 0, 1)
        found = {"buy": venue.best_bid(1), "sell": venue.best_ask(1)}
        return {name: price for name, price in found.items() if price is not None}

    flat, skewed, full = best(0), best(position), best(1_000 if position > 0 else -1_000)
    other = "sell" if side == "buy" else "buy"
    assert skewed[other] == flat[other] == full[other]
    assert skewed[side] < flat[side] if side == "buy" else skewed[side] > flat[side]
    assert side not in full


def test_a_maker_takes_an_order_that_the_market_has_moved_through(market: RecordedMarket) -> None:
    venue = BareVenue({1: market})
    quote = market.quote_at(START + STEP)
    venue.apply(PlaceOrder(account=99, market=1, side="buy", type="limit", lots=5, price=quote.ask + 3))
    run(venue, [MarketMaker(8, market, seed=5)], 0, 1)
    assert venue.position(99, 1) == 5
    assert venue.best_bid(1) == quote.bid


def test_quotes_only_means_quotes_and_no_takers(market: RecordedMarket) -> None:
    venue, participants = BareVenue({1: market}), makers_and_takers(market)
    commands = run(venue, participants, 0, 20, quotes_only=True)
    assert not any(batch for batch in commands[0::3] + commands[1::3])
    assert venue.best_bid(1) is not None
    assert venue.taken == 0
    assert participants[0].dump() == TakerFlow(12, market, seed=5, flow=0, flows=2).dump()


def test_scaled_flow_loses_nothing_but_the_carried_fraction(market: RecordedMarket) -> None:
    scale = 333_333
    venue = BareVenue({1: market})
    taker = TakerFlow(12, market, seed=5, scale_ppm=scale)
    sent = {"buy": 0, "sell": 0}
    for number in range(300):
        venue.time = START + (number + 1) * STEP
        for order in taker.step(venue, venue.time - STEP, venue.time, False):
            assert isinstance(order, PlaceOrder)
            assert (order.tif, order.type) == ("ioc", "limit")
            sent[order.side] += order.lots
    trades = market.trades_between(START, venue.time)
    for side, code in (("buy", 0), ("sell", 1)):
        assert sent[side] == int(trades.lots[trades.side == code].sum()) * scale // PPM > 0


def test_flows_share_the_trades_without_overlap(market: RecordedMarket) -> None:
    takers = [TakerFlow(12 + flow, market, seed=5, flow=flow, flows=3, scale_ppm=PPM) for flow in range(3)]
    venue = BareVenue({1: market})
    venue.time = START + 60 * SECOND
    shares = [sum(order.lots for order in taker.step(venue, START, venue.time, False)) for taker in takers]
    trades = market.trades_between(START, venue.time)
    assert sum(shares) == int(trades.lots.sum())
    assert min(shares) > 0


def test_a_taker_stops_at_its_position_and_price_limits(market: RecordedMarket) -> None:
    venue = BareVenue({1: market})
    venue.time = START + 60 * SECOND
    venue.positions[12, 1] = 70
    taker = TakerFlow(12, market, seed=5, scale_ppm=PPM, max_position=100, slippage_ppm=1_000)
    orders = {order.side: order for order in taker.step(venue, START, venue.time, False)}
    assert (orders["buy"].lots, orders["sell"].lots) == (30, 170)
    mid = market.mid_at(venue.time) / 2
    assert mid * 1.001 - 1 < orders["buy"].price <= mid * 1.001
    assert mid * 0.999 <= orders["sell"].price < mid * 0.999 + 1


def test_foreign_or_damaged_checkpoints_are_refused(market: RecordedMarket) -> None:
    taker, maker = TakerFlow(12, market, seed=5), MarketMaker(8, market, seed=5)
    for data in (b"", b"\xff", maker.dump(), TakerFlow(13, market, seed=5).dump(), taker.dump()[:-1]):
        with pytest.raises(CorruptData):
            taker.load(data)


def test_parameters_out_of_range_are_refused(market: RecordedMarket) -> None:
    for arguments in ({"levels": 0}, {"levels": 49}, {"scale_ppm": 0}, {"max_inventory": -1}, {"changes": 0}):
        with pytest.raises(OutOfRange) as caught:
            MarketMaker(8, market, seed=1, **arguments)
        assert caught.value.field in arguments
    with pytest.raises(OutOfRange):
        TakerFlow(12, market, seed=1, flow=2, flows=2)
