"""Docking behind one small class: stable ids, a default arrangement for the window's size, saved layouts.

A saved layout carries its own version. One that is from another version, does not decode or is refused by the docking
library leads to the default. Panels that an arrangement does not know, saved or default, join the others of the area
that their registry line names.
"""

from __future__ import annotations

from importlib import import_module

import PySide6QtAds as ads
from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.errors import ProtocolError, UnknownName
from ui.model.engine_protocol import DeskEngine
from ui.model.panels import PanelSpec
from ui.theme.theme import Theme
from ui.widgets.panel import Panel

LAYOUT_VERSION = 1
WIDE_FROM = 1600  # window width from which machine room and account have places of their own
FIRST_TABS = ("chart", "withdrawals", "batches", "ladder", "ticket", "tables")
"""In front in the default workspace; a later one wins where they share an area."""
_CENTER, _BOTTOM, _RIGHT = ads.CenterDockWidgetArea, ads.BottomDockWidgetArea, ads.RightDockWidgetArea
WIDE = (
    ("chart", _CENTER, ""),
    ("inspector", _CENTER, "chart"),
    ("tables", _BOTTOM, "chart"),
    ("ladder", _RIGHT, "chart"),
    ("ticket", _RIGHT, "ladder"),
    ("trades", _BOTTOM, "ladder"),
    ("account", _BOTTOM, "ticket"),
    ("batches", _RIGHT, "tables"),
    ("withdrawals", _RIGHT, "batches"),
    ("prover", _CENTER, "batches"),
    ("sequencer", _CENTER, "withdrawals"),
)
"""Where the default workspace puts panels, in order: a panel, a side, and beside which one."""
NARROW = (
    ("chart", _CENTER, ""),
    ("inspector", _CENTER, "chart"),
    ("tables", _BOTTOM, "chart"),
    ("ladder", _RIGHT, "chart"),
    ("ticket", _RIGHT, "ladder"),
    ("trades", _CENTER, "ladder"),
    ("account", _CENTER, "ticket"),
    ("batches", _CENTER, "tables"),
    ("prover", _CENTER, "tables"),
    ("withdrawals", _CENTER, "tables"),
    ("sequencer", _CENTER, "tables"),
)
_FLAGS = {
    "FocusHighlighting": False,
    "DockAreaHasCloseButton": False,
    "DockAreaHasUndockButton": False,
    "DockAreaHasTabsMenuButton": False,
    "ActiveTabHasCloseButton": False,
    "AllTabsHaveCloseButton": False,
    "OpaqueSplitterResize": True,
    "EqualSplitOnInsertion": False,
    "AlwaysShowTabs": True,
}


class BadLayout(ProtocolError):
    """A saved layout that cannot be used; the default is shown instead."""


def build_panel(spec: PanelSpec, engine: DeskEngine, theme: Theme) -> Panel:
    """Import the module that a panel's line names, and make the panel."""
    module, name = spec.target.split(":")
    panel: Panel = getattr(import_module(module), name)(engine, theme)
    panel.panel_id = spec.panel_id
    panel.pace = spec.pace
    panel.setObjectName(f"panel.{spec.panel_id}")
    panel.setAccessibleName(spec.title)
    return panel


class Workspace(QWidget):
    """Places panels by id. Unknown ids are refused with ``UnknownName``."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        for name, on in _FLAGS.items():
            ads.CDockManager.setConfigFlag(getattr(ads.CDockManager.eConfigFlag, name), on)
        self.manager = ads.CDockManager(self)
        self.docks: dict[str, ads.CDockWidget] = {}
        self.panels: dict[str, Panel] = {}
        self._specs: dict[str, PanelSpec] = {}
        self._default: bool | None = None  # the default workspace that stands, wide or not; None: the user's own
        self.manager.floatingWidgetCreated.connect(self._moved_by_user)
        self.manager.dockAreaCreated.connect(self._moved_by_user)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.manager)
        self.manager.setStyleSheet("")  # the library's own sheet; the application's has ours

    def add_panel(self, spec: PanelSpec, panel: Panel) -> None:
        """Make the panel known; ``arrange`` or ``restore`` places it."""
        dock = ads.CDockWidget(self.manager, spec.title, self.manager)
        dock.setObjectName(spec.panel_id)
        dock.setWidget(panel, ads.CDockWidget.ForceNoScrollArea)
        dock.setMinimumSizeHintMode(ads.CDockWidget.MinimumSizeHintFromContentMinimumSize)
        panel.setMinimumSize(*spec.minimum)
        dock.closed.connect(panel.put_away)
        self.docks[spec.panel_id] = dock
        self.panels[spec.panel_id] = panel
        self._specs[spec.panel_id] = spec

    # -- the default ---------------------------------------------------------------------------------------------

    def arrange(self, width: int, height: int) -> None:
        """The default workspace for a window of this size; panels it has no place for join the others of their area."""
        self._default = None
        for dock in self.docks.values():
            if dock.dockAreaWidget() is not None:
                self.manager.removeDockWidget(dock)
        wide = width >= WIDE_FROM
        for panel_id, side, beside in WIDE if wide else NARROW:
            self._place(panel_id, side, beside)
        self._adopt_the_homeless()
        if wide:
            self._size_wide(width, height)
        else:
            self._size_narrow(width, height)
        self._show_first_tabs()
        self._default = wide

    def follow(self, width: int, height: int) -> None:
        """Fold or unfold the default workspace when the window's width asks for the other one."""
        if self._default is not None and self._default != (width >= WIDE_FROM):
            self.arrange(width, height)

    def _moved_by_user(self, *_: object) -> None:
        """A panel was dragged somewhere: from now on the arrangement is the user's own."""
        self._default = None

    def _place(self, panel_id: str, side: ads.DockWidgetArea, beside: str = "") -> None:
        """Put a panel at a side of another one, or of all of them."""
        dock = self.docks.get(panel_id)
        if dock is None:
            return
        area = self.docks[beside].dockAreaWidget() if beside in self.docks else None
        if area is None:
            self.manager.addDockWidget(side, dock)
        elif side == ads.CenterDockWidgetArea:
            self.manager.addDockWidgetTabToArea(dock, area)
        else:
            self.manager.addDockWidget(side, dock, area)
        dock.toggleView(True)

    def _size_wide(self, width: int, height: int) -> None:
        bottom = max(240, height * 30 // 100)
        self._split("chart", [width * 54 // 100, width * 21 // 100, width * 25 // 100])
        self._split_column("chart", [height - bottom, bottom])
        self._split("ladder", [(height - bottom) * 70 // 100, (height - bottom) * 30 // 100])
        self._split("ticket", [(height - bottom) * 58 // 100, (height - bottom) * 42 // 100])
        self._split("tables", [width * 50 // 100, width * 30 // 100, width * 20 // 100])

    def _size_narrow(self, width: int, height: int) -> None:
        bottom = max(200, height * 29 // 100)
        self._split("chart", [width - 640, 310, 330])
        self._split_column("chart", [height - bottom, bottom])

    def _split(self, panel_id: str, sizes: list[int]) -> None:
        """Sizes of the splitter that holds this panel's area."""
        dock = self.docks.get(panel_id)
        if dock is not None and dock.dockAreaWidget() is not None:
            self.manager.setSplitterSizes(dock.dockAreaWidget(), sizes)

    def _split_column(self, panel_id: str, sizes: list[int]) -> None:
        """Sizes of the root splitter, of which this panel's row is a part."""
        self.manager.rootSplitter().setSizes(sizes)

    def _show_first_tabs(self) -> None:
        for panel_id in FIRST_TABS:
            if panel_id in self.docks:
                self.docks[panel_id].setAsCurrentTab()

    # -- use ----------------------------------------------------------------------------------------------------

    def _dock(self, panel_id: str) -> ads.CDockWidget:
        if panel_id not in self.docks:
            raise UnknownName("panel", panel_id, list(self.docks))
        return self.docks[panel_id]

    def raise_panel(self, panel_id: str) -> None:
        """Open it and bring it to the front of its tabs; the keyboard stays where it is."""
        dock = self._dock(panel_id)
        if dock.isClosed():
            dock.toggleView(True)
        dock.setAsCurrentTab()

    def show_panel(self, panel_id: str) -> None:
        """Open it, bring it to the front of its tabs and give it the keyboard."""
        self.raise_panel(panel_id)
        self.panels[panel_id].setFocus()

    def toggle_panel(self, panel_id: str) -> None:
        """Open or close it."""
        dock = self._dock(panel_id)
        dock.toggleView(dock.isClosed())

    def is_open(self, panel_id: str) -> bool:
        """Whether it is placed and not closed."""
        dock = self._dock(panel_id)
        return dock.dockAreaWidget() is not None and not dock.isClosed()

    def open_panels(self) -> list[str]:
        """Ids of the panels that are placed and not closed."""
        return [panel_id for panel_id in self.docks if self.is_open(panel_id)]

    # -- saved layouts ------------------------------------------------------------------------------------------

    def save(self) -> dict[str, object]:
        """The arrangement as plain data."""
        state = bytes(self.manager.saveState(LAYOUT_VERSION).toBase64().data()).decode("ascii")
        return {"version": LAYOUT_VERSION, "panels": sorted(self.docks), "state": state, "default": self._default}

    def restore(self, saved: object) -> None:
        """Bring back what ``save`` returned; raises ``BadLayout`` naming what is wrong, and changes nothing then."""
        if not isinstance(saved, dict) or saved.get("version") != LAYOUT_VERSION:
            found = saved.get("version") if isinstance(saved, dict) else None
            raise BadLayout(f"layout version {found!r} is not {LAYOUT_VERSION}", field="version", limit=LAYOUT_VERSION)
        state, known = saved.get("state"), saved.get("panels")
        if not isinstance(state, str) or not isinstance(known, list):
            raise BadLayout("the layout holds no state", field="state")
        before = self.manager.saveState(LAYOUT_VERSION)
        if not self.manager.restoreState(QByteArray.fromBase64(state.encode("ascii", "replace")), LAYOUT_VERSION):
            self.manager.restoreState(before, LAYOUT_VERSION)
            raise BadLayout("the docking library refuses the layout", field="state")
        default = saved.get("default")
        self._default = default if isinstance(default, bool) else None
        for panel_id in self.docks:
            if panel_id not in known:
                self._adopt(panel_id)
        self._adopt_the_homeless()

    def _adopt_the_homeless(self) -> None:
        """Panels that no arrangement has placed: the docking library ends the process when one is to be shown."""
        for panel_id, dock in self.docks.items():
            if dock.dockAreaWidget() is None:
                self._adopt(panel_id)

    def _adopt(self, panel_id: str) -> None:
        """A panel that the arrangement does not know: last tab of its area, or of the first area there is."""
        area = self._specs[panel_id].area
        others = [other for other in self.open_panels() if other != panel_id]
        mates = [other for other in others if self._specs[other].area == area] or others
        self._place(panel_id, ads.CenterDockWidgetArea, mates[0] if mates else "")

    def close_all(self) -> None:
        """Floating panels are windows of their own: they close with the desk."""
        for window in list(self.manager.floatingWidgets()):
            window.close()
