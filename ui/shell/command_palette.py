"""The command palette: type a few letters, Enter runs. Fed from the action registry."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ui.shell.actions import ActionRegistry
from ui.theme.theme import Theme

ROLE = Qt.ItemDataRole.UserRole
KEY_ROLE = Qt.ItemDataRole.UserRole + 1


class _Line(QStyledItemDelegate):
    """A row: the command at the left, its key at the right."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The density's row."""
        return QSize(100, self.theme.density.table_row)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The words as the style paints them, the key weak."""
        super().paint(painter, option, index)
        painter.save()
        painter.setFont(self.theme.number_font("small"))
        painter.setPen(self.theme.color("text_weak"))
        rect = option.rect.adjusted(0, 0, -8, 0)
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, index.data(KEY_ROLE) or "")
        painter.restore()


class CommandPalette(QDialog):
    """A list under a line; up and down move while the line keeps the focus."""

    def __init__(self, registry: ActionRegistry, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.registry = registry
        self.setAccessibleName("Command palette")
        self.line = QLineEdit()
        self.line.setPlaceholderText("Type a command")
        self.line.setAccessibleName("Command")
        self.line.textChanged.connect(self.show_matches)
        self.line.returnPressed.connect(self.run_selected)
        self.line.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Matching commands")
        self.list.setItemDelegate(_Line(theme, self.list))
        self.list.itemActivated.connect(lambda _item: self.run_selected())
        self.list.itemClicked.connect(lambda _item: self.run_selected())
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.line)
        column.addWidget(self.list)
        self.resize(480, 360)
        self.show_matches("")

    def show_matches(self, text: str) -> None:
        """List what matches, the first one selected."""
        self.list.clear()
        for action in self.registry.search(text):
            item = QListWidgetItem(f"{action.menu}: {action.title}")
            item.setData(ROLE, action.action_id)
            item.setData(KEY_ROLE, action.shortcut)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def run_selected(self) -> None:
        """Close, then run."""
        item = self.list.currentItem()
        self.close()
        if item is not None:
            self.registry.run(item.data(ROLE))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down in the line move the selection."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key())
            if step is not None and self.list.count():
                self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
                return True
        return super().eventFilter(watched, event)

    def open_over(self, window: QWidget) -> None:
        """Show near the top of the window, empty."""
        self.line.clear()
        self.show_matches("")
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - self.width()) // 2, corner.y() + 64)
        self.show()
        self.line.setFocus()
