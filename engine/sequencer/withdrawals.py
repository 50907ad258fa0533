"""Withdrawals on the normal path: requested, in_batch, proved, on_l1 (claimable), claiming, claimed.

Only the contract releases money: ``on_l1`` and ``claimed`` are reached through L1 blocks, never by the venue itself.
"""

from __future__ import annotations

from collections import deque

import msgspec

from engine.units import AccountId

STAGES = ("requested", "in_batch", "proved", "on_l1", "claiming", "claimed")
CLAIMED_KEPT = 1000


class WithdrawalRecord(msgspec.Struct, kw_only=True):
    """A withdrawal. ``batch`` is the number of the batch that carries it; ``stages``: name to venue time."""

    withdrawal_id: int
    account: AccountId
    owner: bytes
    amount: int
    batch: int
    stage: str
    stages: dict[str, int]
    path: str = "normal"

    def move(self, stage: str, time: int) -> bool:
        """Go forward to a stage; False when it was reached before."""
        if STAGES.index(stage) <= STAGES.index(self.stage):
            return False
        self.stage = stage
        self.stages[stage] = time
        if stage == "on_l1":
            self.stages["claimable"] = time
        return True


class WithdrawalBook:
    """All withdrawals that are not claimed, and the newest claimed ones."""

    def __init__(self) -> None:
        self.live: dict[int, WithdrawalRecord] = {}
        self.claimed: deque[WithdrawalRecord] = deque(maxlen=CLAIMED_KEPT)
        self.credit: dict[bytes, int] = {}
        self.next_id = 1

    def request(self, account: AccountId, owner: bytes, amount: int, batch: int, time: int) -> WithdrawalRecord:
        """A new withdrawal, carried by the open batch."""
        record = WithdrawalRecord(
            withdrawal_id=self.next_id,
            account=account,
            owner=owner,
            amount=amount,
            batch=batch,
            stage="requested",
            stages={"requested": time},
        )
        self.live[record.withdrawal_id] = record
        self.next_id += 1
        return record

    def of_batch(self, batch: int, stage: str, time: int) -> list[WithdrawalRecord]:
        """Move a batch's withdrawals to a stage; those that moved."""
        return [record for record in self.live.values() if record.batch == batch and record.move(stage, time)]

    def claimable(self, account: AccountId) -> list[WithdrawalRecord]:
        """The account's withdrawals that wait on L1."""
        return [r for r in self.live.values() if r.account == account and r.stage in ("on_l1", "claiming")]

    def on_paid(self, owner: bytes, amount: int, time: int) -> list[WithdrawalRecord]:
        """L1 paid ``amount`` to ``owner``: the oldest waiting withdrawals are claimed, a rest stays as credit."""
        credit = self.credit.pop(owner, 0) + amount
        paid: list[WithdrawalRecord] = []
        for record in [r for r in self.live.values() if r.owner == owner and r.stage in ("on_l1", "claiming")]:
            if record.amount > credit:
                break
            credit -= record.amount
            record.move("claimed", time)
            self.claimed.append(self.live.pop(record.withdrawal_id))
            paid.append(record)
        if credit:
            self.credit[owner] = credit
        return paid

    def of_account(self, account: AccountId) -> list[WithdrawalRecord]:
        """The account's withdrawals, newest first."""
        found = [r for r in (*self.claimed, *self.live.values()) if r.account == account]
        return sorted(found, key=lambda record: -record.withdrawal_id)
