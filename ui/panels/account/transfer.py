"""The deposit and withdrawal form of the account panel: an amount, its limits, before and after, one button."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.snapshot.views import AccountView
from engine.errors import ProtocolError
from engine.exchange.config import VenueConfig
from ui.model.desk import Direction
from ui.theme.theme import Theme
from ui.viewmodels.account import (
    COLLATERAL_DECIMALS,
    deposit_changes,
    deposit_limit_words,
    exact_amount_text,
    limit_words,
    read_deposit,
    read_withdrawal,
    withdrawal_changes,
)
from ui.widgets.figure_grid import FigureGrid
from ui.widgets.number_edit import NumberEdit
from ui.widgets.stating_button import StatingButton

EXPLANATION = {
    "deposit": "Sent to the exchange contract on L1, then credited in the open batch.",
    "withdraw": "Leaves the account now; claim it on L1 once its batch is proved. Margin in use stays.",
}


class TransferForm(QWidget):
    """``sent(direction, amount)`` when a readable amount is confirmed; ``left`` when the user goes back."""

    sent = Signal(str, object)
    left = Signal()

    def __init__(self, theme: Theme, config: VenueConfig) -> None:
        super().__init__()
        self._config = config
        self._user: AccountView | None = None
        self.direction: Direction = "deposit"
        self._refusal = ""
        self.title = QLabel()
        self.title.setProperty("strong", True)
        self.explanation = QLabel()
        self.explanation.setProperty("tone", "text_weak")
        self.explanation.setProperty("size", "small")
        self.explanation.setWordWrap(True)
        self.amount = NumberEdit(theme, "Amount", COLLATERAL_DECIMALS, config.collateral_symbol, step=10**8)
        self.most = QPushButton("Max")
        self.most.setAccessibleName("largest amount")
        self.amount.row.addWidget(self.most)
        self.changes = FigureGrid(theme, columns=1, row_height=18)
        self.changes.setAccessibleName("before and after")
        self.button = StatingButton("Deposit")
        self.button.setProperty("kind", "primary")
        self.back = QPushButton("Back")
        self.back.setProperty("kind", "quiet")
        self._arrange()
        self.amount.edited.connect(self._on_edited)
        self.amount.line.returnPressed.connect(self.send)
        self.most.clicked.connect(self._on_most)
        self.button.clicked.connect(self.send)
        self.back.clicked.connect(self.left)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(4)
        column.addLayout(head)
        for widget in (self.explanation, self.amount, self.changes):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self.button)

    def open(self, direction: Direction, user: AccountView) -> None:
        """Start a form of this direction, empty."""
        self.direction = direction
        self.title.setText("Deposit from the L1 wallet" if direction == "deposit" else "Withdraw to the L1 wallet")
        self.explanation.setText(EXPLANATION[direction])
        self.amount.set_text("")
        self._refusal = ""
        self.show_user(user)
        self.amount.line.setFocus()

    def show_user(self, user: AccountView) -> None:
        """Limits and before-and-after against the newest account."""
        self._user = user
        words = deposit_limit_words if self.direction == "deposit" else limit_words
        self.amount.set_hint(words(user, self._config))
        amount, error = self._read()
        if self._refusal or self.amount.text().strip():
            self.amount.set_error(self._refusal or error)
        changes = deposit_changes if self.direction == "deposit" else withdrawal_changes
        self.changes.set_figures(changes(amount, user))
        verb = "Deposit" if self.direction == "deposit" else "Withdraw"
        what = f"{verb} {exact_amount_text(amount, self._config)}"
        if error:
            what = f"{verb}: correct the amount" if self.amount.text().strip() else f"{verb}: enter an amount"
        self.button.set_words(what)

    def refuse(self, words: str) -> None:
        """Show the engine's refusal beside the amount; the typed value stays."""
        self._refusal = words
        self.amount.set_error(words)

    def _read(self) -> tuple[int, str]:
        assert self._user is not None, "open() comes first"
        try:
            if self.direction == "deposit":
                return read_deposit(self.amount.text(), self._user), ""
            return read_withdrawal(self.amount.text(), self._user, self._config), ""
        except ProtocolError as error:
            return 0, error.message

    def _on_edited(self, _text: str) -> None:
        self._refusal = ""
        if self._user is not None:
            self.show_user(self._user)

    def _on_most(self) -> None:
        if self._user is None:
            return
        most = self._user.l1_token_balance if self.direction == "deposit" else max(0, self._user.withdrawable)
        self.amount.set_error("")
        self.amount.set_text(exact_amount_text(most, None))
        self._on_edited("")

    def send(self) -> None:
        """Emit ``sent``, or say what is wrong beside the field."""
        amount, error = self._read()
        if error:
            self.amount.set_error(error)
            self.amount.line.setFocus()
            return
        self.sent.emit(self.direction, amount)
