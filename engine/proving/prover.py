"""Proving a batch, and verifying a proof file given nothing else."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.exchange.config import VenueConfig, config_hash
from engine.proving.checks import check_batch, check_roots
from engine.proving.coverage import STATEMENT_NAME
from engine.proving.parameters import DEFAULT_PROFILE, Profile
from engine.proving.proof_file import encode_file, open_file
from engine.proving.shape import venue_shape
from engine.proving.statement import (
    Claim,
    build_statement,
    claim_inputs,
    claim_of,
    claim_terms,
)
from engine.proving.traces import build_traces
from engine.sequencer.batch import Batch, root_bytes
from engine.stark.errors import ProvingCancelled
from engine.stark.protocol.prover import prove
from engine.stark.protocol.security import SecurityReport, Term
from engine.stark.protocol.verifier import verify
from engine.stark.runtime.workers import Workers
from engine.units import format_decimal

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]
WITNESS_STAGE = "witness"


@dataclass(frozen=True, slots=True)
class ProvedBatch:
    """A proof file, its hex SHA-256, the seconds that each stage took, in order, and in all."""

    file: bytes
    digest: str
    stage_seconds: dict[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """What an accepted proof file says. ``security`` has the terms of the proven and the conjectured level."""

    claim: Claim
    public_inputs: tuple[int, ...]
    statement: str
    statement_id: bytes
    profile: Profile
    config: VenueConfig
    security: SecurityReport

    @property
    def bits_proven(self) -> float:
        """Security in bits by proved theorems (Johnson bound, eprint 2025/2055)."""
        return self.security.proven_bits

    @property
    def bits_conjectured(self) -> float:
        """The figure under the conjecture named in ``engine.stark.protocol.security``."""
        return self.security.conjectured_bits

    @property
    def terms(self) -> tuple[Term, ...]:
        """The steps of the proven figure; the weakest counts."""
        return self.security.terms

    def lines(self) -> list[str]:
        """Public inputs, statement and security terms, for people."""
        claim = self.claim
        lines = [
            f"statement            {self.statement}",
            f"statement id         0x{self.statement_id.hex()}",
            f"profile              {self.profile.name}: {self.profile.terms}",
            f"verifier parameters  0x{self.profile.digest.hex()}",
            f"config hash          0x{claim.config_hash.hex()} ({self.config.name})",
            f"batch                {claim.number}",
            f"old root             0x{root_bytes(claim.old_root).hex()}",
            f"new root             0x{root_bytes(claim.new_root).hex()}",
        ]
        for name, flows in (("deposit", claim.deposits), ("withdrawal", claim.withdrawals)):
            for flow in flows:
                amount = format_decimal(flow.amount, 6)
                lines.append(
                    f"{name:<20} {amount} {self.config.collateral_symbol}, account {flow.account}, 0x{flow.owner.hex()}"
                )
        report = self.security
        lines.append(f"security             {report.proven_bits:.1f} bits proven (eprint 2025/2055, Johnson bound),")
        lines.append(f"                     {report.proven_bits_2026:.1f} by the line bound of eprint 2026/2056,")
        lines.append(f"                     {report.conjectured_bits:.1f} conjectured; the weakest term counts:")
        for term in report.terms:
            grinding = f", {term.grinding} of them by grinding" if term.grinding else ""
            lines.append(f"  {term.name:<18} {term.bits:.1f} bits{grinding}")
        return lines


def prove_batch(
    batch: Batch,
    config: VenueConfig,
    *,
    profile: Profile = DEFAULT_PROFILE,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    threads: int = 1,
) -> ProvedBatch:
    """Prove a closed batch of this venue with the parameters of ``profile``.

    ``progress(stage, fraction)`` is called on the caller's thread as stages end; ``cancelled()`` is polled often, by
    any of the ``threads`` that share the work. Raises :class:`engine.proving.checks.BadBatch` or OutOfRange for a batch
    that cannot be true, :class:`engine.stark.errors.ProvingCancelled` when cancelled.
    """
    started = time.perf_counter()
    shape = venue_shape(config)
    claim = claim_of(batch, config_hash(config))
    check_batch(batch, claim, shape)
    if progress is not None:
        progress(WITNESS_STAGE, 0.0)
    with Workers(threads, cancelled) as workers:
        traces = build_traces(batch, shape, workers)
    check_roots(traces, batch, shape)
    witness_seconds = time.perf_counter() - started
    if progress is not None:
        progress(WITNESS_STAGE, 0.0)  # once more: this time it has ended
    if cancelled is not None and cancelled():
        raise ProvingCancelled("proving was cancelled", field="cancelled")
    result = prove(
        build_statement(shape),
        traces.by_name(),
        claim_inputs(claim),
        claim_terms(claim, shape),
        profile.parameters,
        progress=None if progress is None else rising(progress),
        cancelled=cancelled,
        threads=threads,
    )
    file = encode_file(batch, config, profile, result.bytes)
    return ProvedBatch(
        file,
        hashlib.sha256(file).hexdigest(),
        {WITNESS_STAGE: witness_seconds, **result.stage_seconds},
        time.perf_counter() - started,
    )


def rising(progress: Progress) -> Progress:
    """Progress whose fraction never falls: the proof system returns to a stage for each of its commitments."""
    highest = 0.0

    def report(stage: str, fraction: float) -> None:
        nonlocal highest
        highest = max(highest, fraction)
        progress(stage, highest)

    return report


def verify_file(data: bytes) -> VerifiedProof:
    """Accept a proof file or raise :class:`engine.stark.errors.VerificationError` with the stage and the reason."""
    file = open_file(data)
    inputs, terms = claim_inputs(file.claim), claim_terms(file.claim, file.shape)
    report = verify(build_statement(file.shape), inputs, terms, file.proof, file.profile.parameters)
    return VerifiedProof(file.claim, inputs, STATEMENT_NAME, file.statement_id, file.profile, file.config, report)
