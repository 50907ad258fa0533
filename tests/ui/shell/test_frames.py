"""The frame loop and its recorder."""

import pytest
from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QApplication, QWidget

from tests.support.sample_snapshot import SampleEngine
from ui.model.governor import EVERY_SNAPSHOT
from ui.shell.frames import FRAME_MS, HIDDEN_MS, FrameLoop, FrameRecorder


class Viewer(QWidget):
    pace = EVERY_SNAPSHOT
    shown_version = -1

    def __init__(self):
        super().__init__()
        self.versions, self.ages, self.frames = [], [], 0

    def update_snapshot(self, snapshot):
        self.versions.append(snapshot.version if snapshot else None)
        return True

    def set_age(self, seconds):
        self.ages.append(seconds)

    def on_frame(self, now):
        self.frames += 1
        return False


@pytest.fixture
def viewer(qtbot):
    made = Viewer()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def loop(engine, viewer):
    parent = QObject()
    made = FrameLoop(engine, lambda: [viewer], parent)
    yield made
    made.stop()
    parent.deleteLater()


def test_recorded_frames_run_from_tick_to_last_repaint():
    recorder = FrameRecorder()
    recorder.tick(1.000)
    recorder.painted(1.002)
    recorder.painted(1.005)
    assert recorder.close()
    assert list(recorder.frames) == [pytest.approx(5.0)]


def test_frames_that_repaint_nothing_are_not_counted_and_late_paints_belong_to_no_frame():
    recorder = FrameRecorder()
    recorder.tick(1.0)
    assert not recorder.close()
    recorder.painted(1.1)
    recorder.tick(1.2)
    assert not recorder.close()
    assert recorder.stats()["frames"] == 0


def test_statistics_are_percentiles_and_the_longest_gap():
    recorder = FrameRecorder()
    for k in range(1, 101):
        recorder.tick(k * 0.016)
        recorder.painted(k * 0.016 + k / 1000)
        recorder.close()
    recorder.tick(100 * 0.016 + 0.25)
    stats = recorder.stats()
    assert stats["p50"] == pytest.approx(50.5)
    assert stats["p95"] == pytest.approx(95.05)
    assert stats["max"] == pytest.approx(100.0)
    assert stats["longest_gap"] == pytest.approx(250.0)
    recorder.reset()
    assert recorder.stats() == {"frames": 0, "p50": 0, "p95": 0, "p99": 0, "max": 0, "longest_gap": 0}


def test_frames_a_second_count_the_last_second():
    recorder = FrameRecorder()
    for k in range(90):
        recorder.tick(k / 60)
        recorder.painted(k / 60)
        recorder.close()
    assert recorder.fps(89 / 60) == pytest.approx(61, abs=1)


def test_hidden_viewers_are_skipped(loop, viewer):
    loop.frame()
    viewer.hide()
    loop.frame()
    assert viewer.versions == [1]


def test_the_age_grows_while_the_version_stands_and_restarts_with_news(loop, viewer, engine):
    loop.frame()
    loop._changed_at -= 5.0
    loop.frame()
    assert viewer.ages[-1] >= 5.0
    engine.advance()
    loop.frame()
    assert viewer.ages[-1] < 1.0


def test_a_paused_venue_is_not_stale(loop, viewer, engine):
    engine.update(paused=True)
    loop.frame()
    loop._changed_at -= 60.0
    loop.frame()
    assert viewer.ages[-1] == 0.0


def test_before_the_first_snapshot_nothing_is_stale(viewer):
    engine = SampleEngine()
    engine.current = None
    parent = QObject()
    loop = FrameLoop(engine, lambda: [viewer], parent)
    loop.frame()
    assert viewer.versions == [None]
    assert viewer.ages == [0.0]


def test_the_fence_closes_the_frame_after_the_paint_it_caused(qtbot, engine, theme):
    from ui.desk import make_window

    window = make_window(engine, {}, (1280, 800))
    qtbot.addWidget(window)
    window.show()
    QApplication.processEvents()
    window.loop.recorder.reset()
    engine.advance()
    window.loop.frame()
    assert window.loop.recorder.stats()["frames"] == 0
    while not window.loop.recorder.frames:
        QCoreApplication.processEvents()
    assert window.loop.recorder.frames[0] > 0
    window.loop.frame()
    QCoreApplication.processEvents()
    window.close()


def test_hooks_run_every_frame(loop, engine):
    seen = []
    loop.after_frame.append(lambda snapshot, now: seen.append(snapshot.version))
    loop.frame()
    assert seen == [1]


def test_a_hidden_window_polls_slowly(loop):
    loop.set_hidden(True)
    assert loop.timer.interval() == HIDDEN_MS
    loop.set_hidden(False)
    assert loop.timer.interval() == FRAME_MS
