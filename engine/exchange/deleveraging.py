"""Deleveraging: a position without value is closed at its bankruptcy price against those who won on the other side.

Ranking is the industry's (Binance, BitMEX, dYdX v3): profit times leverage, the highest first. Nobody is taken below
what the margin rules allow any reducing trade to do (:func:`engine.exchange.margin.transition_allowed`).

What no opposing account can take stays open, and the account is *in deleveraging*. What it owes is then inside the
equity of others, and must not leave the venue. Two amounts are kept back of what could be withdrawn (``docs/
liquidation.md`` has the argument that together they are enough):

- *share*: what an account would lose if its position were deleveraged: per market, as many lots as are bankrupt on the
  other side, times the worst loss per lot among them;
- *uncovered*: what the shares do not add up to because an account is worth less than its share. Everybody who held a
  position since the first account went into deleveraging keeps that much in the venue. Who held none is not touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from engine.exchange.liquidation import bankruptcy_notional
from engine.exchange.margin import Margin, measure, transition_allowed
from engine.exchange.state import AccountState, MarketTerms
from engine.exchange.trade import apply_fill
from engine.units import MarketIndex


class BankruptLots(NamedTuple):
    """Bankrupt positions of one market on one side: lots in all, and the largest loss per lot (.32 quanta, up)."""

    lots: int
    loss: int


Bankrupt = dict[tuple[int, int], BankruptLots]
"""By market index and side of the bankrupt positions (1 long, -1 short)."""


def total_value(account: AccountState, terms: Sequence[MarketTerms]) -> int:
    """Total value, .32, whatever its size (:func:`engine.exchange.margin.measure` refuses some)."""
    held = zip(account.positions, terms, strict=True)
    return (account.collateral << 32) + sum(position.size * term.mark for position, term in held)


def total_maintenance(account: AccountState, terms: Sequence[MarketTerms]) -> int:
    """Maintenance requirement, .64, whatever its size."""
    held = zip(account.positions, terms, strict=True)
    return sum(abs(position.size) * term.mark * term.maintenance for position, term in held)


def score(account: AccountState, index: MarketIndex, margin: Margin, term: MarketTerms) -> Fraction:
    """Rank of a position: profit in relation to its cost, times leverage with a profit, by leverage with a loss."""
    position = account.positions[index]
    profit = position.size * term.mark - (position.cost << 32)
    ratio = Fraction(profit, max(1, abs(position.cost)) << 32)
    leverage = max(1, margin.leverage_ppm)
    return ratio * leverage if profit > 0 else ratio / leverage


def ranked(
    accounts: Iterable[tuple[AccountState, Margin]], index: MarketIndex, size: int, term: MarketTerms
) -> list[AccountState]:
    """Accounts with a position against ``size`` signed lots, first to be deleveraged first, ties by ascending id."""
    opposing = [
        (-score(account, index, margin, term), account.account_id, account)
        for account, margin in accounts
        if account.positions[index].size * size < 0
    ]
    return [account for _, _, account in sorted(opposing, key=lambda entry: entry[:2])]


def exchange_lots(
    bankrupt: AccountState, other: AccountState, index: MarketIndex, lots: int, price: Fraction, term: MarketTerms
) -> int:
    """Close ``lots`` of both positions against each other at the bankruptcy price, without a fee; the notional."""
    size = bankrupt.positions[index].size
    notional = bankruptcy_notional(price, size, lots)
    signed = lots if size > 0 else -lots
    apply_fill(bankrupt, index, -signed, notional, 0, term.funding_index)
    apply_fill(other, index, signed, notional, 0, term.funding_index)
    return notional


def lots_it_can_take(
    bankrupt: AccountState,
    other: AccountState,
    index: MarketIndex,
    price: Fraction,
    terms: Sequence[MarketTerms],
    maker_fee_ppm: int,
) -> int:
    """Most lots that the margin of ``other`` allows it to close against the bankrupt position.

    With a loss per lot up to the maintenance requirement per lot the allowed numbers are those from some number on,
    with a larger one those up to some number: so it is all, or else the largest of the second kind, by bisection.
    """
    before = measure(other.collateral, other.positions, terms, maker_fee_ppm)

    def allowed(lots: int) -> bool:
        closed, taken = bankrupt.copy(), other.copy()
        exchange_lots(closed, taken, index, lots, price, terms[index])
        return transition_allowed(before, measure(taken.collateral, taken.positions, terms, maker_fee_ppm), True)

    most = min(abs(bankrupt.positions[index].size), abs(other.positions[index].size))
    if allowed(most):
        return most
    if not allowed(1):
        return 0
    low, high = 0, most  # low is allowed (nothing happens), high is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return low


def bankrupt_lots(accounts: Iterable[AccountState], terms: Sequence[MarketTerms]) -> Bankrupt:
    """The positions of accounts with a total value below zero."""
    found: Bankrupt = {}
    for account in accounts:
        value, maintenance = total_value(account, terms), total_maintenance(account, terms)
        if value >= 0:
            continue
        for index, (position, term) in enumerate(zip(account.positions, terms, strict=True)):
            if position.size:
                key = (index, 1 if position.size > 0 else -1)
                loss = -(value * term.mark * term.maintenance // maintenance)
                lots, worst = found.get(key, BankruptLots(0, 0))
                found[key] = BankruptLots(lots + abs(position.size), max(worst, loss))
    return found


def deleveraging_share(account: AccountState, bankrupt: Bankrupt) -> int:
    """Quanta that the account would lose if it were deleveraged against every bankrupt position that it can meet."""
    share = 0
    for (index, side), (lots, loss) in bankrupt.items():
        size = -account.positions[index].size * side  # positive when it stands against them
        if size > 0:
            share += -(-min(size, lots) * loss >> 32)
    return share


def uncovered(accounts: Collection[AccountState], terms: Sequence[MarketTerms], bankrupt: Bankrupt) -> int:
    """Quanta that bankrupt accounts owe beyond what the shares of the others can pay, 0 when they can pay it all."""
    owed = 0
    for account in accounts:
        value = total_value(account, terms) >> 32  # rounded down: a debt counts in full
        owed += -value if value < 0 else -min(value, deleveraging_share(account, bankrupt))
    return max(0, owed)
