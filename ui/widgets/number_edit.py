"""A box for one integer of a unit (ticks, lots, quanta), edited as text, stepped by keys, with its fault beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.errors import ProtocolError
from engine.units import format_decimal, parse_decimal
from ui.theme.theme import Theme

BIG_STEP, HUGE_STEP = 10, 100


class NumberLine(QLineEdit):
    """The line itself: right aligned tabular digits, the unit painted inside, steps on the arrow keys and the wheel.

    Up and Down move by one step, with Shift by ten, with Control by a hundred; Page keys by ten. A step from text that
    is no number does nothing, so that nothing typed is lost.
    """

    edited = Signal(str)  # by the user: typed or stepped

    def __init__(self, theme: Theme, decimals: int, unit: str = "", step: int = 1) -> None:
        super().__init__()
        self._theme = theme
        self.decimals = decimals
        self.step = step
        self._unit = ""
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setProperty("mono", True)
        self.setMaxLength(40)
        self.textEdited.connect(self.edited)
        self.set_unit(unit)

    def set_unit(self, unit: str) -> None:
        """Show ``unit`` inside the box, right of the number."""
        self._unit = unit
        width = self.fontMetrics().horizontalAdvance(unit) + 8 if unit else 0
        self.setTextMargins(0, 0, width, 0)
        self.update()

    def value(self) -> int | None:
        """The number typed, None while it is no number of this unit."""
        try:
            return parse_decimal(self.text(), self.decimals, field="number")
        except ProtocolError:
            return None

    def step_by(self, steps: int) -> None:
        """Move by whole steps, landing on multiples of the step, never below one."""
        value = self.value() if self.text().strip() else 0
        if value is None:
            return
        below = value // self.step
        exact = below * self.step == value
        target = below + steps if exact or steps > 0 else below + steps + 1
        text = format_decimal(max(1, target) * self.step, self.decimals)
        if text != self.text():
            self.setText(text)
            self.edited.emit(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step keys first, then typing."""
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        count = steps.get(Qt.Key(event.key()))
        if count is None:
            super().keyPressEvent(event)
            return
        self.step_by(count * _factor(event.modifiers()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Steps, but only in the box that has the focus: scrolling past it changes nothing."""
        if not self.hasFocus():
            event.ignore()
            return
        notches = event.angleDelta().y() // 120
        if notches:
            self.step_by(notches * _factor(event.modifiers()))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The line, then the unit in the weak colour."""
        super().paintEvent(event)
        if not self._unit:
            return
        with QPainter(self) as painter:
            painter.setFont(self._theme.font("small"))
            painter.setPen(self._theme.color("text_weak"))
            area = self.rect().adjusted(0, 0, -8, 0)
            painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)


def _factor(modifiers: Qt.KeyboardModifier) -> int:
    if modifiers & Qt.KeyboardModifier.ControlModifier:
        return HUGE_STEP
    return BIG_STEP if modifiers & Qt.KeyboardModifier.ShiftModifier else 1


class NumberEdit(QWidget):
    """A label, the line, and one line of words under it: a hint, or what is wrong with the number.

    The line of words is always there, so that a fault of one line moves nothing below it.
    """

    edited = Signal(str)

    def __init__(self, theme: Theme, label: str, decimals: int, unit: str = "", step: int = 1) -> None:
        super().__init__()
        self._hint = ""
        self._error = ""
        self.line = NumberLine(theme, decimals, unit, step)
        self.line.setAccessibleName(label)
        self.line.edited.connect(self._on_edited)
        self.caption = QLabel(label)
        self.caption.setBuddy(self.line)
        self.caption.setMinimumWidth(52)
        self.words = QLabel(" ")
        self.words.setProperty("size", "small")
        self.words.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.words.setWordWrap(True)
        self.row = QHBoxLayout()
        self.row.setSpacing(8)
        self.row.addWidget(self.caption)
        self.row.addWidget(self.line, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(self.row)
        column.addWidget(self.words)
        self._show_words()

    def text(self) -> str:
        """What stands in the box."""
        return self.line.text()

    def set_text(self, text: str) -> None:
        """Put text into the box without telling anybody; a box already showing it keeps its cursor."""
        if text != self.line.text():
            self.line.setText(text)

    def set_hint(self, hint: str) -> None:
        """Words under the box while nothing is wrong."""
        if hint != self._hint:
            self._hint = hint
            self._show_words()

    @property
    def error(self) -> str:
        """The fault that is shown, or ``""``."""
        return self._error

    def set_error(self, error: str) -> None:
        """Show a fault beside the field, or clear it with ``""``."""
        if error != self._error:
            self._error = error
            self._show_words()
            self.line.setProperty("invalid", bool(error))
            self.line.style().polish(self.line)

    def _on_edited(self, text: str) -> None:
        self.set_error("")
        self.edited.emit(text)

    def _show_words(self) -> None:
        tone = "danger" if self._error else "text_weak"
        if self.words.property("tone") != tone:
            self.words.setProperty("tone", tone)
            self.words.style().polish(self.words)
        self.words.setText(self._error or self._hint or " ")
        self.words.setToolTip(self._error or self._hint)
        self.line.setAccessibleDescription(self._error or self._hint)
