"""The chart on screen."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from tests.support.sample_snapshot import SampleEngine, sample_candles, widget_colors
from ui.panels.chart.panel import ChartPanel
from ui.viewmodels.chart import INTERVALS


@pytest.fixture
def panel(theme, engine, qtbot):
    made = ChartPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(900, 560)
    made.show()
    made.update_snapshot(engine.snapshot())
    QApplication.processEvents()
    return made


def colors_of(panel):
    return widget_colors(panel.plot)


def test_candles_volume_levels_and_lines_are_painted(panel, theme):
    found = colors_of(panel)
    for token in ("candle_up", "candle_down", "bid_fill", "accent", "pending"):
        assert theme.color(token).name() in found, token


def test_the_newest_candle_is_followed_until_the_user_drags_away(panel, engine):
    assert panel.follow
    panel.pan(-0.5)
    assert not panel.follow
    assert panel.live_button.isVisible()
    panel.go_live()
    assert panel.follow
    assert not panel.live_button.isVisible()
    right = panel.box.viewRange()[0][1]
    assert right > 0  # the newest candle starts at the origin


@pytest.mark.parametrize("index", range(len(INTERVALS)))
def test_every_interval_shows_its_candles(panel, qtbot, index):
    qtbot.mouseClick(panel.interval_buttons.button(index), Qt.MouseButton.LeftButton)
    assert panel.series.interval == INTERVALS[index][1]
    assert panel.interval_buttons.checkedId() == index


def test_prices_of_visible_candles_fill_the_height(panel):
    bottom, top = panel.box.viewRange()[1]
    left, right = (value + panel.candles.origin / 1e9 for value in panel.box.viewRange()[0])
    series = panel.series
    seen = (series.time / 1e9 >= left) & (series.time / 1e9 <= right)
    assert bottom < series.low[seen].min()
    assert top > series.high[seen].max()


def test_the_crosshair_reads_the_candle_under_the_pointer_and_leaves(panel):
    newest = panel.read_out.cells
    scene = panel.box.mapViewToScene(QPointF(-600.0, sum(panel.box.viewRange()[1]) / 2))
    panel._mouse_moved(scene)
    assert panel.cross.point is not None
    assert panel.read_out.cells != newest
    panel._mouse_moved(QPointF(-50, -50))
    assert panel.cross.point is None
    assert panel.read_out.cells == newest


def test_keys_pan_zoom_and_go_live(panel, qtbot):
    width = panel.box.viewRange()[0][1] - panel.box.viewRange()[0][0]
    qtbot.keyClick(panel, Qt.Key.Key_Plus)
    zoomed = panel.box.viewRange()[0][1] - panel.box.viewRange()[0][0]
    assert zoomed == pytest.approx(width * 0.8)
    for _ in range(8):
        qtbot.keyClick(panel, Qt.Key.Key_Left)
    assert not panel.follow
    qtbot.keyClick(panel, Qt.Key.Key_Home)
    assert panel.follow


def test_a_click_on_the_plot_gives_the_keys_to_the_chart(panel, qtbot):
    panel.activateWindow()
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton)
    assert panel.hasFocus()


def test_until_the_engine_has_candles_the_chart_says_that_it_waits(theme, qtbot):
    engine = SampleEngine()
    real = sample_candles(1, INTERVALS[2][1])
    none = replace(real, time=real.time[:0], open=real.open[:0])
    engine.candles = lambda market, interval: none
    panel = ChartPanel(engine, theme)
    qtbot.addWidget(panel)
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "loading"
    engine.candles = lambda market, interval: real
    engine.advance()
    panel.update_snapshot(engine.snapshot())
    assert panel.state.kind == "live"


def test_another_market_starts_at_its_newest_candle(panel, engine):
    panel.pan(-0.5)
    panel.set_market(2)
    panel.update_snapshot(engine.snapshot())
    assert panel.follow
    assert panel.series.close[-1] < 300_000
    assert panel.price_axis.tickStrings([247_211.0], 1, 1) == ["2,472.11"]


def test_price_axis_steps_are_whole_ticks(panel):
    for height in (3.0, 17.0, 1_000.0, 123_456.0):
        (step, _), *_ = panel.price_axis.tickSpacing(0, height, 400)
        assert step >= 1
        assert step == int(step)
        assert height / step <= 400 / 50 + 1


def test_the_price_tag_lies_at_the_height_of_its_price(panel, theme):
    ticks = panel.price_axis.tags[0][0]
    wanted = panel.box.mapViewToScene(QPointF(0.0, ticks)).y()
    image = panel.plot.grab().toImage()
    x = image.width() - 4
    rows = [y for y in range(image.height()) if image.pixelColor(x, y).name() == theme.color("bid").name()]
    assert rows
    assert abs((rows[0] + rows[-1]) / 2 - wanted) <= 2


def ink(image, y, columns, ground):
    """How many pixels of a row differ clearly from the ground."""
    colors = (image.pixelColor(x, y) for x in columns)
    return sum(abs(color.lightness() - ground.lightness()) > 40 for color in colors)


def test_no_half_of_a_number_stands_beside_the_price_tag(panel, theme):
    axis, ground = panel.price_axis, theme.color("ground1")
    bottom, top = axis.range
    (step, _), *_ = axis.tickSpacing(bottom, top, axis.height())
    tick = (bottom // step + 3) * step
    scale = axis.height() / (top - bottom)
    y = round(panel.box.mapViewToScene(QPointF(0.0, tick)).y())

    def rows_with_ink(pixels):
        axis.set_tags(((tick + pixels / scale, "bid", "ground0"),))
        image = panel.plot.grab().toImage()
        columns = range(image.width() - round(axis.width()) + 2, image.width() - 2)
        tag = range(y - pixels - 9, y - pixels + 10)
        return [row for row in range(y - 9, y + 10) if row not in tag and ink(image, row, columns, ground)]

    whole = len(rows_with_ink(60))
    assert whole >= 6, "the number of a tick that has no tag beside it"
    for pixels in range(-24, 25, 2):
        assert len(rows_with_ink(pixels)) in (0, whole), f"half a number beside a tag {pixels} pixels away"


def test_a_young_venue_begins_with_shorter_candles_until_the_user_chooses(theme, qtbot):
    engine = SampleEngine()
    counts = {INTERVALS[2][1]: 5, INTERVALS[1][1]: 12, INTERVALS[0][1]: 58}
    engine.candles = lambda market, interval: sample_candles(market, interval, counts.get(interval, 3))
    panel = ChartPanel(engine, theme)
    qtbot.addWidget(panel)
    for _ in range(4):
        panel.update_snapshot(engine.snapshot())
        engine.advance()
    assert panel.interval == INTERVALS[0][1]
    panel._interval_chosen(3)
    panel.update_snapshot(engine.snapshot())
    assert panel.interval == INTERVALS[3][1]
    assert len(panel.series.time) == 3


def test_no_candle_is_shorter_than_a_clock_step_until_the_user_chooses(panel, engine):
    def shown_at(speed):
        engine.update(speed=speed)
        engine.advance()
        panel.update_snapshot(engine.snapshot())
        return INTERVALS[panel.interval_buttons.checkedId()][0]

    slow = shown_at(1.0)
    assert [shown_at(speed) for speed in (60.0, 600.0, 60.0, 10.0, 600.0, 1.0)] == [
        "15s",
        "1m",
        "15s",
        slow,
        "1m",
        slow,
    ]
    panel._interval_chosen(0)
    assert shown_at(600.0) == "1s", "the user's choice stands"


def test_levels_beyond_the_view_are_named_at_its_edge(panel, theme):
    assert panel.box.viewRange()[1][0] > 512_204
    assert theme.color("danger").name() in colors_of(panel)


def test_a_theme_change_repaints_in_the_new_colours(panel, theme, engine):
    theme.use("light")
    panel.update_snapshot(engine.snapshot())
    QApplication.processEvents()
    assert theme.color("candle_up").name() in colors_of(panel)
