"""The account in figures and words, and the limits of moving money."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import ProtocolError
from engine.exchange.config import DEFAULT_CONFIG
from tests.support.sample_snapshot import sample_account
from ui.viewmodels.account import (
    IN_DELEVERAGING,
    NOTHING_TO_WITHDRAW,
    deposit_changes,
    figures,
    key_words,
    l1_figures,
    limit_words,
    nearest_liquidation,
    read_deposit,
    read_withdrawal,
    ring_state,
    withdrawal_changes,
)

USER = sample_account()


def test_the_ring_is_health_with_the_initial_mark() -> None:
    state = ring_state(USER, DEFAULT_CONFIG)
    assert USER.health_ppm is not None
    assert state.filled == USER.health_ppm / 1_000_000
    assert state.initial_mark == pytest.approx(0.4, abs=1e-6)  # 3 % of 5 %
    assert (state.centre, state.tone) == ("87.0 %", "gain")
    assert state.words == "BTC: 10.8 % to liquidation at 51,220.4"


@pytest.mark.parametrize(
    ("ppm", "tone", "filled"),
    [(250_000, "gain", 0.25), (249_999, "warn", 0.249999), (99_999, "danger", 0.099999), (-1_000_000, "danger", 0.0)],
)
def test_the_ring_warns_in_tiers(ppm: int, tone: str, filled: float) -> None:
    state = ring_state(replace(USER, health_ppm=ppm), DEFAULT_CONFIG)
    assert (state.tone, state.filled) == (tone, filled)


def test_without_positions_nothing_can_be_liquidated() -> None:
    state = ring_state(replace(USER, health_ppm=None, positions=()), DEFAULT_CONFIG)
    assert (state.filled, state.centre) == (1.0, "safe")


def test_the_nearest_liquidation_is_chosen_by_distance() -> None:
    btc, eth = USER.positions
    near = replace(eth, liquidation_price=250_000)
    assert nearest_liquidation(replace(USER, positions=(btc, near)), DEFAULT_CONFIG).startswith("ETH: 1.1 %")
    none = replace(USER, positions=(replace(btc, liquidation_price=None),))
    assert nearest_liquidation(none, DEFAULT_CONFIG) == "no price would liquidate these positions"


def test_figures_and_tones() -> None:
    shown = {figure.label: figure for figure in figures(USER, DEFAULT_CONFIG)}
    assert shown["Equity pUSD"].value == "21,044.32"
    assert shown["Leverage"].value == "4.35x"
    broke = figures(replace(USER, equity=0, free_collateral=-1), DEFAULT_CONFIG)
    assert (broke[0].tone, broke[1].tone) == ("danger", "warn")
    assert [figure.tone for figure in l1_figures(USER, DEFAULT_CONFIG)] == ["text", "text_weak", "proved"]
    assert key_words(USER) == "demo key 0x529084…9ee7, test tokens only"
    assert key_words(replace(USER, demo_key=False)) == "key 0x529084…9ee7"


def test_amounts_are_read_to_the_quantum_and_bounded() -> None:
    assert read_withdrawal("2.5k", USER, DEFAULT_CONFIG) == 2_500_000_000
    assert read_withdrawal("0.000001", USER, DEFAULT_CONFIG) == 1
    whole = f"{USER.withdrawable // 10**6}.{USER.withdrawable % 10**6:06d}"
    assert read_withdrawal(whole, USER, DEFAULT_CONFIG) == USER.withdrawable
    assert read_deposit("79400", USER) == USER.l1_token_balance


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "0.0000001", "15935.593302", "1e9"])
def test_amounts_out_of_bounds_name_the_limit(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_withdrawal(text, USER, DEFAULT_CONFIG)
    assert caught.value.field == "amount"
    assert caught.value.limit is not None


def test_a_deposit_beyond_the_wallet_is_refused() -> None:
    with pytest.raises(ProtocolError, match="79,400.00"):
        read_deposit("79400.000001", USER)


def test_changes_show_before_and_after() -> None:
    shown = {figure.label: figure.value for figure in withdrawal_changes(2_500_000_000, USER)}
    assert shown["Equity"] == "21,044.32 → 18,544.32"
    assert shown["Leverage"] == "4.35x → 4.94x"
    assert shown["Health"] == "87.0 % → 85.2 %"
    deposited = {figure.label: figure.value for figure in deposit_changes(10**9, USER)}
    assert deposited["L1 wallet"] == "79,400.00 → 78,400.00"


def test_limits_are_said() -> None:
    assert limit_words(USER, DEFAULT_CONFIG) == "0.000001 to 15,935.593301 pUSD"


def test_what_is_kept_back_is_said_with_its_reason() -> None:
    kept = replace(USER, kept_back=1_500_000)
    shown = {figure.label: figure for figure in figures(kept, DEFAULT_CONFIG)}["Withdrawable"]
    words = "1.50 pUSD kept back: an account on the other side owes it (deleveraging)"
    assert (shown.tone, shown.tip) == ("warn", f"0.000001 to 15,935.593301 pUSD; {words}")
    bound = replace(kept, withdrawable=0)
    assert limit_words(bound, DEFAULT_CONFIG) == words
    shown = {figure.label: figure for figure in figures(bound, DEFAULT_CONFIG)}["Withdrawable"]
    assert shown.tip == words


@pytest.mark.parametrize("health", [None, -1_000_000])
def test_an_account_in_deleveraging_is_told_so(health: int | None) -> None:
    state = ring_state(replace(USER, in_deleveraging=True, health_ppm=health), DEFAULT_CONFIG)
    assert (state.filled, state.tone, state.words) == (0.0, "danger", IN_DELEVERAGING)


def test_an_account_whose_margin_needs_everything_is_told_so() -> None:
    bound = replace(USER, withdrawable=0)
    assert limit_words(bound, DEFAULT_CONFIG) == NOTHING_TO_WITHDRAW
    with pytest.raises(ProtocolError, match="no free collateral"):
        read_withdrawal("1", bound, DEFAULT_CONFIG)
