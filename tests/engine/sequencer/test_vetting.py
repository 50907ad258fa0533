"""Vetting makers in one pass: as the slow search from the start again finds them, in bounded looks at the book."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.book.book import OrderBook
from engine.book.layout import MAX_LOTS
from engine.exchange.admission import FeeRates
from engine.exchange.config import BTC, DEFAULT_CONFIG, ETH
from engine.exchange.state import AccountState, market_terms
from engine.sequencer import planning
from engine.sequencer.orders import OpenOrder, OrderRegistry
from engine.sequencer.planning import CheckedOrder, meet
from engine.units import FIXED_ONE, QUANTUM
from tests.support.venue_world import BTC_TICKS, ETH_TICKS
from tests.support.vetting_reference import BareGround, slow_meeting

TAKER = 99
MARKS = [BTC_TICKS * BTC.tick_value * FIXED_ONE, ETH_TICKS * ETH.tick_value * FIXED_ONE]


def ground_of(accounts: dict[int, AccountState], orders: list[tuple[int, str, int, int, bool]]) -> BareGround:
    """A ground where these orders (account, side, lots, ticks from the mark, reduce-only) rest, as far as they can."""
    terms = market_terms(DEFAULT_CONFIG, MARKS, [0, 0])
    ground = BareGround(
        DEFAULT_CONFIG, (BTC, ETH), terms, FeeRates(200, 500), [OrderBook(), OrderBook()], OrderRegistry(), accounts
    )
    accounts[TAKER] = AccountState(TAKER, 2)
    for order_id, (account, side, lots, away, reduce_only) in enumerate(orders, 1):
        price = BTC_TICKS + away
        ground.books[0].place(order_id, account, "buy" if side == "buy" else "sell", lots, price)
        order = OpenOrder(
            order_id=order_id,
            account=account,
            market=1,
            buy=side == "buy",
            price=price,
            lots=lots,
            filled=0,
            placed_at=0,
            client_id="",
            reduce_only=reduce_only,
        )
        ground.orders.add(order)
    return ground


def state(account_id: int, tokens: int, btc: int, eth: int) -> AccountState:
    """An account with positions bought and sold at the marks."""
    account = AccountState(account_id, 2)
    for position, size, mark in zip(account.positions, (btc, eth), MARKS, strict=True):
        position.size = size
        account.collateral -= size * mark >> 32
    account.collateral += tokens * QUANTUM
    return account


def taker(ground: BareGround, lots: int, price: int | None, buy: bool) -> CheckedOrder:
    return CheckedOrder(account=ground.accounts[TAKER], market_index=0, buy=buy, lots=lots, price=price, ioc=True)


makers = st.tuples(st.integers(-300, 6_000), st.integers(-900, 900), st.integers(-9_000, 9_000))
queues = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 400), st.integers(0, 12), st.booleans()), min_size=1, max_size=30
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(makers, min_size=4, max_size=4),
    queues,
    st.booleans(),
    st.integers(1, 4_000),
    st.none() | st.integers(-3, 12),
    st.sampled_from([1, 2, 5, 256]),
)
def test_one_pass_finds_what_the_search_from_the_start_finds(found, queue, buy, lots, reach, chunk) -> None:
    sign, side = (1, "sell") if buy else (-1, "buy")
    accounts = {i: state(i, *numbers) for i, numbers in enumerate(found)}
    ground = ground_of(accounts, [(who, side, size, sign * away, flag) for who, size, away, flag in queue])
    order = taker(ground, lots, None if reach is None else BTC_TICKS + sign * reach, buy)
    before = {i: (account.collateral, account.positions[0].numbers()) for i, account in accounts.items()}
    with patch.object(planning, "CHUNK", chunk):
        meeting = meet(ground, order)
    slow, unfit, cost, cuts = slow_meeting(ground, order)
    assert list(zip(*meeting.makers, strict=True)) == slow
    assert (meeting.unfit, meeting.cost, meeting.filled) == (unfit, cost, sum(row[3] for row in slow))
    assert meeting.reductions == cuts
    assert {i: (a.collateral, a.positions[0].numbers()) for i, a in accounts.items()} == before


def test_an_unfit_maker_gives_its_lots_to_later_orders_of_itself() -> None:
    """Two lots are more than it can carry, one is not."""
    ground = ground_of({0: state(0, 4, 0, 0)}, [(0, "sell", 2, 0, False), (0, "sell", 1, 1, False)])
    meeting = meet(ground, taker(ground, 3, None, buy=True))
    assert (meeting.unfit, meeting.makers.order_ids, meeting.filled) == ((1,), [2], 1)


def test_unfit_orders_of_more_lots_than_a_book_order_may_have_are_looked_past() -> None:
    poor, rich = state(0, 0, 0, 0), state(1, 10_000, 0, 0)
    ground = ground_of({0: poor, 1: rich}, [*[(0, "sell", MAX_LOTS, 0, False)] * 3, (1, "sell", 5, 1, False)])
    meeting = meet(ground, taker(ground, 4, None, buy=True))
    assert (meeting.unfit, meeting.makers.order_ids, meeting.filled) == ((1, 2, 3), [4], 4)


def test_a_maker_whose_account_would_leave_the_formats_is_unfit() -> None:
    broken = state(0, 0, 0, 0)
    broken.collateral = (1 << 63) - 1
    ground = ground_of({0: broken, 1: state(1, 1_000, 0, 0)}, [(0, "sell", 9, 0, False), (1, "sell", 9, 0, False)])
    meeting = meet(ground, taker(ground, 9, None, buy=True))
    assert meeting.makers.order_ids == [1]  # its money only changes its form
    ground.accounts[0].positions[1].size = 1 << 40
    meeting = meet(ground, taker(ground, 9, None, buy=True))
    assert (meeting.unfit, meeting.makers.order_ids) == ((1,), [2])


def test_the_book_is_asked_as_often_as_it_has_chunks() -> None:
    """Four hundred makers that may not fill in front of four hundred that may: each is looked at once."""
    accounts = {i: state(i, 0 if i < 40 else 10_000, 0, 0) for i in range(80)}
    ground = ground_of(accounts, [(i % 40 + 40 * (i >= 400), "sell", 1, 0, False) for i in range(800)])
    asked: list[list[list[int]]] = []
    wanted = ground.books[0].next_makers

    def counted(*arguments) -> list[list[int]]:
        asked.append(wanted(*arguments))
        return asked[-1]

    with patch.object(ground.books[0], "next_makers", counted):
        meeting = meet(ground, taker(ground, 400, None, buy=True))
    assert (len(meeting.unfit), meeting.filled) == (400, 400)
    assert sum(len(chunk[0]) for chunk in asked) == 800
    assert len(asked) == 4
