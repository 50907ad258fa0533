"""A stand-in for the verifier contracts, for tests and measurements that are not about proofs.

Its contract answers every question with yes. A venue deployed with it accepts any state update and proves nothing; no
command of the program deploys one, and a venue made with the real contracts refuses to open it.
"""

from __future__ import annotations

from engine.exchange.config import VenueConfig
from engine.settlement.relay.client import Client, Deployment
from engine.settlement.relay.verifiers import CONTRACTS_PER_PROFILE, VenueVerifiers, venue_verifiers

YES = bytes.fromhex("600160005260206000f3")  # return 1
_CREATE = bytes.fromhex("600a600c600039600a6000f3")  # copy the ten bytes behind this and make them the code


class YesVerifiers(VenueVerifiers):
    """Says yes to every fact, under the digests of real profiles and at the addresses of the real contracts."""

    def creation_codes(self, deployer: bytes, exchange: bytes) -> list[bytes]:
        """The same ten bytes at every place."""
        return [_CREATE + YES] * (CONTRACTS_PER_PROFILE * len(self.setups))

    def check(self, client: Client, deployment: Deployment) -> None:
        """There is nothing to ask it."""


def yes_verifiers(config: VenueConfig) -> YesVerifiers:
    """The stand-in for a venue."""
    return YesVerifiers(venue_verifiers(config).setups)
