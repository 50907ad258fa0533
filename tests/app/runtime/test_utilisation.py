"""The share of the last minute spent at work."""

from __future__ import annotations

from app.runtime.utilisation import BusyShare


def test_the_share_counts_only_the_last_minute_and_work_that_still_runs() -> None:
    now = [0.0]
    busy = BusyShare(lambda: now[0])
    assert busy.share() == 0
    busy.begin()
    now[0] = 6.0
    assert busy.share() == 1
    busy.end()
    busy.end()
    now[0] = 12.0
    assert busy.share() == 0.5, "of the time there was"
    now[0] = 63.0
    assert busy.share() == 3 / 60
    busy.begin()
    now[0] = 93.0
    assert busy.share() == 0.5
    now[0] = 200.0
    assert busy.share() == 1
    busy.end()
    now[0] = 400.0
    assert busy.share() == 0
