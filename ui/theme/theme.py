"""The one object that panels ask for colours, fonts and icons, and that says when they change."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPixmap
from PySide6.QtWidgets import QApplication

from ui.theme import fonts, icons
from ui.theme.metrics import DENSITIES, Density, DensityName, SizeName
from ui.theme.palette import make_palette
from ui.theme.stylesheet import stylesheet
from ui.theme.tokens import ALIASES, Tokens, load_tokens, mix

WEIGHTS = {"normal": QFont.Weight.Normal, "medium": QFont.Weight.Medium, "strong": QFont.Weight.DemiBold}


class Theme(QObject):
    """Tokens, fonts, icons and density of the running window.

    Panels keep no colours of their own: they read ``color()`` when they paint, or rebuild what they cached when
    ``changed`` is emitted.
    """

    changed = Signal()

    def __init__(self, name: str = "dark", density: DensityName = "normal", parent: QObject | None = None) -> None:
        super().__init__(parent)
        fonts.load_fonts()
        self._colors: dict[str, QColor] = {}
        self._fonts: dict[tuple[str, str, str], QFont] = {}
        self._icons: dict[tuple[str, str, int], QIcon] = {}
        self._pixmaps: dict[tuple[str, str, int], QPixmap] = {}
        self._set(name, density)

    def _set(self, name: str, density: DensityName) -> None:
        self.name = name
        self.tokens: Tokens = load_tokens(name)
        self.density: Density = DENSITIES[density]
        self._colors.clear()
        self._fonts.clear()
        self._icons.clear()
        self._pixmaps.clear()

    def use(self, name: str | None = None, density: DensityName | None = None) -> None:
        """Switch theme or density, restyle the application and tell everybody."""
        self._set(name or self.name, density or self.density.name)
        self.apply()
        self.changed.emit()

    def toggle(self) -> None:
        """From dark to light or back."""
        self.use("light" if self.name == "dark" else "dark")

    def apply(self) -> None:
        """Give the application our palette, font and style sheet (the platform's colour scheme is not asked)."""
        app = QApplication.instance()
        assert isinstance(app, QApplication), "a Theme needs a QApplication"
        sheet = stylesheet(self.tokens, self.density)
        if app.styleSheet() == sheet:
            return  # restyling every widget is slow, and nothing has changed
        if not app.property("proofline.style"):  # a style sheet hides the style's own name
            app.setStyle("fusion")
            app.setProperty("proofline.style", True)
        if app.font() != self.font():
            app.setFont(self.font())
        app.setPalette(make_palette(self.tokens))
        app.setStyleSheet(sheet)

    def color(self, token: str) -> QColor:
        """The colour of a token or of its short name (cached; treat as constant)."""
        found = self._colors.get(token)
        if found is None:
            found = self._colors[token] = QColor(getattr(self.tokens, ALIASES.get(token, token)))
        return found

    def faint(self, token: str) -> QColor:
        """Two fifths of a fill over a panel's ground (cached)."""
        key = f"{token} faint"
        found = self._colors.get(key)
        if found is None:
            found = self._colors[key] = QColor(mix(getattr(self.tokens, token), self.tokens.ground1, 0.4))
        return found

    def font(self, size: SizeName = "body", weight: str = "normal") -> QFont:
        """The family for words. ``weight``: normal, medium or strong."""
        return self._font(fonts.WORDS, size, weight)

    def number_font(self, size: SizeName = "body", weight: str = "normal") -> QFont:
        """The family for numbers: every digit is one width."""
        return self._font(fonts.NUMBERS, size, weight)

    def _font(self, family: str, size: SizeName, weight: str) -> QFont:
        key = (family, size, weight)
        found = self._fonts.get(key)
        if found is None:
            found = self._fonts[key] = fonts.make_font(family, self.density.text(size), WEIGHTS[weight])
        return found

    def icon(self, name: str, token: str = "text", size: int = 16) -> QIcon:
        """A bundled icon in a token's colour."""
        key = (name, token, size)
        found = self._icons.get(key)
        if found is None:
            disabled = self.tokens.line_strong
            found = self._icons[key] = icons.tinted_icon(name, getattr(self.tokens, token), disabled, size)
        return found

    def pixmap(self, name: str, token: str = "text", size: int = 16) -> QPixmap:
        """A bundled icon as a picture for labels (cached)."""
        key = (name, token, size)
        found = self._pixmaps.get(key)
        if found is None:
            color = getattr(self.tokens, ALIASES.get(token, token))
            found = self._pixmaps[key] = icons.tinted_pixmap(name, color, size)
        return found
