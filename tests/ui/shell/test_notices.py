"""Notices: whole sentences, put away by click or by time."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QWidget

from ui.shell.notices import KEEP, Banner, NoticeStack
from ui.viewmodels.notices import LIFETIME_SECONDS, Notice

LONG = "Refused: initial margin needs 4,577.11, free collateral is 12.00 after the order fills"


@pytest.fixture
def stack(theme, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    made = NoticeStack(theme, window)
    made.window_kept_alive = window
    return made


def test_a_long_notice_gets_the_lines_it_needs(stack, theme):
    stack.push(Notice("info", "short"), 0.0)
    stack.push(Notice("danger", LONG), 0.0)
    short, long = stack.boxes()
    line = QFontMetrics(theme.font("body")).lineSpacing()
    assert long.height() >= short.height() + line - 2
    assert stack.geometry().bottom() < stack.parentWidget().height()
    assert stack.geometry().right() < stack.parentWidget().width()


def test_a_click_puts_away_that_one_only(stack, qtbot):
    for text in ("first", "second", "third"):
        stack.push(Notice("info", text), 0.0)
    middle = stack.boxes()[1].center()
    qtbot.mouseClick(stack, Qt.MouseButton.LeftButton, pos=QPoint(middle.x(), middle.y()))
    assert [notice.text for _, notice in stack.shown] == ["first", "third"]


def test_each_kind_has_its_lifetime(stack):
    stack.push(Notice("info", "goes first"), 100.0)
    stack.push(Notice("danger", "stays"), 100.0)
    stack.on_frame(100.0 + LIFETIME_SECONDS["info"] + 0.1)
    assert [notice.text for _, notice in stack.shown] == ["stays"]
    stack.on_frame(100.0 + LIFETIME_SECONDS["danger"] + 0.1)
    assert not stack.isVisible()


def test_only_the_newest_are_kept(stack):
    for number in range(KEEP + 3):
        stack.push(Notice("info", str(number)), 0.0)
    assert [notice.text for _, notice in stack.shown][-1] == str(KEEP + 2)
    assert len(stack.shown) == KEEP


def test_the_banner_stays_as_long_as_its_cause(theme, qtbot):
    banner = Banner(theme)
    qtbot.addWidget(banner)
    assert banner.say("danger", "Stopped: prover")
    assert not banner.say("danger", "Stopped: prover")
    assert banner.isVisible()
    assert banner.say("danger", "")
    assert not banner.isVisible()
