"""The proof inspector: one batch and its proof file in full, verified here on request, exported for a stranger.

Reading, verifying and writing happen on a thread; the window shows what came back. A file that is gone or broken is
told with its reason, and the rest of the batch stays on screen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QTabBar, QVBoxLayout, QWidget

from app.proving.check import check_proof
from app.snapshot.views import BatchView, Snapshot, Verdict
from app.storage.proof_files import export_proof
from ui.model.engine_protocol import DeskEngine
from ui.panels.inspector.job import Job, Outcome
from ui.panels.inspector.page import LEFT_COLUMN, RIGHT_COLUMN, InspectorPage
from ui.theme.theme import Theme
from ui.viewmodels.batches import batch_by_number, status_words
from ui.viewmodels.inspector import export_name, missing_words, unread_words, verdict_words
from ui.viewmodels.wording import bytes_text
from ui.widgets.panel import Panel
from ui.widgets.state import LIVE, empty

if TYPE_CHECKING:
    from engine.proving.summary import ProofSummary

READ, VERIFY, EXPORT = "read", "verify", "export"
NOT_CHECKED = "Decoded; not verified here yet."
READING = "Reading the proof file..."


class InspectorPanel(Panel):
    """``left``: the user is done with it. ``noticed``: a sentence for the notices."""

    title = "Proof inspector"

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self._snapshot: Snapshot | None = None
        self.number: int | None = None
        self.batch: BatchView | None = None
        self.summary: ProofSummary | None = None
        self._read: str | None = None  # the proof file that was read or refused, None before
        self._job = Job()
        self.name = QLabel(" ")
        self.name.setProperty("strong", True)
        self.name.setMinimumWidth(1)
        self.newer = QPushButton("Newer")
        self.older = QPushButton("Older")
        self.verify = QPushButton("Verify here")
        self.export = QPushButton("Export proof...")
        self.done = QPushButton("Close")
        self.verdict = QLabel(" ")
        self.verdict.setWordWrap(True)
        self.verdict.setContentsMargins(8, 0, 8, 0)
        self.jumps = QTabBar()
        self.page = InspectorPage(theme, engine.config.collateral_symbol)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 6, 8, 2)
        head.setSpacing(8)
        for widget in (self.newer, self.older):
            widget.setProperty("kind", "segment")
            head.addWidget(widget)
        head.addWidget(self.name, 1)
        for widget in (self.verify, self.export, self.done):
            head.addWidget(widget)
        self.jumps.setDrawBase(False)
        self.jumps.setExpanding(False)
        self.jumps.setUsesScrollButtons(True)
        self.jumps.setAccessibleName("sections of the inspector")
        for title in (*LEFT_COLUMN, *RIGHT_COLUMN):
            self.jumps.addTab(title)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.verdict)
        column.addWidget(self.jumps)
        column.addWidget(self.page, 1)

    def _connect(self) -> None:
        self.newer.clicked.connect(lambda: self._step(-1))
        self.older.clicked.connect(lambda: self._step(1))
        self.verify.clicked.connect(self.start_verifying)
        self.export.clicked.connect(self._ask_where)
        self.done.clicked.connect(self._leave)
        self.page.copied.connect(lambda name: self.noticed.emit(f"Copied: {name}"))
        self.jumps.tabBarClicked.connect(lambda index: self.page.jump_to(self.jumps.tabText(index)))
        self.newer.setToolTip("Alt+Right")
        self.older.setToolTip("Alt+Left")
        for keys, act in (
            ("Escape", self._leave),
            ("Alt+Right", lambda: self._step(-1)),
            ("Alt+Left", lambda: self._step(1)),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    @property
    def busy(self) -> bool:
        """Whether something runs on the thread, or its outcome was not shown yet."""
        return bool(self._job.kind)

    # -- which batch --------------------------------------------------------------------------------------------

    def inspect(self, number: int | None) -> None:
        """Show a batch; None for the newest proof. What ran for another batch is forgotten."""
        self.cancel()
        self._snapshot = self.engine.snapshot() or self._snapshot
        found = batch_by_number(self._snapshot, number) if self._snapshot is not None else None
        self.number = found.number if found is not None else number
        self.batch = self.summary = self._read = None
        if self._snapshot is not None:
            self.refresh(self._snapshot)
        self.page.setFocus()

    def _step(self, places: int) -> None:
        numbers = [batch.number for batch in self._snapshot.batches] if self._snapshot is not None else []
        if self.number in numbers:
            place = numbers.index(self.number) + places
            if 0 <= place < len(numbers):
                self.inspect(numbers[place])

    def _leave(self) -> None:
        self.cancel()
        self.left.emit()

    def put_away(self) -> None:
        """What runs is forgotten."""
        self.cancel()

    def cancel(self) -> None:
        """Forget what runs."""
        self._job.cancel()
        self._show_buttons()

    # -- showing ------------------------------------------------------------------------------------------------

    def refresh(self, snapshot: Snapshot) -> None:
        """The batch's record follows the venue; the file is read once it is there."""
        self._snapshot = snapshot
        if self.number is None:
            self._show_nothing(snapshot)
            return
        self.set_state(LIVE)
        batch = batch_by_number(snapshot, self.number) or self.batch  # older than the newest hundred: as it was last
        if batch is None:
            self.set_state(
                empty("This batch is no longer listed", f"Batch {self.number} is older than the newest hundred.")
            )
            return
        if batch != self.batch:
            self._show_batch(batch)
        if batch.proof_file and batch.proof_file != self._read and self._start_reading(batch):
            self._read = batch.proof_file

    def _show_batch(self, batch: BatchView) -> None:
        first, self.batch = self.batch is None, batch
        self.name.setText(f"Batch {batch.number}, {status_words(batch)}")
        self.page.show_batch(batch)
        if first:
            self._show_summary(batch, None)
            self.page.verticalScrollBar().setValue(0)
            self.jumps.setCurrentIndex(0)
        if not batch.proof_file:
            self._say(missing_words(batch), "pending")
        self._show_buttons()

    def _show_summary(self, batch: BatchView, summary: ProofSummary | None) -> None:
        self.summary = summary
        self.page.show_summary(batch, summary)
        for index in range(self.jumps.count()):
            self.jumps.setTabVisible(index, not self.page.sections[self.jumps.tabText(index)].isHidden())

    def _start_reading(self, batch: BatchView) -> bool:
        if not self._job.start(READ, lambda: self._summarise(batch.number)):
            return False
        self._say(READING, "pending")
        self._show_buttons()
        return True

    def _show_nothing(self, snapshot: Snapshot) -> None:
        if batch_by_number(snapshot, None) is None:
            self.set_state(
                empty("Nothing to inspect yet", "No batch has been proved yet; the first proof can be opened here.")
            )
        else:
            detail = "Double-click a batch in the Batches or Prover panel, or press Enter on it."
            self.set_state(empty("No batch selected", detail, ("Inspect the newest proof", lambda: self.inspect(None))))

    def _summarise(self, number: int) -> Any:
        from engine.proving.summary import summarise  # on the job's thread: loads the proof system

        return summarise(self.engine.proof_file(number))

    def _say(self, words: str, tone: str) -> None:
        if self.verdict.property("tone") != tone:
            self.verdict.setProperty("tone", tone)
            self.verdict.style().polish(self.verdict)
        if self.verdict.text() != words:
            self.verdict.setText(words)

    def _show_buttons(self) -> None:
        there, busy = self.batch is not None and bool(self.batch.proof_file), self._job.kind
        self.verify.setEnabled(there and not busy)
        self.verify.setText("Verifying" if busy == VERIFY else "Verify here")
        self.verify.setToolTip(
            "check the proof file with this machine's verifier" if there else "there is no proof yet"
        )
        self.export.setEnabled(there and not busy)
        self.export.setText("Exporting" if busy == EXPORT else "Export proof...")
        self.export.setToolTip("save a copy that anyone can verify on its own" if there else "there is no proof yet")

    # -- acting -------------------------------------------------------------------------------------------------

    def start_verifying(self) -> None:
        """Read the file again and verify it."""
        batch = self.batch
        if batch is not None and self._job.start(VERIFY, lambda: check_proof(self.engine.proof_file(batch.number))):
            self._say("Verifying...", "pending")
            self._show_buttons()

    def _ask_where(self) -> None:
        if self.batch is None:
            return
        dialog = QFileDialog(self, "Export proof", str(Path.home() / export_name(self.batch)), "Proofs (*.proof)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.start_export(Path(chosen)))
        dialog.open()

    def start_export(self, target: Path) -> None:
        """Write a copy of the proof file, whole or not at all."""
        batch = self.batch

        def work() -> tuple[Path, int]:
            assert batch is not None
            data = self.engine.proof_file(batch.number)
            export_proof(data, target)
            return target, len(data)

        if batch is not None and self._job.start(EXPORT, work):
            self._say(f"Writing {target}...", "pending")
            self._show_buttons()

    def on_frame(self, now: float) -> bool:
        """An outcome may have come."""
        outcome = self._job.take()
        if outcome is None:
            return False
        self._take(outcome)
        self._show_buttons()
        return True

    def _take(self, outcome: Outcome) -> None:
        batch = self.batch
        if batch is None:
            return
        if outcome.error:
            words = unread_words(batch, outcome.error) if outcome.kind != EXPORT else f"Not exported: {outcome.error}."
            self._say(words, "danger")
        elif outcome.kind == READ:
            self._show_summary(batch, outcome.value)
            self._say(NOT_CHECKED, "text")
        elif outcome.kind == VERIFY:
            verdict: Verdict = outcome.value
            self._say(*verdict_words(verdict))
        else:
            path, size = outcome.value
            self._say(
                f"Exported {bytes_text(size)} to {path}. Anyone can check it with: main.py verify {path.name}", "text"
            )

    def restyle(self) -> None:
        """Fonts of the page."""
        self.page.restyle()
