"""The verifier contracts behind a venue's exchange: an opening and a query contract per profile.

The constraint programs depend on the statement alone, so all profiles share them. Addresses go in a circle (the
exchange knows its verifiers, a verifier's facts name the exchange), which is broken by the deployer's nonces: token 0,
exchange 1, then profile by profile opening and queries, the programs last.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.exchange.config import VenueConfig
from engine.proving.parameters import LARGEST_HEIGHTS, PROFILES
from engine.proving.shape import venue_shape
from engine.proving.statement import build_statement
from engine.settlement.chain.transactions import contract_address
from engine.settlement.contracts.abi import decode_words, encode_call
from engine.settlement.errors import RootDivergence
from engine.settlement.relay.client import Client, Deployment
from engine.settlement.verifier.deployment import (
    VerifierAddresses,
    VerifierSetup,
    check_buses,
    check_security,
    check_sizes,
    constraint_code,
    opening_code,
    programs,
    queries_code,
)
from engine.stark.air.layout import layout_of

FIRST_NONCE = 2
"""Of the deployer's nonces, the first that creates a verifier contract."""
CONTRACTS_PER_PROFILE = 2


def verifier_addresses(deployer: bytes, profiles: int) -> tuple[VerifierAddresses, ...]:
    """Where the contracts of each profile are (the programs' addresses are the opening contract's business)."""
    first = [FIRST_NONCE + CONTRACTS_PER_PROFILE * place for place in range(profiles)]
    return tuple(
        VerifierAddresses(contract_address(deployer, at), contract_address(deployer, at + 1), ()) for at in first
    )


@dataclass(frozen=True)
class VenueVerifiers:
    """What a venue's verifier contracts are made with, one setup per profile in the order of the exchange's list."""

    setups: tuple[VerifierSetup, ...]

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Each profile's parameter digest."""
        return tuple(setup.parameter_digest for setup in self.setups)

    def creation_codes(self, deployer: bytes, exchange: bytes) -> list[bytes]:
        """Creation code of every contract, in the order of the deployer's nonces from ``FIRST_NONCE`` on.

        Raises :class:`engine.stark.errors.StatementError` for parameters or a statement that the contracts cannot hold.
        """
        for setup in self.setups:
            check_sizes(setup)
            check_buses(setup)
            check_security(setup)
        shared = programs(self.setups[0])
        first = FIRST_NONCE + CONTRACTS_PER_PROFILE * len(self.setups)
        evaluators = [contract_address(deployer, first + place) for place in range(len(shared))]
        codes = []
        for setup, place in zip(self.setups, verifier_addresses(deployer, len(self.setups)), strict=True):
            codes += [opening_code(setup, exchange, place.queries, evaluators), queries_code(setup)]
        return codes + [constraint_code(self.setups[0], program) for program in shared]

    def check(self, client: Client, deployment: Deployment) -> None:
        """Raise :class:`RootDivergence` unless the contracts on the chain say that they are these, for this exchange.

        Together with their addresses, which follow from the deployer's nonces, this tells a venue of another version.
        """
        for setup, opening in zip(self.setups, deployment.verifiers, strict=True):
            for signature, expected in (
                ("STATEMENT_ID()", setup.layout.digest),
                ("VERIFIER_PARAMETER_DIGEST()", setup.parameter_digest),
                ("EXCHANGE()", client.exchange.rjust(32, b"\0")),
            ):
                (found,) = decode_words(("bytes32",), client.chain.call(opening, encode_call(signature)))
                if found != expected:
                    name = signature.removesuffix("()").lower()
                    raise RootDivergence(
                        f"the chain's verifier contract was deployed with another {name}",
                        field=f"verifier {name}",
                        value=found,
                        limit=expected,
                    )


def venue_verifiers(config: VenueConfig) -> VenueVerifiers:
    """The verifiers of a venue: every profile, up to the largest batch."""
    layout = layout_of(build_statement(venue_shape(config)))
    limit = 1 << config.tree_height
    return VenueVerifiers(
        tuple(
            VerifierSetup(layout, profile.parameters, profile.digest, limit, LARGEST_HEIGHTS)
            for profile in PROFILES.values()
        )
    )
