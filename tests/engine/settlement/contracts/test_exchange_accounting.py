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
    genesis_block,
    open_venue,
    update,
)


@pytest.fixture(scope="module")
def sandbox() -> Venue:
    """Only for simulated calls, which change nothing."""
    return open_venue(genesis_block())


@pytest.fixture(scope="module")
def told(sandbox: Venue) -> Venue:
    """The same with the fact of one batch registered."""
    venue = open_venue(sandbox.store.records)
    venue.told(1, (), (flow(TAKER_ACCOUNT, venue.taker, 5),))
    return venue


_SIGNATURES = (
    "deposit(uint64,uint64)",
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
    good = encode_call(UPDATE, 0, 1, R0, R1, outputs)
    caller = address_of(OPERATOR)
    assert told.chain.simulate(told.client.exchange, good, caller).success
    meaningful = 4 + 6 * 32 + len(outputs)  # what follows is the padding of the last word
    changed = bytearray(good)
    changed[data.draw(st.integers(0, meaningful - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not told.chain.simulate(told.client.exchange, bytes(changed), caller).success


class Ledger:
    """Pending and claimable balances as the rules say them, in plain Python."""

    def __init__(self, venue: Venue) -> None:
        self.pending = {(MAKER_ACCOUNT, venue.maker): MAKER_DEPOSIT, (TAKER_ACCOUNT, venue.taker): TAKER_DEPOSIT}
        self.claims: dict[bytes, int] = {}
        self.held = MAKER_DEPOSIT + TAKER_DEPOSIT

    def apply(self, outputs: list[tuple[int, int, bytes, int]]) -> bool:
        pending, claims = dict(self.pending), dict(self.claims)
        for kind, account, owner, amount in outputs:
            if kind == 0:
                if pending.get((account, owner), 0) < amount:
                    return False
                pending[account, owner] -= amount
            else:
                claims[owner] = claims.get(owner, 0) + amount
        self.pending, self.claims = pending, claims
        return True


_entries = st.lists(
    st.tuples(
        st.sampled_from([0, 1]),
        st.sampled_from([MAKER_ACCOUNT, TAKER_ACCOUNT]),
        st.sampled_from([address_of(MAKER), address_of(TAKER)]),
        st.integers(1, MAKER_DEPOSIT),
    ),
    max_size=4,
).map(lambda entries: sorted(entries, key=lambda e: e[0]))


@settings(max_examples=12, deadline=None)
@given(batches=st.lists(_entries, min_size=1, max_size=3))
def test_accounting_equals_a_plain_ledger(sandbox: Venue, batches: list[list[tuple[int, int, bytes, int]]]) -> None:
    venue = open_venue(sandbox.store.records)
    ledger, number = Ledger(venue), 1
    for entries in batches:
        accepted = ledger.apply(entries)
        outputs = b"".join(entry(*values) for values in entries)
        old, new = root_bytes(ROOTS[number - 1]), root_bytes(ROOTS[number])
        assert update(venue, number, old, new, outputs)[0] == accepted
        number += accepted
        for (account, owner), amount in ledger.pending.items():
            assert venue.client.pending(account, owner) == amount
        for owner in (venue.maker, venue.taker):
            assert venue.client.withdrawable(owner) == ledger.claims.get(owner, 0)
        assert venue.client.total_pending() == sum(ledger.pending.values())
        assert venue.client.total_withdrawable() == sum(ledger.claims.values())
