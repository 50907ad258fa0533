"""A batch's proof without its widgets: roots, L1 facts, security terms, stage times, what it covers and does not."""

from __future__ import annotations

from dataclasses import dataclass

from app.snapshots import BatchView, Snapshot
from ui.viewmodels.account import Figure
from ui.viewmodels.wording import NOTHING, bytes_text, count_text, gas_text, plural, seconds_text, short_hex, stamp_text


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage of the prover and its share of the whole (0 to 1)."""

    name: str
    seconds: str
    share: float


def batch_by_number(snapshot: Snapshot, number: int | None) -> BatchView | None:
    """The batch with this number while it is in view; without a number the newest one that is proved."""
    if number is not None:
        return next((batch for batch in snapshot.batches if batch.number == number), None)
    return next((batch for batch in snapshot.batches if batch.proof_bytes), None)


def figures(batch: BatchView) -> tuple[Figure, ...]:
    """The facts of a batch and its proof."""
    proved = bool(batch.proof_bytes)
    return (
        Figure("Status", status_words(batch), "danger" if batch.status == "failed" else "text_strong"),
        Figure("Contents", f"{plural(batch.transactions, 'transaction')}, {plural(batch.accounts, 'account')}"),
        Figure("Old root", short_hex(batch.old_root, 10, 8), tip=batch.old_root),
        Figure("New root", short_hex(batch.new_root, 10, 8), tip=batch.new_root),
        Figure("Security", security_words(batch), "proved" if proved else "text_weak", SECURITY_TIP),
        Figure("Proof", f"{bytes_text(batch.proof_bytes)}, verified in {seconds_text(batch.verify_seconds)}")
        if proved
        else Figure("Proof", NOTHING, "text_weak"),
        Figure("L1", l1_words(batch), tip=batch.l1_transaction),
        Figure("Attempts", attempts_words(batch), "warn" if batch.failure else "text", batch.failure),
    )


SECURITY_TIP = "proven: by published bounds; conjectured: by the strongest assumption in use elsewhere"


def status_words(batch: BatchView) -> str:
    """Status and since when."""
    stage = {"proving": "sequenced", "failed": "sequenced", "open": "opened"}.get(batch.status, batch.status)
    since = f" since {stamp_text(batch.stages[stage])}" if stage in batch.stages else ""
    return f"{batch.status}{since}"


def security_words(batch: BatchView) -> str:
    """Bits of security, proven and conjectured."""
    if not batch.bits_proven or not batch.proof_bytes:
        return NOTHING
    return f"{batch.bits_proven:.0f} bits proven, {batch.bits_conjectured:.0f} conjectured"


def l1_words(batch: BatchView) -> str:
    """The transaction that moved the root on L1."""
    if not batch.l1_transaction:
        return "not posted"
    return f"block {count_text(batch.l1_block)}, {short_hex(batch.l1_transaction)}, {gas_text(batch.gas)}"


def attempts_words(batch: BatchView) -> str:
    """Attempts, and why the last failed one failed."""
    words = plural(batch.attempts, "attempt")
    return f"{words}; {batch.failure}" if batch.failure else words


def stage_times(batch: BatchView) -> tuple[StageTime, ...]:
    """The prover's stages in the order they ran."""
    total = sum(batch.stage_seconds.values())
    if total <= 0:
        return ()
    return tuple(
        StageTime(name, seconds_text(seconds), seconds / total) for name, seconds in batch.stage_seconds.items()
    )


def is_accepted(verdict: str) -> bool:
    """Whether the engine's verdict on a proof file says that it was accepted; every other wording is a refusal."""
    return "accepted" in verdict and "refused" not in verdict
