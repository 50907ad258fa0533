"""The verifier's parameters for this statement: fixed here, bound by proofs and facts, never read from a file.

Two sets, by name. Each is what ``security.choose_parameters`` chooses for ``LARGEST_HEIGHTS`` at its rate,
folds and work before the queries (a test compares): the fewest queries, then the least grinding, that prove
``target_bits``. Smaller heights reach it as well (a test has them); the verifier computes the level of each proof from
its own heights and insists on ``target_bits``.

"quick" makes a proof fastest: a high rate means little to extend and to hash. "frugal" makes verification on L1
cheapest: a low rate needs fewer queries, and each of them costs gas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.errors import UnknownName
from engine.hashing.keccak import keccak256
from engine.stark.parameters import Parameters

LARGEST_HEIGHTS = (17, 17, 12, 16)
"""log2 rows of poseidon, path, update, range table: 4,096 updates of 16 levels, no permutation shared."""


def parameter_digest(parameters: Parameters) -> bytes:
    """32 bytes: Keccak-256 over a label and the canonical encoding."""
    return keccak256(b"proofline-parameters-1" + parameters.encode())


@dataclass(frozen=True, slots=True)
class Profile:
    """A named parameter set. ``digest``: 32 bytes, what facts and contracts know it by."""

    name: str
    parameters: Parameters
    digest: bytes

    @property
    def terms(self) -> str:
        """The parameters in words, for people."""
        p = self.parameters
        return (
            f"rate 1/{1 << p.log_blowup}, {p.queries} queries after {p.query_grinding} bits of work, "
            f"folds by {1 << p.log_arity}, at least {p.target_bits} bits proven"
        )


def _profile(name: str, parameters: Parameters) -> Profile:
    return Profile(name, parameters, parameter_digest(parameters))


QUICK = _profile("quick", Parameters(queries=85, log_blowup=2, log_arity=4, batching_grinding=6, query_grinding=16))
FRUGAL = _profile("frugal", Parameters(queries=39, log_blowup=4, log_arity=4, query_grinding=24))
PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in (QUICK, FRUGAL)})
"""Every profile that a proof may name, in the order in which contracts list them."""
DEFAULT_PROFILE = QUICK
PARAMETERS = DEFAULT_PROFILE.parameters


def profile_named(name: str) -> Profile:
    """The profile with this name; raises :class:`engine.errors.UnknownName`."""
    if name not in PROFILES:
        raise UnknownName("profile", name, list(PROFILES))
    return PROFILES[name]
