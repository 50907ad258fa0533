"""The verifier's parameters for this statement: fixed here, bound by proofs and facts, never read from a file.

They are what ``engine.stark.security.choose_parameters`` chooses for ``LARGEST_HEIGHTS`` (a test compares): the fewest
queries, then the least grinding, that prove ``target_bits``. Smaller heights reach it as well (a test has them); the
verifier computes the level of each proof from its own heights and insists on ``target_bits``.
"""

from __future__ import annotations

from engine.hashing.keccak import keccak256
from engine.stark.parameters import Parameters

LARGEST_HEIGHTS = (17, 17, 12, 16)
"""log2 rows of poseidon, path, update, range table: 4,096 updates of 16 levels, no permutation shared."""
PARAMETERS = Parameters(queries=85, log_blowup=2, batching_grinding=6, query_grinding=16, target_bits=100)


def parameter_digest(parameters: Parameters = PARAMETERS) -> bytes:
    """32 bytes: Keccak-256 over a label and the canonical encoding."""
    return keccak256(b"proofline-parameters-1" + parameters.encode())
