"""The account: equity and health, what is free, the money on L1, and the way in and out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.snapshot.views import AccountView, Snapshot
from engine.errors import ProtocolError
from engine.sequencer.inputs import RequestWithdrawal
from engine.units import Quanta
from ui.model.desk import Direction
from ui.model.engine_protocol import DeskEngine
from ui.panels.account.transfer import TransferForm
from ui.theme.theme import Theme
from ui.viewmodels.account import exact_amount_text, figures, key_words, l1_figures, ring_state
from ui.viewmodels.ticket_acks import Answer
from ui.viewmodels.ticket_commands import CommandSender
from ui.viewmodels.wording import money_text
from ui.widgets.figure_grid import FigureGrid
from ui.widgets.health_ring import HealthRing
from ui.widgets.panel import Panel
from ui.widgets.state import LIVE, empty, refused

ROW = 18


class AccountPanel(Panel):
    """An overview, and the transfer form in its place while money is moved."""

    title = "Account"
    accepted = Signal(str)  # a withdrawal: its stages are told by events

    def __init__(self, engine: DeskEngine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(engine, theme, parent)
        self._user: AccountView | None = None
        self._wall_time = 0.0
        self._sender = CommandSender(engine)
        self._claim_sent = 0
        self.ring = HealthRing(theme)
        self.health = QLabel(" ")
        self.health.setProperty("size", "small")
        self.health.setWordWrap(True)
        self.money = FigureGrid(theme, columns=1, row_height=ROW)
        self.money.setAccessibleName("account figures")
        self.on_l1 = FigureGrid(theme, column_width=210, row_height=ROW)
        self.on_l1.setAccessibleName("money on L1")
        self.key = QLabel(" ")
        self.key.setProperty("tone", "text_weak")
        self.key.setProperty("size", "small")
        self.deposit_button = QPushButton("Deposit")
        self.withdraw_button = QPushButton("Withdraw")
        self.claim_button = QPushButton("Nothing to claim")
        self.form = TransferForm(theme, engine.config)
        self.pages = QStackedWidget()
        self._arrange()
        self.deposit_button.clicked.connect(lambda: self.open_transfer("deposit"))
        self.withdraw_button.clicked.connect(lambda: self.open_transfer("withdraw"))
        self.claim_button.clicked.connect(self.claim)
        self.form.left.connect(self.show_overview)
        self.form.sent.connect(self._send)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.ring, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.money, 1, Qt.AlignmentFlag.AlignTop)
        acts = QHBoxLayout()
        acts.setSpacing(4)
        for button in (self.deposit_button, self.withdraw_button, self.claim_button):
            acts.addWidget(button, 1)
        line = QFrame()
        line.setProperty("role", "hairline")
        line.setFixedHeight(1)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(6)
        column.addLayout(top)
        for widget in (self.health, line, self.on_l1):
            column.addWidget(widget)
        column.addLayout(acts)
        column.addWidget(self.key)
        column.addStretch(1)
        self.pages.addWidget(_scrolling(page))
        self.pages.addWidget(_scrolling(self.form))
        outer = QVBoxLayout(self.body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.pages)

    def refresh(self, snapshot: Snapshot) -> None:
        """Figures of the newest account, and the answers to what was sent."""
        self._wall_time = snapshot.wall_time
        user = self._user = snapshot.user
        if user is None:
            self.set_state(empty("No account yet", "It opens with the first deposit, which is on its way through L1."))
            return
        if self.state.kind == "empty":
            self.set_state(LIVE)
        for answer in self._sender.poll(snapshot.wall_time):
            self._on_answer(answer)
        config = self.engine.config
        ring = ring_state(user, config)
        self.ring.set_state(ring)
        self._set_text(self.health, ring.words, "text_weak" if ring.tone == "gain" else ring.tone)
        self.money.set_figures(figures(user, config))
        self.on_l1.set_figures(l1_figures(user, config))
        self._set_text(self.key, key_words(user), "text_weak")
        self._show_claim(user)
        if self.pages.currentIndex() == 1:
            self.form.show_user(user)

    def _set_text(self, label: QLabel, words: str, tone: str) -> None:
        if label.property("tone") != tone:
            label.setProperty("tone", tone)
            label.style().polish(label)
        if label.text() != words:
            label.setText(words)

    def _show_claim(self, user: AccountView) -> None:
        sent = self._claim_sent and user.l1_claimable == self._claim_sent
        if not sent:
            self._claim_sent = 0
        amount = money_text(user.l1_claimable)
        words = "Claim sent" if sent else f"Claim {amount}" if user.l1_claimable else "Nothing to claim"
        if self.claim_button.text() != words:
            self.claim_button.setText(words)
            self.claim_button.setEnabled(bool(user.l1_claimable) and not sent)
            tip = (
                "collect proved withdrawals into the L1 wallet"
                if user.l1_claimable
                else "no proved withdrawals to claim"
            )
            self.claim_button.setToolTip(tip)
            self.claim_button.setProperty("kind", "primary" if self.claim_button.isEnabled() else "")
            self.claim_button.style().polish(self.claim_button)

    # -- acts ---------------------------------------------------------------------------------------------------

    def open_transfer(self, direction: Direction) -> None:
        """Show the form; also what the commands and the withdrawals panel's button do."""
        if self._user is None:
            return
        self.pages.setCurrentIndex(1)
        self.form.open(direction, self._user)

    def show_overview(self) -> None:
        """Back to the figures."""
        self.pages.setCurrentIndex(0)

    def _send(self, direction: str, amount: int) -> None:
        user = self._user
        if user is None:
            return
        words = f"{direction} {exact_amount_text(amount, self.engine.config)}"
        if direction == "deposit":
            try:
                self.engine.deposit(amount)
            except ProtocolError as error:
                self._refuse(error.message)
                return
            self.noticed.emit(f"Deposit of {exact_amount_text(amount, self.engine.config)} sent to L1")
            self.show_overview()
            return
        self.form.button.setEnabled(False)
        _, answer = self._sender.send(
            lambda cid: RequestWithdrawal(account=user.account_id, amount=Quanta(amount), client_id=cid),
            words,
            self._wall_time,
        )
        if answer is not None:
            self._on_answer(answer)

    def _on_answer(self, answer: Answer) -> None:
        self.form.button.setEnabled(True)
        if answer.accepted:
            self.accepted.emit(answer.words)
            self.show_overview()
        else:
            self._refuse(answer.words)

    def _refuse(self, words: str) -> None:
        self.form.refuse(words)
        self.refused.emit(words)

    def claim(self) -> None:
        """Claim everything that proved withdrawals credited on L1."""
        user = self._user
        if user is None or not user.l1_claimable:
            return
        try:
            self.engine.claim()
        except ProtocolError as error:
            self.set_state(LIVE)
            self.set_state(refused(error.message))
            self.refused.emit(error.message)
            return
        self._claim_sent = user.l1_claimable
        self._show_claim(user)
        self.noticed.emit(f"Claim of {exact_amount_text(user.l1_claimable, self.engine.config)} sent to L1")


def _scrolling(widget: QWidget) -> QScrollArea:
    """In a panel squeezed below its content nothing is lost."""
    area = QScrollArea()
    area.setWidget(widget)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
