"""The venue never owes more than it holds: what may be withdrawn while an account is in deleveraging.

Positions of a market add up to zero at one mark, so the total values of all accounts add up to the collateral that the
venue holds. While none is below zero, nobody can withdraw what is not there. One that is below zero by D leaves D in
the equity of the others that is not there, and so D is kept back of them: of each its share, and of each that held a
position at the time what the shares leave uncovered (:mod:`engine.exchange.deleveraging`). Taking out what is left
changes neither, so it matters to nobody who comes first.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.exchange.deleveraging import Bankrupt, bankrupt_lots, deleveraging_share, uncovered
from engine.exchange.state import AccountState
from engine.sequencer.core import VenueCore


class KeptBack(NamedTuple):
    """Quanta that an account may not withdraw. ``share``: for its own position; ``uncovered``: for all others."""

    share: int
    uncovered: int


class Shortfall(NamedTuple):
    """What accounts in deleveraging owe: their positions, and the quanta that the shares of the others leave."""

    bankrupt: Bankrupt
    uncovered: int


NOTHING = Shortfall({}, 0)


def shortfall(core: VenueCore) -> Shortfall:
    """Of the venue now: nothing while no account is in deleveraging. It is the same for all accounts."""
    if not core.deleveraging:
        return NOTHING
    bankrupt = bankrupt_lots([core.accounts[account] for account in core.deleveraging], core.terms)
    users = [account for account in core.accounts.values() if not core.is_system(account.account_id)]
    return Shortfall(bankrupt, uncovered(users, core.terms, bankrupt))


def kept_back(core: VenueCore, state: AccountState, found: Shortfall | None = None) -> KeptBack:
    """What is kept back of an account. ``found``: the shortfall, when it is known."""
    bankrupt, rest = shortfall(core) if found is None else found
    return KeptBack(deleveraging_share(state, bankrupt), rest if state.account_id in core.exposed else 0)


def withdrawable(core: VenueCore, state: AccountState, found: Shortfall | None = None) -> int:
    """Quanta that may leave: down to initial margin, reserves and what is kept back. OutOfRange as margin raises it.

    At the worse of mark and unconfirmed index reading in each market.
    """
    return max(0, core.cautious_margin(state).free_collateral - sum(kept_back(core, state, found)))
