"""Integers to words: rounding at its boundaries, signs, ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.config import BTC, ETH
from engine.units import FIXED_ONE, SECOND
from ui.viewmodels.wording import (
    NOTHING,
    aligned_price_text,
    bytes_text,
    distance_ppm,
    exact_money_text,
    fixed_price_text,
    gas_text,
    health_tone,
    health_words,
    leverage_text,
    money_text,
    percent_text,
    price_text,
    range_text,
    rounded_ratio,
    seconds_text,
    short_hex,
    size_text,
    stamp_text,
    ticks_of_fixed,
)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_rounded_ratio_is_within_half_and_symmetric(numerator: int, denominator: int) -> None:
    value = rounded_ratio(numerator, denominator)
    assert abs(2 * (value * denominator - numerator)) <= denominator
    assert rounded_ratio(-numerator, denominator) == -value


def test_rounded_ratio_takes_halves_away_from_zero() -> None:
    assert [rounded_ratio(n, 2) for n in (-3, -1, 1, 3)] == [-2, -1, 1, 2]


@given(st.integers(1, 10**9))
def test_a_book_price_survives_the_fixed_format(ticks: int) -> None:
    for market in (BTC, ETH):
        assert ticks_of_fixed(market, ticks * market.tick_value * FIXED_ONE) == ticks


def test_prices_keep_their_tick_decimals_and_align() -> None:
    assert price_text(BTC, 574_120) == "57,412.0"
    assert price_text(ETH, 247_210) == "2,472.10"
    assert fixed_price_text(BTC, 0) == NOTHING
    btc, eth = aligned_price_text(BTC, 574_120, 2), aligned_price_text(ETH, 247_210, 2)
    assert len(btc) - btc.index(".") == len(eth) - eth.index(".")


def test_sizes_and_money_carry_signs() -> None:
    assert size_text(BTC, -1250, sign=True) == "-1.250 BTC"
    assert size_text(BTC, 1250, sign=True, unit=False) == "+1.250"
    assert money_text(531_612_500, sign=True) == "+531.61"
    assert money_text(-4_999, sign=True) == "0.00"
    assert money_text(None) == NOTHING


@pytest.mark.parametrize(
    ("quanta", "text"),
    [(1, "0.000001"), (1_250_440_000, "1,250.44"), (2_500_000_000, "2,500.00"), (-1_500_000, "-1.50")],
)
def test_exact_money_keeps_every_quantum(quanta: int, text: str) -> None:
    assert exact_money_text(quanta) == text


def test_ratios() -> None:
    assert leverage_text(4_345_000) == "4.35x"
    assert leverage_text(10**12) == NOTHING  # next to no equity: no leverage to speak of
    assert percent_text(869_499) == "86.9 %"
    assert percent_text(869_500) == "87.0 %"
    assert percent_text(-1_000_000) == "-100.0 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.21, "210 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (7260, "2 h 01 min"),
    ],
)
def test_durations_at_the_borders_of_their_units(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_ranges_name_the_unit_once() -> None:
    assert range_text(11, 19.2) == "11–19 s"
    assert range_text(0.4, 1.2) == "0.4–1.2 s"
    assert range_text(45, 130) == "1–2 min"
    assert range_text(1800, 5400) == "0.5–1.5 h"
    assert range_text(12.1, 12.3) == "≈ 12 s"


def test_health_in_words() -> None:
    mark = 574_120 * BTC.tick_value * FIXED_ONE
    assert health_words(BTC, mark, 512_204) == "10.8 % to liquidation at 51,220.4"
    assert "no liquidation price" in health_words(BTC, mark, None)
    assert distance_ppm(BTC, mark, 574_120) == 0
    assert [health_tone(ppm) for ppm in (None, 49_999, 50_000, 99_999, 100_000)] == [
        "text", "danger", "warn", "warn", "text",
    ]  # fmt: skip


def test_small_things() -> None:
    assert stamp_text(1_723_111_405 * SECOND) == "10:03:25"
    assert stamp_text(None) == NOTHING
    assert [bytes_text(n) for n in (999, 412_880, 48_220_160)] == ["999 B", "413 kB", "48.22 MB"]
    assert short_hex("0x" + "ab" * 20) == "0xababab…abab"
    assert short_hex("0xabcd") == "0xabcd"
    assert short_hex("") == NOTHING


@pytest.mark.parametrize(
    ("gas", "words"), [(0, "–"), (214_300, "214k gas"), (999_600, "1.0M gas"), (17_312_000, "17.3M gas")]
)
def test_gas_is_told_in_thousands_or_millions(gas: int, words: str) -> None:
    assert gas_text(gas) == words
