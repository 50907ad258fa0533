"""The proof inspector without its widgets: what a batch and its proof file say, in named parts.

What the batch's record says is there at once; what the file says comes when it was read. Nothing of it is a verdict:
that is the verifier's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from app.snapshot.views import BatchView, Verdict
from engine.proving.coverage import COVERED, NOT_COVERED, STATEMENT_NAME
from engine.sequencer.batch import root_bytes
from engine.units import format_decimal
from ui.viewmodels.account import Figure
from ui.viewmodels.batches import status_words
from ui.viewmodels.tables import Cell, Column, Row, TableSpec
from ui.viewmodels.wording import (
    NOTHING,
    Tone,
    bytes_text,
    count_text,
    plural,
    seconds_text,
    share_text,
    short_hex,
)

if TYPE_CHECKING:
    from engine.proving.summary import ProofSummary


class SecurityStep(Protocol):
    """A step's security, as a snapshot or a proof file's summary has it."""

    @property
    def name(self) -> str: ...

    @property
    def bits(self) -> float: ...

    @property
    def grinding(self) -> int: ...


FLOWS = TableSpec(
    "deposits and withdrawals",
    (
        Column("kind", "Kind", "withdrawal", numeric=False),
        Column("account", "Account", "65535"),
        Column("amount", "Amount {symbol}", "1,000,000.000000"),
        Column("owner", "L1 address", "0x52908400…169ee7", numeric=False),
    ),
    "This batch moved no money into or out of the venue.",
)


def batch_figures(batch: BatchView) -> tuple[Figure, ...]:
    """Life and cost of the batch."""
    proved = bool(batch.proof_bytes)
    times = f"{seconds_text(batch.prove_seconds)}, verified in {seconds_text(batch.verify_seconds)}"
    return (
        Figure("Status", status_words(batch), "danger" if batch.status == "failed" else "text_strong"),
        Figure("Contents", f"{plural(batch.transactions, 'transaction')}, {plural(batch.accounts, 'account')}"),
        Figure("Proved in", times if proved else NOTHING, "text" if proved else "text_weak"),
        Figure("Proof", bytes_text(batch.proof_bytes) if proved else NOTHING, "text" if proved else "text_weak"),
        Figure("Proved by", batch.worker or NOTHING, "text" if batch.worker else "text_weak", "the worker"),
        Figure("Attempts", attempts_words(batch), "warn" if batch.failure else "text", batch.failure),
    )


def batch_hashes(batch: BatchView) -> tuple[tuple[str, str], ...]:
    """Roots as the venue recorded them."""
    named = (("old root", batch.old_root), ("new root", batch.new_root))
    return tuple((name, f"0x{value.removeprefix('0x')}") for name, value in named if value)


def attempts_words(batch: BatchView) -> str:
    """How many, and why the last failed one failed."""
    return f"{count_text(batch.attempts)}; {batch.failure}" if batch.failure else count_text(batch.attempts)


def l1_figures(batch: BatchView) -> tuple[Figure, ...]:
    """Where and for how much L1 took it."""
    if not batch.l1_transaction:
        return (Figure("L1", "not posted yet", "text_weak"),)
    calldata = sum(step.calldata for step in batch.l1_steps)
    tip = "gas of the batch over its transactions: fills, deposits, withdrawals, funding and insurance payments"
    return (
        Figure("Block", count_text(batch.l1_block)),
        Figure("Gas", f"{count_text(batch.gas)} gas", "text_strong", "of all its L1 transactions"),
        Figure("Gas per transaction", f"{batch.gas / max(1, batch.transactions):,.0f} gas", "text", tip),
        *((Figure("Calldata", bytes_text(calldata)),) if calldata else ()),
    )


STEP_NAMES = {
    "open": "opens the proof", "check": "checks queries", "register": "registers the fact", "update": "moves the root",
}  # fmt: skip


def l1_bars(batch: BatchView) -> tuple[tuple[str, str, float, Tone], ...]:
    """(what it does, gas, share of the dearest, tone) of each L1 transaction, in order."""
    dearest = max((step.gas for step in batch.l1_steps), default=0) or 1
    return tuple(
        (
            f"{place}. {STEP_NAMES.get(step.kind, step.kind)}",
            f"{count_text(step.gas)} gas",
            step.gas / dearest,
            "accent" if step.gas == dearest else "text",
        )
        for place, step in enumerate(batch.l1_steps, start=1)
    )


def l1_hashes(batch: BatchView) -> tuple[tuple[str, str], ...]:
    """The L1 transactions by what they do; only the one that moved the root when no more is known."""
    steps = [(f"{place}. {step.kind}", step.transaction) for place, step in enumerate(batch.l1_steps, start=1)]
    if not steps and batch.l1_transaction:
        steps = [("update", batch.l1_transaction)]
    return tuple((name, f"0x{transaction.removeprefix('0x')}") for name, transaction in steps)


def claim_hashes(summary: ProofSummary) -> tuple[tuple[str, str], ...]:
    """The public inputs that are hashes, by name, and all of them as field elements."""
    claim = summary.claim
    return (
        ("old root", _hex(root_bytes(claim.old_root))),
        ("new root", _hex(root_bytes(claim.new_root))),
        ("config hash", _hex(claim.config_hash)),
        ("outputs hash", _hex(summary.outputs_hash)),
        ("statement id", _hex(summary.statement_id)),
        ("parameters", _hex(summary.profile.digest)),
        (f"all {len(summary.public_inputs)} words", " ".join(str(word) for word in summary.public_inputs)),
    )


def claim_figures(summary: ProofSummary) -> tuple[Figure, ...]:
    """The rest of the public inputs."""
    return (
        Figure("Statement", STATEMENT_NAME),
        Figure("Batch number", count_text(summary.claim.number)),
        Figure("Venue", summary.config.name),
    )


def flow_rows(summary: ProofSummary) -> tuple[Row, ...]:
    """Deposits, then withdrawals, as L1 hashes them."""
    rows = []
    for kind, flows in (("deposit", summary.claim.deposits), ("withdrawal", summary.claim.withdrawals)):
        for flow in flows:
            owner = _hex(flow.owner)
            rows.append(
                Row(
                    (kind, flow.account),
                    (
                        Cell(kind, kind),
                        Cell(str(flow.account), flow.account),
                        Cell(format_decimal(flow.amount, 6), flow.amount, "text_strong"),
                        Cell(short_hex(owner, 8, 6), owner, "text_weak", owner),
                    ),
                )
            )
    return tuple(rows)


def coverage_lines() -> list[tuple[str, Tone]]:
    """What a proof covers and does not cover, as lines with a tone."""
    lines: list[tuple[str, Tone]] = [("Covered by the proof", "proved")]
    lines += [(f"+ {text}", "text") for text in COVERED]
    lines.append(("Not covered", "warn"))
    lines += [(f"- {text}", "text_weak") for text in NOT_COVERED]
    return lines


def parameter_figures(summary: ProofSummary) -> tuple[Figure, ...]:
    """The verifier's parameters, which the file does not choose but name."""
    p = summary.parameters
    work = (("lookup", p.lookup_grinding), ("deep", p.deep_grinding), ("batching", p.batching_grinding),
            ("folding", p.folding_grinding), ("query", p.query_grinding))  # fmt: skip
    return (
        Figure("Profile", summary.profile.name, "text_strong", summary.profile.terms),
        Figure("Rate", f"1/{1 << p.log_blowup}", tip="trace length over the length of its low-degree extension"),
        Figure("Queries", count_text(p.queries), tip="positions at which the committed columns are opened"),
        Figure("FRI folds by", f"up to {1 << p.log_arity}"),
        Figure("Final polynomial", f"{len(summary.final)} coefficients"),
        Figure("Grinding, bits", ", ".join(f"{name} {bits}" for name, bits in work if bits) or "none"),
        Figure(
            "Target",
            f"{p.target_bits} bits proven",
            tip="the verifier computes the security level and refuses anything below",
        ),
    )


def table_figures(summary: ProofSummary) -> tuple[Figure, ...]:
    """The statement's tables at this proof's heights."""
    return tuple(
        Figure(
            f"Table {table.name}",
            f"{1 << table.log_height:,} x {table.columns}, {plural(table.constraints, 'constraint')}",
            tip=f"2^{table.log_height} rows, {table.columns} columns, {table.auxiliary} of lookups (degree 5)",
        )
        for table in summary.tables
    )


def commitment_hashes(summary: ProofSummary) -> tuple[tuple[str, str, str], ...]:
    """(name, what is copied, what is shown) of roots, last polynomial and nonces."""
    rows = [(f"{name} tree", _hex(root), "") for name, root in summary.commitments]
    for number, layer in enumerate(summary.layers, start=1):
        rows.append((f"FRI {number}, by {1 << layer.log_arity}", _hex(layer.root), ""))
    words = [", ".join(str(word) for word in coefficient) for coefficient in summary.final]
    text = "; ".join(words)
    rows.append(("final polynomial", text, f"{len(words)} coefficients: {text}"))
    for nonce in summary.nonces:
        if nonce.bits:
            rows.append((f"{nonce.name} nonce", str(nonce.value), f"{nonce.value}, {nonce.bits} bits of grinding"))
    return tuple(rows)


def security_bars(terms: Sequence[SecurityStep]) -> tuple[tuple[str, str, float, Tone], ...]:
    """(step, words, share of the strongest, tone), weakest first."""
    ordered = sorted(terms, key=lambda term: term.bits)
    top = max((term.bits for term in ordered), default=1.0)
    made: list[tuple[str, str, float, Tone]] = []
    for index, term in enumerate(ordered):
        work = f" ({term.grinding} by grinding)" if term.grinding else ""
        name = f"{term.name}, the weakest" if index == 0 else term.name
        made.append((name, f"{term.bits:.1f} bits{work}", term.bits / top, "proved" if index == 0 else "text"))
    return tuple(made)


def security_words(summary: ProofSummary) -> str:
    """The three levels in a sentence."""
    report = summary.security
    return (
        f"{report.proven_bits:.1f} bits proven (eprint 2025/2055, Johnson bound), {report.proven_bits_2026:.1f} by the "
        f"line bound of eprint 2026/2056, {report.conjectured_bits:.1f} conjectured."
    )


def part_bars(summary: ProofSummary) -> tuple[tuple[str, str, float, Tone], ...]:
    """(part, bytes, share of the file, tone), in the order of the file."""
    largest = max(part.size for part in summary.parts)
    return tuple(
        (part.name, f"{part.size:,} B", part.size / largest, "accent" if part.size == largest else "text")
        for part in summary.parts
    )


def file_words(batch: BatchView, summary: ProofSummary | None) -> tuple[str, Tone]:
    """Whether the file is the one that was stored: its name is its digest."""
    if summary is None:
        return "", "text_weak"
    roots = (root_bytes(summary.claim.old_root).hex(), root_bytes(summary.claim.new_root).hex())
    if roots != (batch.old_root.removeprefix("0x"), batch.new_root.removeprefix("0x")):
        return "The file proves other roots than this venue recorded for the batch.", "danger"
    if batch.proof_file.endswith(f"{summary.digest}.proof"):
        return "The file is the one that was stored: its SHA-256 is its name.", "text_weak"
    return f"The file was changed after it was stored: its SHA-256 is {summary.digest}, not its name.", "danger"


def missing_words(batch: BatchView) -> str:
    """Why there is no proof to inspect yet."""
    if batch.status == "open":
        return "This batch is still open; it is proved after it closes."
    if batch.status == "proving":
        return (
            f"A worker is proving this batch: {batch.proving_stage or 'starting'}, {share_text(batch.progress)} done."
        )
    if batch.status == "failed":
        return f"Attempt {max(1, batch.attempts)} failed: {batch.failure or 'no reason given'}."
    return "This batch is waiting for a worker."


def unread_words(batch: BatchView, reason: str) -> str:
    """The file cannot be inspected; what is true in spite of it."""
    on_l1 = bool(batch.l1_transaction)
    known = "The batch is on L1, which no longer needs the file." if on_l1 else "The batch is not on L1 yet."
    return f"The proof file cannot be inspected: {reason}. {known}"


def verdict_words(verdict: Verdict) -> tuple[str, Tone]:
    """What the verifier of this machine said."""
    if verdict.accepted:
        bits = f"{verdict.bits_proven:.1f} bits proven, {verdict.bits_conjectured:.1f} conjectured"
        return f"Accepted by this machine's verifier in {seconds_text(verdict.seconds)}: {bits}.", "proved"
    return f"Refused at {verdict.stage} after {seconds_text(verdict.seconds)}: {verdict.reason}.", "danger"


def export_name(batch: BatchView) -> str:
    """A file name that says what it is."""
    digest = batch.proof_file.rpartition("/")[2].removesuffix(".proof")
    return f"batch-{batch.number}-{digest[:12]}.proof" if digest else f"batch-{batch.number}.proof"


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
