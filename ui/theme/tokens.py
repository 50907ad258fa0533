"""Colour tokens: named by what they mean, kept as data in resources/themes, read here without Qt.

Contrast and lightness follow WCAG 2.2 (relative luminance) and CIE 1976 L*; the tests hold every text and ground pair
to 4.5:1, and bid and ask to a visible difference in lightness.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

from engine.errors import CorruptData, UnknownName

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
THEME_FOLDER = RESOURCES / "themes"
MINIMUM_CONTRAST = 4.5
MINIMUM_SHAPE_CONTRAST = 3.0  # of shapes that are not text (WCAG 2.2, 1.4.11)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme. Every colour is ``#rrggbb``; ``*_fill`` are quiet grounds, ``on_*`` is text on the loud colour.

    ``ground0`` lies between panels, ``ground1`` is a panel, ``ground2`` an input, ``ground3`` hover and selection.
    """

    ground0: str
    ground1: str
    ground2: str
    ground3: str
    line: str
    line_strong: str
    text_strong: str
    text: str
    text_weak: str
    accent: str
    on_accent: str
    accent_fill: str
    bid: str
    on_bid: str
    bid_fill: str
    ask: str
    on_ask: str
    ask_fill: str
    gain: str
    loss: str
    warn: str
    warn_fill: str
    danger: str
    on_danger: str
    danger_fill: str
    proved: str
    proved_fill: str
    pending: str
    pending_fill: str
    stale: str
    candle_up: str
    candle_down: str


TOKEN_NAMES = tuple(field.name for field in fields(Tokens))
GROUNDS = ("ground0", "ground1", "ground2", "ground3")
TEXTS = (
    "text_strong", "text", "text_weak", "accent", "bid", "ask", "gain", "loss",
    "warn", "danger", "proved", "pending", "stale",
)  # fmt: skip
ALIASES = {"strong": "text_strong", "normal": "text", "weak": "text_weak"}
"""Short names that view-models use for the three plain text tokens."""
SHAPES = ("candle_up", "candle_down")
TEXT_PAIRS = (
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *((text, fill) for fill in ("bid_fill", "ask_fill", "accent_fill", "warn_fill", "danger_fill", "proved_fill",
                                "pending_fill") for text in ("text_strong", "text", fill.removesuffix("_fill"))),
    ("on_accent", "accent"), ("on_bid", "bid"), ("on_ask", "ask"), ("on_danger", "danger"),
)  # fmt: skip
"""Every (text, ground) pair that the window paints."""


def theme_names() -> list[str]:
    """The themes that resources/themes holds."""
    return sorted(path.stem for path in THEME_FOLDER.glob("*.json"))


def load_tokens(name: str) -> Tokens:
    """Read one theme.

    Raises ``UnknownName`` for a theme that does not exist and ``CorruptData`` naming the colour that is missing,
    unknown or not ``#rrggbb``.
    """
    if name not in theme_names():
        raise UnknownName("theme", name, theme_names())
    path = THEME_FOLDER / f"{name}.json"
    try:
        colors = json.loads(path.read_text(encoding="utf-8"))["colors"]
    except (json.JSONDecodeError, KeyError) as error:
        raise CorruptData(f"theme {path.name} does not decode: {error}", field="theme", value=name) from error
    return tokens_from(colors, name)


def tokens_from(colors: dict[str, str], name: str) -> Tokens:
    """Check a mapping of colours and freeze it; raises ``CorruptData``."""
    wrong = sorted(set(TOKEN_NAMES) ^ set(colors))
    if wrong:
        raise CorruptData(f"theme {name!r} lacks or does not know {', '.join(wrong)}", field=wrong[0], limit="tokens")
    for token, value in colors.items():
        if not is_color(value):
            raise CorruptData(f"{token} is {value!r}; it must be #rrggbb", field=token, value=value, limit="#rrggbb")
    return Tokens(**colors)


def is_color(value: object) -> bool:
    """Whether ``value`` is a ``#rrggbb`` text."""
    if not isinstance(value, str) or len(value) != 7 or value[0] != "#":
        return False
    return all(digit in "0123456789abcdefABCDEF" for digit in value[1:])


def luminance(color: str) -> float:
    """WCAG relative luminance of ``#rrggbb``, 0 to 1."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio, 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def lightness(color: str) -> float:
    """CIE 1976 L*, 0 to 100."""
    y = luminance(color)
    return 116 * y ** (1 / 3) - 16 if y > (6 / 29) ** 3 else y * (29 / 3) ** 3


def mix(first: str, second: str, share: float) -> str:
    """``share`` (0 to 1) of ``first`` over ``second``, as ``#rrggbb``."""
    parts = []
    for start in (1, 3, 5):
        a, b = int(first[start : start + 2], 16), int(second[start : start + 2], 16)
        parts.append(round(a * share + b * (1 - share)))
    return "#{:02x}{:02x}{:02x}".format(*parts)
