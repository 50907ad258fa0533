"""The menu of a batch's row, the same in every list of batches."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from app.snapshot.views import BatchView


def batch_menu(parent: QWidget, batch: BatchView, place: QPoint, inspect: Callable[[], object]) -> QMenu:
    """Show the menu of a batch at a global place; it deletes itself when it closes."""
    menu = QMenu(parent)
    menu.addAction(f"Inspect batch {batch.number}").triggered.connect(lambda: inspect())
    menu.addSeparator()
    for name, value in (
        ("old root", batch.old_root),
        ("new root", batch.new_root),
        ("L1 transaction", batch.l1_transaction),
    ):
        action = menu.addAction(f"Copy {name}")
        action.setEnabled(bool(value))
        action.triggered.connect(lambda _=False, value=value: copy_hex(value))
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(place)
    return menu


def copy_hex(value: str) -> None:
    """Put a hash on the clipboard with its prefix."""
    QGuiApplication.clipboard().setText(f"0x{value.removeprefix('0x')}")
