"""Closing and opening again: nothing runs on, and the venue goes on where it stood."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.paths import open_paths
from app.storage.journal import Journal
from app.venue.market_setup import market_setup
from app.venue.session import new_venue, open_session
from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.inputs import decode_input
from tests.support.desk_world import Desk

OpenDesk = Callable[..., Desk]


def trade_and_rest(desk: Desk) -> None:
    """A position and a resting order."""
    desk.fill_ticket("buy", "market", "0.1")
    desk.press(desk.ticket.button)
    desk.wait(lambda: desk.user.positions)
    below = int(desk.snapshot.markets[1].bids[0, 0]) * 95 // 100
    desk.fill_ticket("buy", "limit", "0.02", f"{below / 10:.1f}")
    desk.press(desk.ticket.button)
    desk.wait(lambda: desk.user.orders)


def test_closing_the_window_stops_all_threads(open_desk: OpenDesk) -> None:
    before = set(threading.enumerate())
    desk = open_desk()
    desk.wait_for_book()
    assert {"sequencer", "prover"} <= {thread.name for thread in threading.enumerate()}
    desk.close()
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:  # one that is just ending may end
        thread.join(5)
    assert [thread.name for thread in left if thread.is_alive()] == []


def test_the_same_venue_goes_on_after_a_restart(open_desk: OpenDesk, tmp_path: Path) -> None:
    folder = tmp_path / "venue"
    first = open_desk(folder)
    first.wait_for_book()
    trade_and_rest(first)
    first.close()
    stopped = first.engine.session.loop.venue
    session = open_session(open_paths(folder))
    assert (session.loop.venue.time, session.loop.venue.live_root()) == (stopped.time, stopped.live_root())
    session.close()

    second = open_desk(folder)
    assert second.user.positions[0].size == 100
    assert [(order.side, order.lots) for order in second.user.orders] == [("buy", 20)]
    assert second.user.l1_address == first.user.l1_address
    assert second.snapshot.time >= stopped.time, "venue time never goes back"
    second.wait_for_book()
    row = second.rows("positions")[0]
    assert (row["market"], row["size"]) == ("BTC-USD", "+0.100 BTC")
    assert len(second.rows("orders")) == 1
    assert second.rows("fills"), "what happened before is in the tables"
    assert not second.window.notices.shown, "and is not told as news"
    second.click_cell("orders", 0, "cancel")
    second.wait(lambda: not second.user.orders)


def test_replaying_from_genesis_gives_the_root_the_desk_had(open_desk: OpenDesk, tmp_path: Path) -> None:
    """What the window did is in the journal: a venue built from it alone has the same root."""
    folder = tmp_path / "venue"
    desk = open_desk(folder)
    desk.wait_for_book()
    trade_and_rest(desk)
    desk.close()
    root = desk.engine.session.loop.venue.live_root()

    venue = new_venue(market_setup(DEFAULT_CONFIG, lambda stage, share: None))
    journal = Journal(open_paths(folder).journal)
    try:
        for sequence, data in journal.read_inputs(after=0):
            venue.apply(sequence, decode_input(data))
    finally:
        journal.close()
    assert venue.live_root() == root
