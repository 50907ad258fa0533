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

from engine.errors import OutOfRange, ProtocolError
from engine.exchange.guards import MarketGuard, cautious_terms
from engine.exchange.margin import TOTAL_RISK_LIMIT, TOTAL_VALUE_LIMIT, Margin, measure, transition_allowed
from engine.exchange.refusals import InsufficientMargin, NotReducing, WorsensMargin
from engine.exchange.state import AccountState, MarketTerms, PositionState
from engine.exchange.trade import apply_fill, fee_of, is_reducing
from engine.units import INT64_MAX, MarketIndex

MAX_POSITION_NOTIONAL = 1 << 60
"""Quanta at mark: keeps total value and risk far inside their formats, whatever the mark does within a factor of 8."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order against the book of now: ``filled`` lots for ``notional`` quanta at once, ``resting`` at ``price``.

    ``released_*``: own orders of the other side that the self-trade rule cancels on the way, without reduce-only ones.
    ``reduce_only``: it is no larger than the position, and what rests of it follows the position. ``outside``: lots
    fill at a price that harms it outside the price band.
    """

    market_index: MarketIndex
    buy: bool
    filled: int
    notional: int
    resting: int
    price: int
    released_lots: int = 0
    released_notional: int = 0
    reduce_only: bool = False
    outside: bool = False


class FeeRates(NamedTuple):
    """Millionths of notional."""

    maker_ppm: int
    taker_ppm: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the order would do: margin after it, the taker fee, and the account it leaves (to be looked at only)."""

    after: Margin
    fee: int
    account: AccountState


def reducible(size: int, buy: bool) -> int:
    """Lots that an order of this side can take off a position of ``size`` signed lots, 0 for none."""
    return max(-size if buy else size, 0)


def reduce_only_lots(position: PositionState, buy: bool, lots: int) -> int:
    """Lots a reduce-only order may have: at most the opposite position. :class:`NotReducing` when there is none."""
    most = reducible(position.size, buy)
    if not most:
        raise NotReducing(position.size)
    return min(lots, most)


def propose(
    account: AccountState,
    proposal: Proposal,
    terms: Sequence[MarketTerms],
    fees: FeeRates,
    guards: Sequence[MarketGuard] = (),
) -> tuple[Outcome, ProtocolError | None]:
    """The outcome of an order, and the refusal that stops it (None when it may be taken).

    The account must be settled to the current funding indices; it is not changed. An order that does not just reduce
    must be covered at the mark and at any unconfirmed index reading of ``guards``.
    """
    position, term = account.positions[proposal.market_index], terms[proposal.market_index]
    same_side = position.buy_lots if proposal.buy else position.sell_lots
    lots = proposal.filled + proposal.resting
    reducing = proposal.reduce_only or is_reducing(position.size, proposal.buy, lots, same_side)
    after_account = account.what_if(proposal.market_index)
    fee = 0
    if proposal.filled:
        fee = fee_of(proposal.notional, fees.taker_ppm)
        signed = proposal.filled if proposal.buy else -proposal.filled
        apply_fill(after_account, proposal.market_index, signed, proposal.notional, fee, term.funding_index)
    if proposal.released_lots:
        released = after_account.positions[proposal.market_index]
        released.add_resting(not proposal.buy, -proposal.released_lots, -proposal.released_notional)
    if proposal.resting and not proposal.reduce_only:
        notional = proposal.resting * proposal.price * term.tick_value
        after_account.positions[proposal.market_index].add_resting(proposal.buy, proposal.resting, notional)
    after = measure(after_account.collateral, after_account.positions, terms, fees.maker_ppm)
    outcome = Outcome(after=after, fee=fee, account=after_account)
    if reducing:
        if not proposal.filled or after.covers_positions:
            return outcome, None
        before = measure(account.collateral, account.positions, terms, fees.maker_ppm)
        if proposal.outside:  # nobody gives his margin away at a price that no market has
            return outcome, InsufficientMargin(after.missing_initial, before.free_collateral)
        return outcome, None if transition_allowed(before, after, True) else WorsensMargin()
    chosen = cautious_terms(after_account.positions, terms, guards, fees.maker_ppm)
    worst = (
        after if chosen is terms else measure(after_account.collateral, after_account.positions, chosen, fees.maker_ppm)
    )
    if not worst.covers_orders:
        before = measure_cautiously(account, terms, guards, fees)
        return outcome, InsufficientMargin(-worst.free_collateral, before.free_collateral)
    return outcome, _format_refusal(outcome, proposal, term)


def measure_cautiously(
    account: AccountState, terms: Sequence[MarketTerms], guards: Sequence[MarketGuard], fees: FeeRates
) -> Margin:
    """Margin at whichever of mark and unconfirmed index reading leaves the least free collateral."""
    chosen = cautious_terms(account.positions, terms, guards, fees.maker_ppm)
    return measure(account.collateral, account.positions, chosen, fees.maker_ppm)


def _format_refusal(outcome: Outcome, proposal: Proposal, term: MarketTerms) -> ProtocolError | None:
    """What keeps every number far inside its format."""
    position = outcome.account.positions[proposal.market_index]
    worst = max(abs(position.size + position.buy_lots), abs(position.size - position.sell_lots)) * term.mark >> 32
    collateral = outcome.account.collateral
    if worst > MAX_POSITION_NOTIONAL:
        return OutOfRange("position notional", worst, 0, MAX_POSITION_NOTIONAL)
    if not -INT64_MAX <= collateral <= INT64_MAX:
        return OutOfRange("collateral", collateral, -INT64_MAX, INT64_MAX)
    return None


class MakerAccount:
    """A maker's account in one plan, as the fills so far would leave it: other markets are sums that do not change.

    ``value`` .32; ``initial``, ``maintenance`` .64, all of the other markets' positions.
    """

    __slots__ = ("collateral", "size", "value", "initial", "maintenance")

    def __init__(self, account: AccountState, market_index: MarketIndex, terms: Sequence[MarketTerms]) -> None:
        self.collateral = account.collateral
        self.size = account.positions[market_index].size
        self.value = self.initial = self.maintenance = 0
        for index, position in enumerate(account.positions):
            if position.size and index != market_index:
                term = terms[index]
                worth = position.size * term.mark
                self.value += worth
                self.initial += abs(worth) * term.initial
                self.maintenance += abs(worth) * term.maintenance

    def fill(
        self, signed_lots: int, notional: int, fee: int, term: MarketTerms, reduce_only: bool, outside: bool = False
    ) -> bool:
        """Whether a resting order may fill ``signed_lots`` for ``notional`` quanta now; when it may, it is filled.

        It may when the positions are left with initial margin, or as :func:`engine.exchange.margin.transition_allowed`
        has it for a fill that reduces; a reduce-only order only so. ``outside``: the price harms the maker outside the
        price band, and initial margin must be left though the fill reduces. What leaves the formats may not.
        """
        reducing = is_reducing(self.size, signed_lots > 0, abs(signed_lots))
        if reduce_only and not reducing:
            return False
        collateral = self.collateral - (notional if signed_lots > 0 else -notional) - fee
        size = self.size + signed_lots
        worth = size * term.mark
        value = (collateral << 32) + self.value + worth
        initial = self.initial + abs(worth) * term.initial
        if not -TOTAL_VALUE_LIMIT <= value < TOTAL_VALUE_LIMIT or initial >= TOTAL_RISK_LIMIT:
            return False
        if initial > value << 32:
            before, after = self._margin(self.collateral, self.size, term), self._margin(collateral, size, term)
            if not transition_allowed(before, after, reducing and not outside):
                return False
        self.collateral, self.size = collateral, size
        return True

    def _margin(self, collateral: int, size: int, term: MarketTerms) -> Margin:
        """Without notional and reserve, which the rule does not ask for."""
        worth = size * term.mark
        return Margin(
            total_value=(collateral << 32) + self.value + worth,
            notional=0,
            initial=self.initial + abs(worth) * term.initial,
            maintenance=self.maintenance + abs(worth) * term.maintenance,
            reserved=0,
        )
