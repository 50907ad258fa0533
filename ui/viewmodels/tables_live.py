"""Positions and orders: the tables that change while the market moves."""

from __future__ import annotations

from functools import lru_cache

from app.snapshot.views import AccountView, OrderView, PositionView
from engine.exchange.config import MarketConfig, VenueConfig
from engine.sequencer.inputs import PlaceOrder
from engine.units import Lots, MarketId
from ui.viewmodels.tables import Cell, Column, Row, TableSpec
from ui.viewmodels.wording import (
    NOTHING,
    aligned_price_text,
    change_tone,
    distance_ppm,
    health_tone,
    health_words,
    long_stamp_text,
    money_text,
    notional_quanta,
    side_tone,
    size_text,
    stamp_text,
    ticks_of_fixed,
)

FAR = 1 << 60  # sorts after every distance

POSITIONS = TableSpec(
    "positions",
    (
        Column("market", "Market", "BTC-USD", numeric=False),
        Column("size", "Size", "-1,000.000 BTC", tip="positive is long, negative is short"),
        Column("entry", "Entry {symbol}", "58,310.0", tip="average entry price"),
        Column("mark", "Mark {symbol}", "58,310.0", tip="price that margin and liquidation use"),
        Column("notional", "Value {symbol}", "1,000,000.00", rank=4, tip="size at the mark price"),
        Column("unrealised", "Unrealised {symbol}", "+100,000.00", tip="profit or loss at the mark price"),
        Column("realised", "Realised {symbol}", "+100,000.00", rank=5, tip="profit or loss on what was closed"),
        Column("margin", "Margin {symbol}", "100,000.00", rank=3, tip="initial margin this position holds"),
        Column("health", "Liquidation", "888.8 % to liquidation at 58,310.0", numeric=False, rank=1),
        Column("funding", "Funding {symbol}", "+1,000.00", rank=6, tip="settled so far; positive was received"),
        Column("accrued", "Accrued {symbol}", "+1,000.00", rank=7, tip="since the last settlement"),
        Column("half", "", "Half", numeric=False, action=True, tip="close half at market, reduce-only"),
        Column("close", "", "Close", numeric=False, action=True, tip="close all at market, reduce-only"),
    ),
    "No positions. Send an order from the ticket to open one.",
)

ORDERS = TableSpec(
    "orders",
    (
        Column("market", "Market", "BTC-USD", numeric=False),
        Column("side", "Side", "sell", numeric=False),
        Column("price", "Price {symbol}", "58,310.0"),
        Column("size", "Size", "1,000.000 BTC"),
        Column("filled", "Filled", "1,000.000", rank=2),
        Column("value", "Open value {symbol}", "1,000,000.00", rank=3, tip="unfilled size at the order's price"),
        Column(
            "ahead", "Ahead in queue", "1,000.000 BTC", rank=1, tip="exact size ahead of it in the queue at its price"
        ),
        Column("flags", "", "reduce-only, cut 1,000.000", numeric=False, rank=5),
        Column("placed", "Placed UTC", "12:00:41", rank=4),
        Column("cancel", "", "Cancel", numeric=False, action=True, tip="cancel this order"),
    ),
    "No open orders. A limit order that does not fill at once rests here.",
)


def position_rows(user: AccountView, config: VenueConfig) -> tuple[Row, ...]:
    """One row per position, by market."""
    decimals = most_price_decimals(config)
    return tuple(_position_row(position, config.market(position.market), decimals) for position in user.positions)


def most_price_decimals(config: VenueConfig) -> int:
    """Decimals that a price column is aligned to."""
    return max(market.price_decimals for market in config.markets)


@lru_cache(maxsize=64)
def _position_row(position: PositionView, market: MarketConfig, decimals: int) -> Row:
    distance = None
    if position.liquidation_price is not None:
        distance = distance_ppm(market, position.mark_fixed, position.liquidation_price)
    entry, mark = (ticks_of_fixed(market, fixed) for fixed in (position.entry_fixed, position.mark_fixed))
    words = health_words(market, position.mark_fixed, position.liquidation_price)
    maintenance = f"maintenance margin {money_text(position.maintenance_margin)}"
    return Row(
        position.market,
        (
            Cell(market.symbol, market.symbol, "text_strong"),
            Cell(size_text(market, position.size, sign=True), position.size, "bid" if position.size > 0 else "ask"),
            Cell(
                aligned_price_text(market, ticks_of_fixed(market, position.entry_fixed), decimals), position.entry_fixed
            ),
            Cell(
                aligned_price_text(market, ticks_of_fixed(market, position.mark_fixed), decimals), position.mark_fixed
            ),
            _money(position.notional),
            _gain(position.unrealised),
            _gain(position.realised),
            Cell(money_text(position.initial_margin), position.initial_margin, tip=maintenance),
            Cell(words, FAR if distance is None else distance, health_tone(distance), words),
            _gain(position.funding_paid),
            _gain(position.accrued_funding),
            Cell("Half" if abs(position.size) > 1 else NOTHING, tone="accent"),
            Cell("Close", tone="accent"),
        ),
    )


def order_rows(user: AccountView, config: VenueConfig) -> tuple[Row, ...]:
    """One row per resting order, newest first."""
    orders = sorted(user.orders, key=lambda order: order.order_id, reverse=True)
    decimals = most_price_decimals(config)
    return tuple(_order_row(order, config.market(order.market), decimals) for order in orders)


@lru_cache(maxsize=1024)
def _order_row(order: OrderView, market: MarketConfig, decimals: int) -> Row:
    left = order.lots - order.filled
    value = notional_quanta(market, order.price, left)
    first = order.lots_ahead == 0
    return Row(
        order.order_id,
        (
            Cell(market.symbol, market.symbol, "text_strong"),
            Cell(order.side, order.side, side_tone(order.side)),
            Cell(aligned_price_text(market, order.price, decimals), order.price),
            Cell(size_text(market, order.lots), order.lots),
            Cell(size_text(market, order.filled, unit=False), order.filled, "text" if order.filled else "text_weak"),
            Cell(money_text(value), value),
            Cell("first" if first else size_text(market, order.lots_ahead), order.lots_ahead),
            _flags(order, market),
            Cell(stamp_text(order.placed_at), order.placed_at, tip=long_stamp_text(order.placed_at)),
            Cell("Cancel", tone="accent"),
        ),
    )


def _flags(order: OrderView, market: MarketConfig) -> Cell:
    """Whether it only reduces, and what was cut off because the position is smaller."""
    if not order.reduce_only:
        return Cell("")
    if not order.cut:
        return Cell("reduce-only", 1, "text_weak", "it is cut as the position shrinks, and ends with it")
    words = f"{size_text(market, order.cut)} of it were cut off: the position is smaller"
    return Cell(f"reduce-only, cut {size_text(market, order.cut, unit=False)}", 2, tip=words)


def closing_order(user: AccountView, market: MarketId, client_id: str, *, half: bool) -> PlaceOrder | None:
    """A reduce-only market order that closes the position, or half of it (rounded up); None without a position."""
    size = user.account.size(market)
    if not size:
        return None
    lots = (abs(size) + 1) // 2 if half else abs(size)
    return PlaceOrder(
        account=user.account_id,
        market=market,
        side="sell" if size > 0 else "buy",
        type="market",
        lots=Lots(lots),
        tif="ioc",
        reduce_only=True,
        client_id=client_id,
    )


def _money(quanta: int) -> Cell:
    return Cell(money_text(quanta), quanta)


def _gain(quanta: int) -> Cell:
    return Cell(money_text(quanta, sign=True), quanta, change_tone(quanta) if quanta else "text_weak")
