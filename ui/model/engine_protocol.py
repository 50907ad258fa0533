"""What the window may ask of the engine. app.venue.facade implements it; tests and pictures use a stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.snapshot.views import CandleSeries, Snapshot
from engine.exchange.config import VenueConfig
from engine.sequencer.events import Event
from engine.sequencer.inputs import Input, PlaceOrder
from engine.sequencer.preview import Receipt
from engine.units import MarketId


class DeskEngine(Protocol):
    """The running venue, seen from the window's thread. No call but ``proof_file`` waits for anything."""

    config: VenueConfig

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot, None until the first one is published."""

    def candles(self, market: MarketId, interval_ns: int) -> CandleSeries:
        """A private copy of one market's candles, oldest first; empty until the engine has built the series."""

    def submit(self, command: Input) -> None:
        """Queue a user's command; raises ``ProtocolError`` when the queue is full."""

    def events_since(self, cursor: int) -> tuple[int, Sequence[Event]]:
        """Events after ``cursor`` (0 at the start) and the next cursor."""

    def preview(self, order: PlaceOrder) -> Receipt:
        """The receipt the order would get now, by the engine's own margin code."""

    def deposit(self, amount: int) -> None:
        """Send ``amount`` quanta of test tokens to the exchange contract."""

    def claim(self) -> None:
        """Ask the contract for everything claimable."""

    def set_speed(self, multiple: float) -> None:
        """Venue seconds per wall second."""

    def set_paused(self, paused: bool) -> None:
        """Stop or go on with the venue clock."""

    def proof_file(self, number: int) -> bytes:
        """Read a batch's proof file; ``ProtocolError`` with the reason when there is none to read. Reads a disk."""

    def prove_again(self, number: int) -> None:
        """One more attempt at a batch that was given up; ``ProtocolError`` for any other."""

    def stop(self) -> None:
        """Close everything in order."""
