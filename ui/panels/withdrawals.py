"""The user's withdrawals: each with its steps, what is expected, who acts next; and the exits that do not exist yet."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from engine.errors import ProtocolError
from engine.units import SECOND
from ui.model.engine_protocol import DeskEngine
from ui.theme.theme import Theme
from ui.viewmodels.withdrawals import NOT_BUILT, WithdrawalState, source_words, withdrawal_states
from ui.widgets.panel import Panel
from ui.widgets.state import LIVE, refused
from ui.widgets.stepper import Stepper

MOST_CARDS = 50
CLAIM_HEIGHT = 24


class WithdrawalCard(QWidget):
    """One withdrawal: title, steps, and the line that says who acts next."""

    claim_pressed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.state: WithdrawalState | None = None
        self.title = QLabel(" ")
        self.title.setProperty("strong", True)
        self.title.setMinimumWidth(1)
        self.next = QLabel(" ")
        self.next.setProperty("size", "small")
        self.next.setWordWrap(True)
        self.claim = QPushButton("Claim on L1")
        self.claim.setProperty("kind", "primary")
        keep = self.claim.sizePolicy()
        keep.setRetainSizeWhenHidden(True)  # the steps below do not move when it appears
        self.claim.setSizePolicy(keep)
        self.claim.setFixedHeight(CLAIM_HEIGHT)
        self.claim.clicked.connect(self.claim_pressed)
        self.claim.hide()
        self.stepper = Stepper(theme)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.claim)
        line = QFrame()
        line.setProperty("role", "hairline")
        line.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.stepper)
        column.addWidget(self.next)
        column.addWidget(line)

    def show_state(self, state: WithdrawalState, *, claim_sent: bool) -> None:
        """Show this withdrawal; touches only what differs."""
        words = "L1: claim sent, waiting for a block" if claim_sent and state.needs_user else state.next_words
        tone = "accent" if state.needs_user and not claim_sent else "text_weak"
        if self.next.text() != words or self.next.property("tone") != tone:
            self.next.setText(words)
            self.next.setToolTip(words)
            self.next.setProperty("tone", tone)
            self.next.style().polish(self.next)
        shown = state.needs_user and not claim_sent
        if self.claim.isHidden() == shown:
            self.claim.setVisible(shown)
        if self.state is None or self.state.title != state.title:
            self.title.setText(state.title)
            self.title.setToolTip(state.path)
            self.setAccessibleName(f"withdrawal {state.title}, {state.path}")
        self.stepper.set_steps(state.steps)
        self.state = state


class WithdrawalsPanel(Panel):
    """Unfinished withdrawals first. ``withdraw_pressed``: the user wants the form of the account panel."""

    title = "Withdrawals"

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self._claim_sent = 0
        self._claimable = 0
        self._shown: object = None
        self.cards: list[WithdrawalCard] = []
        self.nothing = QLabel("No withdrawals yet. Start one from the Account panel; its progress appears here.")
        self.nothing.setProperty("tone", "text_weak")
        self.nothing.setWordWrap(True)
        self.withdraw = QPushButton("Withdraw")
        self.withdraw.clicked.connect(self.withdraw_pressed)
        self.source = _small(" ")
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        self._arrange()

    def _arrange(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(4)
        column.addWidget(self.nothing)
        column.addWidget(self.withdraw, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._list)
        column.addWidget(self.source)
        for name, words in NOT_BUILT:
            column.addWidget(_small(f"{name}: {words}"))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def refresh(self, snapshot: Snapshot) -> None:
        """One card per withdrawal; cards are kept and only their differences are shown."""
        self._claimable = snapshot.user.l1_claimable if snapshot.user else 0
        if self._claimable != self._claim_sent:
            self._claim_sent = 0
        moved = tuple((batch.number, batch.status) for batch in snapshot.batches)
        key = (snapshot.withdrawals, snapshot.time // SECOND, moved, self._claim_sent)
        if key == self._shown:
            return
        self._shown = key
        states = withdrawal_states(snapshot, self.engine.config)[:MOST_CARDS]
        for widget in (self.nothing, self.withdraw):
            widget.setVisible(not states)
        self.source.setVisible(any(not state.finished for state in states))
        while len(self.cards) < len(states):
            card = WithdrawalCard(self.theme)
            card.claim_pressed.connect(self._claim)
            self._list.addWidget(card)
            self.cards.append(card)
        while len(self.cards) > len(states):
            gone = self.cards.pop()
            gone.hide()
            gone.deleteLater()
        for card, state in zip(self.cards, states, strict=True):
            card.show_state(state, claim_sent=bool(self._claim_sent))
        words = source_words(snapshot.batches)
        if self.source.text() != words:
            self.source.setText(words)

    def _claim(self) -> None:
        try:
            self.engine.claim()
        except ProtocolError as error:
            self.set_state(LIVE)
            self.set_state(refused(error.message))
            self.refused.emit(error.message)
            return
        self._claim_sent = self._claimable
        for card in self.cards:
            if card.state is not None:
                card.show_state(card.state, claim_sent=True)
        self.noticed.emit("Claim sent to L1")


def _small(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("size", "small")
    label.setProperty("tone", "text_weak")
    label.setWordWrap(True)
    return label
