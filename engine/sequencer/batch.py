"""A closed batch: what the prover proves and what the relayer posts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.exchange.accounts import Account

Digest = tuple[int, ...]  # 8 canonical KoalaBear elements


@dataclass(frozen=True, slots=True)
class ExternalFlow:
    """Collateral that enters or leaves the layer 2 in this batch, summed per account and kind.

    ``owner`` is the leaf's L1 address (20 bytes); ``amount`` in [1, 2^63).
    """

    account: int
    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """One touched account: its leaf before and after, and the 2^height tree path, siblings from leaf to root.

    The siblings are those at the moment of this update: after all earlier updates of the batch, before later ones.
    """

    account: int
    old: Account
    new: Account
    siblings: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Batch ``number`` (1, 2, ...): updates in ascending account id, chained from ``old_root`` to ``new_root``."""

    number: int
    old_root: Digest
    new_root: Digest
    updates: tuple[AccountUpdate, ...]
    deposits: tuple[ExternalFlow, ...]
    withdrawals: tuple[ExternalFlow, ...]
    transactions: int
    first_sequence: int
    last_sequence: int
    opened_at: int
    closed_at: int


def root_bytes(root: Digest) -> bytes:
    """32 bytes: eight elements, each 4 bytes big-endian, element 0 first (as the contract stores it)."""
    return b"".join(int(element).to_bytes(4, "big") for element in root)
