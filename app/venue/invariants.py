"""What must hold over the whole machine: the venue's invariants and the contract's money."""

from __future__ import annotations

from app.venue.session import Session


def all_invariants(session: Session) -> dict[str, bool | str]:
    """Each invariant's name: True, or the discrepancy in words."""
    found = session.loop.venue.invariants()
    return {**found, "token_balance": token_balance(session), "l1_debts_held": l1_debts_held(session)}


def l1_debts_held(session: Session) -> bool | str:
    """The exchange holds what it owes on L1, whatever the layer 2 holds: pending deposits and claimable balances."""
    client = session.chain.client
    held, owed = client.token_balance(client.exchange), client.total_pending() + client.total_withdrawable()
    return held >= owed or f"the exchange holds {held} quanta of the token and owes {owed} on L1"


def token_balance(session: Session) -> bool | str:
    """Tokens held by the exchange = pending deposits + claimable + layer-2 collateral, with what is on its way.

    A deposit is credited on the layer 2 when its block is seen and leaves the contract's pending deposits when its
    batch is posted; a withdrawal leaves the layer 2 at once and becomes claimable when its batch is posted.
    """
    client, core = session.chain.client, session.loop.venue.core
    batches = list(core.batches.unposted.values())
    deposits = sum(flow.amount for batch in batches for flow in batch.deposits) + sum(
        core.batches.open.deposits.values()
    )
    withdrawals = sum(flow.amount for batch in batches for flow in batch.withdrawals)
    withdrawals += sum(core.batches.open.withdrawals.values())
    held = client.token_balance(client.exchange)
    owed = client.total_pending() - deposits + client.total_withdrawable() + core.counters.collateral + withdrawals
    return held == owed or f"the exchange holds {held} quanta of the token and owes {owed}"
