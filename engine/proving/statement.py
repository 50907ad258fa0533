"""The statement "proofline/account-updates/1": tables, public inputs, public terms, and the fact that L1 records.

====================  =========================================================================
public inputs         content (52 words)
====================  =========================================================================
0 .. 7, 8 .. 15       old root, new root
16 .. 19              batch number, four 16-bit limbs, little-endian
20 .. 35              config hash, sixteen 16-bit limbs: bytes 2i, 2i+1 big-endian
36 .. 51              keccak of the outputs (below), likewise
====================  =========================================================================

Constraints use the roots; the others are there so that the transcript holds what the proof is about. The deposits and
withdrawals enter as public terms on the external bus, which the verifier computes from the list itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from engine.errors import ProtocolError, check_range
from engine.exchange.leaf import BLOCK, LIMBS, address_limbs, to_limbs
from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.proving.coverage import STATEMENT_NAME
from engine.proving.shape import BUS_EXTERNAL, BUSES, StatementShape
from engine.proving.tables.path import path_table
from engine.proving.tables.poseidon import poseidon_table
from engine.proving.tables.range import range_table
from engine.proving.tables.update import DEPOSIT, WITHDRAWAL, update_table
from engine.sequencer.batch import Batch, Digest, ExternalFlow, root_bytes
from engine.stark.air.layout import layout_of
from engine.stark.air.table import PublicTerm, Statement

PUBLIC_COUNT = 52
ADDRESS_BYTES = 20
HASH_BYTES = 32
MAX_NUMBER = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What one proof is about: everything public in it."""

    number: int
    old_root: Digest
    new_root: Digest
    deposits: tuple[ExternalFlow, ...]
    withdrawals: tuple[ExternalFlow, ...]
    config_hash: bytes


def claim_of(batch: Batch, config_hash: bytes) -> Claim:
    """The claim that a batch's proof makes."""
    return Claim(batch.number, batch.old_root, batch.new_root, batch.deposits, batch.withdrawals, config_hash)


def check_claim(claim: Claim, shape: StatementShape) -> None:
    """Refuse a claim with anything out of range; ProtocolError naming the field and the limit."""
    check_range("batch number", claim.number, 0, MAX_NUMBER)
    check_range("length of config hash", len(claim.config_hash), HASH_BYTES, HASH_BYTES)
    for name, root in (("old root", claim.old_root), ("new root", claim.new_root)):
        check_range(f"length of {name}", len(root), BLOCK, BLOCK)
        for element in root:
            check_range(f"{name} element", element, 0, P - 1)
    for name, flows in (("deposit", claim.deposits), ("withdrawal", claim.withdrawals)):
        _check_flows(name, flows, shape)


def _check_flows(name: str, flows: tuple[ExternalFlow, ...], shape: StatementShape) -> None:
    """Ascending accounts, at most one flow each; amounts positive and within a signed integer of the leaf."""
    lowest = 0
    for flow in flows:
        limit = (1 << shape.tree_height) - 1
        check_range(f"account of a {name} (they ascend)", flow.account, lowest, limit)
        check_range(f"length of a {name}'s owner", len(flow.owner), ADDRESS_BYTES, ADDRESS_BYTES)
        check_range(f"amount of a {name}", flow.amount, 1, (1 << (LIMBS * shape.limb_bits - 1)) - 1)
        lowest = flow.account + 1


@lru_cache(maxsize=16)
def build_statement(shape: StatementShape) -> Statement:
    """The statement for a shape; the same object for the same shape."""
    return Statement(
        identity=STATEMENT_NAME.encode(),
        tables=(poseidon_table(), path_table(shape), update_table(shape), range_table(shape)),
        buses=dict(BUSES),
        public_count=PUBLIC_COUNT,
    )


def statement_id(shape: StatementShape) -> bytes:
    """32 bytes: Keccak-256 over identity, tables, constraints, interactions and buses (``engine.stark.air.layout``)."""
    return layout_of(build_statement(shape)).digest


def _hash_limbs(digest: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(digest[i : i + 2], "big") for i in range(0, len(digest), 2))


def claim_inputs(claim: Claim) -> tuple[int, ...]:
    """The 52 public inputs of a claim that passed :func:`check_claim`."""
    number = [(claim.number >> (16 * i)) & 0xFFFF for i in range(LIMBS)]
    outputs = keccak256(claim_outputs(claim))
    return (*claim.old_root, *claim.new_root, *number, *_hash_limbs(claim.config_hash), *_hash_limbs(outputs))


def claim_terms(claim: Claim, shape: StatementShape) -> tuple[PublicTerm, ...]:
    """One received tuple on the external bus per deposit, then per withdrawal."""
    terms = []
    for kind, flows in ((DEPOSIT, claim.deposits), (WITHDRAWAL, claim.withdrawals)):
        for flow in flows:
            amount = to_limbs("amount", flow.amount, signed=False, limb_bits=shape.limb_bits)
            values = (kind, flow.account, *address_limbs(flow.owner), *amount)
            terms.append(PublicTerm(BUS_EXTERNAL, -1, values))
    return tuple(terms)


def claim_outputs(claim: Claim) -> bytes:
    """The list that L1 hashes: per flow kind (1 byte: 0 deposit, 1 withdrawal), account (8), owner (20), amount (8).

    Numbers are big-endian; deposits come first, each kind in ascending account.
    """
    return b"".join(
        bytes([kind]) + flow.account.to_bytes(8, "big") + flow.owner + flow.amount.to_bytes(8, "big")
        for kind, flows in ((DEPOSIT, claim.deposits), (WITHDRAWAL, claim.withdrawals))
        for flow in flows
    )


def public_inputs(batch: Batch, config_hash: bytes) -> tuple[int, ...]:
    """The 52 public inputs of a batch's proof."""
    return claim_inputs(claim_of(batch, config_hash))


def public_terms(batch: Batch, shape: StatementShape) -> tuple[PublicTerm, ...]:
    """The public terms of a batch's proof."""
    return claim_terms(claim_of(batch, bytes(HASH_BYTES)), shape)


def outputs_bytes(batch: Batch) -> bytes:
    """The deposits and withdrawals as L1 hashes them, see :func:`claim_outputs`."""
    return claim_outputs(claim_of(batch, bytes(HASH_BYTES)))


class BadFact(ProtocolError):
    """A part of a fact has the wrong size."""


@dataclass(frozen=True, slots=True)
class FactParts:
    """What a fact binds: hashes are 32 bytes, ``exchange`` 20 bytes, the others unsigned integers below 2^256."""

    statement_id: bytes
    parameter_digest: bytes
    config_hash: bytes
    chain_id: int
    exchange: bytes
    number: int
    old_root: Digest
    new_root: Digest
    outputs: bytes


def fact(parts: FactParts) -> bytes:
    """Keccak-256 of nine 32-byte words: both digests, config, chain, exchange, number, both roots, keccak(outputs)."""
    for name in ("statement_id", "parameter_digest", "config_hash"):
        if len(getattr(parts, name)) != HASH_BYTES:
            raise BadFact(f"{name} is not 32 bytes", field=name, value=len(getattr(parts, name)), limit=HASH_BYTES)
    if len(parts.exchange) != ADDRESS_BYTES:
        raise BadFact("exchange is not 20 bytes", field="exchange", value=len(parts.exchange), limit=ADDRESS_BYTES)
    words = (
        parts.statement_id,
        parts.parameter_digest,
        parts.config_hash,
        check_range("chain_id", parts.chain_id, 0, (1 << 256) - 1).to_bytes(32, "big"),
        bytes(HASH_BYTES - ADDRESS_BYTES) + parts.exchange,
        check_range("batch number", parts.number, 0, MAX_NUMBER).to_bytes(32, "big"),
        root_bytes(parts.old_root),
        root_bytes(parts.new_root),
        keccak256(parts.outputs),
    )
    return keccak256(b"".join(words))
