"""Tokens to the application's style sheet. The only place with QSS; widgets choose a look by ``setProperty``.

Properties understood: on QPushButton ``kind`` = primary, buy, sell, danger, quiet, segment; on QLabel ``tone`` = any
text token, ``size`` = small, body, large, huge, and ``mono`` = true for numbers.
"""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from ui.theme.fonts import NUMBERS, WORDS
from ui.theme.metrics import Density
from ui.theme.stylesheet_images import image_path
from ui.theme.tokens import ALIASES, TEXTS, Tokens

_BASE = Template("""
QWidget { color: $text; }
QMainWindow, QMainWindow > QWidget#desk { background: $ground0; }
QToolTip { background: $ground3; color: $text_strong; border: 1px solid $line_strong; padding: 4px; }
QLabel { background: transparent; }
QFrame[role="hairline"] { background: $line; border: none; }
QMenuBar { background: $ground1; color: $text; spacing: 0; border-bottom: 1px solid $line; padding: 0 4px; }
QMenuBar::item { background: transparent; padding: 4px 8px; }
QMenuBar::item:selected { background: $ground3; color: $text_strong; }
QMenu { background: $ground2; border: 1px solid $line_strong; padding: 4px; }
QMenu::item { padding: 4px 24px 4px 12px; background: transparent; }
QMenu::item:selected { background: $ground3; color: $text_strong; }
QMenu::item:disabled { color: $text_weak; }
QMenu::separator { height: 1px; background: $line; margin: 4px 0; }
QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; }
QScrollBar::handle { background: $line_strong; border-radius: 3px; min-height: 24px; min-width: 24px; margin: 1px; }
QScrollBar::handle:hover { background: $text_weak; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")

_CONTROLS = Template("""
QPushButton, QToolButton { background: $ground2; color: $text; border: 1px solid $line; border-radius: 3px;
  padding: 0 ${pad}px; min-height: ${inner}px; }
QPushButton:hover, QToolButton:hover { background: $ground3; color: $text_strong; border-color: $line_strong; }
QPushButton:pressed, QToolButton:pressed { background: $line_strong; color: $text_strong; }
QPushButton:checked, QToolButton:checked { background: $accent_fill; color: $accent; border-color: $accent; }
QPushButton, QToolButton, QCheckBox { outline: none; }
QPushButton:focus, QToolButton:focus { border: 1px solid $accent; }
QPushButton:disabled, QToolButton:disabled { background: $ground1; color: $text_weak; border: 1px dashed $line_strong; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[kind="buy"] { background: $bid; color: $on_bid; border-color: $bid; font-weight: 600; }
QPushButton[kind="sell"] { background: $ask; color: $on_ask; border-color: $ask; font-weight: 600; }
QPushButton[kind="danger"] { background: $ground2; color: $danger; border-color: $danger; }
QPushButton[kind="primary"]:focus, QPushButton[kind="buy"]:focus, QPushButton[kind="sell"]:focus {
  border: 2px solid $text_strong; }
QPushButton[kind="primary"]:disabled, QPushButton[kind="buy"]:disabled, QPushButton[kind="sell"]:disabled {
  background: $ground2; color: $text_weak; border: 1px dashed $line_strong; }
QToolButton { padding: 0 6px; }
QPushButton[kind="quiet"], QToolButton { background: transparent; border-color: transparent; }
QPushButton[kind="quiet"]:focus, QToolButton:focus { border: 1px solid $accent; }
QPushButton[kind="segment"] { background: transparent; border: 1px solid transparent; color: $text_weak;
  padding: 0 8px; min-height: 20px; border-radius: 3px; }
QPushButton[kind="segment"]:hover { color: $text_strong; background: $ground2; }
QPushButton[kind="segment"]:checked { color: $text_strong; background: $ground3; }
QPushButton[kind="segment"]:focus { border-color: $accent; }
QPushButton[kind="segment"][side="buy"]:checked { color: $bid; background: $bid_fill; border-color: $bid; }
QPushButton[kind="segment"][side="sell"]:checked { color: $ask; background: $ask_fill; border-color: $ask; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
  background: $ground2; color: $text_strong; border: 1px solid $line; border-radius: 3px; padding: 0 6px;
  min-height: ${inner}px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:hover, QComboBox:hover, QSpinBox:hover { border-color: $line_strong; }
QLineEdit:focus, QSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus { border-color: $accent; }
QLineEdit[invalid="true"] { border-color: $danger; }
QLineEdit[mono="true"] { font-family: "$numbers"; }
QComboBox[kind="small"] { min-height: 20px; background: transparent; border-color: transparent; color: $text_weak; }
QComboBox[kind="small"]:hover, QComboBox[kind="small"]:focus { border-color: $accent; color: $text_strong; }
QComboBox::drop-down { border: none; width: 18px; }
QComboBox::down-arrow { image: url("$chevron"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $ground2; border: 1px solid $line_strong; outline: none;
  selection-background-color: $ground3; selection-color: $text_strong; }
QCheckBox, QRadioButton { background: transparent; spacing: 6px; min-height: 20px; }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QCheckBox::indicator { width: 12px; height: 12px; border: 1px solid $line_strong; border-radius: 2px;
  background: $ground2; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$tick"); }
QCheckBox::indicator:focus { border-color: $accent; }
QSlider::groove:horizontal { height: 4px; background: $ground3; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { background: $text_strong; width: 12px; height: 12px; margin: -4px 0; border-radius: 6px; }
QSlider::handle:horizontal:focus { background: $accent; }
QProgressBar { background: $ground3; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
""")

_VIEWS = Template("""
QTableView, QTreeView, QListView, QListWidget, QTableWidget { background: $ground1;
  alternate-background-color: $ground1; border: none; gridline-color: $line; outline: none;
  selection-background-color: $ground3; selection-color: $text_strong; }
QTableView::item { padding: 0 6px; border-bottom: 1px solid $line; }
QTableView::item:selected, QListView::item:selected { background: $ground3; color: $text_strong; }
QTableView:focus, QListView:focus { border: 1px solid $accent; }
QHeaderView { background: $ground1; border: none; }
QHeaderView::section { background: $ground1; color: $text_weak; border: none; border-bottom: 1px solid $line;
  padding: 0 6px; font-size: ${small}px; font-weight: normal; height: 22px; }
QTableCornerButton::section { background: $ground1; border: none; }
QTabWidget::pane { border: none; border-top: 1px solid $line; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $text_weak; padding: 4px 8px; border: none;
  border-bottom: 2px solid transparent; min-height: 16px; }
QTabBar::tab:hover { color: $text_strong; }
QTabBar::tab:selected { color: $text_strong; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QSplitter::handle { background: $ground0; }
QStatusBar { background: $ground1; color: $text_weak; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QDialog { background: $ground2; }
""")

_DOCKS = Template("""
ads--CDockManager, ads--CDockContainerWidget { background: $ground0; }
ads--CDockContainerWidget > QSplitter { padding: 0; }
ads--CDockSplitter::handle { background: $ground0; }
ads--CDockSplitter::handle:hover { background: $accent; }
ads--CDockAreaWidget { background: $ground1; border: none; }
ads--CDockAreaTitleBar { background: $ground1; border: none; border-bottom: 1px solid $line; padding: 0; }
ads--CDockAreaTabBar { background: transparent; }
ads--CDockAreaTabBar > QWidget, ads--CDockAreaTabBar QWidget#tabsContainerWidget { background: transparent; }
ads--CDockWidgetTab { background: transparent; border: none; padding: 0 4px; min-height: 24px; }
ads--CDockWidgetTab QLabel { color: $text_weak; font-size: ${small}px; }
ads--CDockWidgetTab[activeTab="true"] QLabel { color: $text_strong; }
ads--CDockWidgetTab[activeTab="true"] { border-bottom: 2px solid $accent; }
ads--CDockWidgetTab:hover QLabel { color: $text_strong; }
ads--CDockWidgetTab:focus { border: 1px solid $accent; }
ads--CDockWidget { background: $ground1; border: none; }
ads--CTitleBarButton { padding: 0; border: none; background: transparent; }
ads--CFloatingDockContainer { background: $ground0; }
QScrollArea#dockWidgetScrollArea { border: none; background: transparent; }
""")


def _values(tokens: Tokens, density: Density) -> dict[str, str]:
    values: dict[str, str] = asdict(tokens)
    values |= {"words": WORDS, "numbers": NUMBERS, "small": str(density.small), "body": str(density.body)}
    values |= {"inner": str(density.control - 2), "pad": "12"}
    values["chevron"] = image_path("chevron-down", tokens.text_weak)
    values["tick"] = image_path("check", tokens.on_accent)
    return values


def _labels(density: Density) -> str:
    names = {name: name for name in TEXTS} | ALIASES
    tones = "".join(f'QLabel[tone="{name}"] {{ color: ${token}; }}\n' for name, token in names.items())
    sizes = "".join(
        f'QLabel[size="{size}"] {{ font-size: {pixels}px; }}\n'
        for size, pixels in (("small", density.small), ("body", density.body), ("large", density.large),
                             ("huge", density.huge))
    )  # fmt: skip
    return (
        tones
        + sizes
        + 'QLabel[mono="true"] { font-family: "$numbers"; }\nQLabel[strong="true"] { font-weight: 600; }\n'
    )


def stylesheet(tokens: Tokens, density: Density) -> str:
    """The application's sheet."""
    values = _values(tokens, density)
    parts = (_BASE, _CONTROLS, _VIEWS, _DOCKS, Template(_labels(density)))
    return "".join(part.substitute(values) for part in parts)
