"""The ticket's form: what it means, what is wrong with it, how large a percentage is, what the button says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProtocolError
from engine.exchange.config import BTC, DEFAULT_CONFIG
from engine.units import PPM
from tests.support.sample_snapshot import sample_snapshot
from ui.viewmodels.ticket import (
    MAX_TICKS,
    TicketContext,
    TicketForm,
    button_words,
    field_of_refusal,
    position_words,
    post_only_reason,
    read_form,
    read_leverage,
    reduce_only_reason,
    reference_ticks,
    size_hint,
    sized_lots,
    slider_leverage,
    slider_share,
    with_sized_text,
)

SNAPSHOT = sample_snapshot()


def context(position: int | None = None) -> TicketContext:
    user = SNAPSHOT.user
    assert user is not None
    if position is not None:
        user = replace(user, account=user.account.with_position(1, position, 0))
    return TicketContext(DEFAULT_CONFIG, BTC, SNAPSHOT.markets[1], user)


def limit(**more: object) -> TicketForm:
    base = TicketForm(market=1, type="limit", price_text="57,412.0", size_text="0.250")
    return replace(base, **more)  # type: ignore[arg-type]


def test_a_limit_order_is_read_exactly() -> None:
    order = read_form(limit(side="sell", post_only=True), context()).order
    assert order is not None
    assert (order.type, order.side, order.price, order.lots, order.tif, order.post_only) == (
        "limit", "sell", 574_120, 250, "gtc", True,
    )  # fmt: skip
    assert order.account == DEFAULT_CONFIG.first_user_account


def test_a_market_order_reads_no_price_and_is_ioc() -> None:
    order = read_form(TicketForm(market=1, price_text="nonsense", size_text="0.5k", post_only=True), context()).order
    assert order is not None
    assert (order.price, order.lots, order.tif, order.post_only) == (0, 500_000, "ioc", False)


def test_suffixes_and_separators() -> None:
    reading = read_form(limit(price_text="57.4k", size_text="1_0"), context())
    assert reading.order is not None
    assert (reading.order.price, reading.order.lots) == (574_000, 10_000)


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("price_text", "", "enter a price"),
        ("price_text", "abc", "not a number"),
        ("price_text", "57412.05", "more than 1 decimal"),
        ("price_text", "0", "must lie in"),
        ("price_text", "-5", "must lie in"),
        ("price_text", "9" * 30, "must lie in"),
        ("price_text", "nan", "not a finite number"),
        ("size_text", "", "enter a size"),
        ("size_text", "0.0001", "more than 3 decimals"),
        ("size_text", "0", "must lie in"),
        ("size_text", "1000.001", "1,000.000 BTC"),
        ("size_text", "1e99", "not a finite number"),
    ],
)
def test_bad_text_names_its_field_and_limit(name: str, text: str, part: str) -> None:
    reading = read_form(limit(**{name: text}), context())
    assert reading.order is None
    assert set(reading.errors) == {name.removesuffix("_text")}
    assert part in reading.errors[name.removesuffix("_text")]


def test_the_largest_order_and_price_are_accepted() -> None:
    reading = read_form(limit(size_text="1000.000", price_text=f"{MAX_TICKS // 10}.{MAX_TICKS % 10}"), context())
    assert reading.order is not None
    assert (reading.order.lots, reading.order.price) == (BTC.max_order_lots, MAX_TICKS)


def test_options_say_why_they_are_not_available() -> None:
    assert post_only_reason(limit()) == ""
    assert "IOC" in post_only_reason(limit(tif="ioc"))
    assert "market" in post_only_reason(TicketForm(market=1))
    assert "no BTC position" in reduce_only_reason(limit(), context(0))
    assert "long" in reduce_only_reason(limit(), context(5))
    assert reduce_only_reason(limit(side="sell"), context(5)) == ""
    assert reduce_only_reason(limit(side="buy"), context(-5)) == ""


def test_an_unavailable_option_is_not_sent() -> None:
    order = read_form(limit(tif="ioc", post_only=True, reduce_only=True), context(5)).order
    assert order is not None
    assert (order.post_only, order.reduce_only) == (False, False)


def test_the_touch_values_a_market_order_and_the_mark_stands_in() -> None:
    here = context()
    assert reference_ticks(TicketForm(market=1, side="buy"), here) == here.view.asks[0, 0]
    assert reference_ticks(TicketForm(market=1, side="sell"), here) == here.view.bids[0, 0]
    empty = np.zeros((0, 3), dtype=np.int64)
    bare = replace(here, view=replace(here.view, asks=empty, bids=empty))
    assert reference_ticks(TicketForm(market=1), bare) == 574_123
    assert reference_ticks(limit(price_text="x"), here) is None


@given(st.sampled_from((10, 25, 50, 75, 100)), st.integers(10, 200), st.integers(-(10**9), 10**13))
def test_a_percentage_leaves_room_for_the_fee_and_wastes_less_than_a_lot(
    percent: int, tenths: int, equity: int
) -> None:
    here = context()
    here = replace(here, user=replace(here.user, equity=equity))
    lots = sized_lots(limit(percent=percent, leverage_tenths=tenths), here)
    assert lots is not None
    lot_value = 574_120 * BTC.tick_value

    def affordable(count: int) -> bool:
        value = count * lot_value
        after_fee = equity * PPM - value * DEFAULT_CONFIG.taker_fee_ppm
        return value * PPM * 1000 <= percent * tenths * after_fee

    assert lots == 0 or affordable(lots)
    if equity > 0 and lots < BTC.max_order_lots:
        assert not affordable(lots + 2)


def test_a_reducing_percentage_is_of_the_position() -> None:
    here = context(1_251)
    assert sized_lots(limit(side="sell", reduce_only=True, percent=50), here) == 625
    assert "50 % of the position" in size_hint(limit(side="sell", reduce_only=True, size_text="0.625"), here)


def test_a_percentage_fills_the_size_box_and_typing_stands() -> None:
    sized = with_sized_text(limit(percent=25, leverage_tenths=50, size_text=""), context())
    assert sized.size_text == "0.457"
    assert with_sized_text(limit(size_text="0.1"), context()).size_text == "0.1"


def test_leverage_text_and_slider() -> None:
    assert BTC.max_leverage == 20
    assert read_leverage("2.5x", BTC) == 25
    for text in ("0.9", "20.1", "", "x", "2.55"):
        with pytest.raises(ProtocolError) as caught:
            read_leverage(text, BTC)
        assert caught.value.field == "leverage"
    assert (slider_share(10, BTC), slider_share(200, BTC)) == (0, 1)
    for tenths in range(10, 201):
        assert slider_leverage(slider_share(tenths, BTC), BTC) == tenths


def test_the_button_says_what_it_does() -> None:
    here = context()
    market = TicketForm(market=1, size_text="0.250")
    assert button_words(market, here, read_form(market, here), 15_012_340_000) == (
        "Buy 0.250 BTC at market, about 15,012.34 pUSD"
    )
    order = limit(side="sell")
    assert button_words(order, here, read_form(order, here), None) == "Sell 0.250 BTC at 57,412.0, 14,353.00 pUSD"
    reducing = limit(side="sell", reduce_only=True)
    assert "to reduce" in button_words(reducing, here, read_form(reducing, here), None)
    nothing = limit(price_text="", size_text="")
    assert button_words(nothing, here, read_form(nothing, here), None) == "Buy BTC: enter a price and a size"


def test_position_words_and_refusal_fields() -> None:
    assert position_words(context()) == "long 1.250 BTC from 56,987.1"
    assert position_words(context(0)) == "no BTC position, 4 open orders"
    assert [field_of_refusal(name) for name in ("lots", "price", "reduce_only", "account", "")] == [
        "size", "price", "reduce_only", "", "",
    ]  # fmt: skip
