"""Tokens to Qt's palette, for everything that the style sheet does not name."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from ui.theme.tokens import Tokens

_ROLES = {
    QPalette.ColorRole.Window: "ground1",
    QPalette.ColorRole.Base: "ground1",
    QPalette.ColorRole.AlternateBase: "ground2",
    QPalette.ColorRole.Button: "ground2",
    QPalette.ColorRole.ToolTipBase: "ground3",
    QPalette.ColorRole.ToolTipText: "text_strong",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "text_strong",
    QPalette.ColorRole.PlaceholderText: "text_weak",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.Light: "ground3",
    QPalette.ColorRole.Midlight: "ground2",
    QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "line",
    QPalette.ColorRole.Shadow: "ground0",
    QPalette.ColorRole.Accent: "accent",
}
_MUTED = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


def make_palette(tokens: Tokens) -> QPalette:
    """A palette for all three colour groups; disabled text is the weak text colour, never less."""
    palette = QPalette()
    for role, token in _ROLES.items():
        palette.setColor(role, QColor(getattr(tokens, token)))
    for role in _MUTED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.text_weak))
    return palette
