"""The number box: steps, suffixes, faults beside the field, and nothing typed is lost."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from ui.widgets.number_edit import NumberEdit


@pytest.fixture
def edit(qtbot, theme) -> NumberEdit:
    made = NumberEdit(theme, "Price", 1, "pUSD", step=1)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize(
    ("start", "key", "modifier", "end"),
    [
        ("10.0", Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, "10.1"),
        ("10.0", Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier, "9.9"),
        ("10.0", Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier, "11.0"),
        ("10.0", Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier, "20.0"),
        ("10.0", Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, "9.0"),
        ("1k", Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, "1,000.1"),
        ("", Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, "0.1"),
        ("0.1", Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier, "0.1"),
        ("abc", Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, "abc"),
    ],
)
def test_step_keys(qtbot, edit: NumberEdit, start: str, key: Qt.Key, modifier: Qt.KeyboardModifier, end: str) -> None:
    edit.set_text(start)
    qtbot.keyClick(edit.line, key, modifier)
    assert edit.text() == end


@pytest.mark.parametrize(
    ("start", "steps", "end"), [("12", 1, "15.0"), ("12", -1, "10.0"), ("15", -1, "10.0"), ("3", -1, "5.0")]
)
def test_steps_land_on_multiples(edit: NumberEdit, start: str, steps: int, end: str) -> None:
    edit.line.step = 50
    edit.set_text(start)
    edit.line.step_by(steps)
    assert edit.text() == end


def test_typing_tells_and_set_text_does_not(qtbot, edit: NumberEdit) -> None:
    heard: list[str] = []
    edit.edited.connect(heard.append)
    edit.set_text("5")
    assert heard == []
    qtbot.keyClicks(edit.line, "1")
    qtbot.keyClick(edit.line, Qt.Key.Key_Up)
    assert heard == ["51", "51.1"]
    assert edit.line.value() == 511


def test_a_fault_stands_beside_the_field_until_the_text_changes(qtbot, edit: NumberEdit) -> None:
    edit.set_hint("best ask 57,412.3")
    height = edit.sizeHint().height()
    edit.set_error("price 'x' is not a number")
    assert edit.words.text() == "price 'x' is not a number"
    assert edit.line.accessibleDescription() == edit.words.text()
    assert edit.line.property("invalid") is True
    assert edit.sizeHint().height() == height
    qtbot.keyClicks(edit.line, "1")
    assert edit.error == ""
    assert edit.words.text() == "best ask 57,412.3"


def wheel(edit: NumberEdit, notches: int) -> None:
    centre = QPointF(edit.line.rect().center())
    event = QWheelEvent(
        centre, edit.line.mapToGlobal(centre), QPoint(0, 0), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(edit.line, event)


def test_the_wheel_needs_the_focus(qtbot, edit: NumberEdit) -> None:
    edit.set_text("10")
    edit.line.clearFocus()
    wheel(edit, 1)
    assert edit.text() == "10"
    edit.line.setFocus()
    qtbot.waitUntil(edit.line.hasFocus)
    wheel(edit, 2)
    assert edit.text() == "10.2"
