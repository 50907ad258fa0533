"""``bench prove``: seconds to prove a batch of account updates, from batch to proof file, stage by stage."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from app.commands.bench import result
from engine.exchange.accounts import Account
from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.proving.prover import prove_batch, verify_file
from engine.sequencer.batch import Batch, ExternalFlow

UPDATES = 64
ROUNDS = 5


def measure(*, quick: bool) -> dict[str, Any]:
    """Median of several proofs of one batch of 64 updates, after one that is not counted."""
    batch = sample_batch(UPDATES)
    prove_batch(batch, DEFAULT_CONFIG)
    runs = [prove_batch(batch, DEFAULT_CONFIG) for _ in range(1 if quick else ROUNDS)]
    runs.sort(key=lambda run: run.seconds)
    middle = runs[len(runs) // 2]
    started = time.perf_counter()
    verified = verify_file(middle.file)
    details = {
        "stages": middle.stage_seconds,
        "rounds": [run.seconds for run in runs],
        "verify_seconds": time.perf_counter() - started,
        "proof_bytes": len(middle.file),
        "bits_proven": verified.bits_proven,
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    return result("prove", middle.seconds, "seconds", {"account_updates": UPDATES, "threads": 1}, details)


def sample_batch(updates: int) -> Batch:
    """A batch of deposits into new accounts, from a fixed seed."""
    config = DEFAULT_CONFIG
    tree = AccountTree(config.tree_height, len(config.markets))
    numbers = np.random.default_rng(7)
    ids = sorted(numbers.choice(1 << config.tree_height, size=updates, replace=False).tolist())
    owners = {i: numbers.bytes(20) for i in ids}
    amounts = {i: int(numbers.integers(1, 1 << 50)) for i in ids}
    old_root = tree.root
    changes = {i: Account(version=1, l1_address=owners[i], collateral=amounts[i]) for i in ids}
    done, new_root = tree.apply_batch(changes)
    deposits = tuple(ExternalFlow(i, owners[i], amounts[i]) for i in ids)
    return Batch(1, old_root, new_root, done, deposits, (), updates, 1, updates, 0, 1)
