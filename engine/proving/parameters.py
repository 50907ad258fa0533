"""The verifier's parameters for this statement: fixed here, bound by proofs and facts, never read from a file.

At the heights of a full batch (poseidon and path 2^11 to 2^12, update an eighth, range 2^16 rows) they give over 101
proven bits by the formulas of ``engine.stark.security``; with every table at its largest sensible height (2^16, update
2^12) as well. The verifier computes the level of each proof from its heights and insists on ``target_bits``.
"""

from __future__ import annotations

from engine.hashing.keccak import keccak256
from engine.stark.parameters import Parameters

PARAMETERS = Parameters(queries=86, log_blowup=2, batching_grinding=10, query_grinding=16, target_bits=100)


def parameter_digest(parameters: Parameters = PARAMETERS) -> bytes:
    """32 bytes: Keccak-256 over a label and the canonical encoding."""
    return keccak256(b"proofline-parameters-1" + parameters.encode())
