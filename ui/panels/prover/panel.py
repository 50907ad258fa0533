"""The prover: percentiles and cost, stages per batch, and beside or behind them times, workers, failures, security."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from engine.errors import ProtocolError
from ui.model.engine_protocol import DeskEngine
from ui.panels.prover.bars import ProofBars, StageLegend
from ui.theme.theme import Theme
from ui.viewmodels.batches import batch_by_number
from ui.viewmodels.prover import (
    FAILURES,
    PERCENTILES,
    TERMS,
    WORKERS,
    failure_rows,
    headline,
    newest_proof,
    prove_times,
    term_rows,
    worker_rows,
    workers_title,
)
from ui.viewmodels.prover_bars import BarBook
from ui.viewmodels.wording import plural, seconds_text
from ui.widgets.batch_menu import batch_menu
from ui.widgets.fact_strip import FactStrip
from ui.widgets.history_chart import HistoryChart
from ui.widgets.panel import Panel
from ui.widgets.state import LIVE, empty
from ui.widgets.table_view import TableView

SIDE_BY_SIDE_FROM = 860  # pixels of the panel from which the stages have a place of their own, left of the tabs
SIDE_WIDTH = 460
STAGES, TIMES, AT_WORK, FAILED, SECURITY = range(5)


class ProverPanel(Panel):
    """``inspect_wanted(number)``: the user opens a batch. ``noticed`` and ``refused``: sentences for the notices."""

    title = "Prover"

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self._snapshot: Snapshot | None = None
        self._book = BarBook()
        self._head: object = None
        self.facts = FactStrip(theme)
        self.legend = StageLegend(theme)
        self.bars = ProofBars(theme)
        self.times = HistoryChart(theme, "proving times", "proved", "No proofs yet. Times appear with the first one.")
        self.tables = [TableView(spec, engine.config.collateral_symbol, theme) for spec in (WORKERS, FAILURES, TERMS)]
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("prover details")
        self.side = QStackedWidget()
        self._arrange()
        self.tabs.currentChanged.connect(self._on_tab)
        self.bars.opened.connect(self.inspect_wanted)
        self.bars.menu_wanted.connect(self._show_menu)
        self.tables[1].acted.connect(self._prove_again)

    def _arrange(self) -> None:
        for title in ("Stages", "Times", "Workers", "Failures", "Security"):
            self.tabs.addTab(title)
        for widget in (self.times, *self.tables):
            self.side.addWidget(widget)
        self.stages = QWidget()
        column = QVBoxLayout(self.stages)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.legend)
        column.addWidget(self.bars, 1)
        self.facts.setFixedHeight(38)
        head = QWidget()
        row = QVBoxLayout(head)
        row.setContentsMargins(8, 0, 8, 0)
        row.addWidget(self.facts)
        self._grid = QGridLayout(self.body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._grid.setColumnStretch(0, 1)
        self._grid.setRowStretch(2, 1)
        self._grid.addWidget(head, 0, 0)
        self._wide: bool | None = None
        self._stages_in_front = False  # they were, when the panel was made wide
        self._place(wide=False)

    def _place(self, *, wide: bool) -> None:
        """Wide: stages left, the tabs right of them. Narrow: stages are the first of the tabs."""
        if wide == self._wide:
            return
        self._wide = wide
        self._grid.addWidget(self.stages, 1 if wide else 2, 0, 2 if wide else 1, 1)
        self._grid.addWidget(self.tabs, 0 if wide else 1, 1 if wide else 0)
        self._grid.addWidget(self.side, 1 if wide else 2, 1 if wide else 0, 2 if wide else 1, 1)
        self._grid.setColumnMinimumWidth(1, SIDE_WIDTH if wide else 0)
        leave, back = wide and self.tabs.currentIndex() == STAGES, not wide and self._stages_in_front
        self.tabs.setTabVisible(STAGES, not wide)
        if leave or back:
            self.tabs.setCurrentIndex(STAGES if back else TIMES)
            self._stages_in_front = leave
        self._show_part()

    def _show_part(self) -> None:
        shown = self.tabs.currentIndex()
        self.stages.setVisible(bool(self._wide) or shown == STAGES)
        self.side.setVisible(shown != STAGES)
        self.side.setCurrentIndex(max(0, shown - TIMES))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More room, other places."""
        super().resizeEvent(event)
        self._place(wide=self.width() >= SIDE_BY_SIDE_FROM)

    def refresh(self, snapshot: Snapshot) -> None:
        """Bars and workers each time, figures when a batch moved on, of the side only what is in front."""
        self._snapshot = snapshot
        bars = self._book.bars(snapshot.batches)
        if not bars:
            self.set_state(
                empty(
                    "No batches to prove yet",
                    "A batch opens with the first transaction and closes when full or after a time limit.",
                )
            )
            return
        if self.state.kind == "empty":
            self.set_state(LIVE)
        self.bars.set_rows(bars)
        self._show_head(snapshot)
        self._show_side(snapshot)

    def _show_head(self, snapshot: Snapshot) -> None:
        moved = tuple((batch.number, batch.status, batch.attempts, batch.gas) for batch in snapshot.batches)
        key = (moved, len(snapshot.prove_seconds))
        if key == self._head:
            return
        self._head = key
        times = prove_times(snapshot)
        self.facts.set_facts(headline(snapshot, times))
        levels = tuple(
            (value, f"p{name} {seconds_text(value)}")
            for name, value in zip(PERCENTILES, times.percentiles, strict=bool(times.percentiles))
        )
        foot = f"seconds to prove, last {plural(len(times.seconds), 'proof')}, newest on the right"
        self.times.set_history(times.seconds, levels, foot, times.words)

    def _show_side(self, snapshot: Snapshot) -> None:
        failed = failure_rows(snapshot.batches)
        self._say(AT_WORK, workers_title(snapshot))
        self._say(FAILED, f"Failures {len(failed)}" if failed else "Failures")
        shown = self.tabs.currentIndex()
        if shown == AT_WORK:
            self.tables[0].rows.set_rows(worker_rows(snapshot.workers))
        elif shown == FAILED:
            self.tables[1].rows.set_rows(failed)
        elif shown == SECURITY:
            newest = newest_proof(snapshot)
            self.tables[2].rows.set_rows(term_rows(newest.security_terms if newest else ()))

    def _say(self, tab: int, words: str) -> None:
        if self.tabs.tabText(tab) != words:
            self.tabs.setTabText(tab, words)

    def _on_tab(self, _index: int) -> None:
        self._stages_in_front = False
        self._show_part()
        if self._snapshot is not None:
            self._show_side(self._snapshot)

    def show_tab(self, index: int) -> None:
        """Bring a part to the front: STAGES (where they are a tab), TIMES, AT_WORK, FAILED or SECURITY."""
        self.tabs.setCurrentIndex(index)

    def _show_menu(self, number: int, place: QPoint) -> None:
        batch = batch_by_number(self._snapshot, number) if self._snapshot is not None else None
        if batch is not None:
            batch_menu(self, batch, place, lambda: self.inspect_wanted.emit(number))

    def _prove_again(self, number: object, _column: str) -> None:
        if not isinstance(number, int):
            return
        try:
            self.engine.prove_again(number)
        except ProtocolError as error:
            self.refused.emit(error.message)
        else:
            self.noticed.emit(f"Batch {number} goes back to a worker")

    def restyle(self) -> None:
        """Tables measure their fonts again."""
        self._head = None
        for table in self.tables:
            table.restyle()
