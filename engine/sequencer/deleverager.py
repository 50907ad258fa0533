"""Deleveraging: what the book did not take of a position without value (rules in exchange/deleveraging)."""

from __future__ import annotations

from engine.errors import OutOfRange
from engine.exchange.deleveraging import exchange_lots, lots_it_can_take, ranked
from engine.exchange.liquidation import bankruptcy_price
from engine.exchange.margin import Margin
from engine.exchange.state import AccountState
from engine.sequencer.core import VenueCore
from engine.sequencer.events import Deleveraged, DeleveragingReason
from engine.sequencer.inputs import Side
from engine.sequencer.reduce_only import follow_positions
from engine.units import AccountId, MarketIndex


def deleverage(core: VenueCore, state: AccountState, index: MarketIndex) -> None:
    """Close a bankrupt position against opposing accounts by rank, as far as their margin allows."""
    size, term = state.positions[index].size, core.terms[index]
    if not size:
        return
    for other in ranked(_opposing(core, index, size), index, size, term):
        price = bankruptcy_price(core.margin(state), size, term)
        lots = lots_it_can_take(state, other, index, price, core.terms, core.fees.maker_ppm)
        if not lots:
            continue
        core.make_room({state.account_id, other.account_id})
        notional = exchange_lots(state, other, index, lots, price, term)
        core.prices[index].open_interest -= lots
        core.record_transaction(state.account_id, other.account_id)
        core.exposed.update((state.account_id, other.account_id))
        follow_positions(core, index, (other.account_id,))
        _tell(core, size, (state.account_id, other.account_id), index, lots, notional)
        core.close_batch_if_due()
        if not state.positions[index].size:
            return


def _opposing(core: VenueCore, index: MarketIndex, size: int) -> list[tuple[AccountState, Margin]]:
    """Accounts with a position against ``size``; one whose margin leaves its format cannot be judged."""
    found = []
    for account_id, state in core.accounts.items():
        if state.positions[index].size * size < 0 and not core.is_system(account_id):
            try:
                found.append((state, core.margin(state)))
            except OutOfRange:
                continue  # its own scan says so
    return found


def _tell(
    core: VenueCore, size: int, accounts: tuple[AccountId, AccountId], index: MarketIndex, lots: int, notional: int
) -> None:
    """One event for each side. ``accounts``: the bankrupt one, whose position was ``size``, and the other."""
    price = notional // (lots * core.terms[index].tick_value)
    sides: tuple[Side, Side] = ("sell", "buy") if size > 0 else ("buy", "sell")
    reasons: tuple[DeleveragingReason, DeleveragingReason] = ("bankrupt", "opposing")
    fill_id = core.counters.next_fill_id
    core.counters.next_fill_id += 1
    for account, other, side, reason in zip(accounts, accounts[::-1], sides, reasons, strict=True):
        event = Deleveraged(
            sequence=core.sequence,
            time=core.time,
            fill_id=fill_id,
            account=account,
            market=core.market_ids[index],
            side=side,
            lots=lots,
            price=price,
            notional=notional,
            reason=reason,
            counterparty=other,
        )
        core.emit(event)
        core.history.deleveraged(event, core.batches.open.number)
