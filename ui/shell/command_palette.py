"""The command palette: type a few letters, Enter runs. A command that cannot be done says why, in its row."""

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

from ui.model.command_set import CommandSet
from ui.theme.theme import Theme

ROLE = Qt.ItemDataRole.UserRole
KEY_ROLE = Qt.ItemDataRole.UserRole + 1
REASON_ROLE = Qt.ItemDataRole.UserRole + 2
SIZE = (600, 360)
STEPS: dict[int, int] = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class _Line(QStyledItemDelegate):
    """A row: the command at the left; at the right its key, or why it cannot be done now."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The density's row."""
        return QSize(100, self.theme.density.table_row)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The words as the style paints them, the right side weak."""
        super().paint(painter, option, index)
        painter.save()
        reason = index.data(REASON_ROLE)
        painter.setFont(self.theme.font("small") if reason else self.theme.number_font("small"))
        painter.setPen(self.theme.color("text_weak"))
        rect = option.rect.adjusted(0, 0, -8, 0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, right, reason or index.data(KEY_ROLE))
        painter.restore()


class CommandPalette(QDialog):
    """A list under a line; up and down move while the line keeps the focus."""

    def __init__(self, commands: CommandSet, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.commands = commands
        self.theme = theme
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
        self.resize(*SIZE)
        self.show_matches("")

    def show_matches(self, text: str) -> None:
        """List what matches, the first one selected; what cannot be done now is weak and says why."""
        self.list.clear()
        context = self.commands.desk.context()
        for command in self.commands.search(text):
            item, reason = QListWidgetItem(f"{command.group}: {command.title}"), command.enabled(context)
            item.setData(ROLE, command.command_id)
            item.setData(KEY_ROLE, command.keys)
            item.setData(REASON_ROLE, reason)
            if reason:
                item.setForeground(self.theme.color("text_weak"))
                item.setToolTip(reason)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}, not now: {reason}")
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def run_selected(self) -> None:
        """Close, then run; a command that cannot be done stays in sight with its reason."""
        item = self.list.currentItem()
        if item is not None and item.data(REASON_ROLE):
            return
        self.close()
        if item is not None:
            self.commands.run(item.data(ROLE))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down in the line move the selection."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = STEPS.get(event.key())
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
