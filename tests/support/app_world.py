"""Shorthands for tests of the app: sessions on empty folders, quiet venues, provers that do what a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from app.faults.crash_child import stand_in_prover
from app.paths import open_paths
from app.proving.queue import MakeProver
from app.venue.session import Session, open_session
from engine.exchange.config import DEFAULT_CONFIG, VenueConfig
from engine.sequencer.events import AnyEvent
from engine.sequencer.inputs import ClockStep, L1Deposit
from engine.sequencer.venue import Venue
from engine.settlement.stand_in import yes_verifiers
from engine.units import FIXED_ONE, SECOND

OWNER, STRANGER = bytes([7]) * 20, bytes([9]) * 20
GENESIS = 1_723_075_200 * SECOND
SMALL = msgspec.structs.replace(DEFAULT_CONFIG, batch_max_age=3 * SECOND)


class FlatPrices:
    """Index prices that never move."""

    def index_fixed(self, market_id: int, time: int) -> int:
        return 600_000 * 100 * FIXED_ONE


def quiet_venue(config: VenueConfig = DEFAULT_CONFIG) -> Venue:
    """A venue without participants."""
    return Venue(config, FlatPrices(), [], GENESIS)


def step(venue: Venue, seconds: float) -> list[AnyEvent]:
    return venue.apply(venue.sequence + 1, ClockStep(venue.time + int(seconds * SECOND)))


def l1_deposit(entry: int, account: int, owner: bytes, amount: int) -> L1Deposit:
    return L1Deposit(entry=entry, account=account, owner=owner, depositor=owner, amount=amount, transaction=bytes(32))


@contextmanager
def opened(
    folder: Path, config: VenueConfig = SMALL, make_prover: MakeProver = stand_in_prover, **more: Any
) -> Iterator[Session]:
    """A session that is closed at the end; its prover is not started and its clock waits for due proofs.

    Its proofs prove nothing by default, so its verifier contracts say yes to everything.
    """
    session = open_session(open_paths(folder), config, make_prover=make_prover, make_verifiers=yes_verifiers, **more)
    session.loop.set_hold(True)
    try:
        yield session
    finally:
        session.close()


def run(session: Session, seconds: float, *, parts: int = 1) -> None:
    """Let recorded flow play; the prover must have been started when a proof falls due."""
    loop = session.loop
    loop.run_to(loop.venue.time + int(seconds * SECOND), step=int(seconds * SECOND) // parts)
