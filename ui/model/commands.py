"""Everything the user can ask for, as data: menus, keys, the toolbar and the command palette are made from it.

A command knows what it is called, what it does to a :class:`Desk`, and when it cannot be done: ``enabled`` gives the
reason in the user's words, or "".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from engine.exchange.config import MarketConfig
from ui.model.contexts import SPEEDS, Context
from ui.model.desk import Desk
from ui.model.panels import PanelSpec

Group = Literal["Desk", "View", "Market", "Clock", "Trade", "Help"]
GROUPS: tuple[Group, ...] = get_args(Group)


def always(_context: Context) -> str:
    """Never refused."""
    return ""


@dataclass(frozen=True, slots=True)
class Command:
    """``command_id`` like ``view.theme``; ``group`` is its menu; ``checked`` makes it a toggle; ``keywords`` are more
    words by which the palette finds it.
    """

    command_id: str
    title: str
    group: Group
    run: Callable[[Desk], None]
    keys: str = ""
    enabled: Callable[[Context], str] = always
    checked: Callable[[Context], bool] | None = None
    keywords: str = ""


# -- when a command cannot be done -------------------------------------------------------------------------------------


def venue_runs(context: Context) -> str:
    """Refused while the venue takes no commands."""
    return context.stopped


def has_account(context: Context) -> str:
    """Refused before the first deposit is credited."""
    return context.stopped or ("" if context.has_account else "there is no account yet")


def has_orders(context: Context) -> str:
    """Refused with nothing to cancel."""
    return has_account(context) or ("" if context.orders else "no orders are resting")


def has_position(context: Context) -> str:
    """Refused without a position in the desk's market."""
    return has_account(context) or ("" if context.position else f"no position in {context.symbol}")


def has_wallet(context: Context) -> str:
    """Refused with an empty L1 wallet."""
    return has_account(context) or ("" if context.wallet else "the L1 wallet is empty")


def can_withdraw(context: Context) -> str:
    """Refused when margin needs everything."""
    return has_account(context) or ("" if context.withdrawable > 0 else "no free collateral")


def can_claim(context: Context) -> str:
    """Refused with nothing credited on L1."""
    return has_account(context) or ("" if context.claimable else "nothing to claim on L1")


def has_proof(context: Context) -> str:
    """Refused before the first proof."""
    return "" if context.has_proof else "no batch has been proved yet"


def can_go_faster(context: Context) -> str:
    """Refused at the fastest offered speed."""
    return context.stopped or ("" if context.speed < SPEEDS[-1] else "this is the fastest speed")


def can_go_slower(context: Context) -> str:
    """Refused at the slowest offered speed."""
    return context.stopped or ("" if context.speed > SPEEDS[0] else "this is the slowest speed")


def is_not_real_time(context: Context) -> str:
    """Refused at 1x."""
    return context.stopped or ("" if context.speed != 1.0 else "the clock already runs in real time")


# -- the commands ------------------------------------------------------------------------------------------------------

DESK = (
    Command("desk.palette", "Command palette", "Desk", lambda desk: desk.open_palette(), "Ctrl+K",
            keywords="search find"),
    Command("desk.quit", "Quit", "Desk", lambda desk: desk.quit(), "Ctrl+Q", keywords="exit close"),
)  # fmt: skip
INSPECT = Command(
    "view.inspect", "Inspect the newest proof", "View", lambda desk: desk.inspect(), "Ctrl+I", has_proof,
    keywords="verify export batch stark",
)  # fmt: skip
LAYOUT = (
    Command("view.reset", "Reset layout", "View", lambda desk: desk.reset_layout(),
            keywords="default workspace panels"),
    Command("view.theme", "Light theme", "View", lambda desk: desk.toggle_theme(), "Ctrl+Shift+L",
            checked=lambda context: context.window.theme == "light", keywords="dark bright colour color"),
)  # fmt: skip
CLOCK = (
    Command("clock.pause", "Pause or resume the clock", "Clock", lambda desk: desk.toggle_pause(), "Ctrl+Space",
            venue_runs, keywords="stop start"),
    Command("clock.faster", "Faster clock", "Clock", lambda desk: desk.step_speed(1), "Ctrl+.", can_go_faster),
    Command("clock.slower", "Slower clock", "Clock", lambda desk: desk.step_speed(-1), "Ctrl+,", can_go_slower),
    Command("clock.real", "Real time (1x)", "Clock", lambda desk: desk.set_speed(1.0), "Ctrl+0", is_not_real_time),
)  # fmt: skip
TRADE = (
    Command("trade.cancel_all", "Cancel all my orders", "Trade", lambda desk: desk.cancel_all_orders(), "Ctrl+Shift+X",
            has_orders, keywords="panic flatten stop"),
    Command("trade.close", "Close my position in this market", "Trade", lambda desk: desk.close_position(),
            enabled=has_position, keywords="flatten exit reduce"),
    Command("trade.deposit", "Deposit", "Trade", lambda desk: desk.open_transfer("deposit"), enabled=has_wallet,
            keywords="fund money l1"),
    Command("trade.withdraw", "Withdraw", "Trade", lambda desk: desk.open_transfer("withdraw"), enabled=can_withdraw,
            keywords="money l1"),
    Command("trade.claim", "Claim withdrawals on L1", "Trade", lambda desk: desk.claim(), enabled=can_claim,
            keywords="money collect"),
)  # fmt: skip
HELP = (Command("help.keys", "Keyboard shortcuts", "Help", lambda desk: desk.open_palette(), "F1", keywords="keys"),)


def desk_commands(
    panels: Iterable[PanelSpec], markets: Iterable[MarketConfig], densities: Iterable[str]
) -> tuple[Command, ...]:
    """All commands of a desk with these panels, markets and densities, in the order of the menus."""
    panels = tuple(panels)
    return (
        *DESK,
        *(_go_to(panel) for panel in panels),
        INSPECT,
        *(_show(panel) for panel in panels),
        *LAYOUT,
        *(_use_density(name) for name in densities),
        *(_choose_market(market, number) for number, market in enumerate(markets, start=1)),
        *CLOCK,
        *TRADE,
        *HELP,
    )


def _go_to(panel: PanelSpec) -> Command:
    panel_id = panel.panel_id
    return Command(
        f"view.go.{panel_id}", f"Go to {panel.title}", "View", lambda desk: desk.show_panel(panel_id), panel.keys
    )


def _show(panel: PanelSpec) -> Command:
    panel_id = panel.panel_id
    return Command(
        f"view.toggle.{panel_id}", f"Show {panel.title}", "View", lambda desk: desk.toggle_panel(panel_id),
        checked=lambda context: panel_id in context.window.open_panels, keywords="hide close panel",
    )  # fmt: skip


def _use_density(name: str) -> Command:
    return Command(
        f"view.density.{name}", f"Density: {name}", "View", lambda desk: desk.use_density(name),
        checked=lambda context: context.window.density == name, keywords="size zoom font rows",
    )  # fmt: skip


def _choose_market(market: MarketConfig, number: int) -> Command:
    market_id = market.market_id
    return Command(
        f"market.{market_id}", market.symbol, "Market", lambda desk: desk.set_market(market_id), f"Alt+{number}",
        checked=lambda context: context.window.market == market_id, keywords=market.base,
    )  # fmt: skip
