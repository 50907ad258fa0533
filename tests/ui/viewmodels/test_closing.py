"""What closing costs, in facts."""

from __future__ import annotations

from engine.exchange.config import BTC
from engine.exchange.refusals import WorsensMargin
from tests.support.receipts import sample_receipt
from ui.viewmodels.closing import ClosingCost, closing_cost


def cost(**more) -> ClosingCost:
    fields = {"lots": 1250, "filled": 1250, "size_before": 1250, "realised": -2_500_000, "mark_bps": 2}
    return closing_cost("close", sample_receipt(**{**fields, **more}), BTC, "pUSD")


def fact(found: ClosingCost, name: str) -> tuple[str, str]:
    return next((f.text, f.tone) for f in found.facts if f.name == name)


def test_a_close_names_price_fee_distance_and_profit() -> None:
    found = cost()
    assert [f.name for f in found.facts] == [
        "Close BTC-USD at market", "Average", "Fee pUSD", "Worse than mark", "Realises pUSD",
    ]  # fmt: skip
    assert fact(found, "Realises pUSD") == ("-2.50", "loss")
    assert found.words.startswith("Close BTC-USD at market sell 1.250 BTC, Average 57,413.1")


def test_a_short_is_bought_back() -> None:
    assert cost(size_before=-1250).facts[0].text == "buy 1.250 BTC"


def test_a_price_far_from_the_mark_warns() -> None:
    assert fact(cost(mark_bps=25), "Worse than mark") == ("25 bps", "warn")
    assert fact(cost(mark_bps=-4), "Worse than mark") == ("-4 bps", "normal")


def test_a_thin_book_says_what_stays_open() -> None:
    found = cost(filled=850, cancelled=400)
    assert found.facts[1].name == "Stays open"
    assert fact(found, "Stays open") == ("0.400 BTC", "warn")
    assert cost(filled=850, cancelled=400, beyond_depth=True).facts[1].name == "Stays open at least in part"
    empty = cost(filled=0, cancelled=1250)
    assert [f.name for f in empty.facts] == ["Close BTC-USD at market", "Stays open"]


def test_a_refusal_comes_in_place_of_the_numbers() -> None:
    found = cost(refusal=WorsensMargin())
    assert len(found.facts) == 2
    assert found.facts[1].text == WorsensMargin().message
