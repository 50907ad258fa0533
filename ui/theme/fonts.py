"""The two bundled families: Inter for words, JetBrains Mono for numbers (its digits are tabular)."""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontDatabase

from engine.errors import CorruptData
from ui.theme.tokens import RESOURCES

WORDS = "Inter"
NUMBERS = "JetBrains Mono"
FONT_FOLDER = RESOURCES / "fonts"
_loaded: list[int] = []


def load_fonts() -> None:
    """Register the bundled files with Qt, once per process; raises ``CorruptData`` naming a file Qt refuses."""
    if _loaded:
        return
    for path in sorted(FONT_FOLDER.glob("*.[ot]tf")):
        number = QFontDatabase.addApplicationFont(str(path))
        if number < 0:
            raise CorruptData(f"font {path.name} does not load", field="font", value=path.name)
        _loaded.append(number)


def make_font(family: str, pixels: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """A font at an exact pixel size; words get tabular digits too, so that a changing number does not move its row."""
    font = QFont(family)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    if family == WORDS:
        font.setFeature(QFont.Tag("tnum"), 1)
    else:
        font.setFeature(QFont.Tag("calt"), 0)  # no ligatures: "->" and "!=" stay the characters they are
    return font
