"""Painted widgets: they say what they show, repaint only what differs, and paint something."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

from ui.viewmodels.account import Figure, RingState
from ui.viewmodels.withdrawals import Step
from ui.widgets.figure_grid import FigureGrid
from ui.widgets.health_ring import HealthRing
from ui.widgets.spark import Spark
from ui.widgets.stating_button import StatingButton
from ui.widgets.stepper import Stepper


def pixels(widget: QWidget, color: QColor) -> int:
    """How many pixels of a grab have exactly this colour."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return sum(image.pixelColor(x, y) == color for x in range(image.width()) for y in range(image.height()))


class Regions:
    """Records what a widget asks to have repainted."""

    def __init__(self, widget: QWidget) -> None:
        self.rects: list[QRect] = []
        widget.update = self._update  # type: ignore[method-assign]
        self._widget = widget

    def _update(self, *what: object) -> None:
        self.rects.append(what[0] if what and isinstance(what[0], QRect) else self._widget.rect())


def test_a_grid_repaints_only_the_figure_that_changed(qtbot, theme) -> None:
    grid = FigureGrid(theme, column_width=200, row_height=20)
    qtbot.addWidget(grid)
    grid.resize(420, 40)
    figures = (Figure("a", "1"), Figure("b", "2"), Figure("c", "3"), Figure("d", "4"))
    assert grid.set_figures(figures)
    assert grid.columns(420) == 2
    regions = Regions(grid)
    assert not grid.set_figures(figures)
    assert grid.set_figures((*figures[:3], Figure("d", "5")))
    (rect,) = regions.rects
    assert rect.x() > 200
    assert rect.y() == 20
    assert grid.value("d") == "5"
    assert grid.accessibleDescription() == "a 1; b 2; c 3; d 5"


def test_a_grid_takes_the_rows_its_width_needs(qtbot, theme) -> None:
    grid = FigureGrid(theme, column_width=200, row_height=20)
    qtbot.addWidget(grid)
    grid.set_figures([Figure(str(k), "x") for k in range(5)])
    assert [grid.heightForWidth(width) for width in (150, 420, 640, 2000)] == [100, 60, 40, 20]


def test_the_ring_fills_with_health(qtbot, theme) -> None:
    ring = HealthRing(theme, 80)
    qtbot.addWidget(ring)
    ring.resize(80, 80)
    counts = []
    for filled in (0.1, 0.5, 0.9):
        ring.set_state(RingState(filled, None, "gain", "", ""))
        counts.append(pixels(ring, theme.color("gain")))
    assert counts[0] < counts[1] < counts[2]
    ring.set_state(RingState(0.5, 0.4, "danger", "50.0 %", "near"))
    assert pixels(ring, theme.color("danger")) > 0
    assert ring.accessibleDescription() == "health 50.0 %, near"


def test_the_ring_does_not_repaint_the_same_state(qtbot, theme) -> None:
    ring = HealthRing(theme)
    qtbot.addWidget(ring)
    ring.set_state(RingState(0.5, None, "gain", "50 %", "fine"))
    regions = Regions(ring)
    ring.set_state(RingState(0.5, None, "gain", "50 %", "fine"))
    assert regions.rects == []


def test_spark_bars_grow_with_their_values(qtbot, theme) -> None:
    spark = Spark(theme, "history", "proved")
    qtbot.addWidget(spark)
    spark.resize(40, 20)
    spark.set_values((1.0, 1.0), "flat")
    flat = pixels(spark, theme.color("proved"))
    spark.set_values((1.0, 4.0), "rising")
    assert 0 < pixels(spark, theme.color("proved")) < flat
    spark.set_values((0.0, 0.0), "nothing")
    assert pixels(spark, theme.color("proved")) == 0
    assert spark.accessibleDescription() == "nothing"


def test_steps_are_filled_when_done(qtbot, theme) -> None:
    stepper = Stepper(theme)
    qtbot.addWidget(stepper)
    stepper.resize(300, 52)
    waiting = (Step("one", "active", "soon", "pending"), Step("two", "waiting", "later", "pending"))
    stepper.set_steps(waiting)
    assert pixels(stepper, theme.color("proved")) == 0
    stepper.set_steps((Step("one", "done", "10:00:00", "text"), Step("two", "active", "soon", "pending")))
    assert pixels(stepper, theme.color("proved")) > 40
    assert stepper.accessibleDescription() == "one: 10:00:00, done; two: soon, active"


def test_a_step_that_changes_leaves_the_ones_before_it_alone(qtbot, theme) -> None:
    stepper = Stepper(theme)
    qtbot.addWidget(stepper)
    stepper.resize(300, 52)
    first = Step("one", "done", "10:00:00", "text")
    stepper.set_steps((first, Step("two", "active", "1 s", "pending"), Step("three", "waiting", "", "pending")))
    regions = Regions(stepper)
    stepper.set_steps((first, Step("two", "active", "2 s", "pending"), Step("three", "waiting", "", "pending")))
    assert min(rect.x() for rect in regions.rects) >= 92


def test_a_stating_button_breaks_its_words_and_keeps_its_height(qtbot, theme) -> None:
    button = StatingButton("Buy")
    qtbot.addWidget(button)
    words = "Buy 0.250 BTC at market, about 15,012.34 pUSD"
    button.resize(600, 38)
    button.show()
    button.set_words(words)
    assert button.text() == words
    button.resize(200, 38)
    qtbot.waitUntil(lambda: button.text() == "Buy 0.250 BTC at market,\nabout 15,012.34 pUSD")
    assert button.words == button.accessibleName() == words
    assert button.height() == 38
