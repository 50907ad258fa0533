"""What commands are judged by: the facts of the newest snapshot and of the window, read once per look."""

from __future__ import annotations

from dataclasses import dataclass

from app.snapshot.views import Snapshot
from engine.exchange.config import VenueConfig
from engine.units import MarketId

SPEEDS = (1.0, 2.0, 5.0, 10.0, 60.0, 600.0)
"""Clock speeds that the desk offers, in venue seconds per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """What the window itself remembers."""

    market: MarketId
    theme: str
    density: str
    open_panels: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """``stopped``: why the venue takes no commands, "" while it does. ``position``: signed lots in the desk's market,
    ``symbol``. ``wallet``, ``withdrawable``, ``claimable``: quanta of the user's; 0 without an account.
    """

    window: WindowState
    symbol: str
    stopped: str
    has_account: bool = False
    orders: int = 0
    position: int = 0
    wallet: int = 0
    withdrawable: int = 0
    claimable: int = 0
    has_proof: bool = False
    speed: float = 1.0


def read_context(snapshot: Snapshot | None, config: VenueConfig, window: WindowState) -> Context:
    """The context of the newest snapshot; None while the venue is starting."""
    symbol, stopped = config.market(window.market).symbol, stopped_reason(snapshot)
    if snapshot is None:
        return Context(window=window, symbol=symbol, stopped=stopped)
    proved = any(batch.proof_bytes for batch in snapshot.batches)
    user = snapshot.user
    if user is None:
        return Context(window=window, symbol=symbol, stopped=stopped, has_proof=proved, speed=snapshot.speed)
    return Context(
        window=window,
        symbol=symbol,
        stopped=stopped,
        has_account=True,
        orders=len(user.orders),
        position=user.account.size(window.market),
        wallet=user.l1_token_balance,
        withdrawable=user.withdrawable if user.withdrawable >= config.min_withdrawal else 0,
        claimable=user.l1_claimable,
        has_proof=proved,
        speed=snapshot.speed,
    )


def stopped_reason(snapshot: Snapshot | None) -> str:
    """Why the venue takes no commands, or ""."""
    if snapshot is None:
        return "the venue is still starting"
    if snapshot.sequencer.halted:
        return f"the sequencer has halted: {snapshot.sequencer.halted}"
    if not snapshot.threads:
        return "the venue is not running"
    if any(thread.name == "sequencer" and not thread.alive for thread in snapshot.threads):
        return "the sequencer has stopped"
    return ""
