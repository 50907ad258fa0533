"""What a command may ask of the desk. ui.acts implements it over the window; tests use a stand-in."""

from __future__ import annotations

from typing import Literal, Protocol

from engine.units import MarketId
from ui.model.contexts import Context

Direction = Literal["deposit", "withdraw"]


class Desk(Protocol):
    """The desk, seen from its commands."""

    def context(self) -> Context:
        """What commands are judged by now."""

    def refuse(self, words: str) -> None:
        """Tell why something is not done."""

    def open_palette(self) -> None:
        """Show the command palette."""

    def quit(self) -> None:
        """Close the window."""

    def show_panel(self, panel_id: str) -> None:
        """Open a panel, bring it to the front and give it the keyboard."""

    def toggle_panel(self, panel_id: str) -> None:
        """Open or close a panel."""

    def reset_layout(self) -> None:
        """The default workspace for the window's size."""

    def toggle_theme(self) -> None:
        """From dark to light or back."""

    def use_density(self, name: str) -> None:
        """Another density."""

    def set_market(self, market: MarketId) -> None:
        """All panels show another market."""

    def inspect(self, number: int | None = None) -> None:
        """Open a batch in the proof inspector; None for the newest one with a proof."""

    def toggle_pause(self) -> None:
        """Stop the venue's clock, or let it run."""

    def step_speed(self, step: int) -> None:
        """The next faster (1) or slower (-1) of the offered speeds."""

    def set_speed(self, speed: float) -> None:
        """Venue seconds per second."""

    def cancel_all_orders(self) -> None:
        """Every resting order of the user, in every market."""

    def close_position(self) -> None:
        """Close the position in the desk's market, at market."""

    def open_transfer(self, direction: Direction) -> None:
        """The account panel's form."""

    def claim(self) -> None:
        """Claim what proved withdrawals credited on L1."""
