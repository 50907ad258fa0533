"""One fill: collateral, fee, entry bookkeeping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.state import AccountState
from engine.exchange.trade import apply_fill, fee_of, is_reducing
from engine.units import FIXED_ONE


def test_fees_round_up() -> None:
    assert fee_of(0, 500) == 0
    assert fee_of(2000, 500) == 1
    assert fee_of(2001, 500) == 2
    assert fee_of(1, 500) == 1
    assert fee_of(10**12, 0) == 0


def test_entry_and_realised_profit_of_a_round_trip() -> None:
    state = AccountState(16, 1)
    position = state.positions[0]
    apply_fill(state, 0, 100, 1000, 3, 9)
    apply_fill(state, 0, 100, 1200, 3, 9)
    assert (position.size, position.cost, position.entry_fixed, position.funding_index) == (
        200,
        2200,
        11 * FIXED_ONE,
        9,
    )
    apply_fill(state, 0, -50, 600, 2, 9)
    assert (position.size, position.cost, position.realised) == (150, 1650, 50)
    apply_fill(state, 0, -250, 2500, 4, 9)  # closes 150 for 1500 and opens a short of 100 for 1000
    assert (position.size, position.cost, position.realised) == (-100, -1000, -100)
    assert position.entry_fixed == 10 * FIXED_ONE
    apply_fill(state, 0, 100, 900, 1, 9)
    assert (position.size, position.cost, position.realised, position.fees) == (0, 0, 0, 13)
    assert position.entry_fixed == 0
    assert state.collateral == -13  # profit 50 - 150 + 100 = 0, fees 13


@given(st.lists(st.tuples(st.integers(-1000, 1000).filter(bool), st.integers(1, 10**6)), max_size=20))
def test_bookkeeping_always_adds_up_to_the_cash(fills) -> None:
    state = AccountState(16, 1)
    position = state.positions[0]
    for lots, price in fills:
        apply_fill(state, 0, lots, abs(lots) * price, 1, 0)
        assert position.cost - position.realised == -(state.collateral + position.fees)
        assert position.size or position.cost == 0
        assert position.cost * position.size >= 0
    assert position.size == sum(lots for lots, _ in fills)


def test_reducing_orders() -> None:
    assert is_reducing(10, False, 10)
    assert not is_reducing(10, False, 11)
    assert not is_reducing(10, False, 6, resting_same_side=5)
    assert not is_reducing(10, True, 1)
    assert is_reducing(-10, True, 4, resting_same_side=6)
    assert not is_reducing(0, True, 1)
