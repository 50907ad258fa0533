"""Fills, funding and transfers: the tables of what happened, and where money that is not final stands."""

from __future__ import annotations

from functools import lru_cache

from app.snapshot.views import BatchView, FillView, Snapshot
from engine.exchange.config import MarketConfig, VenueConfig
from engine.units import MarketId
from ui.viewmodels.tables import Cell, Column, Row, TableSpec
from ui.viewmodels.tables_live import most_price_decimals
from ui.viewmodels.wording import (
    Tone,
    aligned_price_text,
    change_tone,
    long_stamp_text,
    money_text,
    notional_quanta,
    side_tone,
    size_text,
    stamp_text,
)

FILLS = TableSpec(
    "fills",
    (
        Column("time", "Time UTC", "12:00:41", numeric=False),
        Column("market", "Market", "BTC-USD", numeric=False, rank=1),
        Column("side", "Side", "sell", numeric=False),
        Column("price", "Price {symbol}", "58,310.0"),
        Column("size", "Size", "1,000.000 BTC"),
        Column("value", "Value {symbol}", "1,000,000.00", rank=3),
        Column("fee", "Fee {symbol}", "-1,000.00", rank=2, tip="paid; negative was received"),
        Column("role", "Role", "liquidation", numeric=False, rank=4),
        Column("finality", "Status", "matched, batch 1000 open", numeric=False),
    ),
    "No fills yet. A market order fills at once; a limit order fills when the market reaches its price.",
)

DELEVERAGED_TIP = "closed at the bankruptcy price of one side, without a fee: neither book nor insurance fund could"

FUNDING = TableSpec(
    "funding",
    (
        Column("time", "Time UTC", "12:00:41", numeric=False),
        Column("market", "Market", "BTC-USD", numeric=False),
        Column("size", "Position", "-1,000.000 BTC"),
        Column("amount", "Amount {symbol}", "+1,000.000000", tip="positive was received, negative was paid"),
    ),
    "No funding payments yet. Funding settles at regular intervals while a position is open.",
)

TRANSFERS = TableSpec(
    "transfers",
    (
        Column("time", "Time UTC", "12:00:41", numeric=False),
        Column("kind", "Kind", "deposit credited", numeric=False),
        Column("amount", "Amount {symbol}", "1,000,000.000000"),
        Column("where", "Status", "on L1, block 1000000 confirmed", numeric=False),
    ),
    "No transfers yet. Deposit from the Account panel.",
)

_FINALITY: dict[str, tuple[str, Tone]] = {
    "open": ("matched, batch {0} open", "pending"),
    "sequenced": ("in batch {0}", "pending"),
    "proving": ("in batch {0}, proving", "pending"),
    "failed": ("in batch {0}, proof failed", "warn"),
    "proved": ("proved, batch {0}", "proved"),
    "posted": ("on L1, batch {0}", "proved"),
    "final": ("on L1, batch {0}, final", "proved"),
}


def finality(batch: int, status: dict[int, str], last_on_l1: int) -> tuple[str, Tone]:
    """Where what happened in a batch stands: words and tone. ``status``: of the batches still in view."""
    if batch in status:
        words, tone = _FINALITY[status[batch]]
        return words.format(batch), tone
    if batch <= 0:
        return "matched", "pending"
    key = "final" if batch <= last_on_l1 else "sequenced"
    words, tone = _FINALITY[key]
    return words.format(batch), tone


def batch_status(batches: tuple[BatchView, ...]) -> dict[int, str]:
    """Status by batch number."""
    return {batch.number: batch.status for batch in batches}


def fill_rows(snapshot: Snapshot, config: VenueConfig) -> tuple[Row, ...]:
    """The user's fills, newest first."""
    status = batch_status(snapshot.batches)
    last = snapshot.l1.last_batch
    decimals = most_price_decimals(config)
    return tuple(
        _fill_row(fill, config.market(fill.market), decimals, *finality(fill.batch, status, last))
        for fill in snapshot.fills
    )


@lru_cache(maxsize=2048)
def _fill_row(fill: FillView, market: MarketConfig, decimals: int, words: str, tone: Tone) -> Row:
    value = notional_quanta(market, fill.price, fill.lots)
    role = _role(fill)
    return Row(
        (fill.fill_id, fill.side),
        (
            Cell(stamp_text(fill.time), fill.time, tip=long_stamp_text(fill.time)),
            Cell(market.symbol, market.symbol, "text_strong"),
            Cell(fill.side, fill.side, side_tone(fill.side)),
            Cell(aligned_price_text(market, fill.price, decimals), fill.price),
            Cell(size_text(market, fill.lots), fill.lots),
            Cell(money_text(value), value),
            Cell(money_text(fill.fee, decimals=4), fill.fee, "gain" if fill.fee < 0 else "text"),
            Cell(role, role, "danger" if fill.liquidation else "text", tip=DELEVERAGED_TIP if fill.deleveraged else ""),
            Cell(words, fill.batch, tone),
        ),
    )


def _role(fill: FillView) -> str:
    if fill.deleveraged:
        return "deleveraged"
    return "liquidation" if fill.liquidation else "maker" if fill.maker else "taker"


def funding_rows(snapshot: Snapshot, config: VenueConfig) -> tuple[Row, ...]:
    """The user's funding ledger, newest first."""
    return tuple(_funding_row(entry, config) for entry in snapshot.funding)


def _funding_row(entry: tuple[int, int, int, int], config: VenueConfig) -> Row:
    time, market_id, size, amount = entry
    market = config.market(MarketId(market_id))
    return Row(
        (time, market_id),
        (
            Cell(stamp_text(time), time, tip=long_stamp_text(time)),
            Cell(market.symbol, market.symbol, "text_strong"),
            Cell(size_text(market, size, sign=True), size, "bid" if size > 0 else "ask"),
            Cell(money_text(amount, sign=True, decimals=6), amount, change_tone(amount)),
        ),
    )


def transfer_rows(snapshot: Snapshot) -> tuple[Row, ...]:
    """Deposits, withdrawals and claims, newest first."""
    seen: dict[tuple[int, str, int], int] = {}
    rows = []
    for time, kind, amount, where in reversed(snapshot.transfers):
        # Two equal transfers may share a time; the older keeps its number as newer ones arrive.
        nth = seen[time, kind, amount] = seen.get((time, kind, amount), 0) + 1
        rows.append(
            Row(
                (time, kind, amount, nth),
                (
                    Cell(stamp_text(time), time, tip=long_stamp_text(time)),
                    Cell(kind.replace("_", " "), kind, "text_strong"),
                    Cell(money_text(amount, decimals=6), amount),
                    Cell(where, where),
                ),
            )
        )
    return tuple(reversed(rows))
