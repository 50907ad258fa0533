"""Notices over the workspace: a stack at the lower right that goes by itself, and the banner that does not."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from ui.theme.theme import Theme
from ui.viewmodels.notices import LIFETIME_SECONDS, Notice

WIDTH, PAD, GAP, KEEP = 360, 8, 4, 5
TEXT_LEFT = 36
LONGEST_LINES = 3
TONES = {"info": "accent", "good": "gain", "warn": "warn", "danger": "danger"}
ICONS = {"info": "info", "good": "circle-check", "warn": "triangle-alert", "danger": "circle-alert"}


class NoticeStack(QWidget):
    """At most five notices, newest at the bottom; a click puts one away."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.theme = theme
        self.shown: list[tuple[float, Notice]] = []  # when it goes, what it says
        self.setAccessibleName("Notices")
        self.hide()

    def push(self, notice: Notice, now: float) -> None:
        """Show it for its kind's lifetime (``now`` from ``time.perf_counter``)."""
        self.shown = [*self.shown, (now + LIFETIME_SECONDS[notice.kind], notice)][-KEEP:]
        self._changed()

    def on_frame(self, now: float) -> None:
        """Put away what is over."""
        kept = [entry for entry in self.shown if entry[0] > now]
        if len(kept) != len(self.shown):
            self.shown = kept
            self._changed()

    def _changed(self) -> None:
        self.setAccessibleDescription("; ".join(notice.text for _, notice in self.shown))
        self.setVisible(bool(self.shown))
        self.place()
        self.raise_()
        self.update()

    def place(self) -> None:
        """Lower right corner of the parent, above the status bar."""
        boxes = self.boxes()
        height = boxes[-1].bottom() + 1 if boxes else 0
        self.setGeometry(QRect(self._over.width() - WIDTH - 12, self._over.height() - height - 36, WIDTH, height))

    def boxes(self) -> list[QRect]:
        """One rectangle for each notice, as high as its words need."""
        metrics = QFontMetrics(self.theme.font("body"))
        room = QRect(0, 0, WIDTH - TEXT_LEFT - PAD, metrics.lineSpacing() * LONGEST_LINES)
        boxes, y = [], 0
        for _, notice in self.shown:
            words = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, notice.text)
            height = min(words.height(), room.height()) + 2 * PAD
            boxes.append(QRect(0, y, WIDTH, height))
            y += height + GAP
        return boxes

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Away with the one that was clicked."""
        for row, box in enumerate(self.boxes()):
            if box.contains(event.position().toPoint()):
                del self.shown[row]
                self._changed()
                return

    def paintEvent(self, event: QPaintEvent) -> None:
        """An edge in the kind's colour, an icon, the words."""
        with QPainter(self) as painter:
            painter.setFont(self.theme.font("body"))
            for (_, notice), box in zip(self.shown, self.boxes(), strict=True):
                tone = TONES[notice.kind]
                painter.fillRect(box, self.theme.color("ground3"))
                painter.fillRect(QRect(0, box.top(), 3, box.height()), self.theme.color(tone))
                painter.drawPixmap(12, box.top() + 8, self.theme.pixmap(ICONS[notice.kind], tone, 16))
                painter.setPen(self.theme.color("text_strong"))
                painter.drawText(box.adjusted(TEXT_LEFT, PAD, -PAD, -PAD), Qt.TextFlag.TextWordWrap, notice.text)


class Banner(QFrame):
    """One line across the window that stays as long as its cause: a dead thread, a halted sequencer, a fast clock."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.kind = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 4)
        self.icon = QLabel()
        self.words = QLabel()
        self.words.setWordWrap(True)
        row.addWidget(self.icon)
        row.addWidget(self.words, 1)
        theme.changed.connect(self._restyle)
        self.hide()

    def say(self, kind: str, text: str) -> bool:
        """Show a sentence of kind warn or danger, or hide with an empty one; True when something changed."""
        if (kind, text) == (self.kind, self.words.text()) and self.isHidden() != bool(text):
            return False
        self.kind = kind
        self.words.setText(text)
        self.setAccessibleName(text)
        self._restyle()
        self.setVisible(bool(text))
        return True

    def _restyle(self) -> None:
        if not self.kind:
            return
        tokens = self.theme.tokens
        fill, ink = getattr(tokens, f"{self.kind}_fill"), getattr(tokens, self.kind)
        self.setStyleSheet(f"Banner {{ background: {fill}; }} Banner QLabel {{ color: {ink}; }}")
        self.icon.setPixmap(self.theme.pixmap(ICONS[self.kind], self.kind, 16))
