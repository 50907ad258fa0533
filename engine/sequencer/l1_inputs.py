"""What comes back from the slow parts: L1 blocks, proof outcomes, claims; and withdrawal requests towards them.

L1 blocks carry numbers: the next one is the last one plus one, an older one changes nothing. So no deposit, state
update or claim is applied twice.
"""

from __future__ import annotations

from engine.errors import ProtocolError, check_range
from engine.exchange.refusals import (
    BlockOutOfOrder,
    NothingToClaim,
    SystemAccount,
    WithdrawalTooLarge,
)
from engine.exchange.state import NO_OWNER
from engine.sequencer.core import PendingDeposit, VenueCore
from engine.sequencer.events import Accepted, BatchStage, DepositCredited, DepositPending, PendingReason, Rejected
from engine.sequencer.history import TransferLine
from engine.sequencer.inputs import (
    ClaimRequested,
    L1Block,
    L1Deposit,
    L1StateUpdate,
    L1Withdrawal,
    ProofOutcome,
    RequestWithdrawal,
)

MAX_TOTAL_COLLATERAL = 1 << 62
"""Quanta on the layer 2: keeps every sum of leaves, and every leaf, inside 64 bits."""


def request_withdrawal(core: VenueCore, command: RequestWithdrawal) -> None:
    """Take the amount off the account and put it into the open batch; down to initial margin, never below."""
    if core.is_system(command.account):
        raise SystemAccount(command.account)
    account = core.account(command.account)
    check_range("amount", command.amount, max(1, core.config.min_withdrawal), MAX_TOTAL_COLLATERAL)
    withdrawable = core.margin(account).withdrawable
    if command.amount > withdrawable:
        raise WithdrawalTooLarge(command.amount, withdrawable)
    core.enter_flow(command.account, command.amount, deposit=False)
    core.emit(Accepted(sequence=core.sequence, time=core.time, account=command.account, client_id=command.client_id))
    account.collateral -= command.amount
    core.counters.collateral -= command.amount
    number = core.batches.open.number
    record = core.withdrawals.request(command.account, account.l1_address, command.amount, number, core.time)
    core.emit_withdrawal(record)
    line = TransferLine(time=core.time, kind="withdrawal", amount=command.amount, where=f"batch {number}")
    core.history.transfer(command.account, line)


def request_claim(core: VenueCore, command: ClaimRequested) -> None:
    """Note that a claim was sent to L1; only the contract's event pays."""
    account = core.account(command.account)
    if account.l1_address != command.owner:
        raise NothingToClaim("the claim's owner is not the account's", field="owner", value=command.owner.hex())
    waiting = core.withdrawals.claimable(command.account)
    if not waiting:
        raise NothingToClaim("no withdrawal of this account is claimable", field="account", value=command.account)
    core.emit(Accepted(sequence=core.sequence, time=core.time, account=command.account, client_id=""))
    for record in waiting:
        if record.move("claiming", core.time):
            core.emit_withdrawal(record)


def take_proof(core: VenueCore, outcome: ProofOutcome) -> None:
    """Enter a proving outcome; one for a batch that is proved already changes nothing."""
    stage = core.batches.on_proof(outcome, core.time)
    if not stage:
        return
    detail = outcome.digest if outcome.accepted else f"attempt {outcome.attempt}: {outcome.reason}"
    core.emit(BatchStage(sequence=core.sequence, time=core.time, batch=outcome.batch, stage=stage, detail=detail))
    if stage == "proved":
        for record in core.withdrawals.of_batch(outcome.batch, "proved", core.time):
            core.emit_withdrawal(record)


def take_block(core: VenueCore, block: L1Block) -> None:
    """Enter an L1 block: deposits, then state updates, then claims; a known block changes nothing."""
    seen = core.counters.l1_block
    if block.number <= seen:
        return
    if (block.number - 1 if block.previous is None else block.previous) != seen:
        raise BlockOutOfOrder(block.number, seen + 1)
    core.counters.l1_block = block.number
    for deposit in block.deposits:
        _credit(core, deposit, block.number)
    for update in block.state_updates:
        _post(core, update, block.number)
    for payment in block.withdrawals:
        _claim(core, payment, block.number)


def _pending_reason(core: VenueCore, deposit: L1Deposit) -> PendingReason | None:
    """Why a deposit cannot be credited, None when it can."""
    if not 0 <= deposit.account < 1 << core.config.tree_height:
        return "account_out_of_range"
    if len(deposit.owner) != 20 or deposit.owner == NO_OWNER:
        return "owner_not_an_address"
    if deposit.account in (core.config.funding_account, core.config.fee_account):
        return "system_account"  # these two have no owner, ever
    account = core.accounts.get(deposit.account)
    if account is not None and account.l1_address != deposit.owner:
        return "other_owner"
    if not deposit.amount >= 1 or core.counters.collateral + deposit.amount > MAX_TOTAL_COLLATERAL:
        return "amount_out_of_range"
    return None


def _credit(core: VenueCore, deposit: L1Deposit, block: int) -> None:
    reason = _pending_reason(core, deposit)
    if reason:
        pending = PendingDeposit(
            account=deposit.account, owner=deposit.owner, amount=deposit.amount, block=block, reason=reason
        )
        core.pending_deposits.append(pending)
        core.emit(
            DepositPending(
                sequence=core.sequence,
                time=core.time,
                account=deposit.account,
                owner=deposit.owner,
                amount=deposit.amount,
                block=block,
                reason=reason,
            )
        )
        core.history.transfer(
            deposit.account,
            TransferLine(time=core.time, kind="deposit_pending", amount=deposit.amount, where=f"L1 block {block}"),
        )
        return
    core.enter_flow(deposit.account, deposit.amount, deposit=True)
    account = core.accounts.get(deposit.account) or core.open_account(deposit.account, deposit.owner)
    account.collateral += deposit.amount
    core.counters.collateral += deposit.amount
    core.emit(
        DepositCredited(
            sequence=core.sequence, time=core.time, account=deposit.account, amount=deposit.amount, block=block
        )
    )
    core.history.transfer(
        deposit.account, TransferLine(time=core.time, kind="deposit", amount=deposit.amount, where=f"L1 block {block}")
    )
    core.close_batch_if_due()


def _post(core: VenueCore, update: L1StateUpdate, block: int) -> None:
    """A batch is on L1, and final: the embedded chain does not reorganise."""
    try:
        moved = core.batches.on_state_update(update, block, core.time)
    except ProtocolError as error:
        core.root_mismatch = error.message
        reject(core, 0, "", error)
        return
    if not moved:
        return
    for stage in ("posted", "final"):
        core.emit(
            BatchStage(
                sequence=core.sequence,
                time=core.time,
                batch=update.batch_number,
                stage=stage,
                detail=f"L1 block {block}",
            )
        )
    for record in core.withdrawals.of_batch(update.batch_number, "on_l1", core.time):
        core.emit_withdrawal(record)


def _claim(core: VenueCore, payment: L1Withdrawal, block: int) -> None:
    for record in core.withdrawals.on_paid(payment.owner, payment.amount, core.time):
        core.emit_withdrawal(record)
        core.history.transfer(
            record.account, TransferLine(time=core.time, kind="claim", amount=record.amount, where=f"L1 block {block}")
        )


def _written(number: object) -> str:
    """A refused value or its limit as text that no language owns: decimal digits, [low, high] for several."""
    if number is None:
        return ""
    if isinstance(number, tuple | list):
        return f"[{', '.join(map(_written, number))}]"
    return str(number).lower() if isinstance(number, bool) else str(number)


def reject(core: VenueCore, account: int, client_id: str, error: ProtocolError) -> None:
    """Tell a typed refusal."""
    core.emit(
        Rejected(
            sequence=core.sequence,
            time=core.time,
            account=account,
            client_id=client_id,
            code=error.code,
            message=error.message,
            field=error.field,
            value=_written(error.value),
            limit=_written(error.limit),
        )
    )
