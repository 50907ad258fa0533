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
    WithdrawalUncovered,
)
from engine.exchange.state import NO_OWNER
from engine.sequencer.core import VenueCore
from engine.sequencer.deposits import MAX_TOTAL_COLLATERAL, contradicted, credit_deposit
from engine.sequencer.events import Accepted, BatchStage, Rejected
from engine.sequencer.history import TransferLine
from engine.sequencer.inputs import (
    ClaimRequested,
    L1Block,
    L1StateUpdate,
    L1Withdrawal,
    ProofOutcome,
    RequestWithdrawal,
)
from engine.sequencer.solvency import withdrawable
from engine.units import AccountId


def request_withdrawal(core: VenueCore, command: RequestWithdrawal) -> None:
    """Take the amount off the account and put it into the open batch; down to initial margin, never below.

    What an account in deleveraging owes is kept back of those it may fall on (:mod:`engine.sequencer.solvency`).
    """
    core.check_l1_agrees()
    if core.is_system(command.account):
        raise SystemAccount(command.account)
    account = core.account(command.account)
    if account.l1_address == NO_OWNER:
        raise SystemAccount(command.account)
    check_range("amount", command.amount, max(1, core.config.min_withdrawal), MAX_TOTAL_COLLATERAL)
    limit = withdrawable(core, account)
    if command.amount > limit:
        raise WithdrawalTooLarge(command.amount, limit)
    if command.amount > core.counters.collateral:
        raise WithdrawalUncovered(command.amount, core.counters.collateral)
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
    """Enter an L1 block: deposits, then state updates, then claims; a known block changes nothing.

    What contradicts the venue (:class:`L1Contradiction` and others) is told, and ends its orders and withdrawals.
    """
    seen = core.counters.l1_block
    if block.number <= seen:
        return
    if (block.number - 1 if block.previous is None else block.previous) != seen:
        raise BlockOutOfOrder(block.number, seen + 1)
    core.counters.l1_block = block.number
    try:
        for deposit in block.deposits:
            credit_deposit(core, deposit, block.number)
        for update in block.state_updates:
            _post(core, update, block.number)
    except ProtocolError as error:  # the rest of the block stands on what cannot be
        contradicted(core, error)
        reject(core, AccountId(0), "", error)
    for payment in block.withdrawals:
        _claim(core, payment, block.number)


def _post(core: VenueCore, update: L1StateUpdate, block: int) -> None:
    """A batch is on L1, and final: the embedded chain does not reorganise."""
    if not core.batches.on_state_update(update, block, core.time):
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


def reject(core: VenueCore, account: AccountId, client_id: str, error: ProtocolError) -> None:
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
