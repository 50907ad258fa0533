"""The desk's window: menus, header, banner, workspace, status bar; built from the panel registry.

What its commands do and what its panels ask of each other is given to it from above (ui.desk).
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QAction, QCloseEvent, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from app.snapshot.views import Snapshot
from engine.units import MarketId
from ui.model.command_set import CommandSet
from ui.model.engine_protocol import DeskEngine
from ui.model.panels import PanelSpec
from ui.shell.command_palette import CommandPalette
from ui.shell.frames import FrameLoop, Viewer
from ui.shell.header import HeaderBar
from ui.shell.menus import build_menus
from ui.shell.notices import Banner, NoticeStack
from ui.shell.status_bar import StatusBar
from ui.shell.workspace import Workspace, build_panel
from ui.theme.theme import Theme
from ui.viewmodels.header import ModeTeller, deleveraging_words, guard_words
from ui.viewmodels.notices import Notice, NoticeLog
from ui.viewmodels.status import alarm
from ui.widgets.panel import Panel


class DeskWindow(QMainWindow):
    """Owns the frame loop; closing it stops the loop and emits ``closed`` (the engine is stopped by the caller)."""

    closed = Signal()

    def __init__(
        self, engine: DeskEngine, theme: Theme, *, specs: tuple[PanelSpec, ...], size: tuple[int, int]
    ) -> None:
        super().__init__()
        self.engine = engine
        self.theme = theme
        self.setWindowTitle("Proofline")
        self.setObjectName("window")
        self.resize(*size)
        self.header = HeaderBar(engine, theme)
        self.banner = Banner(theme)
        self.workspace = Workspace(theme)
        self.loop = FrameLoop(engine, self._viewers, self)
        self.status = StatusBar(theme, self._figures)
        self._assemble()
        for spec in specs:
            self.workspace.add_panel(spec, build_panel(spec, engine, theme))
        self.workspace.arrange(*size)
        self.notices = NoticeStack(theme, self)
        self.notice_log = NoticeLog(None, engine.config)
        self._cursor = 0
        self._messages: tuple[str, ...] = ()
        self._mode = ModeTeller()
        self.commands: CommandSet | None = None
        self.qt_actions: dict[str, QAction] = {}
        self.palette_dialog: CommandPalette | None = None
        self.loop.after_frame.append(self._after_frame)

    def _assemble(self) -> None:
        desk = QWidget()
        desk.setObjectName("desk")
        column = QVBoxLayout(desk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.banner)
        column.addWidget(self.workspace, 1)
        column.addWidget(self.status)
        self.setCentralWidget(desk)

    def use_commands(self, commands: CommandSet) -> None:
        """Menus, keys, the header's buttons and the palette are made from these."""
        self.commands = commands
        self.qt_actions = build_menus(self, commands)
        self.header.use_keys({command.command_id: command.keys for command in commands})
        self.palette_dialog = CommandPalette(commands, self.theme, self)

    def open_palette(self) -> None:
        """Over the window."""
        if self.palette_dialog is not None:
            self.palette_dialog.open_over(self)

    @property
    def panels(self) -> dict[str, Panel]:
        """The panels by id."""
        return self.workspace.panels

    def set_market(self, market: MarketId) -> None:
        """All panels show another market."""
        self.header.set_market(market)
        for panel in self.panels.values():
            panel.set_market(market)

    def notify(self, kind: str, text: str, now: float) -> None:
        """Record a notice and show it unless it was just shown."""
        notice = Notice(kind, text)
        if self.notice_log.add(notice, now):
            self.notices.push(notice, now)

    # -- frames -------------------------------------------------------------------------------------------------

    def _viewers(self) -> list[Viewer]:
        return [self.header, *self.panels.values(), self.status]

    def _figures(self) -> tuple[float, float]:
        return self.loop.recorder.fps(time.perf_counter()), self.loop.recorder.recent_p95()

    def _after_frame(self, snapshot: Snapshot | None, now: float) -> None:
        """Banner and notices: facts that must not be missed."""
        self.notices.on_frame(now)
        self.workspace.follow(self.width(), self.height())
        if snapshot is None:
            return
        problem = alarm(snapshot)
        config = self.notice_log.config
        waiting = deleveraging_words(snapshot, config) or guard_words(snapshot, config)
        self.banner.say("danger" if problem else "warn", problem or waiting or self._mode.sentence(snapshot, now))
        self._take_events(snapshot, now)

    def _take_events(self, snapshot: Snapshot, now: float) -> None:
        if self.notice_log.account is None:
            if snapshot.user is None:
                return
            self.notice_log.account = snapshot.user.account_id
            self._cursor, _ = self.engine.events_since(0)  # what happened before the window opened is in the tables
            self._messages = snapshot.messages
        cursor, events = self.engine.events_since(self._cursor)
        self._cursor = cursor
        for notice in self.notice_log.from_events(events):
            if self.notice_log.add(notice, now):
                self.notices.push(notice, now)
        if snapshot.messages != self._messages:
            for message in snapshot.messages:
                if message not in self._messages:
                    self.notify("warn", message, now)
            self._messages = snapshot.messages

    def event(self, event: QEvent) -> bool:
        """Tell the recorder when the window has painted: Qt paints all dirty widgets while it handles this request."""
        handled = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest:
            self.loop.repainted()
        return handled

    # -- window -------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Poll at full rate."""
        self.loop.set_hidden(False)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Poll slowly."""
        self.loop.set_hidden(True)
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """A minimised window polls slowly."""
        if event.type() == QEvent.Type.WindowStateChange:
            self.loop.set_hidden(self.isMinimized())
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Notices stay in their corner."""
        super().resizeEvent(event)
        self.notices.place()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop polling, close floating panels, tell the owner."""
        self.loop.stop()
        self.workspace.close_all()
        for panel in self.panels.values():
            panel.put_away()
        self.closed.emit()
        super().closeEvent(event)
