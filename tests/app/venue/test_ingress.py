"""The way in: bounded, typed refusals, and nothing that the journal could not give back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.venue.ingress import BadCommand, Command, Ingress, IngressFull
from engine.sequencer.inputs import (
    CancelAll,
    CancelOrder,
    ClaimRequested,
    Input,
    L1Block,
    PlaceOrder,
    RequestWithdrawal,
    decode_input,
)
from engine.units import QUANTUM
from tests.support.app_world import OWNER, STRANGER, l1_deposit, quiet_venue


def test_a_full_queue_refuses_at_once_and_keeps_what_it_has() -> None:
    ingress = Ingress(limit=3)
    orders = [CancelAll(account=16, client_id=str(n)) for n in range(4)]
    for order in orders[:3]:
        ingress.submit(Command(input=order))
    with pytest.raises(IngressFull) as refused:
        ingress.submit(Command(input=orders[3]))
    assert (refused.value.field, refused.value.limit) == ("queue", 3)
    assert ingress.depth() == 3
    assert [command.input for command in ingress.take(2)] == orders[:2]
    ingress.submit(Command(input=orders[3]))
    assert [command.input for command in ingress.take(10)] == orders[2:]


def test_facts_are_never_refused_and_come_in_order() -> None:
    ingress = Ingress(limit=1)
    ingress.submit(Command(input=CancelAll(account=16)))
    for fact in range(5):
        ingress.deliver(fact)
    assert ingress.take_facts() == [0, 1, 2, 3, 4]
    assert ingress.take_facts() == []


def test_waiting_ends_when_something_arrives() -> None:
    ingress = Ingress()
    ingress.deliver("fact")
    ingress.wait(60)  # returns at once: the wake-up was before the wait
    ingress.submit(Command(input=CancelAll(account=16)))
    ingress.wait(60)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"side": "hold"}, "side"),
        ({"lots": 1.5}, "lots"),
        ({"lots": True}, "lots"),
        ({"lots": 2**64}, "can't serialize"),
        ({"lots": -(2**63) - 1}, "can't serialize"),
        ({"type": "stop"}, "type"),
        ({"tif": None}, "tif"),
        ({"client_id": 5}, "client_id"),
        ({"client_id": "\ud800"}, "surrogates"),
        ({"account": object()}, "object"),
    ],
)
def test_a_command_that_the_journal_could_not_give_back_is_refused_where_it_is_made(
    fields: dict[str, Any], named: str
) -> None:
    good: dict[str, Any] = {"account": 16, "market": 1, "side": "buy", "type": "limit", "lots": 1, "price": 5}
    with pytest.raises(BadCommand, match="PlaceOrder") as refused:
        Command(input=PlaceOrder(**(good | fields)))
    assert named in refused.value.message


def test_the_bytes_of_a_command_are_the_journals() -> None:
    order = PlaceOrder(account=16, market=1, side="buy", type="limit", lots=2**64 - 1, price=7, client_id="ü")
    assert decode_input(Command(input=order).data) == order


whole = st.integers(-(2**63), 2**64 - 1) | st.integers(-2, 70_000) | st.sampled_from([0, 16, 40, 2**31, 2**53])
texts = st.text(max_size=80)
commands = st.one_of(
    st.builds(
        PlaceOrder,
        account=whole,
        market=whole | st.sampled_from([1, 2]),
        side=st.sampled_from(["buy", "sell"]),
        type=st.sampled_from(["limit", "market"]),
        lots=whole,
        price=whole,
        tif=st.sampled_from(["gtc", "ioc"]),
        post_only=st.booleans(),
        reduce_only=st.booleans(),
        client_id=texts,
    ),
    st.builds(CancelOrder, account=whole, order_id=whole, client_id=texts),
    st.builds(CancelAll, account=whole, market=whole, client_id=texts),
    st.builds(RequestWithdrawal, account=whole, amount=whole, client_id=texts),
    st.builds(ClaimRequested, account=whole, owner=st.binary(max_size=40), transaction=st.binary(max_size=40)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(commands, max_size=12))
def test_no_command_that_gets_in_can_stop_the_venue(values: list[Input]) -> None:
    venue = quiet_venue()
    deposits = (l1_deposit(0, 16, OWNER, 10**6 * QUANTUM), l1_deposit(1, 40, STRANGER, 10**6 * QUANTUM))
    venue.apply(1, L1Block(number=1, timestamp=0, block_hash=bytes(32), deposits=deposits))
    for value in values:
        venue.apply(venue.sequence + 1, decode_input(Command(input=value).data))
    found = venue.invariants()
    assert found == dict.fromkeys(found, True)
