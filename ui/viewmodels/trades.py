"""The tape without its widget: one market's prints, a taker's prints of one price and instant in one row."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.snapshot.views import TradePrint
from engine.exchange.config import MarketConfig
from engine.units import SECOND
from ui.viewmodels.wording import price_text, size_text, stamp_text

KEEP = 400  # rows; older ones are in the venue's own records
ARROWS = {"buy": "▲", "sell": "▼"}


@dataclass(frozen=True, slots=True)
class TapeRow:
    """One row. ``fill_id`` is the newest print's; ``large``: among the largest of the tape."""

    fill_id: int
    time: str
    price: str
    size: str
    side: str
    lots: int
    prints: int
    liquidation: bool
    large: bool = False


@dataclass(slots=True)
class TapeModel:
    """Newest first. ``minimum`` hides rows below that many lots."""

    market: MarketConfig
    minimum: int = 0
    rows: list[TapeRow] = field(default_factory=list)
    newest: int = -1

    def update(self, prints: tuple[TradePrint, ...]) -> int:
        """Take the newest tape; returns how many rows are new at the top, -1 when nothing changed."""
        mine = [p for p in prints if p.market == self.market.market_id]
        newest = mine[0].fill_id if mine else -1
        if newest == self.newest and self.rows:
            return -1
        rows = self._rows([p for p in mine if p.fill_id > self.newest])
        fresh = len(rows) if self.newest >= 0 else 0
        self.rows, self.newest = (rows + self.rows)[:KEEP], newest
        return fresh

    def reset(self) -> None:
        """Forget what is shown (another market, another filter)."""
        self.rows, self.newest = [], -1

    def _rows(self, prints: list[TradePrint]) -> list[TapeRow]:
        rows = []
        for group in aggregated(prints):
            lots = sum(p.lots for p in group)
            if lots >= self.minimum:
                rows.append(self._row(group, lots))
        return rows

    def _row(self, group: list[TradePrint], lots: int) -> TapeRow:
        first = group[0]
        clock = f"{stamp_text(first.time)}.{first.time % SECOND // 1_000_000:03d}"
        size = size_text(self.market, lots, unit=False)
        price = price_text(self.market, first.price)
        liquidation = any(p.liquidation for p in group)
        large = lots * first.price * self.market.tick_value >= LARGE_QUANTA
        return TapeRow(first.fill_id, clock, price, size, first.side, lots, len(group), liquidation, large)


LARGE_QUANTA = 50_000 * 10**6  # a print worth this much stands out


def aggregated(prints: list[TradePrint]) -> list[list[TradePrint]]:
    """Neighbouring prints of one instant, side and price: one taker eating several makers."""
    groups: list[list[TradePrint]] = []
    for print_ in prints:
        last = groups[-1][-1] if groups else None
        same = last is not None and (last.time, last.side, last.price, last.liquidation) == (
            print_.time, print_.side, print_.price, print_.liquidation
        )  # fmt: skip
        if same:
            groups[-1].append(print_)
        else:
            groups.append([print_])
    return groups
