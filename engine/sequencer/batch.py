"""A closed batch: what the prover proves and what the relayer posts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.exchange.accounts import AccountUpdate as AccountUpdate
from engine.exchange.accounts import Digest as Digest
from engine.units import AccountId


@dataclass(frozen=True, slots=True)
class ExternalFlow:
    """Collateral that enters or leaves the layer 2 in this batch, summed per account and kind.

    ``owner`` is the leaf's L1 address (20 bytes); ``amount`` in [1, 2^63).
    """

    account: AccountId
    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Batch ``number`` (1, 2, ...): updates in ascending account id, chained from ``old_root`` to ``new_root``.

    ``queue_count``: how many entries of L1's queue it takes; one of them counts as zero on L1 only from ``not_before``
    (seconds, 0: always) on.
    """

    number: int
    old_root: Digest
    new_root: Digest
    updates: tuple[AccountUpdate, ...]
    deposits: tuple[ExternalFlow, ...]
    withdrawals: tuple[ExternalFlow, ...]
    queue_count: int = 0
    not_before: int = 0
    transactions: int
    first_sequence: int
    last_sequence: int
    opened_at: int
    closed_at: int


def root_bytes(root: Digest) -> bytes:
    """32 bytes: eight elements, each 4 bytes big-endian, element 0 first (as the contract stores it)."""
    return b"".join(int(element).to_bytes(4, "big") for element in root)
