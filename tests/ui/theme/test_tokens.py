"""The tokens: complete, readable, and different where a difference is needed."""

import pytest

from engine.errors import CorruptData, UnknownName
from ui.theme.tokens import (
    MINIMUM_CONTRAST,
    MINIMUM_SHAPE_CONTRAST,
    SHAPES,
    TEXT_PAIRS,
    TOKEN_NAMES,
    contrast,
    lightness,
    load_tokens,
    luminance,
    mix,
    theme_names,
    tokens_from,
)


def colors(name):
    tokens = load_tokens(name)
    return {token: getattr(tokens, token) for token in TOKEN_NAMES}


def test_there_is_a_dark_and_a_light_theme():
    assert {"dark", "light"} <= set(theme_names())


@pytest.mark.parametrize("name", theme_names())
def test_every_text_is_readable_on_every_ground_it_is_painted_on(name):
    tokens = load_tokens(name)
    poor = {
        (text, ground): round(contrast(getattr(tokens, text), getattr(tokens, ground)), 2)
        for text, ground in TEXT_PAIRS
        if contrast(getattr(tokens, text), getattr(tokens, ground)) < MINIMUM_CONTRAST
    }
    assert not poor


@pytest.mark.parametrize("name", theme_names())
def test_bid_and_ask_differ_in_lightness_too(name):
    tokens = load_tokens(name)
    assert abs(lightness(tokens.bid) - lightness(tokens.ask)) > 7


@pytest.mark.parametrize("name", theme_names())
def test_candles_stand_out_from_the_panel(name):
    tokens = load_tokens(name)
    assert all(contrast(getattr(tokens, shape), tokens.ground1) >= MINIMUM_SHAPE_CONTRAST for shape in SHAPES)
    assert abs(lightness(tokens.candle_up) - lightness(tokens.candle_down)) > 5


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert luminance("#ffffff") == pytest.approx(1.0)
    assert lightness("#ffffff") == pytest.approx(100.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_mix_ends_at_both_colours():
    assert mix("#102030", "#ffffff", 1.0) == "#102030"
    assert mix("#102030", "#ffffff", 0.0) == "#ffffff"
    assert mix("#000000", "#ffffff", 0.5) == "#808080"


def test_an_unknown_theme_lists_the_valid_ones():
    with pytest.raises(UnknownName, match="dark, light"):
        load_tokens("sepia")


@pytest.mark.parametrize("bad", ["red", "#12345", "#12345g", 7])
def test_a_bad_colour_is_refused_by_name(bad):
    with pytest.raises(CorruptData, match="warn_fill"):
        tokens_from(colors("dark") | {"warn_fill": bad}, "test")


def test_a_missing_or_unknown_token_is_refused_by_name():
    without = {k: v for k, v in colors("dark").items() if k != "bid"}
    with pytest.raises(CorruptData) as missing:
        tokens_from(without, "test")
    assert missing.value.field == "bid"
    with pytest.raises(CorruptData) as unknown:
        tokens_from(colors("dark") | {"mauve": "#000000"}, "test")
    assert unknown.value.field == "mauve"
