"""Parameters of the protocol. They are part of what a verifier is given, never taken from a proof."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from engine.errors import check_range


@dataclass(frozen=True, slots=True)
class Parameters:
    """One parameter set; ``engine.stark.protocol.security.choose_parameters`` finds one that reaches a target.

    ``log_blowup``: LDE domain over trace, 1..4. The quotient of degree-3 constraints has degree below 2N: 1 holds it.
    ``log_arity``: FRI folds by up to 2**log_arity at once. ``log_final``: the last polynomial has at most
    2**log_final coefficients (fewer when the smallest table is smaller). ``queries``: FRI queries.
    ``*_grinding``: proof-of-work bits before the LogUp challenges, before the out-of-domain point, before the DEEP
    batching challenge, before each folding challenge, before the queries; 0..40.
    ``target_bits``: proven bits that the verifier insists on, computed from the heights of the proof at hand.
    """

    queries: int
    log_blowup: int = 2
    log_arity: int = 3
    log_final: int = 5
    lookup_grinding: int = 0
    deep_grinding: int = 0
    batching_grinding: int = 0
    folding_grinding: int = 0
    query_grinding: int = 16
    target_bits: int = 100

    def __post_init__(self) -> None:
        check_range("queries", self.queries, 1, 500)
        check_range("log_blowup", self.log_blowup, 1, 4)
        check_range("log_arity", self.log_arity, 1, 4)
        check_range("log_final", self.log_final, 0, 10)
        for name in ("lookup", "deep", "batching", "folding", "query"):
            check_range(f"{name}_grinding", getattr(self, f"{name}_grinding"), 0, 40)
        check_range("target_bits", self.target_bits, 0, 256)

    def encode(self) -> bytes:
        """Every parameter as a 32-bit little-endian word, in the order of the fields."""
        return b"".join(value.to_bytes(4, "little") for value in astuple(self))
