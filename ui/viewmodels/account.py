"""The account panel without its widgets: figures, health in words, and the deposit and withdrawal forms."""

from __future__ import annotations

from dataclasses import dataclass

from app.snapshot.views import AccountView
from engine.errors import OutOfRange, ProtocolError
from engine.exchange.config import VenueConfig
from engine.units import PPM, parse_decimal
from ui.viewmodels.wording import (
    ARROW,
    NOTHING,
    Tone,
    distance_ppm,
    exact_money_text,
    health_words,
    leverage_text,
    money_text,
    percent_text,
    short_hex,
)

COLLATERAL_DECIMALS = 6
UNPROVED_TIP = "already counted in equity; the contract holds it as pending until a proved batch includes it"
IN_DELEVERAGING = "in deleveraging: worth less than nothing, closed as soon as opposing accounts can take it"
NOTHING_TO_WITHDRAW = "nothing to withdraw: no free collateral"
WARN_PPM, DANGER_PPM = PPM // 4, PPM // 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A labelled value. ``tip`` says what it means or how it is computed."""

    label: str
    value: str
    tone: Tone = "text"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class RingState:
    """The health ring. Fractions of the full circle: ``filled`` is health, ``initial_mark`` where new risk stops."""

    filled: float
    initial_mark: float | None
    tone: Tone
    centre: str
    words: str


def ring_state(user: AccountView, config: VenueConfig) -> RingState:
    """Health = (equity - maintenance margin) / equity, as a ring and in words."""
    if user.in_deleveraging:
        return RingState(0.0, None, "danger", percent_text(0), IN_DELEVERAGING)
    if user.health_ppm is None:
        return RingState(1.0, None, "gain", "safe", "no positions, nothing to liquidate")
    health = max(0, min(PPM, user.health_ppm))
    tone: Tone = "gain" if health >= WARN_PPM else "warn" if health >= DANGER_PPM else "danger"
    initial = None
    if user.equity > 0 and user.initial_margin:
        # Health at which equity equals the initial margin: the margins scale together, so 1 - maintenance / initial.
        initial = 1 - user.maintenance_margin / user.initial_margin
    return RingState(health / PPM, initial, tone, percent_text(user.health_ppm), nearest_liquidation(user, config))


def nearest_liquidation(user: AccountView, config: VenueConfig) -> str:
    """The position whose liquidation price is nearest its mark, in words."""
    nearest: tuple[int, str] | None = None
    for position in user.positions:
        if position.liquidation_price is None:
            continue
        market = config.market(position.market)
        distance = distance_ppm(market, position.mark_fixed, position.liquidation_price)
        words = f"{market.base}: {health_words(market, position.mark_fixed, position.liquidation_price)}"
        if nearest is None or distance < nearest[0]:
            nearest = (distance, words)
    return nearest[1] if nearest else "no price would liquidate these positions"


def figures(user: AccountView, config: VenueConfig) -> tuple[Figure, ...]:
    """The account's figures, most watched first. All in collateral but leverage."""
    equity_tone: Tone = "danger" if user.equity <= 0 else "text_strong"
    free_tone: Tone = "warn" if user.free_collateral <= 0 and user.positions else "text"
    return (
        Figure(
            f"Equity {config.collateral_symbol}",
            money_text(user.equity),
            equity_tone,
            "collateral plus positions at the mark price",
        ),
        Figure("Free collateral", money_text(user.free_collateral), free_tone, "equity minus initial margin"),
        Figure("Leverage", leverage_text(user.leverage_ppm), "text", "value of the positions divided by equity"),
        Figure("Initial margin", money_text(user.initial_margin), "text", "required to open or add to positions"),
        Figure(
            "Maintenance", money_text(user.maintenance_margin), "text", "liquidation starts when equity falls below it"
        ),
        _withdrawable(user, config),
    )


def _withdrawable(user: AccountView, config: VenueConfig) -> Figure:
    kept = kept_back_words(user, config)
    words = limit_words(user, config)
    tip = words if kept in ("", words) else f"{words}; {kept}"
    return Figure("Withdrawable", money_text(user.withdrawable), "warn" if kept else "text", tip)


def l1_figures(user: AccountView, config: VenueConfig) -> tuple[Figure, ...]:
    """The money on L1: in the wallet, on its way in, and waiting to be claimed."""
    pending: Tone = "pending" if user.l1_pending_deposit else "text_weak"
    claimable: Tone = "proved" if user.l1_claimable else "text_weak"
    return (
        Figure(
            f"L1 wallet {config.collateral_symbol}",
            money_text(user.l1_token_balance),
            "text",
            f"exactly {exact_money_text(user.l1_token_balance)}, token balance of {address_words(user)}",
        ),
        Figure("Pending deposit", money_text(user.l1_pending_deposit), pending, UNPROVED_TIP),
        Figure("Claimable", money_text(user.l1_claimable), claimable, _claimable_tip(user)),
    )


def _claimable_tip(user: AccountView) -> str:
    exact = f"exactly {exact_money_text(user.l1_claimable)}, " if user.l1_claimable else ""
    return f"{exact}withdrawn and proved; claim it on L1"


def address_words(user: AccountView) -> str:
    """The L1 address, shortened."""
    return short_hex(user.l1_address.hex())


def key_words(user: AccountView) -> str:
    """Whose key this is."""
    return f"demo key {address_words(user)}, test tokens only" if user.demo_key else f"key {address_words(user)}"


def limit_words(user: AccountView, config: VenueConfig) -> str:
    """The withdrawal's limits in words."""
    symbol = config.collateral_symbol
    if user.withdrawable < config.min_withdrawal:
        return kept_back_words(user, config) or NOTHING_TO_WITHDRAW
    least = exact_money_text(config.min_withdrawal) if config.min_withdrawal >= 10_000 else "0.000001"
    return f"{least} to {exact_money_text(max(0, user.withdrawable))} {symbol}"


def kept_back_words(user: AccountView, config: VenueConfig) -> str:
    """What cannot be withdrawn because another account's loss is not paid yet, ``""`` for nothing."""
    if not user.kept_back:
        return ""
    amount = f"{exact_money_text(user.kept_back)} {config.collateral_symbol}"
    return f"{amount} kept back: an account on the other side owes it (deleveraging)"


def deposit_limit_words(user: AccountView, config: VenueConfig) -> str:
    """The deposit's limits in words."""
    return f"0.000001 to {exact_money_text(user.l1_token_balance)} {config.collateral_symbol}"


def read_deposit(text: str, user: AccountView) -> int:
    """Quanta to deposit; raises a :class:`ProtocolError` naming the amount and its limit."""
    amount = _amount(text)
    if not 1 <= amount <= user.l1_token_balance:
        raise OutOfRange("amount", exact_money_text(amount), "0.000001", exact_money_text(user.l1_token_balance))
    return amount


def read_withdrawal(text: str, user: AccountView, config: VenueConfig) -> int:
    """Quanta to withdraw; raises a :class:`ProtocolError`.

    The engine checks margin again when it applies the request; this bound only saves the user the round trip.
    """
    amount = _amount(text)
    limit = max(0, user.withdrawable)
    if limit < config.min_withdrawal:
        raise ProtocolError(NOTHING_TO_WITHDRAW, field="amount", value=text, limit=limit)
    if not config.min_withdrawal <= amount <= limit:
        low = "0.000001" if config.min_withdrawal == 1 else exact_money_text(config.min_withdrawal)
        raise OutOfRange("amount", exact_money_text(amount), low, exact_money_text(limit))
    return amount


def exact_amount_text(amount: int, config: VenueConfig | None) -> str:
    """An amount to the last quantum, with the collateral's symbol when a config is given."""
    text = exact_money_text(amount)
    return f"{text} {config.collateral_symbol}" if config else text


def _amount(text: str) -> int:
    if not text.strip():
        raise ProtocolError("enter an amount", field="amount", value=text, limit="a number")
    return parse_decimal(text, COLLATERAL_DECIMALS, field="amount")


def deposit_changes(amount: int, user: AccountView) -> tuple[Figure, ...]:
    """Before and after of a deposit: it is pending until a proved batch includes it."""
    return (
        _change("L1 wallet", user.l1_token_balance, user.l1_token_balance - amount),
        _change("Equity once credited", user.equity, user.equity + amount),
        Figure("Leverage", f"{leverage_text(user.leverage_ppm)} {ARROW} {_leverage(user, user.equity + amount)}"),
    )


def withdrawal_changes(amount: int, user: AccountView) -> tuple[Figure, ...]:
    """Before and after of a withdrawal request."""
    equity = user.equity - amount
    health = NOTHING if user.health_ppm is None else percent_text(health_after(user, equity))
    return (
        _change("Equity", user.equity, equity),
        _change("Free collateral", user.free_collateral, user.free_collateral - amount),
        Figure("Leverage", f"{leverage_text(user.leverage_ppm)} {ARROW} {_leverage(user, equity)}"),
        Figure("Health", f"{percent_text(user.health_ppm)} {ARROW} {health}"),
    )


def health_after(user: AccountView, equity: int) -> int | None:
    """Health in millionths at another equity and the same positions; None without equity."""
    return (equity - user.maintenance_margin) * PPM // equity if equity > 0 else None


def _leverage(user: AccountView, equity: int) -> str:
    notional = sum(position.notional for position in user.positions)
    return leverage_text(notional * PPM // equity) if equity > 0 else NOTHING


def _change(label: str, before: int, after: int) -> Figure:
    return Figure(label, f"{money_text(before)} {ARROW} {money_text(after)}")
