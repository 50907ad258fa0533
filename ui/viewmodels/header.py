"""The market header without its widgets: what is the price, where is it going, what time is it."""

from __future__ import annotations

from dataclasses import dataclass

from app.snapshot.rules import MAX_FLOW_SPEED, MODES
from app.snapshot.views import MarketView, Snapshot
from engine.exchange.config import MarketConfig, VenueConfig
from engine.exchange.refusals import HALTED_FOR
from engine.units import PPM, SECOND, MarketId
from ui.viewmodels.wording import (
    NOTHING,
    change_tone,
    count_text,
    fixed_price_text,
    fraction_ppm,
    long_stamp_text,
    percent_text,
    price_text,
    rounded_ratio,
    size_text,
)

HOLD_PATIENCE = 3.0
"""Wall seconds that a wait of the clock may take before it is said: each proof above 1x is waited for a moment."""
ARROWS = {"gain": "▲", "loss": "▼"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled number."""

    name: str
    text: str
    tone: str = "normal"
    help: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Everything the header shows."""

    tabs: tuple[tuple[int, str, str, str], ...]  # market id, symbol, change, tone
    last: Fact
    facts: tuple[Fact, ...]
    clock: str
    date: str
    speed: float
    paused: bool


def make_header(config: VenueConfig, snapshot: Snapshot, market_id: MarketId) -> Header:
    """The header for one market of one snapshot."""
    market = config.market(market_id)
    view = snapshot.markets[market_id]
    stamp = long_stamp_text(snapshot.time)
    tone = "bid" if view.last_side == "buy" else "ask"
    arrow = "▲" if view.last_side == "buy" else "▼"
    return Header(
        tabs=tuple(_tab(m, snapshot.markets[m.market_id]) for m in config.markets if m.market_id in snapshot.markets),
        last=Fact("Last", f"{arrow} {price_text(market, view.last_price)}", tone, "price of the last trade"),
        facts=_facts(config, market, view, snapshot.time),
        clock=stamp[11:19],
        date=f"{stamp[:10]} UTC",
        speed=snapshot.speed,
        paused=snapshot.paused,
    )


class ModeTeller:
    """What has to be said about the clock. Short waits for a proof are not: the line would come and go all the time."""

    def __init__(self) -> None:
        self._held_since: float | None = None

    def sentence(self, snapshot: Snapshot, now: float) -> str:
        """The line to show at wall time ``now``, or ``""``."""
        if snapshot.mode in MODES.values():
            self._held_since = None
            return "" if snapshot.mode == MODES[False] else snapshot.mode
        if self._held_since is None:
            self._held_since = now
        if now - self._held_since >= HOLD_PATIENCE:
            return snapshot.mode
        return MODES[True] if snapshot.speed > MAX_FLOW_SPEED else ""


def deleveraging_words(snapshot: Snapshot, config: VenueConfig) -> str:
    """Which markets take reducing orders only because a bankrupt position waits there, ``""`` for none."""
    waiting = [m.symbol for m in config.markets if (v := snapshot.markets.get(m.market_id)) and v.deleveraging]
    if not waiting:
        return ""
    return f"{' and '.join(waiting)}: reducing orders only, a bankrupt position waits to be closed (deleveraging)"


def guard_words(snapshot: Snapshot, config: VenueConfig) -> str:
    """Which markets are halted and why, and which index readings are under confirmation; ``""`` for none."""
    said = []
    for market in config.markets:
        view = snapshot.markets.get(market.market_id)
        if view is not None and view.halted:
            said.append(f"{market.symbol}: reducing orders only, {HALTED_FOR[view.halted]}")
        elif view is not None and view.unconfirmed_fixed:
            reading = fixed_price_text(market, view.unconfirmed_fixed)
            said.append(f"{market.symbol}: index reading under confirmation ({reading})")
    return "; ".join(said)


def change_ppm(view: MarketView) -> int | None:
    """Change over 24 hours in millionths; None before there was a price."""
    return rounded_ratio((view.last_price - view.open_24h) * PPM, view.open_24h) if view.open_24h > 0 else None


def _tab(market: MarketConfig, view: MarketView) -> tuple[int, str, str, str]:
    change = change_ppm(view)
    return market.market_id, market.symbol, percent_text(change, decimals=2, sign=True), change_tone(change or 0)


def _facts(config: VenueConfig, market: MarketConfig, view: MarketView, now: int) -> tuple[Fact, ...]:
    change = change_ppm(view)
    tone = change_tone(change or 0)
    arrow = ARROWS.get(tone, "")
    change_text = NOTHING if change is None else f"{arrow} {percent_text(change, decimals=2, sign=True)}".strip()
    rate = fraction_ppm(view.funding_rate * 10_000)  # in units of 10^-10, so that 0.0013 % keeps its digits
    funding = f"{rate / 10**8:+.4f} %"
    due = countdown_text(view.next_funding - now)
    tone_of_rate = "warn" if abs(rate) > 10**6 else "normal"
    payer = "longs pay shorts" if view.funding_rate >= 0 else "shorts pay longs"
    return (
        Fact("Mark", fixed_price_text(market, view.mark_fixed), "strong", "margin and liquidation use this price"),
        _index_fact(market, view),
        Fact("24h change", change_text, tone),
        Fact(
            f"Funding {interval_text(config.funding_interval)} · settles in",
            f"{funding} · {due}",
            tone_of_rate,
            f"predicted rate; {payer}; venue time",
        ),
        Fact("24h high", price_text(market, view.high_24h)),
        Fact("24h low", price_text(market, view.low_24h)),
        Fact(f"24h volume {market.base}", count_text(view.volume_24h // 10**market.size_decimals)),
        Fact(f"Open interest {market.base}", size_text(market, view.open_interest, unit=False)),
    )


def _index_fact(market: MarketConfig, view: MarketView) -> Fact:
    text = fixed_price_text(market, view.index_fixed)
    if view.unconfirmed_fixed:
        reading = fixed_price_text(market, view.unconfirmed_fixed)
        return Fact("Index", text, "warn", f"index reading under confirmation: {reading} needs a second one like it")
    return Fact("Index", text, "normal", "mid price of the recorded market feed")


def countdown_text(nanoseconds: int) -> str:
    """``56:35`` or ``1:02:03``; zero when due."""
    seconds = max(0, -(-nanoseconds // SECOND))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"


def interval_text(nanoseconds: int) -> str:
    """``1h``, ``15m``, ``30s``: the largest unit that divides it."""
    seconds = nanoseconds // SECOND
    for unit, name in ((3600, "h"), (60, "m")):
        if seconds and seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def speed_text(speed: float) -> str:
    """``10x``, ``0.5x``."""
    return f"{speed:g}x"
