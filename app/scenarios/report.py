"""The report of a scenario: one JSON object, documented in docs/report.md."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from app.venue.invariants import all_invariants
from app.venue.session import Session
from app.venue.snapshots import account_view
from engine.errors import ProtocolError
from engine.proving.coverage import STATEMENT_NAME
from engine.sequencer.batch import root_bytes

VERSION = 1


def build_report(
    session: Session, scenario: str, steps: list[dict[str, Any]], measured: dict[str, float]
) -> dict[str, Any]:
    """Everything but ``journal`` and ``failures``, from the session as it stands."""
    core = session.loop.venue.core
    return {
        "version": VERSION,
        "scenario": scenario,
        "seed": session.config.seed,
        "data": str(session.paths.data),
        "steps": steps,
        "fills": {
            "count": core.counters.next_fill_id - 1,
            "volume": core.counters.volume,
            "digest": session.loop.venue.fills_digest(),
        },
        "positions": _positions(session),
        "batches": [_batch(session, number) for number in sorted(core.batches.records)],
        "l1": {
            "where": session.chain.chain.where,
            "chain_id": session.chain.chain.chain_id,
            "block": session.chain.chain.head.number,
        },
        "contract_root": session.chain.client.state_root().hex(),
        "withdrawals": [
            {"id": r.withdrawal_id, "path": r.path, "amount": r.amount, "stages": r.stages}
            for r in core.withdrawals.of_account(session.chain.user_account)
        ],
        "invariants": all_invariants(session),
        "measured": measured,
    }


def _positions(session: Session) -> list[dict[str, Any]]:
    view = account_view(session.loop.venue, session.chain)
    return [
        {
            "market": p.market,
            "size": p.size,
            "entry_fixed": p.entry_fixed,
            "mark_fixed": p.mark_fixed,
            "unrealised": p.unrealised,
            "liquidation_price": p.liquidation_price,
        }
        for p in (view.positions if view else ())
    ]


def _batch(session: Session, number: int) -> dict[str, Any]:
    record = session.loop.venue.batch_record(number)
    facts = session.prover.facts(record.digest) if record.digest else None
    receipt = session.chain.chain.receipt(record.l1_transaction) if record.l1_transaction else None
    return {
        "id": number,
        "transactions": record.transactions,
        "accounts": record.accounts,
        "stages": record.stages,
        "attempts": record.attempts,
        "prove_seconds": record.prove_milliseconds / 1000,
        "verify_seconds": record.verify_milliseconds / 1000,
        "proof_bytes": record.proof_bytes,
        "proof_file": str(session.paths.proofs / f"{record.digest}.proof") if record.digest else "",
        "gas": record.gas,
        "calldata_bytes": sum(step.calldata for step in record.l1_steps),
        "l1_steps": [
            {
                "kind": step.kind,
                "gas": step.gas,
                "calldata_bytes": step.calldata,
                "transaction": step.transaction.hex(),
            }
            for step in record.l1_steps
        ],
        "l1_transaction": record.l1_transaction.hex(),
        "l1_status": receipt.status if receipt else None,
        "old_root": root_bytes(record.old_root).hex(),
        "new_root": root_bytes(record.new_root).hex(),
        "statement": STATEMENT_NAME,
        "profile": facts.profile if facts else "",
        "security_bits_proven": facts.bits_proven if facts else None,
        "security_bits_conjectured": facts.bits_conjectured if facts else None,
        "stage_seconds": facts.stage_seconds if facts else {},
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the object, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(report, indent=1) + "\n")
        temporary.replace(path)
    except OSError as error:
        raise ProtocolError(f"the report {path} cannot be written: {error.strerror}", field="--report") from error
