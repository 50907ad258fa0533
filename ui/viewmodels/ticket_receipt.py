"""The engine's receipt as before-and-after lines. Nothing here computes margin: every figure is the engine's own."""

from __future__ import annotations

from dataclasses import dataclass

from engine.sequencer.preview import Receipt
from engine.units import QUANTUM
from ui.viewmodels.account import Figure
from ui.viewmodels.ticket import TicketContext, field_of_refusal
from ui.viewmodels.wording import (
    ARROW,
    NOTHING,
    Tone,
    distance_ppm,
    fixed_price_text,
    health_tone,
    leverage_text,
    money_text,
    notional_quanta,
    percent_text,
    price_text,
    size_text,
)

LARGE_IMPACT_BPS = 25
COST_TIP = "taker fee now and how far the average is from the best price; maker fee when the rest fills"
LABELS = (
    "Average fill",
    "Fills / rests",
    "Fee {symbol}, impact",
    "Position",
    "Margin {symbol}",
    "Leverage",
    "Health",
    "Liquidation at",
)


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt ready to show. ``value``: quanta the filled part costs plus what the resting part is worth."""

    figures: tuple[Figure, ...]
    value: int
    refusal: str
    refused_field: str


def blank(symbol: str, refusal: str = "", refused_field: str = "") -> ReceiptView:
    """A receipt without figures: there is no order yet, or the engine refused to price it."""
    figures = tuple(Figure(label.format(symbol=symbol), NOTHING, "text_weak") for label in LABELS)
    return ReceiptView(figures, 0, refusal, refused_field)


def receipt_view(receipt: Receipt, limit_ticks: int, context: TicketContext) -> ReceiptView:
    """The receipt of one order, before and after. ``limit_ticks``: 0 for a market order."""
    symbol = context.config.collateral_symbol
    refusal = receipt.refusal
    return ReceiptView(
        figures=(*_execution(receipt, context, symbol), *_standing(receipt, context, symbol)),
        value=receipt.notional + notional_quanta(context.market, limit_ticks, receipt.resting),
        refusal=refusal.message if refusal else "",
        refused_field=field_of_refusal(refusal.field) if refusal else "",
    )


def _execution(receipt: Receipt, context: TicketContext, symbol: str) -> tuple[Figure, ...]:
    average = fixed_price_text(context.market, receipt.average_fixed) if receipt.filled else NOTHING
    average_tip = "average over the levels it would take"
    if receipt.beyond_depth:
        average_tip = "the order reaches beyond the visible levels; the true average is worse"
    impact: Tone = "warn" if receipt.impact_bps >= LARGE_IMPACT_BPS else "text"
    return (
        Figure(LABELS[0], average, "warn" if receipt.beyond_depth else "text_strong", average_tip),
        _split(receipt, context),
        Figure(LABELS[2].format(symbol=symbol), fee_words(receipt), impact, COST_TIP),
    )


CANCELLED_FOR = {
    "batch_limit": ": one batch cannot hold more",
    "worst_price": ": the other offers are beyond the price band around the mark",
    "index_unconfirmed": ": an index reading is under confirmation, and the next offer depends on it",
}


def _split(receipt: Receipt, context: TicketContext) -> Figure:
    if not receipt.cancelled:
        return Figure(LABELS[1], split_words(receipt, context), tip="what fills at once and what rests on the book")
    tip = f"{size_text(context.market, receipt.cancelled)} would be cancelled unfilled"
    tip += CANCELLED_FOR.get(receipt.closed, "")
    return Figure(LABELS[1], split_words(receipt, context), "warn", tip)


def split_words(receipt: Receipt, context: TicketContext) -> str:
    """How the order splits into filled and resting, and of how much when a part of it is dropped."""
    market = context.market
    filled, resting = (size_text(market, lots, unit=False) for lots in (receipt.filled, receipt.resting))
    if receipt.cancelled:
        return f"{filled} of {size_text(market, receipt.lots)}"
    return f"{filled} / {resting} {market.base}"


def fee_words(receipt: Receipt) -> str:
    """Fee and impact of what fills now, and the fee of the resting part."""
    taker = f"{_fee(receipt.fee_taker)}, {receipt.impact_bps} bps" if receipt.filled else ""
    maker = f"{_fee(receipt.fee_maker)} maker" if receipt.resting else ""
    return "; ".join(part for part in (taker, maker) if part) or NOTHING


def _fee(quanta: int) -> str:
    """Small fees with their small decimals; cents are enough for large ones, and fit."""
    return money_text(quanta, decimals=4 if abs(quanta) < 1_000 * QUANTUM else 2)


def _standing(receipt: Receipt, context: TicketContext, symbol: str) -> tuple[Figure, ...]:
    before, after, market = receipt.margin_before, receipt.margin_after, context.market
    distance = None
    if receipt.liquidation_after is not None:
        distance = distance_ppm(market, context.view.mark_fixed, receipt.liquidation_after)
    position = f"{size_text(market, receipt.size_before, unit=False)} {ARROW} {size_text(market, receipt.size_after)}"
    return (
        Figure(LABELS[3], position),
        _change(
            LABELS[4].format(symbol=symbol),
            money_text(before.initial_margin + before.reserved_margin),
            money_text(after.initial_margin + after.reserved_margin),
            tip="initial margin of positions and open orders",
        ),
        _change(LABELS[5], leverage_text(before.leverage_ppm), leverage_text(after.leverage_ppm)),
        _change(LABELS[6], percent_text(before.health_ppm), percent_text(after.health_ppm)),
        _change(
            LABELS[7],
            price_text(market, receipt.liquidation_before),
            price_text(market, receipt.liquidation_after),
            health_tone(distance),
            "" if distance is None else f"{percent_text(distance)} from the mark",
        ),
    )


def _change(label: str, before: str, after: str, tone: Tone = "text", tip: str = "") -> Figure:
    return Figure(label, f"{before} {ARROW} {after}", tone, tip)
