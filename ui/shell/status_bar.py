"""The status bar: one painted line, each cell with an explanation under the pointer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app.snapshot.views import Snapshot
from ui.model.governor import EVERY_SNAPSHOT
from ui.theme.theme import Theme
from ui.viewmodels.status import StatusItem, make_status
from ui.widgets.painted import LEFT

HEIGHT = 24
GAP = 24
REFRESH_SECONDS = 0.25  # figures that change with every frame cannot be read


class StatusBar(QWidget):
    """``figures()`` gives frames a second and their 95th percentile in milliseconds."""

    pace = EVERY_SNAPSHOT

    def __init__(self, theme: Theme, figures: Callable[[], tuple[float, float]]) -> None:
        super().__init__()
        self.theme = theme
        self.items: tuple[StatusItem, ...] = ()
        self._figures = figures
        self._snapshot: Snapshot | None = None
        self._next = 0.0
        self._age = 0.0
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Status")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """As wide as it gets."""
        return QSize(400, HEIGHT)

    @property
    def shown_version(self) -> int:
        """It only keeps the snapshot: it is handed every one."""
        return -1

    def update_snapshot(self, snapshot: Snapshot | None) -> bool:
        """Remember it; cells are made four times a second."""
        self._snapshot = snapshot
        return False

    def set_age(self, seconds: float) -> None:
        """Beyond a second the whole line turns into the warning."""
        self._age = seconds

    def on_frame(self, now: float) -> bool:
        """Make and paint the cells when it is time."""
        if self._snapshot is None or now < self._next:
            return False
        self._next = now + REFRESH_SECONDS
        items = tuple(item for item in make_status(self._snapshot, *self._figures()) if item.text)
        if self._age > 1.0:
            stale = StatusItem(
                "engine", f"no update for {self._age:.0f} s", "danger", "the engine has stopped sending snapshots"
            )
            items = (stale, *(item for item in items if item.item_id != "engine"))
        if items == self.items:
            return False
        self.items = items
        self.setAccessibleDescription("; ".join(item.text for item in items))
        self.update()
        return True

    def boxes(self) -> list[QRect]:
        """Cells from the left, the frame figures at the right; what does not fit is left out before them."""
        metrics = QFontMetrics(self.theme.font("small"))
        widths = [metrics.horizontalAdvance(item.text) + GAP for item in self.items]
        if not widths:
            return []
        end = self.width() - widths[-1]
        boxes, x = [], 8
        for width in widths[:-1]:
            fits = x + width <= end
            boxes.append(QRect(x, 0, width if fits else 0, self.height()))
            x += width if fits else 0
        return [*boxes, QRect(end + 8, 0, widths[-1], self.height())]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Words in their tone, hairlines between."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.color("ground1"))
            painter.setPen(self.theme.color("line"))
            painter.drawLine(0, 0, self.width(), 0)
            painter.setFont(self.theme.font("small"))
            for item, box in zip(self.items, self.boxes(), strict=True):
                if not box.width():
                    continue
                painter.setPen(self.theme.color(item.tone))
                painter.drawText(box, LEFT, item.text)
                painter.setPen(self.theme.color("line"))
                painter.drawLine(box.right() - 12, 6, box.right() - 12, self.height() - 6)

    def event(self, event: QEvent) -> bool:
        """A tooltip explains the cell under the pointer."""
        if isinstance(event, QHelpEvent):
            for item, box in zip(self.items, self.boxes(), strict=True):
                if box.contains(event.pos()) and item.help:
                    QToolTip.showText(event.globalPos(), item.help, self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)
