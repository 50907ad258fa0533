"""The inspector's page: named sections in one or two columns, each filled from the view-model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.snapshot.views import BatchView
from ui.theme.theme import Theme
from ui.viewmodels import inspector as model
from ui.viewmodels.prover_bars import segments_of
from ui.viewmodels.wording import seconds_text
from ui.widgets.bar_rows import BarRow, BarRows
from ui.widgets.figure_grid import FigureGrid
from ui.widgets.hash_rows import HashRows, NamedHash
from ui.widgets.table_view import TableView

if TYPE_CHECKING:
    from engine.proving.summary import ProofSummary

TWO_COLUMNS_FROM = 840
PAD, BETWEEN = 8, 24
FIGURE_ROW, FIGURE_WIDTH = 18, 300
FLOW_LINES = 6  # rows of the flows' table before it scrolls
LEFT_COLUMN = ("Batch", "L1", "Claim", "Coverage")
RIGHT_COLUMN = ("Security", "Parameters", "Commitments", "Sizes", "Stages")


class Section(QWidget):
    """A title over its widgets."""

    def __init__(self, title: str, widgets: Sequence[QWidget]) -> None:
        super().__init__()
        self.title = QLabel(title)
        self.title.setProperty("strong", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(4)
        column.addWidget(self.title)
        for widget in widgets:
            column.addWidget(widget)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)


class Column(QWidget):
    """Sections under each other. Tells when one of them needs another height."""

    def __init__(self, page: QWidget, changed: Callable[[], None]) -> None:
        super().__init__(page)
        self._changed = changed
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)

    def event(self, event: QEvent) -> bool:
        """A section came, went, or says more."""
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._changed()
        return handled


class InspectorPage(QScrollArea):
    """Everything about one batch. ``copied(name)``: a hash went to the clipboard."""

    copied = Signal(str)

    def __init__(self, theme: Theme, symbol: str) -> None:
        super().__init__()
        self._theme = theme
        self._make_widgets(theme, symbol)
        self.sections = {
            "Batch": Section("Batch", (self.batch, self.roots)),
            "L1": Section("L1 transactions", (self.l1, self.l1_gas, self.transactions)),
            "Claim": Section("Claim: public inputs", (self.claim, self.claim_hashes, self.flows)),
            "Coverage": Section("Coverage", self.coverage),
            "Security": Section("Security terms, weakest first", (self.security_words, self.security)),
            "Parameters": Section("Parameters and tables", (self.parameters, self.tables)),
            "Commitments": Section("Commitments and grinding", (self.commitments,)),
            "Sizes": Section("Parts of the file", (self.file, self.digest, self.parts)),
            "Stages": Section("Proving stages", (self.stages,)),
        }
        self._columns = 0
        self._arrange()
        for hashes in (self.roots, self.transactions, self.claim_hashes, self.commitments, self.digest):
            hashes.copied.connect(self.copied)

    def _make_widgets(self, theme: Theme, symbol: str) -> None:
        self.batch = FigureGrid(theme, FIGURE_WIDTH, FIGURE_ROW, columns=1)
        self.roots = HashRows("recorded roots")
        self.l1 = FigureGrid(theme, FIGURE_WIDTH, FIGURE_ROW, columns=1)
        self.l1_gas = BarRows(theme, "gas of each L1 transaction")
        self.transactions = HashRows("L1 transactions")
        self.claim = FigureGrid(theme, FIGURE_WIDTH, FIGURE_ROW, columns=1)
        self.claim_hashes = HashRows("public inputs")
        self.flows = TableView(model.FLOWS, symbol, theme)
        self.coverage = [_words(text, tone) for text, tone in model.coverage_lines()]
        self.security_words = _words("", "text_weak")
        self.security = BarRows(theme, "security terms")
        self.parameters = FigureGrid(theme, FIGURE_WIDTH, FIGURE_ROW, columns=1)
        self.tables = FigureGrid(theme, FIGURE_WIDTH, FIGURE_ROW, columns=1)
        self.commitments = HashRows("commitments")
        self.file = _words("", "text_weak")
        self.digest = HashRows("file digest")
        self.parts = BarRows(theme, "parts of the file")
        self.stages = BarRows(theme, "proving stages")
        names = ("batch", "L1", "claim", "parameters", "tables")
        grids = (self.batch, self.l1, self.claim, self.parameters, self.tables)
        for name, grid in zip(names, grids, strict=True):
            grid.setAccessibleName(name)

    def _arrange(self) -> None:
        self._page = QWidget()
        self._sides = (Column(self._page, self._fit), Column(self._page, self._fit))
        self.setWidget(self._page)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # the width stays when sections come
        for name in LEFT_COLUMN:
            self._sides[0].column.addWidget(self.sections[name])
        self._place(columns=1)

    def _place(self, *, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for name in RIGHT_COLUMN:
            section = self.sections[name]
            hidden = section.isHidden()  # another parent hides it
            self._sides[columns - 1].column.addWidget(section)
            section.setVisible(not hidden)
        self._sides[1].setVisible(columns == 2)

    def _fit(self) -> None:
        """Columns as high as their words need at this width; the page as high as the higher one."""
        room = self.viewport().width() - 2 * PAD - (self._columns - 1) * BETWEEN
        width, height = room // self._columns, 0
        for place, side in enumerate(self._sides[: self._columns]):
            needed = side.column.heightForWidth(width)
            side.setGeometry(PAD + place * (width + BETWEEN), PAD, width, needed)
            height = max(height, needed)
        self._page.resize(self.viewport().width(), height + 2 * PAD)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns where there is room for two hashes side by side."""
        super().resizeEvent(event)
        self._place(columns=2 if self.width() >= TWO_COLUMNS_FROM else 1)
        self._fit()

    def jump_to(self, name: str) -> None:
        """Scroll a section's title to the top, as far as the page goes."""
        section = self.sections[name]
        self.verticalScrollBar().setValue(section.mapTo(self._page, section.rect().topLeft()).y())

    def show_batch(self, batch: BatchView) -> None:
        """What the record says."""
        self.batch.set_figures(model.batch_figures(batch))
        self.roots.set_hashes(tuple(NamedHash(*pair) for pair in model.batch_hashes(batch)))
        self.l1.set_figures(model.l1_figures(batch))
        self.l1_gas.set_rows(tuple(BarRow(*step) for step in model.l1_bars(batch)))
        self.transactions.set_hashes(tuple(NamedHash(*pair) for pair in model.l1_hashes(batch)))
        segments = segments_of(batch.stage_seconds)
        longest = max((segment.seconds for segment in segments), default=1.0)
        self.stages.set_rows(
            tuple(
                BarRow(s.name, seconds_text(s.seconds), s.seconds / longest, "proved" if s.slowest else "text")
                for s in segments
            )
        )
        self.sections["Stages"].setVisible(bool(segments))

    def show_summary(self, batch: BatchView, summary: ProofSummary | None) -> None:
        """What the file says; None hides the sections that only it can fill."""
        for name in ("Claim", "Security", "Parameters", "Commitments", "Sizes"):
            self.sections[name].setVisible(summary is not None)
        if summary is None:
            return
        self.claim.set_figures(model.claim_figures(summary))
        self.claim_hashes.set_hashes(tuple(NamedHash(*pair) for pair in model.claim_hashes(summary)))
        self.flows.rows.set_rows(model.flow_rows(summary))
        self._size_flows()
        self.security_words.setText(model.security_words(summary))
        self.security.set_rows(tuple(BarRow(*term) for term in model.security_bars(summary.security.terms)))
        self.parameters.set_figures(model.parameter_figures(summary))
        self.tables.set_figures(model.table_figures(summary))
        self.commitments.set_hashes(tuple(NamedHash(*row) for row in model.commitment_hashes(summary)))
        words, tone = model.file_words(batch, summary)
        _say(self.file, words, tone)
        self.digest.set_hashes((NamedHash("SHA-256", summary.digest), NamedHash("path", batch.proof_file)))
        self.parts.set_rows(tuple(BarRow(*part) for part in model.part_bars(summary)))

    def _size_flows(self) -> None:
        """The titles, and as many rows as there are, up to a limit."""
        lines = 1 + max(1, min(FLOW_LINES, len(self.flows.rows.rows)))
        self.flows.setFixedHeight(lines * self._theme.density.table_row)

    def restyle(self) -> None:
        """The table measures its fonts and rows again."""
        self.flows.restyle()
        self._size_flows()


def _words(text: str, tone: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("size", "small")
    label.setProperty("tone", tone)
    return label


def _say(label: QLabel, words: str, tone: str) -> None:
    if label.property("tone") != tone:
        label.setProperty("tone", tone)
        label.style().polish(label)
    label.setText(words)
