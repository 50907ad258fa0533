"""One real proof for the inspector's tests: a batch with one deposit, made once in a test run."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache

from app.snapshot.views import BatchView
from engine.exchange.accounts import Account
from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.proving.prover import prove_batch
from engine.sequencer.batch import Batch, ExternalFlow, root_bytes

NUMBER, ACCOUNT, DEPOSIT = 41, 16, 5_000_001
OWNER = bytes.fromhex("52908400098527886e0f7030069857d2e4169ee7")


@lru_cache(maxsize=1)
def sample_proof() -> tuple[Batch, bytes]:
    """The batch and its proof file."""
    tree = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets))
    old = tree.root
    updates, new = tree.apply_batch({ACCOUNT: Account(version=1, l1_address=OWNER, collateral=DEPOSIT)})
    batch = Batch(
        number=NUMBER, old_root=old, new_root=new, updates=updates, deposits=(ExternalFlow(ACCOUNT, OWNER, DEPOSIT),),
        withdrawals=(), transactions=1, first_sequence=1, last_sequence=2, opened_at=0, closed_at=1,
    )  # fmt: skip
    return batch, prove_batch(batch, DEFAULT_CONFIG).file


def proved_view(view: BatchView, file: bytes | None = None) -> BatchView:
    """The view of a batch whose record and proof file are the sample's."""
    batch, whole = sample_proof()
    data = whole if file is None else file
    return replace(
        view,
        old_root=root_bytes(batch.old_root).hex(),
        new_root=root_bytes(batch.new_root).hex(),
        proof_bytes=len(data),
        proof_file=f"/venue/proofs/{hashlib.sha256(whole).hexdigest()}.proof",
    )
