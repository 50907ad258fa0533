"""Every invariant has a state in which it is false. One that is new has none here, and fails until it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.book.book import OrderBook
from engine.sequencer.core import Insolvent, VenueCore
from engine.sequencer.inputs import RequestWithdrawal
from tests.support.venue_world import ALICE, BOB, BTC_TICKS, CONFIG, ETH_TICKS, MAKER, World, funded

CAROL = 18


def traded() -> World:
    """Positions, resting orders on both sides, a closed batch and an open one; everything holds."""
    world = funded()
    world.order(BOB, "sell", 300, BTC_TICKS)
    world.order(ALICE, "buy", 200, BTC_TICKS)
    world.order(ALICE, "buy", 10, BTC_TICKS - 1000)
    world.step(20)
    world.order(ALICE, "buy", 20, BTC_TICKS)
    world.order(ALICE, "sell", 15, BTC_TICKS + 1000, reduce_only=True)
    world.check()
    return world


def _paid_twice(core: VenueCore) -> None:
    core.account(ALICE).collateral += 1


def _withdrawn_too_much(core: VenueCore) -> None:
    core.counters.collateral = -1


def _bankrupt(core: VenueCore) -> None:
    state = core.account(ALICE)
    state.collateral -= (core.margin(state).total_value >> 32) + 1


def _insurance_overdrawn(core: VenueCore) -> None:
    core.account(CONFIG.insurance_account).collateral = -1


def _profit_without_loss(core: VenueCore) -> None:
    core.account(BOB).collateral += core.counters.collateral


def _one_sided(core: VenueCore) -> None:
    core.account(ALICE).positions[0].size += 1


def _interest_miscounted(core: VenueCore) -> None:
    core.prices[0].open_interest += 1


def _mark_ran_away(core: VenueCore) -> None:
    core.prices[0].mark_fixed = 3 * core.prices[0].index_fixed


class CrossedBook(OrderBook):
    """A bid at its ask: the book itself cannot be brought to it."""

    best_bid = best_ask = BTC_TICKS  # type: ignore[assignment]


def _crossed(core: VenueCore) -> None:
    core.books[0].__class__ = CrossedBook


def _order_forgotten(core: VenueCore) -> None:
    core.books[0].cancel(core.orders.of_account(ALICE)[0].order_id)


def _order_of_another_size(core: VenueCore) -> None:
    core.orders.of_account(BOB)[0].lots += 1


def _totals_miscounted(core: VenueCore) -> None:
    core.account(ALICE).positions[0].buy_lots += 1


def _untouched_leaf_changed(core: VenueCore) -> None:
    core.account(MAKER).next_signature_index += 1


def _other_tree(core: VenueCore) -> None:
    tree = core.batches.tree
    tree._accounts[ALICE] = replace(tree.get(ALICE), collateral=1)


def _reducing_too_much(core: VenueCore) -> None:
    size = core.account(ALICE).positions[0].size
    order = next(order for order in core.orders.of_account(ALICE) if order.reduce_only)
    core.account(ALICE).positions[0].size = order.lots - 1
    core.account(BOB).positions[0].size += size - order.lots + 1


def _l1_differs(core: VenueCore) -> None:
    core.l1_contradiction = "the contract's root is another"


COUNTER_EXAMPLES: list[tuple[str, Callable[[VenueCore], None]]] = [
    ("collateral_conserved", _paid_twice),
    ("collateral_not_negative", _withdrawn_too_much),
    ("bankrupt_in_deleveraging", _bankrupt),
    ("insurance_not_negative", _insurance_overdrawn),
    ("withdrawable_is_held", _profit_without_loss),
    ("open_interest_balanced", _one_sided),
    ("open_interest_balanced", _interest_miscounted),
    ("mark_within_bound", _mark_ran_away),
    ("book_uncrossed", _crossed),
    ("orders_match_books", _order_forgotten),
    ("orders_match_books", _order_of_another_size),
    ("orders_match_books", _totals_miscounted),
    ("root_rebuilt", _untouched_leaf_changed),
    ("root_rebuilt", _other_tree),
    ("reduce_only_reduces", _reducing_too_much),
    ("l1_agrees", _l1_differs),
]


@pytest.mark.parametrize(("name", "spoil"), COUNTER_EXAMPLES)
def test_an_invariant_that_is_broken_says_so(name: str, spoil: Callable[[VenueCore], None]) -> None:
    world = traded()
    spoil(world.venue.core)
    found = world.venue.invariants()[name]
    assert isinstance(found, str)
    assert found


def test_every_invariant_has_a_counter_example() -> None:
    assert {name for name, _ in COUNTER_EXAMPLES} == traded().venue.invariants().keys()


def test_a_batch_that_the_contract_would_refuse_is_not_closed() -> None:
    world = traded()
    _withdrawn_too_much(world.venue.core)
    with pytest.raises(Insolvent, match="withdrawals exceed deposits by 1 quanta"):
        world.step(20)


def test_a_withdrawal_of_more_than_is_held_is_refused() -> None:
    """Margin alone would allow it: somebody's loss was never taken."""
    world = traded()
    core = world.venue.core
    _profit_without_loss(core)
    (refused,) = world.apply(RequestWithdrawal(account=BOB, amount=core.counters.collateral + 1))
    assert refused.code == "withdrawal_uncovered"
    assert refused.limit == str(core.counters.collateral)


def _nobody_is_exposed(core: VenueCore) -> None:
    core.exposed.clear()


def _nobody_is_in_deleveraging(core: VenueCore) -> None:
    core.deleveraging.clear()


@pytest.mark.parametrize("forget", [_nobody_is_exposed, _nobody_is_in_deleveraging])
def test_what_is_kept_back_makes_the_difference(forget: Callable[[VenueCore], None]) -> None:
    """Alice owes Bob, who owes Carol: without what is kept back of Carol she could take what is not there."""
    world = World()
    for account, tokens in ((ALICE, 3100), (BOB, 7000), (CAROL, 4000)):
        world.deposit(account, tokens)
    world.step()
    for buyer, seller, lots, ticks, market in ((ALICE, BOB, 1000, BTC_TICKS, 1), (BOB, CAROL, 24_000, ETH_TICKS, 2)):
        world.order(seller, "sell", lots, ticks, market=market)
        world.order(buyer, "buy", lots, ticks, market=market)
    world.prices.ticks.update({1: 300_000, 2: 125_000})
    world.step()
    world.check()
    assert world.venue.core.deleveraging.keys() == {ALICE}
    forget(world.venue.core)
    assert isinstance(world.venue.invariants()["withdrawable_is_held"], str)
