"""``bench vetting``: the crowd is what it says, and a refused order leaves it alone."""

from __future__ import annotations

from app.benches.vetting import FIT, RICH_TAKER, UNFIT, counted, crowded, send, send_refused


def test_a_refused_order_leaves_the_crowd_alone_and_a_taken_one_meets_all_of_it() -> None:
    driven = crowded(UNFIT, FIT)
    assert len(driven.venue.core.orders) == UNFIT + FIT
    assert [events[0].code for _, events in send_refused(driven, 2)] == ["insufficient_margin"] * 2
    assert len(driven.venue.core.orders) == UNFIT + FIT
    assert counted(send(driven, RICH_TAKER)[1]) == (FIT, UNFIT)
    assert len(driven.venue.core.orders) == 0
