"""Docking behind one small class: stable ids, a default arrangement for the window's size, saved layouts.

A saved layout carries its own version. One that is from another version, does not decode or is refused by the docking
library leads to the default; panels it does not know are put into the area their registry line names.
"""

from __future__ import annotations

import PySide6QtAds as ads
from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.errors import ProtocolError
from ui.shell.panels import PanelSpec, panel_spec
from ui.theme.theme import Theme
from ui.widgets.panel import Panel

LAYOUT_VERSION = 1
WIDE_FROM = 1600  # window width from which machine room and account have places of their own
FIRST_TABS = ("chart", "withdrawals", "batches", "ladder", "ticket", "tables")
"""In front in the default workspace; a later one wins where they share an area."""
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


class Workspace(QWidget):
    """Places panels by id. Panels not in the registry are refused by ``panel_spec``."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        for name, on in _FLAGS.items():
            ads.CDockManager.setConfigFlag(getattr(ads.CDockManager.eConfigFlag, name), on)
        self.manager = ads.CDockManager(self)
        self.docks: dict[str, ads.CDockWidget] = {}
        self.panels: dict[str, Panel] = {}
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
        self.docks[spec.panel_id] = dock
        self.panels[spec.panel_id] = panel

    # -- the default ---------------------------------------------------------------------------------------------

    def arrange(self, width: int, height: int) -> None:
        """The default workspace for a window of this size."""
        self._default = None
        for dock in self.docks.values():
            if dock.dockAreaWidget() is not None:
                self.manager.removeDockWidget(dock)
        if width >= WIDE_FROM:
            self._arrange_wide()
            self._size_wide(width, height)
        else:
            self._arrange_narrow()
            self._size_narrow(width, height)
        self._show_first_tabs()
        self._default = width >= WIDE_FROM

    def follow(self, width: int, height: int) -> None:
        """Fold or unfold the default workspace when the window's width asks for the other one."""
        if self._default is not None and self._default != (width >= WIDE_FROM):
            self.arrange(width, height)

    def _moved_by_user(self, *_: object) -> None:
        """A panel was dragged somewhere: from now on the arrangement is the user's own."""
        self._default = None

    def _place(self, panel_id: str, side: ads.DockWidgetArea, beside: str | None = None) -> None:
        """Put a panel at a side of another one, or in the middle."""
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

    def _arrange_wide(self) -> None:
        self._place("chart", ads.CenterDockWidgetArea)
        self._place("inspector", ads.CenterDockWidgetArea, "chart")
        self._place("tables", ads.BottomDockWidgetArea, "chart")
        self._place("ladder", ads.RightDockWidgetArea, "chart")
        self._place("ticket", ads.RightDockWidgetArea, "ladder")
        self._place("trades", ads.BottomDockWidgetArea, "ladder")
        self._place("account", ads.BottomDockWidgetArea, "ticket")
        self._place("batches", ads.RightDockWidgetArea, "tables")
        self._place("withdrawals", ads.RightDockWidgetArea, "batches")
        self._place("prover", ads.CenterDockWidgetArea, "batches")
        self._place("sequencer", ads.CenterDockWidgetArea, "withdrawals")

    def _arrange_narrow(self) -> None:
        self._place("chart", ads.CenterDockWidgetArea)
        self._place("inspector", ads.CenterDockWidgetArea, "chart")
        self._place("tables", ads.BottomDockWidgetArea, "chart")
        self._place("ladder", ads.RightDockWidgetArea, "chart")
        self._place("ticket", ads.RightDockWidgetArea, "ladder")
        self._place("trades", ads.CenterDockWidgetArea, "ladder")
        self._place("account", ads.CenterDockWidgetArea, "ticket")
        for panel_id in ("batches", "prover", "withdrawals", "sequencer"):
            self._place(panel_id, ads.CenterDockWidgetArea, "tables")

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

    def show_panel(self, panel_id: str) -> None:
        """Open it and bring it to the front of its tabs."""
        dock = self.docks[panel_spec(panel_id).panel_id]
        if dock.isClosed():
            dock.toggleView(True)
        dock.setAsCurrentTab()
        self.panels[panel_id].setFocus()

    def toggle_panel(self, panel_id: str) -> None:
        """Open or close it."""
        dock = self.docks[panel_spec(panel_id).panel_id]
        dock.toggleView(dock.isClosed())

    def is_open(self, panel_id: str) -> bool:
        """Whether it is placed and not closed."""
        return not self.docks[panel_id].isClosed()

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

    def _adopt(self, panel_id: str) -> None:
        """A panel newer than the layout: last tab of its area."""
        area = panel_spec(panel_id).area
        mates = [p for p in self.docks if p != panel_id and panel_spec(p).area == area and self.is_open(p)]
        self._place(panel_id, ads.CenterDockWidgetArea, mates[0] if mates else None)

    def close_all(self) -> None:
        """Floating panels are windows of their own: they close with the desk."""
        for window in list(self.manager.floatingWidgets()):
            window.close()
