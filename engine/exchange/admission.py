"""May this order be taken? One rule for the sequencer and the ticket's preview.

An order is judged by the account it would leave behind: the part that matches now at the prices the book offers, with
its taker fee, and the rest as one more resting order. The account must then cover initial margin and reserves. An
order that can only shrink a position is exempt, unless it would take an unhealthy account to a worse ratio
(:func:`engine.exchange.margin.transition_allowed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from engine.errors import ProtocolError, check_range
from engine.exchange.margin import Margin, measure, transition_allowed
from engine.exchange.refusals import InsufficientMargin, NotReducing, WorsensMargin
from engine.exchange.state import AccountState, MarketTerms, Stake
from engine.exchange.trade import apply_fill, fee_of, is_reducing
from engine.units import INT64_MAX

MAX_POSITION_NOTIONAL = 1 << 60
"""Quanta at mark: keeps total value and risk far inside their formats, whatever the mark does within a factor of 8."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An order against the book of now: ``filled`` lots for ``notional`` quanta at once, ``resting`` at ``price``.

    ``released_*``: own orders of the other side that the self-trade rule cancels on the way, without reduce-only ones.
    ``reduce_only``: it is no larger than the position, and what rests of it follows the position.
    """

    market_index: int
    buy: bool
    filled: int
    notional: int
    resting: int
    price: int
    released_lots: int = 0
    released_notional: int = 0
    reduce_only: bool = False


class FeeRates(NamedTuple):
    """Millionths of notional."""

    maker_ppm: int
    taker_ppm: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the order would do: margin before and after, the taker fee, and the account it leaves."""

    before: Margin
    after: Margin
    fee: int
    account: AccountState


def reducible(size: int, buy: bool) -> int:
    """Lots that an order of this side can take off a position of ``size`` signed lots, 0 for none."""
    return max(-size if buy else size, 0)


def reduce_only_lots(stake: Stake, buy: bool, lots: int) -> int:
    """Lots a reduce-only order may have: at most the opposite position. :class:`NotReducing` when there is none."""
    most = reducible(stake.size, buy)
    if not most:
        raise NotReducing(stake.size)
    return min(lots, most)


def propose(
    account: AccountState, proposal: Proposal, terms: Sequence[MarketTerms], fees: FeeRates
) -> tuple[Outcome, ProtocolError | None]:
    """The outcome of an order, and the refusal that stops it (None when it may be taken).

    The account must be settled to the current funding indices; it is not changed.
    """
    stake, term = account.stakes[proposal.market_index], terms[proposal.market_index]
    before = measure(account.collateral, account.stakes, terms, fees.maker_ppm)
    same_side = stake.buy_lots if proposal.buy else stake.sell_lots
    lots = proposal.filled + proposal.resting
    reducing = proposal.reduce_only or is_reducing(stake.size, proposal.buy, lots, same_side)
    after_account = account.copy()
    fee = 0
    if proposal.filled:
        fee = fee_of(proposal.notional, fees.taker_ppm)
        signed = proposal.filled if proposal.buy else -proposal.filled
        apply_fill(after_account, proposal.market_index, signed, proposal.notional, fee, term.funding_index)
    if proposal.released_lots:
        released = after_account.stakes[proposal.market_index]
        released.add_resting(not proposal.buy, -proposal.released_lots, -proposal.released_notional)
    if proposal.resting and not proposal.reduce_only:
        notional = proposal.resting * proposal.price * term.tick_value
        after_account.stakes[proposal.market_index].add_resting(proposal.buy, proposal.resting, notional)
    after = measure(after_account.collateral, after_account.stakes, terms, fees.maker_ppm)
    outcome = Outcome(before=before, after=after, fee=fee, account=after_account)
    return outcome, _refusal(outcome, proposal, reducing, term)


def _refusal(outcome: Outcome, proposal: Proposal, reducing: bool, term: MarketTerms) -> ProtocolError | None:
    before, after = outcome.before, outcome.after
    if reducing:
        if proposal.filled and not transition_allowed(before, after, True):
            return WorsensMargin()
        return None
    if not after.covers_orders:
        shortfall = -after.free_collateral
        return InsufficientMargin(shortfall, before.free_collateral)
    stake = outcome.account.stakes[proposal.market_index]
    worst = max(abs(stake.size + stake.buy_lots), abs(stake.size - stake.sell_lots))
    try:
        check_range("position notional", worst * term.mark >> 32, 0, MAX_POSITION_NOTIONAL)
        check_range("collateral", outcome.account.collateral, -INT64_MAX, INT64_MAX)
    except ProtocolError as error:
        return error
    return None


def maker_may_fill(
    account: AccountState,
    market_index: int,
    signed_lots: int,
    notional: int,
    terms: Sequence[MarketTerms],
    fees: FeeRates,
    reduce_only: bool,
) -> bool:
    """Whether a resting order may fill now; when it may, the fill is applied to ``account`` (a what-if copy)."""
    stake = account.stakes[market_index]
    reducing = is_reducing(stake.size, signed_lots > 0, abs(signed_lots))
    if reduce_only and not reducing:
        return False
    collateral, numbers = account.collateral, stake.numbers()
    fee = fee_of(notional, fees.maker_ppm)
    apply_fill(account, market_index, signed_lots, notional, fee, terms[market_index].funding_index)
    after = measure(account.collateral, account.stakes, terms, fees.maker_ppm)
    if after.covers_positions:
        return True
    stakes = list(account.stakes)
    stakes[market_index] = Stake(numbers)
    return transition_allowed(measure(collateral, stakes, terms, fees.maker_ppm), after, reducing)
