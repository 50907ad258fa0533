"""Who is fed in which frame."""

from dataclasses import dataclass, field
from itertools import pairwise

from ui.model.governor import EVERY_SNAPSHOT, LIGHT_PER_FRAME, Governor, Pace

TICK = 0.016


@dataclass(eq=False)
class Viewer:
    pace: Pace = field(default=EVERY_SNAPSHOT)
    shown_version: int = 0
    fed: list = field(default_factory=list)


def play(viewers, seconds, picture_every=0.025):
    """Ticks of 16 ms with a new picture every 25 ms; returns the number of viewers fed in each tick."""
    governor, counts, last, now = Governor(), [], 0, 10.0
    while now < 10.0 + seconds:
        version = int((now - 10.0) / picture_every) + 1
        chosen = governor.choose(viewers, version, news=version != last, now=now)
        for viewer in viewers:
            if id(viewer) in chosen:
                viewer.fed.append(now)
                viewer.shown_version = version
        counts.append((version != last, [v for v in viewers if id(v) in chosen]))
        last, now = version, now + TICK
    return counts


def test_viewers_without_a_pace_follow_every_picture():
    fast, calm = Viewer(), Viewer(Pace(0.1))
    counts = play([fast, calm], 1.0)
    assert all(fast in fed for news, fed in counts if news)


def test_a_pace_is_kept_and_never_exceeded():
    calm = Viewer(Pace(0.1))
    play([calm], 5.0)
    gaps = [b - a for a, b in pairwise(calm.fed)]
    assert min(gaps) >= 0.1 - 1e-9
    assert max(gaps) <= 0.1 + 2 * TICK + 1e-9


def test_heavy_viewers_take_frames_without_news_and_no_light_one_with_them():
    heavy, light = Viewer(Pace(0.05, heavy=True)), Viewer(Pace(0.05))
    counts = play([Viewer(), heavy, light], 3.0)
    with_heavy = [(news, fed) for news, fed in counts if heavy in fed]
    assert len(with_heavy) > 30
    assert all(light not in fed for _, fed in with_heavy[1:])
    assert sum(news for news, _ in with_heavy) < len(with_heavy) / 4


def test_no_frame_carries_more_light_viewers_than_allowed_and_none_starves():
    calm = [Viewer(Pace(0.05)) for _ in range(7)]
    counts = play(calm, 5.0)
    assert max(len(fed) for _, fed in counts[1:]) <= LIGHT_PER_FRAME
    feedings = [len(viewer.fed) for viewer in calm]
    assert min(feedings) > 0.8 * max(feedings)


def test_a_viewer_that_has_nothing_on_screen_is_fed_at_once():
    calm = Viewer(Pace(10.0), shown_version=-1)
    assert Governor().choose([calm], 4, news=False, now=0.5) == {id(calm)}


def test_a_picture_already_shown_takes_no_turn():
    calm = Viewer(Pace(0.01), shown_version=4)
    assert Governor().choose([calm], 4, news=True, now=99.0) == set()


def test_when_every_frame_has_news_heavy_viewers_still_get_their_turn():
    heavy = Viewer(Pace(0.05, heavy=True))
    play([Viewer(), heavy], 2.0, picture_every=0.001)
    assert len(heavy.fed) >= 15
