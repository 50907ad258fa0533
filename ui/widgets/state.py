"""The states every panel has. A panel is never a blank rectangle: each state says what and what next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

StateKind = Literal["loading", "empty", "live", "stale", "refused", "broken"]


@dataclass(frozen=True, slots=True)
class PanelState:
    """What a panel is in. ``progress``: 0 to 1 or None; ``action``: label and what it does, or None."""

    kind: StateKind
    title: str = ""
    detail: str = ""
    progress: float | None = None
    action: tuple[str, Callable[[], None]] | None = None


LIVE = PanelState("live")


def loading(title: str, detail: str = "", progress: float | None = None) -> PanelState:
    """What is awaited and how far it is."""
    return PanelState("loading", title, detail, progress)


def empty(title: str, detail: str = "", action: tuple[str, Callable[[], None]] | None = None) -> PanelState:
    """Why there is nothing, and the one action that fills it."""
    return PanelState("empty", title, detail, None, action)


def stale(age_seconds: float, detail: str = "") -> PanelState:
    """The last snapshot is this old; it stays visible, drained."""
    return PanelState("stale", f"stale · {age_seconds:.0f} s old", detail)


def refused(rule: str, number: str = "", action: tuple[str, Callable[[], None]] | None = None) -> PanelState:
    """The rule that refused and the number that broke it; the panel's content stays."""
    return PanelState("refused", rule, number, None, action)


def broken(what: str, detail: str, restart: Callable[[], None]) -> PanelState:
    """What happened, and the way to start the panel again."""
    return PanelState("broken", what, detail, None, ("Restart this panel", restart))
