"""Threads of one proof: every part runs once, failures come through, bytes do not depend on the number of threads."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.stark.errors import ProvingCancelled
from engine.stark.runtime.workers import Workers, split


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5000), st.integers(1, 9), st.sampled_from([1, 16, 128]))
def test_ranges_cover_everything_once(count: int, parts: int, multiple: int) -> None:
    ranges = list(split(count, parts, multiple))
    assert [i for start, stop in ranges for i in range(start, stop)] == list(range(count))
    assert len(ranges) <= parts
    assert all(start % multiple == 0 for start, _ in ranges)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_parts_share_the_work(threads: int) -> None:
    seen, names = [], set()
    meet = threading.Barrier(threads, timeout=20)

    def part(start: int, stop: int) -> None:
        meet.wait()  # passes only if all parts run at the same time
        names.add(threading.get_ident())
        seen.extend(range(start, stop))

    with Workers(threads) as workers:
        workers.spread(300, part)
    assert sorted(seen) == list(range(300))
    assert len(names) == threads


@pytest.mark.parametrize("failing", [0, 1])
def test_a_failure_comes_through_after_all_parts_have_ended(failing: int) -> None:
    ended = []

    def part(start: int, stop: int) -> None:
        ended.append(start)
        if (start > 0) == bool(failing):
            raise ProvingCancelled("stop", field="cancelled")

    with Workers(2) as workers, pytest.raises(ProvingCancelled):
        workers.spread(100, part)
    assert sorted(ended) == [0, 50]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3000), st.integers(1, 3), st.integers(1, 9))
def test_pieces_cover_everything_once_with_a_pause_before_each(count: int, threads: int, most: int) -> None:
    pieces: list[tuple[int, int]] = []
    pauses: list[int] = []

    def paused() -> bool:
        pauses.append(1)
        return False

    with Workers(threads, paused) as workers:
        workers.spread(count, lambda *bounds: pieces.append(bounds), 16, 16 * most)
    assert [i for start, stop in sorted(pieces) for i in range(start, stop)] == list(range(count))
    assert all(stop - start <= 16 * most for start, stop in pieces)
    assert len(pauses) == len(pieces)
