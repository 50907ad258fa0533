"""Checks of an order that need no account: fields, ranges, contradictions. Shared with the ticket's preview."""

from __future__ import annotations

from engine.book.layout import MAX_PRICE
from engine.errors import check_range
from engine.exchange.config import MarketConfig, VenueConfig
from engine.exchange.guards import MarketGuard
from engine.exchange.margin import max_price_ticks
from engine.exchange.refusals import BadOrder, MarketHalted, PriceOutsideBand, SystemAccount, UnknownMarket
from engine.sequencer.inputs import PlaceOrder
from engine.units import AccountId, MarketId, MarketIndex

MAX_CLIENT_ID = 64


def is_system(config: VenueConfig, account: AccountId) -> bool:
    """Whether the account is the venue's own (funding, insurance, fees)."""
    return account in (config.funding_account, config.insurance_account, config.fee_account)


def price_limit(market: MarketConfig) -> int:
    """Highest price in ticks: what the book holds and the 32.32 format carries."""
    return min(MAX_PRICE, max_price_ticks(market.tick_value))


def market_index(config: VenueConfig, market_id: MarketId) -> MarketIndex:
    """Index of a market in ascending id; :class:`UnknownMarket`."""
    ids = sorted(market.market_id for market in config.markets)
    if market_id not in ids:
        raise UnknownMarket(market_id, ids)
    return MarketIndex(ids.index(market_id))


def check_order(config: VenueConfig, market: MarketConfig, order: PlaceOrder) -> None:
    """Raise the typed refusal of an order whose fields are wrong; ranges are named with their limits."""
    if is_system(config, order.account):
        raise SystemAccount(order.account)
    check_range("lots", order.lots, 1, market.max_order_lots)
    if order.type == "market":
        if order.price:
            raise BadOrder("a market order has no price", field="price", value=order.price, limit=0)
        if order.post_only:
            raise BadOrder("a market order cannot be post-only", field="post_only", value=True, limit="limit orders")
        check_range("worst_price", order.worst_price, 0, price_limit(market))
    else:
        if order.worst_price:
            raise BadOrder(
                "a limit order's price is its worst one", field="worst_price", value=order.worst_price, limit=0
            )
        check_range("price", order.price, 1, price_limit(market))
        if order.post_only and order.tif == "ioc":
            raise BadOrder("post-only and immediate-or-cancel exclude each other", field="post_only", limit="gtc")
    check_range("length of client_id", len(order.client_id), 0, MAX_CLIENT_ID)


def check_guards(guard: MarketGuard, market: MarketConfig, order: PlaceOrder, reducing: bool) -> None:
    """Raise :class:`MarketHalted` or :class:`PriceOutsideBand` for an order that the market's guards refuse."""
    if guard.halted and not reducing:
        raise MarketHalted(market.symbol, guard.halted)
    price = order.price if order.type == "limit" else order.worst_price
    if price and guard.harms(order.side == "buy", price):
        field = "price" if order.type == "limit" else "worst_price"
        raise PriceOutsideBand(field, order.side, price, (guard.low, guard.high), market.price_decimals)
