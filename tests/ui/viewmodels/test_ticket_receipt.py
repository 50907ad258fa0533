"""The receipt's lines: the engine's figures, nothing of our own."""

from __future__ import annotations

from typing import Any

from engine.exchange.config import BTC, DEFAULT_CONFIG
from engine.exchange.refusals import InsufficientMargin, TooManyOrders
from tests.support.receipts import sample_receipt
from tests.support.sample_snapshot import sample_snapshot
from ui.viewmodels.ticket import TicketContext
from ui.viewmodels.ticket_receipt import LABELS, blank, receipt_view
from ui.viewmodels.wording import NOTHING

SNAPSHOT = sample_snapshot()
assert SNAPSHOT.user is not None
CONTEXT = TicketContext(DEFAULT_CONFIG, BTC, SNAPSHOT.markets[1], SNAPSHOT.user)


def values(limit_ticks: int = 0, **more: Any) -> dict[str, str]:
    view = receipt_view(sample_receipt(**more), limit_ticks, CONTEXT)
    return {figure.label: figure.value for figure in view.figures}


def test_every_line_is_before_and_after() -> None:
    assert values() == {
        "Average fill": "57,413.1",
        "Fills / rests": "0.250 / 0.000 BTC",
        "Fee pUSD, impact": "7.1766, 1 bps",
        "Position": "1.250 → 1.500 BTC",
        "Margin pUSD": "4,577.10 → 5,294.75",
        "Leverage": "4.35x → 5.03x",
        "Health": "87.0 % → 84.9 %",
        "Liquidation at": "51,220.4 → 51,766.0",
    }


def test_a_resting_order_costs_nothing_now() -> None:
    shown = values(574_000, filled=0, resting=250, notional=0, average_fixed=0, fee_taker=0, fee_maker=2_870_000)
    assert shown["Average fill"] == NOTHING
    assert shown["Fills / rests"] == "0.000 / 0.250 BTC"
    assert shown["Fee pUSD, impact"] == "2.8700 maker"


def test_what_is_dropped_and_what_is_beyond_the_book_are_said() -> None:
    assert values(filled=200, cancelled=50)["Fills / rests"] == "0.200 of 0.250 BTC"
    cut = receipt_view(sample_receipt(filled=200, cancelled=50, closed="batch_limit"), 0, CONTEXT)
    assert cut.figures[1].tip == "0.050 BTC would be cancelled unfilled: one batch cannot hold more"
    banded = receipt_view(sample_receipt(filled=200, cancelled=50, closed="worst_price"), 0, CONTEXT)
    assert banded.figures[1].tip.endswith(
        "cancelled unfilled: the other offers are beyond the price band around the mark"
    )
    view = receipt_view(sample_receipt(beyond_depth=True), 0, CONTEXT)
    assert view.figures[0].tone == "warn"
    assert "beyond the visible levels" in view.figures[0].tip


def test_the_value_adds_what_fills_and_what_rests() -> None:
    view = receipt_view(sample_receipt(notional=1_000, resting=10), 574_000, CONTEXT)
    assert view.value == 1_000 + 10 * 574_000 * BTC.tick_value


def test_a_refusal_names_its_field() -> None:
    view = receipt_view(sample_receipt(refusal=InsufficientMargin(5_000_000, 1_000_000)), 0, CONTEXT)
    assert view.refused_field == "size"
    assert "short by 5.00" in view.refusal
    assert receipt_view(sample_receipt(refusal=TooManyOrders(200, 200)), 0, CONTEXT).refused_field == ""


def test_tones_follow_impact_and_distance() -> None:
    calm = receipt_view(sample_receipt(impact_bps=24), 0, CONTEXT).figures
    loud = receipt_view(sample_receipt(impact_bps=25, liquidation_after=560_000), 0, CONTEXT).figures
    assert (calm[2].tone, loud[2].tone) == ("text", "warn")
    assert (calm[7].tone, loud[7].tone) == ("warn", "danger")


def test_no_liquidation_price_and_no_position() -> None:
    shown = values(liquidation_before=None, liquidation_after=None)
    assert shown["Liquidation at"] == f"{NOTHING} → {NOTHING}"


def test_the_blank_receipt_has_the_same_lines() -> None:
    labels = [figure.label for figure in blank("pUSD").figures]
    assert labels == [figure.label for figure in receipt_view(sample_receipt(), 0, CONTEXT).figures]
    assert len(labels) == len(LABELS)
