"""The ladder without its widget: fixed price rows, grouping, recentring, own orders and what changed.

Slots count from the top of the screen. Prices have fixed slots around an anchor; one slot, the spread row, lies
directly above the best bid, so a moving market swaps two slots and leaves all others where they are. Bids are grouped
down and asks up: a row never claims a price better than the book has.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from app.snapshot.views import MarketView, OrderView
from engine.exchange.config import MarketConfig
from engine.units import MarketId, format_decimal
from ui.viewmodels.wording import price_text, size_text

GROUPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
MIDDLE_LOW, MIDDLE_HIGH = 0.25, 0.75  # the market may roam the middle half before the ladder recentres
DEPTH_STEP = 20  # thousandths: small changes of depth repaint nothing
FILLED_SHARE = 0.6  # of the rows of one side that the chosen group fills
BAR_STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


@dataclass(frozen=True, slots=True)
class OwnMark:
    """The user's orders in one row: remaining lots, and the lots before the nearest of them in the queue."""

    side: str
    lots: int
    lots_ahead: int
    orders: int


@dataclass(frozen=True, slots=True)
class Row:
    """One slot. ``price`` is None in the spread row. ``bid`` and ``ask`` in lots, bars in thousandths of full width.

    ``bid_depth`` and ``ask_depth``: bars of everything up to this price, in steps of ``DEPTH_STEP``.

    ``touch``: "bid" or "ask" in the row of the best price; ``last``: the last trade happened here.
    """

    price: int | None
    bid: int = 0
    ask: int = 0
    bid_bar: int = 0
    ask_bar: int = 0
    bid_depth: int = 0
    ask_depth: int = 0
    own: OwnMark | None = None
    touch: str = ""
    last: str = ""
    text: str = ""


@dataclass(slots=True)
class LadderModel:
    """State of one ladder. ``group`` in ticks per row; ``anchor`` is the grouped price index of slot 0.

    While ``auto`` is on, the group is chosen by the book whenever the rows are placed anew by the user.
    """

    market: MarketConfig
    group: int = 1
    auto: bool = False
    slots: int = 0
    anchor: int | None = None
    follow: bool = True
    scale: int = 1
    depth_scale: int = 1
    rows: list[Row] = field(default_factory=list)
    best_bid: int | None = None
    best_ask: int | None = None

    def set_group(self, group: int) -> None:
        """Regroup at once, around the same market; 0 lets the book choose."""
        self.auto = group == 0
        self.group, self.anchor = group or self.group, None

    def recentre(self) -> None:
        """Bring the market to the middle with the next update and follow it again."""
        self.anchor, self.follow = None, True

    def scroll(self, slots: int) -> None:
        """Move the rows by hand; the ladder follows again only when asked."""
        if self.anchor is not None:
            self.anchor += slots
            self.follow = False

    def update(self, view: MarketView, orders: tuple[OrderView, ...], slots: int) -> list[int]:
        """Take the newest book; returns the slots that changed (all of them when the rows moved)."""
        self.best_bid = int(view.bids[0, 0]) if len(view.bids) else None
        self.best_ask = int(view.asks[0, 0]) if len(view.asks) else None
        if self.auto and self.anchor is None and slots:
            self.group = fitting_group(view, slots // 2)
        moved = self._place(view, slots) or slots != self.slots
        self.slots = slots
        rows = self._build(view, orders)
        changed = [k for k, row in enumerate(rows) if moved or k >= len(self.rows) or row != self.rows[k]]
        self.rows = rows
        return changed

    # -- where rows are -----------------------------------------------------------------------------------------

    def _middle(self, view: MarketView) -> int:
        """Grouped index of the best bid (of the last price when there is no bid)."""
        price = self.best_bid if self.best_bid is not None else view.last_price
        return price // self.group

    def _place(self, view: MarketView, slots: int) -> bool:
        """Choose the anchor; True when it moved."""
        middle = self._middle(view)
        old = self.anchor
        if old is not None:
            share = (old - middle) / max(slots, 1)
            if not self.follow or MIDDLE_LOW <= share <= MIDDLE_HIGH:
                return False
        self.anchor = middle + slots // 2
        return self.anchor != old

    def _spread_slot(self, view: MarketView) -> int:
        """Slot of the spread row; -1 when the market is above the rows, ``slots`` when below."""
        assert self.anchor is not None
        return min(max(self.anchor - self._middle(view), -1), self.slots)

    def _indices(self, view: MarketView) -> list[int | None]:
        """Grouped price index of every slot, None for the spread row."""
        assert self.anchor is not None
        spread = self._spread_slot(view)
        if spread < 0:  # the market is above: every row is a bid's, one slot has been used up by the spread row
            return [self.anchor - k + 1 for k in range(self.slots)]
        above: list[int | None] = [self.anchor - k for k in range(spread)]
        below: list[int | None] = [self.anchor - k + 1 for k in range(spread + 1, self.slots)]
        return (above + [None] + below)[: self.slots]

    def price_of_slot(self, slot: int) -> int | None:
        """Ticks of a slot as shown now, None for the spread row or outside."""
        return self.rows[slot].price if 0 <= slot < len(self.rows) else None

    # -- what rows say ------------------------------------------------------------------------------------------

    def _build(self, view: MarketView, orders: tuple[OrderView, ...]) -> list[Row]:
        bids = grouped(view.bids, self.group, up=False)
        asks = grouped(view.asks, self.group, up=True)
        own = own_marks(orders, self.market.market_id, self.group)
        indices = self._indices(view)
        visible = np.array([index for index in indices if index is not None], dtype=np.int64)
        depths = self._depths(view, visible)
        self._rescale(bids, asks, visible)
        return [self._row(view, index, bids, asks, own, depths) for index in indices]

    def _depths(self, view: MarketView, visible: np.ndarray) -> dict[int, tuple[int, int]]:
        """Depth bars of the visible rows, (bid, ask), by grouped index."""
        bid = cumulative(view.bids, visible, self.group, up=False)
        ask = cumulative(view.asks, visible, self.group, up=True)
        largest = int(max(bid.max(initial=0), ask.max(initial=0)))
        step = nice_ceiling(largest)
        if step > self.depth_scale or largest * 3 < self.depth_scale:
            self.depth_scale = step
        shares = [values * 1000 // self.depth_scale // DEPTH_STEP * DEPTH_STEP for values in (bid, ask)]
        return dict(zip(visible.tolist(), zip(shares[0].tolist(), shares[1].tolist(), strict=True), strict=True))

    def _rescale(self, bids: dict[int, int], asks: dict[int, int], visible: np.ndarray) -> None:
        """Full bar width: the next round size above the largest visible one, so that bars seldom rescale together."""
        largest = max((max(bids.get(i, 0), asks.get(i, 0)) for i in visible.tolist()), default=1)
        step = nice_ceiling(largest)
        if step > self.scale or largest * 3 < self.scale:
            self.scale = step

    def _row(
        self,
        view: MarketView,
        index: int | None,
        bids: dict[int, int],
        asks: dict[int, int],
        own: dict[tuple[int, str], OwnMark],
        depths: dict[int, tuple[int, int]],
    ) -> Row:
        if index is None:
            return Row(None, text=self.spread_text(), last=view.last_side)
        bid, ask = bids.get(index, 0), asks.get(index, 0)
        price = index * self.group
        best_bid_row = self.best_bid is not None and self.best_bid // self.group == index
        best_ask_row = self.best_ask is not None and -(-self.best_ask // self.group) == index
        touch = "bid" if best_bid_row else "ask" if best_ask_row else ""
        last = view.last_side if self._last_index(view) == index else ""
        mark = own.get((index, "buy")) or own.get((index, "sell"))
        text = price_text(self.market, price)
        return Row(price, bid, ask, self._bar(bid), self._bar(ask), *depths[index], mark, touch, last, text)

    def _last_index(self, view: MarketView) -> int:
        """The last trade's row: a buyer lifted an ask, which is grouped up."""
        price = view.last_price
        return -(-price // self.group) if view.last_side == "buy" else price // self.group

    def _bar(self, lots: int) -> int:
        return min(1000, lots * 1000 // self.scale) if lots else 0

    def spread_text(self) -> str:
        """Spread in price units and basis points; says when a side is empty or the book is crossed."""
        if self.best_bid is None or self.best_ask is None:
            return "no bids" if self.best_bid is None else "no asks"
        spread = self.best_ask - self.best_bid
        if spread <= 0:
            return "crossed book"
        points = spread * 10_000 / ((self.best_bid + self.best_ask) / 2)
        return f"spread {format_decimal(spread, self.market.price_decimals)} · {points:.2f} bp"

    def own_text(self, mark: OwnMark) -> str:
        """Remaining size and the exact quantity that trades before it."""
        return (
            f"{size_text(self.market, mark.lots, unit=False)} ▸ {size_text(self.market, mark.lots_ahead, unit=False)}"
        )


def grouped(levels: np.ndarray, group: int, *, up: bool) -> dict[int, int]:
    """Lots by grouped price index. Bids are rounded down (``up`` False), asks up."""
    if not len(levels):
        return {}
    prices, lots = levels[:, 0], levels[:, 1]
    if group == 1:
        return dict(zip(prices.tolist(), lots.tolist(), strict=True))
    index = -(-prices // group) if up else prices // group
    rows, where = np.unique(index, return_inverse=True)
    sums = np.zeros(len(rows), dtype=np.int64)
    np.add.at(sums, where, lots)
    return dict(zip(rows.tolist(), sums.tolist(), strict=True))


def cumulative(levels: np.ndarray, rows: np.ndarray, group: int, *, up: bool) -> np.ndarray:
    """Lots between the market and each row (grouped indices), the row's own included; 0 on the other side."""
    if not len(levels) or not len(rows):
        return np.zeros(len(rows), dtype=np.int64)
    index = -(-levels[:, 0] // group) if up else levels[:, 0] // group
    sums = np.concatenate([[0], np.cumsum(levels[:, 1])])
    ordered, wanted = (index, rows) if up else (-index, -rows)  # ascending away from the market
    return np.asarray(sums[np.searchsorted(ordered, wanted, side="right")])


def fitting_group(view: MarketView, rows: int) -> int:
    """The smallest group with which most of the ``rows`` on each side of the market hold an order."""
    for group in GROUPS:
        filled = []
        for levels, up in ((view.bids, False), (view.asks, True)):
            index = -(-levels[:, 0] // group) if up else levels[:, 0] // group
            near = index[np.abs(index - index[0]) < rows] if len(index) else index
            filled.append(len(np.unique(near)))
        if sum(filled) >= 2 * rows * FILLED_SHARE:
            return group
    return GROUPS[-1]


def own_marks(orders: tuple[OrderView, ...], market: MarketId, group: int) -> dict[tuple[int, str], OwnMark]:
    """The user's orders of one market by (grouped index, side)."""
    marks: dict[tuple[int, str], OwnMark] = {}
    for order in orders:
        if order.market != market:
            continue
        index = order.price // group if order.side == "buy" else -(-order.price // group)
        key = (index, order.side)
        old = marks.get(key)
        left = order.lots - order.filled
        if old is None:
            marks[key] = OwnMark(order.side, left, order.lots_ahead, 1)
        else:
            ahead = min(old.lots_ahead, order.lots_ahead)
            marks[key] = OwnMark(order.side, old.lots + left, ahead, old.orders + 1)
    return marks


def nice_ceiling(value: int) -> int:
    """The smallest of 10, 12, 15, 20, ..., 80, 100, 120, ... that is at least ``value``."""
    power = 1
    while True:
        for step in BAR_STEPS:
            if step * power >= value:
                return step * power
        power *= 10
