"""The order ticket without its widgets: what was typed, what it means, what is wrong with it, what the button says.

The ticket never refuses an order on its own judgement of margin or the book: only text that is no number of the
market's unit stops here. Every other refusal is the engine's, shown as it came.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from app.snapshot.views import AccountView, MarketView
from engine.errors import OutOfRange, ProtocolError
from engine.exchange.config import MarketConfig, VenueConfig
from engine.sequencer.inputs import OrderType, PlaceOrder, Side, TimeInForce
from engine.units import PPM, Lots, MarketId, Ticks, parse_decimal
from ui.viewmodels.wording import (
    fixed_price_text,
    money_text,
    notional_quanta,
    plural,
    price_text,
    size_text,
    ticks_of_fixed,
)

PERCENTS = (10, 25, 50, 75, 100)
LEVERAGE_STEP = 10  # the slider's unit is a tenth of a multiple of equity
MAX_TICKS = 1 << 40  # far above any price, far below what overflows a fill's value
RULED_OUT_BY_TYPE = "a market order never rests"
RULED_OUT_BY_TIF = "IOC never rests"


@dataclass(frozen=True, slots=True)
class TicketForm:
    """What the user set. ``percent`` is None when the size was typed; ``leverage_tenths`` is 10 for 1x.

    ``cut``: the percentage meant more than the venue accepts, and the size is what it accepts.
    """

    market: MarketId
    side: Side = "buy"
    type: OrderType = "market"
    price_text: str = ""
    size_text: str = ""
    percent: int | None = None
    leverage_tenths: int = 20
    tif: TimeInForce = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A form read against a market: the order it means, or one sentence per field that is at fault."""

    order: PlaceOrder | None
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketContext:
    """What the ticket is read against: the venue's rules and the newest market and account."""

    config: VenueConfig
    market: MarketConfig
    view: MarketView
    user: AccountView

    @property
    def position(self) -> int:
        """The user's signed lots in this market."""
        return self.user.account.size(self.market.market_id)


def slider_share(tenths: int, market: MarketConfig) -> float:
    """Where a leverage stands on the slider, 0 to 1: logarithmic, so that the small multiples have room."""
    return math.log(tenths / LEVERAGE_STEP) / math.log(market.max_leverage)


def slider_leverage(share: float, market: MarketConfig) -> int:
    """Inverse of :func:`slider_share`, to the nearest tenth."""
    return round(LEVERAGE_STEP * math.pow(market.max_leverage, share))


def read_price(text: str, market: MarketConfig) -> int:
    """Positive ticks; raises a :class:`ProtocolError` naming the field and the limit."""
    ticks = parse_decimal(_required(text, "price"), market.price_decimals, field="price")
    if not 1 <= ticks <= MAX_TICKS:
        low, high = price_text(market, 1), price_text(market, MAX_TICKS)
        raise OutOfRange("price", price_text(market, ticks), low, high)
    return ticks


def read_size(text: str, market: MarketConfig) -> int:
    """Positive lots within the market's largest order; raises a :class:`ProtocolError`."""
    lots = parse_decimal(_required(text, "size"), market.size_decimals, field="size")
    if not 1 <= lots <= market.max_order_lots:
        low, high = size_text(market, 1, unit=False), size_text(market, market.max_order_lots)
        raise OutOfRange("size", size_text(market, lots, unit=False), low, high)
    return lots


def read_leverage(text: str, market: MarketConfig) -> int:
    """Tenths of a multiple of equity, from 1x to the market's largest; raises a :class:`ProtocolError`."""
    tenths = parse_decimal(_required(text.lower().removesuffix("x"), "leverage"), 1, field="leverage")
    if not LEVERAGE_STEP <= tenths <= market.max_leverage * LEVERAGE_STEP:
        raise OutOfRange("leverage", f"{tenths / LEVERAGE_STEP:g}x", "1x", f"{market.max_leverage}x")
    return tenths


def _required(text: str, name: str) -> str:
    if not text.strip():
        raise ProtocolError(f"enter a {name}", field=name, value=text, limit="a number")
    return text


def read_form(form: TicketForm, context: TicketContext) -> Reading:
    """The order this form means. Fields that its type does not use are not read."""
    errors: dict[str, str] = {}
    ticks = lots = 0
    if form.type == "limit":
        ticks = _read(errors, "price", read_price, form.price_text, context.market)
    lots = _read(errors, "size", read_size, form.size_text, context.market)
    if errors:
        return Reading(None, errors)
    is_limit = form.type == "limit"
    return Reading(
        PlaceOrder(
            account=context.user.account_id,
            market=form.market,
            side=form.side,
            type=form.type,
            lots=Lots(lots),
            price=Ticks(ticks),
            tif=form.tif if is_limit else "ioc",
            post_only=form.post_only and post_only_reason(form) == "",
            reduce_only=form.reduce_only and reduce_only_reason(form, context) == "",
        )
    )


def _read(
    errors: dict[str, str], name: str, reader: Callable[[str, MarketConfig], int], text: str, market: MarketConfig
) -> int:
    try:
        return reader(text, market)
    except ProtocolError as error:
        errors[name] = error.message
        return 0


def post_only_reason(form: TicketForm) -> str:
    """Why post-only cannot be chosen, or ``""``."""
    if form.type == "market":
        return RULED_OUT_BY_TYPE
    return RULED_OUT_BY_TIF if form.tif == "ioc" else ""


def reduce_only_reason(form: TicketForm, context: TicketContext) -> str:
    """Why reduce-only cannot be chosen, or ``""``."""
    position = context.position
    if position == 0:
        return f"no {context.market.base} position"
    if (position > 0) == (form.side == "buy"):
        held, other = ("long", "sell") if position > 0 else ("short", "buy")
        return f"the position is {held}: only a {other} reduces it"
    return ""


def reference_ticks(form: TicketForm, context: TicketContext) -> int | None:
    """The price a size is valued at: the limit, else the touch the order would take, else the mark."""
    if form.type == "limit":
        try:
            return read_price(form.price_text, context.market)
        except ProtocolError:
            return None
    levels = context.view.asks if form.side == "buy" else context.view.bids
    if len(levels):
        return int(levels[0, 0])
    return ticks_of_fixed(context.market, context.view.mark_fixed) or None


def sized_lots(form: TicketForm, context: TicketContext) -> int | None:
    """Lots for the chosen percentage, rounded down; None while no percentage is chosen or no price is known.

    Of equity: the order's value is ``percent * leverage`` times what equity is left after the taker fee, so 100 % at
    the largest leverage still leaves the fee. Of a position when the order only reduces it.
    """
    if form.percent is None:
        return None
    if form.reduce_only and reduce_only_reason(form, context) == "":
        return abs(context.position) * form.percent // 100
    ticks = reference_ticks(form, context)
    if not ticks:
        return None
    thousandths = form.percent * form.leverage_tenths  # of equity: percent / 100 * tenths / 10
    equity = max(0, context.user.equity)
    value = thousandths * equity * PPM // (1000 * PPM + thousandths * context.config.taker_fee_ppm)
    return min(value // (ticks * context.market.tick_value), context.market.max_order_lots)


def with_sized_text(form: TicketForm, context: TicketContext, most: int | None = None) -> TicketForm:
    """The form with the size box filled from the percentage, ``most`` lots at most; a typed size is left alone."""
    lots = sized_lots(form, context)
    if lots is None:
        return replace(form, cut=False)
    taken = lots if most is None else min(lots, most)
    return replace(form, size_text=size_text(context.market, taken, unit=False), cut=taken < lots)


def size_hint(form: TicketForm, context: TicketContext) -> str:
    """One line under the size: its value and what multiple of equity it is."""
    ticks = reference_ticks(form, context)
    try:
        lots = read_size(form.size_text, context.market)
    except ProtocolError:
        lots = 0
    symbol = context.config.collateral_symbol
    if not ticks or not lots:
        return f"equity {money_text(context.user.equity)} {symbol}"
    value = notional_quanta(context.market, ticks, lots)
    words = f"{money_text(value)} {symbol}"
    if form.reduce_only and context.position:
        return f"{words}, {lots * 100 / abs(context.position):.0f} % of the position"
    if context.user.equity > 0:
        words += f", {value / context.user.equity:.2f}x equity"
    return f"{words}, the maximum" if form.cut else words


def button_words(form: TicketForm, context: TicketContext, reading: Reading, value: int | None) -> str:
    """What pressing the button does, exactly. ``value``: quanta the engine's receipt expects, else None."""
    verb = "Buy" if form.side == "buy" else "Sell"
    base = context.market.base
    order = reading.order
    if order is None:
        typed = {"price": form.price_text.strip(), "size": form.size_text.strip()}
        wrong = " and ".join(f"the {name}" for name, text in typed.items() if name in reading.errors and text)
        missing = " and ".join(f"a {name}" for name, text in typed.items() if name in reading.errors and not text)
        return f"{verb} {base}: " + " and ".join(
            part for part in (f"correct {wrong}" if wrong else "", f"enter {missing}" if missing else "") if part
        )
    symbol = context.config.collateral_symbol
    amount = size_text(context.market, order.lots)
    only = " to reduce" if order.reduce_only else ""
    if order.type == "market":
        about = f", about {money_text(value)} {symbol}" if value else ""
        return f"{verb} {amount} at market{only}{about}"
    worth = money_text(notional_quanta(context.market, order.price, order.lots))
    return f"{verb} {amount} at {price_text(context.market, order.price)}{only}, {worth} {symbol}"


def position_words(context: TicketContext) -> str:
    """The position this ticket acts on, in one line."""
    lots = context.position
    if not lots:
        orders = sum(order.market == context.market.market_id for order in context.user.orders)
        return f"no {context.market.base} position" + (f", {plural(orders, 'open order')}" if orders else "")
    held = "long" if lots > 0 else "short"
    entry = next((p.entry_fixed for p in context.user.positions if p.market == context.market.market_id), None)
    return f"{held} {size_text(context.market, abs(lots))} from {fixed_price_text(context.market, entry)}"


def field_of_refusal(name: str) -> str:
    """The ticket's field that an engine refusal is shown beside; ``""`` for the line above the button."""
    if name in ("price", "ticks"):
        return "price"
    if name in ("size", "lots", "max_order_lots"):
        return "size"
    return name if name in ("post_only", "reduce_only") else ""
