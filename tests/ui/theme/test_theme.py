"""The theme object: bundled fonts and icons, and switching while the window runs."""

import pytest
from PySide6.QtGui import QFontDatabase, QFontMetricsF, QImage
from PySide6.QtWidgets import QApplication, QLabel

from engine.errors import UnknownName
from ui.theme.icons import icon_names, tinted_pixmap
from ui.theme.metrics import DENSITIES


def test_both_families_are_bundled(theme):
    assert {"Inter", "JetBrains Mono"} <= set(QFontDatabase.families())


@pytest.mark.parametrize("kind", ["font", "number_font"])
def test_digits_have_one_width(theme, kind):
    metrics = QFontMetricsF(getattr(theme, kind)("body"))
    assert len({metrics.horizontalAdvance(digit * 8) for digit in "0123456789"}) == 1


def test_switching_restyles_the_application_and_says_so(theme, qtbot):
    label = QLabel("x")
    qtbot.addWidget(label)
    before = theme.color("ground1").name()
    with qtbot.waitSignal(theme.changed):
        theme.toggle()
    assert theme.name == "light"
    assert theme.color("ground1").name() != before
    assert QApplication.palette().window().color().name() == theme.color("ground1").name()


def test_short_names_mean_the_plain_text_tokens(theme):
    assert theme.color("weak") == theme.color("text_weak")


def test_density_changes_text_sizes(theme):
    theme.use(density="roomy")
    assert theme.font("body").pixelSize() == DENSITIES["roomy"].body


@pytest.mark.parametrize("name", icon_names())
def test_every_icon_paints_in_the_colour_asked_for(theme, name):
    image = tinted_pixmap(name, "#ff0000", 16).toImage().convertToFormat(QImage.Format.Format_ARGB32)
    opaque = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    opaque = [color for color in opaque if color.alpha() == 255]
    assert opaque
    assert all(color.name() == "#ff0000" for color in opaque)


def test_an_unknown_icon_lists_the_valid_ones(theme):
    with pytest.raises(UnknownName, match="circle-check"):
        theme.icon("smiley")
