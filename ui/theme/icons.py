"""Bundled SVG icons, tinted when loaded: one file serves every theme and state."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from engine.errors import UnknownName
from ui.theme.tokens import RESOURCES

ICON_FOLDER = RESOURCES / "icons"


def icon_names() -> list[str]:
    """The icons that resources/icons holds."""
    return sorted(path.stem for path in ICON_FOLDER.glob("*.svg"))


def tinted_pixmap(name: str, color: str, size: int, ratio: float = 2.0) -> QPixmap:
    """The icon in one colour, ``size`` logical pixels square; raises ``UnknownName``."""
    path = ICON_FOLDER / f"{name}.svg"
    if not path.exists():
        raise UnknownName("icon", name, icon_names())
    source = path.read_text(encoding="utf-8").replace("currentColor", color)
    renderer = QSvgRenderer(QByteArray(source.encode()))
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        renderer.render(painter, QRectF(0, 0, size, size))
    return pixmap


def tinted_icon(name: str, color: str, disabled: str, size: int = 16) -> QIcon:
    """An icon with a normal and a disabled colour."""
    icon = QIcon()
    icon.addPixmap(tinted_pixmap(name, color, size), QIcon.Mode.Normal)
    icon.addPixmap(tinted_pixmap(name, disabled, size), QIcon.Mode.Disabled)
    return icon
