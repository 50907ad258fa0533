"""Is a proof file true? The verdict of this machine's own verifier, for whoever shows it."""

from __future__ import annotations

import time

from app.snapshot.views import Verdict


def check_proof(data: bytes) -> Verdict:
    """Verify proof file bytes; a refusal is a verdict, not an error. Any bytes may be given."""
    from engine.proving.prover import verify_file  # loads the verifier's kernels with the first proof only
    from engine.stark.errors import VerificationError

    started = time.perf_counter()
    try:
        verified = verify_file(data)
    except VerificationError as error:
        return Verdict(False, time.perf_counter() - started, error.stage, error.located)
    seconds = time.perf_counter() - started
    return Verdict(True, seconds, "", "", verified.bits_proven, verified.bits_conjectured)
