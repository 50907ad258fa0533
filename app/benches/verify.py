"""``bench verify``: seconds to verify a proof file natively."""

from __future__ import annotations

import time
from typing import Any

from app.benches.prove import UPDATES, sample_batch
from app.commands.bench import result
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.prover import prove_batch, verify_file

ROUNDS = 15


def measure(*, quick: bool) -> dict[str, Any]:
    """Median of several verifications of one proof, after one that is not counted."""
    file = prove_batch(sample_batch(UPDATES), DEFAULT_CONFIG).file
    verified = verify_file(file)
    times = []
    for _ in range(3 if quick else ROUNDS):
        started = time.perf_counter()
        verify_file(file)
        times.append(time.perf_counter() - started)
    times.sort()
    details = {"rounds": times, "proof_bytes": len(file), "bits_proven": verified.bits_proven}
    return result("verify", times[len(times) // 2], "seconds", {"account_updates": UPDATES, "threads": 1}, details)
