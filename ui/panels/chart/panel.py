"""The chart panel: candles, volume, mark and index, the user's levels, batch bounds, crosshair, follow-right lock."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QGraphicsScene, QGraphicsView, QHBoxLayout, QPushButton, QVBoxLayout

from app.snapshot.rules import venue_step
from app.snapshot.views import CandleSeries, Snapshot
from engine.units import SECOND, MarketId
from ui.model.engine_protocol import DeskEngine
from ui.panels.chart.axes import PriceAxis, TimeAxis
from ui.panels.chart.items import CandleItem, CrosshairItem, OverlayItem
from ui.theme.theme import Theme
from ui.viewmodels.chart import (
    FEWEST_CANDLES,
    INTERVALS,
    batch_bounds,
    candle_at,
    default_width,
    include_near,
    legend,
    own_levels,
    read_out,
    series_key,
    shortest_interval,
    visible_range,
)
from ui.widgets.panel import Panel
from ui.widgets.read_out import ReadOut
from ui.widgets.state import LIVE, empty, loading

RIGHT_MARGIN_CANDLES = 6
DEFAULT_INTERVAL = 2  # 15s


class ChartPanel(Panel):
    """One market's candles at one of six intervals."""

    title = "Chart"

    def __init__(self, engine: DeskEngine, theme: Theme) -> None:
        super().__init__(engine, theme)
        self.config = engine.config.market(self.market)
        self.interval = INTERVALS[DEFAULT_INTERVAL][1]
        self.auto_interval = True  # until the user chooses: the largest of the first three that fills the chart
        self._chosen = False
        self._slow_interval: int | None = None  # shown before the clock was too fast for it
        self.zoomed = False
        self.follow = True
        self.series: CandleSeries | None = None
        self._key: tuple[int, ...] = ()
        self._snapshot: Snapshot | None = None
        self._setting_range = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._build_plot()
        self._build_controls()
        self.restyle()

    # -- widgets ------------------------------------------------------------------------------------------------

    def _build_plot(self) -> None:
        self.price_axis = PriceAxis(self.theme, self.config)
        self.time_axis = TimeAxis()
        self.plot = pg.PlotWidget(axisItems={"right": self.price_axis, "bottom": self.time_axis})
        self.plot.setAccessibleName("Price chart")
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the panel: a scroll area would eat the arrows
        view = (
            QGraphicsView  # nearly everything moves with each candle: working out what did not costs more than it saves
        )
        self.plot.setViewportUpdateMode(view.ViewportUpdateMode.FullViewportUpdate)
        self.plot.setOptimizationFlags(
            view.OptimizationFlag.DontSavePainterState | view.OptimizationFlag.DontAdjustForAntialiasing
        )
        self.plot.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        item = self.plot.getPlotItem()
        item.hideAxis("left")
        item.showAxis("right")
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setContentsMargins(0, 0, 0, 0)
        self.box = item.getViewBox()
        self.box.setMouseEnabled(x=True, y=False)
        self.box.disableAutoRange()
        self.box.setDefaultPadding(0.0)
        self.candles = CandleItem(self.theme)
        self.overlay = OverlayItem(self.theme)
        self.cross = CrosshairItem(self.theme)
        for layer, thing in enumerate((self.candles, self.overlay, self.cross)):
            thing.setZValue(layer)
            item.addItem(thing, ignoreBounds=True)
        self.box.sigXRangeChanged.connect(self._x_range_changed)
        self.plot.scene().sigMouseMoved.connect(self._mouse_moved)
        self.plot.viewport().installEventFilter(self)

    def _build_controls(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(2)
        self.interval_buttons = QButtonGroup(self)
        for index, (name, _) in enumerate(INTERVALS):
            button = QPushButton(name)
            button.setCheckable(True)
            button.setChecked(index == DEFAULT_INTERVAL)
            button.setProperty("kind", "segment")
            button.setAccessibleName(f"Candle interval {name}")
            self.interval_buttons.addButton(button, index)
            row.addWidget(button)
        self.interval_buttons.idClicked.connect(self._interval_chosen)
        self.read_out = ReadOut(self.theme)
        self.legend = ReadOut(self.theme, right=True)
        self.live_button = QPushButton("Go live")
        self.live_button.setProperty("kind", "quiet")
        self.live_button.setAccessibleName("Follow the newest candle")
        self.live_button.setToolTip("follow the newest candle (or double-click the chart)")
        self.live_button.clicked.connect(self.go_live)
        self.live_button.hide()
        row.addWidget(self.legend, 1)
        row.addWidget(self.live_button)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.read_out)
        column.addWidget(self.plot, 1)

    def restyle(self) -> None:
        """Pens and grounds from the tokens."""
        self.plot.setBackground(self.theme.color("ground1"))
        for axis in (self.price_axis, self.time_axis):
            axis.setPen(QPen(self.theme.color("line"), 1))
            axis.setTextPen(QPen(self.theme.color("text_weak"), 1))
            axis.setTickFont(self.theme.number_font("small"))
            axis.setStyle(tickLength=0, tickTextOffset=6)
        self.price_axis.setWidth(78)
        self.time_axis.setHeight(22)
        self._key = ()
        self.plot.viewport().update()

    # -- data ---------------------------------------------------------------------------------------------------

    def set_market(self, market: MarketId) -> None:
        """Another market's candles, followed from its newest one."""
        super().set_market(market)
        self.config = self.price_axis.market = self.engine.config.market(market)
        self._reset()

    def set_interval(self, index: int) -> None:
        """One of ``INTERVALS`` by position."""
        self.interval = INTERVALS[index][1]
        self.interval_buttons.button(index).setChecked(True)
        self._reset()

    def _interval_chosen(self, index: int) -> None:
        self.auto_interval, self._chosen = False, True
        self.set_interval(index)
        if self._snapshot is not None:
            self.refresh(self._snapshot)

    def _reset(self) -> None:
        self.series, self._key = None, ()
        self.follow, self.zoomed = True, False
        self.live_button.hide()
        self._version = -1

    def refresh(self, snapshot: Snapshot) -> None:
        """Candles, levels and bounds, each repainted only when it changed."""
        self._snapshot = snapshot
        if self.market not in snapshot.markets:
            self.set_state(empty("This market has no prices yet", "Candles appear with its first trade."))
            return
        if not self._chosen:
            self._follow_speed(snapshot.speed)
        self._take(self.engine.candles(self.market, self.interval))
        if self.series is None:
            self.set_state(loading("Building candles", "They appear with the next update."))
            return
        if self.state.kind in ("empty", "loading"):
            self.set_state(LIVE)
        view = snapshot.markets[self.market]
        tone = "bid" if view.last_side == "buy" else "ask"
        self.legend.set_cells(legend(self.config, snapshot))
        self.price_axis.set_tags(((view.last_price, tone, f"on_{tone}"),))
        self.overlay.set_marks(own_levels(self.config, snapshot), batch_bounds(snapshot), self.candles.origin)

    def _follow_speed(self, speed: float) -> None:
        """No candles shorter than a step of the clock; slower again, the interval that was shown comes back."""
        shown = self.interval_buttons.checkedId()
        least = shortest_interval(venue_step(speed))
        if least > shown:
            self._slow_interval = shown if self._slow_interval is None else self._slow_interval
            self.set_interval(least)
        elif self._slow_interval is not None and shown != (wanted := max(least, self._slow_interval)):
            self.set_interval(wanted)
        if self._slow_interval is not None and least <= self._slow_interval:
            self._slow_interval = None

    def _take(self, series: CandleSeries) -> None:
        key = series_key(series)
        if key == self._key or not len(series.time):
            return
        if self.auto_interval and self._slow_interval is None and self._shorten(len(series.time)):
            return
        first = self.series is None
        self._key, self.series = key, series
        origin = self.candles.origin if not first else int(series.time[-1])
        self.time_axis.origin = self.cross.origin = origin
        self.candles.set_series(series, origin)
        if self.follow:
            self._follow_right(None if self.zoomed else default_width(len(series.time)))
        self._fit_prices()
        if self.cross.point is None:
            self._show_read_out(len(series.time) - 1)

    def _shorten(self, count: int) -> bool:
        """A young venue begins with shorter candles; True when the interval was changed."""
        index = self.interval_buttons.checkedId()
        self.auto_interval = index > 0 and count < FEWEST_CANDLES
        if self.auto_interval:
            self.set_interval(index - 1)
        return self.auto_interval

    # -- range --------------------------------------------------------------------------------------------------

    def _follow_right(self, candles: int | None = None) -> None:
        """Put the newest candle near the right edge, keeping the width."""
        assert self.series is not None
        step = self.interval / SECOND
        right = (int(self.series.time[-1]) - self.candles.origin) / SECOND + (1 + RIGHT_MARGIN_CANDLES) * step
        left, old_right = self.box.viewRange()[0]
        width = candles * step if candles else old_right - left
        if candles or abs(old_right - right) > 1e-9:
            self._set_x(right - width, right)

    def _set_x(self, left: float, right: float) -> None:
        self._setting_range = True
        self.box.setXRange(left, right, padding=0)
        self._setting_range = False

    def _fit_prices(self) -> None:
        """Prices of the visible candles fill the height above the volume."""
        if self.series is None:
            return
        left, right = self.box.viewRange()[0]
        origin = self.candles.origin
        bounds = visible_range(self.series, left * SECOND + origin, right * SECOND + origin)
        if bounds is None:
            return
        bottom, top = include_near(bounds, self.overlay.levels)
        bottom -= (top - bottom) * 0.2  # room for the volume
        old_bottom, old_top = self.box.viewRange()[1]
        if (bottom, top) != (old_bottom, old_top):
            self.box.setYRange(bottom, top, padding=0)

    def _x_range_changed(self, *_: object) -> None:
        if self._setting_range or self.series is None:
            return
        self.zoomed = True
        newest = (int(self.series.time[-1]) - self.candles.origin) / SECOND
        right = self.box.viewRange()[0][1]
        self.follow = right > newest + self.interval / SECOND
        self.live_button.setVisible(not self.follow)
        self._fit_prices()

    def go_live(self) -> None:
        """Follow the newest candle again, at the default width."""
        self.follow, self.zoomed = True, False
        self.live_button.hide()
        if self.series is not None:
            self._follow_right(default_width(len(self.series.time)))
            self._fit_prices()

    # -- pointer ------------------------------------------------------------------------------------------------

    def _mouse_moved(self, position: QPointF) -> None:
        if self.series is None or not self.box.sceneBoundingRect().contains(position):
            self._leave()
            return
        point = self.box.mapSceneToView(position)
        index = candle_at(self.series, point.x() * SECOND + self.candles.origin)
        self.cross.set_point((point.x(), point.y()))
        self._show_read_out(index)

    def _leave(self) -> None:
        self.cross.set_point(None)
        if self.series is not None:
            self._show_read_out(len(self.series.time) - 1)

    def _show_read_out(self, index: int) -> None:
        if self.series is None:
            return
        self.read_out.set_cells(read_out(self.config, self.series, index))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leaving hides the crosshair, a double click goes live, arrow keys pan, plus and minus zoom."""
        if event.type() == QEvent.Type.Leave:
            self._leave()
        elif event.type() == QEvent.Type.MouseButtonDblClick:
            self.go_live()
            return True
        return super().eventFilter(watched, event)

    def pan(self, share: float) -> None:
        """Move by a share of the width, to the right when positive."""
        left, right = self.box.viewRange()[0]
        step = (right - left) * share
        self.box.setXRange(left + step, right + step, padding=0)

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much time, the right edge stays."""
        left, right = self.box.viewRange()[0]
        self.box.setXRange(right - float(np.clip((right - left) * factor, 5, 10**7)), right, padding=0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left, right, plus, minus, Home (go live)."""
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.pan(-0.1 if key == Qt.Key.Key_Left else 0.1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(1.25 if key == Qt.Key.Key_Minus else 0.8)
        elif key == Qt.Key.Key_Home:
            self.go_live()
        else:
            super().keyPressEvent(event)
