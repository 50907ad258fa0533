"""Hostile calldata, and the exchange contract's accounting against a plain ledger."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sequencer.batch import root_bytes
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, address_of
from engine.settlement.contracts.abi import encode_call, selector
from engine.settlement.relay.client import UPDATE
from tests.support.settlement_venue import (
    MAKER,
    MAKER_ACCOUNT,
    MAKER_DEPOSIT,
    OPERATOR,
    R0,
    R1,
    ROOTS,
    TAKER,
    TAKER_ACCOUNT,
    TAKER_DEPOSIT,
    Venue,
    entry,
    flow,
    genesis_blocks,
    open_venue,
    update,
)


@pytest.fixture(scope="module")
def sandbox() -> Venue:
    """Only for simulated calls, which change nothing."""
    return open_venue(genesis_blocks())


@pytest.fixture(scope="module")
def told(sandbox: Venue) -> Venue:
    """The same with the fact of one batch registered."""
    venue = open_venue(sandbox.store.records)
    venue.told(1, (), (flow(TAKER_ACCOUNT, venue.taker, 5),))
    return venue


_SIGNATURES = (
    "deposit(uint64,uint64)",
    "open_account(bytes32,uint64)",
    "request_reclaim(uint64)",
    "reclaim(uint64)",
    "withdraw(address,uint256)",
    UPDATE,
    "withdraw(address)",
)


@settings(max_examples=150, deadline=None)
@given(signature=st.sampled_from(_SIGNATURES), tail=st.binary(max_size=400))
def test_hostile_calldata_never_succeeds(sandbox: Venue, signature: str, tail: bytes) -> None:
    """Arbitrary bytes behind a real selector, from the operator: without tokens, and without a fact."""
    execution = sandbox.chain.simulate(
        sandbox.client.exchange, selector(signature) + tail, caller=address_of(OPERATOR), gas=MAX_GAS_LIMIT // 8
    )
    assert not execution.success
    assert execution.logs == ()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_bit_of_a_proved_update_is_refused(told: Venue, data: st.DataObject) -> None:
    """Any change to the calldata that changes what it says is refused; padding that says nothing may differ."""
    outputs = entry(1, TAKER_ACCOUNT, told.taker, 5)
    good = encode_call(UPDATE, 0, 1, R0, R1, 0, outputs)
    caller = address_of(OPERATOR)
    assert told.chain.simulate(told.client.exchange, good, caller).success
    meaningful = 4 + 7 * 32 + len(outputs)  # what follows is the padding of the last word
    changed = bytearray(good)
    changed[data.draw(st.integers(0, meaningful - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not told.chain.simulate(told.client.exchange, bytes(changed), caller).success


class Ledger:
    """The queue, owners and claimable balances as the rules say them, in plain Python."""

    def __init__(self, venue: Venue) -> None:
        self.owners = {MAKER_ACCOUNT: venue.maker, TAKER_ACCOUNT: venue.taker}
        self.queue = [(MAKER_ACCOUNT, MAKER_DEPOSIT), (TAKER_ACCOUNT, TAKER_DEPOSIT)]
        self.consumed = 0
        self.claims: dict[bytes, int] = {}

    @property
    def pending(self) -> int:
        return sum(amount for _, amount in self.queue[self.consumed :])

    def apply(self, count: int, outputs: list[tuple[int, int, bytes, int]]) -> bool:
        if self.consumed + count > len(self.queue):
            return False
        due: dict[int, int] = {}
        for account, amount in self.queue[self.consumed : self.consumed + count]:
            due[account] = due.get(account, 0) + amount
        claims = dict(self.claims)
        for kind, account, owner, amount in outputs:
            if kind == 0 and (due.pop(account, 0) != amount or owner != self.owners[account]):
                return False
            if kind == 1:
                claims[owner] = claims.get(owner, 0) + amount
        if due:
            return False
        self.claims, self.consumed = claims, self.consumed + count
        return True


_owners = st.sampled_from([address_of(MAKER), address_of(TAKER)])
_deposits = st.sampled_from([
    (),
    ((0, MAKER_ACCOUNT, address_of(MAKER), MAKER_DEPOSIT),),
    ((0, TAKER_ACCOUNT, address_of(TAKER), TAKER_DEPOSIT),),
    ((0, MAKER_ACCOUNT, address_of(MAKER), MAKER_DEPOSIT), (0, TAKER_ACCOUNT, address_of(TAKER), TAKER_DEPOSIT)),
    ((0, MAKER_ACCOUNT, address_of(TAKER), MAKER_DEPOSIT),),
    ((0, MAKER_ACCOUNT, address_of(MAKER), 7),),
    ((0, MAKER_ACCOUNT, address_of(MAKER), 7), (0, MAKER_ACCOUNT, address_of(MAKER), 7)),
])  # fmt: skip
_step = st.one_of(
    st.tuples(st.just("deposit"), st.sampled_from([MAKER_ACCOUNT, TAKER_ACCOUNT]), st.integers(1, 9)),
    st.tuples(
        st.just("update"),
        st.integers(0, 3),
        _deposits,
        st.lists(st.tuples(st.just(1), st.sampled_from([MAKER_ACCOUNT, 20]), _owners, st.integers(1, 99)), max_size=2),
    ),
)


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(_step, min_size=1, max_size=5))
def test_accounting_equals_a_plain_ledger(sandbox: Venue, steps: list[tuple]) -> None:
    """Also where the entries taken, the accounts credited and the amounts do not go together."""
    venue = open_venue(sandbox.store.records)
    client, ledger, number = venue.client, Ledger(venue), 1
    for kind, *values in steps:
        if kind == "deposit":
            account, amount = values
            (receipt,) = venue.send(client.deposit(MAKER, account, amount, venue.nonce(MAKER)))
            assert receipt.status == 1
            ledger.queue.append((account, amount))
        else:
            count, deposits, withdrawals = values
            outputs = [*deposits, *withdrawals]
            accepted = ledger.apply(count, outputs)
            old, new = root_bytes(ROOTS[number - 1]), root_bytes(ROOTS[number])
            data = b"".join(entry(*flows) for flows in outputs)
            assert update(venue, number, old, new, data, queue_count=count)[0] == accepted
            number += accepted
        for owner in (venue.maker, venue.taker):
            assert client.withdrawable(owner) == ledger.claims.get(owner, 0)
        assert (client.queue_length(), client.queue_consumed()) == (len(ledger.queue), ledger.consumed)
        assert client.total_pending() == ledger.pending
        assert client.total_withdrawable() == sum(ledger.claims.values())
