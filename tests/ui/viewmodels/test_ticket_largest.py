"""The largest accepted size: true, near the limit, and with room above it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.viewmodels.ticket_largest import FINENESS, ROOM, largest_accepted

MOST = 1_000_000


@given(wish=st.integers(1, MOST), limit=st.integers(0, MOST))
def test_what_is_found_is_accepted_with_room_and_near_the_limit(wish: int, limit: int) -> None:
    asked: list[int] = []

    def accepts(lots: int) -> bool:
        asked.append(lots)
        return lots <= limit

    found = largest_accepted(wish, MOST, accepts)
    assert 0 <= found <= wish
    assert max(asked) <= MOST
    assert found == 0 or min(found + -(-found // ROOM), MOST) <= limit
    best = min(wish, limit)
    assert found >= best - best // ROOM - best // FINENESS - 3


def test_a_wish_that_fits_is_asked_for_once() -> None:
    asked: list[int] = []
    assert largest_accepted(3_000, MOST, lambda lots: not asked.append(lots)) == 3_000
    assert asked == [3_015]


def test_nothing_fits() -> None:
    assert largest_accepted(5_000, MOST, lambda lots: False) == 0
