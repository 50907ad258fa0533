"""Does a batch hang together? Asked before proving, so that a fault has a name instead of an unprovable trace."""

from __future__ import annotations

from engine.errors import ProtocolError, check_range
from engine.exchange.accounts import EMPTY_ACCOUNT, AccountUpdate
from engine.proving.shape import StatementShape
from engine.proving.statement import Claim, check_claim
from engine.proving.tables.update import update_columns
from engine.proving.traces import Traces
from engine.sequencer.batch import Batch, ExternalFlow
from engine.units import AccountId


class BadBatch(ProtocolError):
    """A batch whose parts do not fit together; no proof of it can exist."""


def check_batch(batch: Batch, claim: Claim, shape: StatementShape) -> None:
    """Raise :class:`BadBatch` or :class:`engine.errors.OutOfRange` for a batch that no honest trace can show."""
    check_claim(claim, shape)
    check_range("number of account updates", len(batch.updates), 0, 1 << shape.max_log_updates)
    lowest = 0
    depositors = {flow.account for flow in batch.deposits}
    for update in batch.updates:
        check_range("account of an update (they ascend)", update.account, lowest, (1 << shape.tree_height) - 1)
        lowest = update.account + 1
        _check_update(update, shape, deposited=update.account in depositors)
    owners = {update.account: update.new.l1_address for update in batch.updates}
    for flow in (*batch.deposits, *batch.withdrawals):
        _check_flow(flow, owners)
    change = sum(u.new.collateral - u.old.collateral for u in batch.updates)
    flows = sum(f.amount for f in batch.deposits) - sum(f.amount for f in batch.withdrawals)
    if change != flows:
        raise BadBatch(
            f"collateral changes by {change} but deposits less withdrawals are {flows}",
            field="collateral",
            value=change,
            limit=flows,
        )


def _check_update(update: AccountUpdate, shape: StatementShape, *, deposited: bool) -> None:
    where = f"account {update.account}"
    if len(update.siblings) != shape.tree_height:
        raise BadBatch(f"{where}: path length", field="siblings", value=len(update.siblings), limit=shape.tree_height)
    if update.new == EMPTY_ACCOUNT:
        raise BadBatch(f"{where}: an updated account cannot be empty", field="version", value=0, limit=1)
    old, new = update.old, update.new
    if old == EMPTY_ACCOUNT and not deposited and any(new.l1_address):
        raise BadBatch(
            f"{where}: a new account with an owner needs its deposit", field="l1_address", value=new.l1_address.hex()
        )
    if old != EMPTY_ACCOUNT and (old.key_digest, old.l1_address) != (new.key_digest, new.l1_address):
        raise BadBatch(
            f"{where}: the owner of an account cannot change", field="l1_address", value=new.l1_address.hex()
        )


def _check_flow(flow: ExternalFlow, owners: dict[AccountId, bytes]) -> None:
    if flow.account not in owners:
        raise BadBatch(f"account {flow.account} has a flow but no update", field="account", value=flow.account)
    if owners[flow.account] != flow.owner:
        raise BadBatch(f"the flow's owner is not account {flow.account}'s", field="owner", value=flow.owner.hex())


def check_roots(traces: Traces, batch: Batch, shape: StatementShape) -> None:
    """The paths must lead from the old root to the new one, update by update; :class:`BadBatch` where they do not."""
    c = update_columns(shape)
    width = len(c.old_root)
    old = traces.update[c.old_root[0].index : c.old_root[0].index + width].T.tolist()
    new = traces.update[c.new_root[0].index : c.new_root[0].index + width].T.tolist()
    expected = list(batch.old_root)
    for row, update in enumerate(batch.updates):
        if old[row] != expected:
            raise BadBatch(f"account {update.account}: its path does not lead to the root before it", field="siblings")
        expected = new[row]
    if expected != list(batch.new_root):
        raise BadBatch("the updates do not lead to the new root", field="new_root", value=batch.new_root)
