"""``bench verify``: verification of real proofs, natively and by the contracts on an embedded chain.

For both profiles and for a small and a full batch: seconds natively, gas, calldata and transactions on L1.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from app.benches.batches import venue_batch
from app.commands.bench import result
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.parameters import DEFAULT_PROFILE, LARGEST_HEIGHTS, PROFILES, Profile
from engine.proving.proof_file import open_file
from engine.proving.prover import prove_batch, verify_file
from engine.proving.shape import venue_shape
from engine.proving.statement import build_statement
from engine.settlement.chain.blocks import Receipt
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import address_of, decode_transaction
from engine.settlement.errors import Reverted
from engine.settlement.verifier.client import VerifierClient, split_proof
from engine.settlement.verifier.deployment import VerifierSetup, deployment_transactions
from engine.stark.air.layout import layout_of

ROUNDS = 15
SMALL, FULL = 64, 4096
FLOWS = {SMALL: (6, 2), FULL: (48, 16)}
"""Deposits and withdrawals among the updates of each batch."""
CHAIN_ID = 31337
KEY = b"\x05" * 32
EXCHANGE = b"\x77" * 20
"""The address that facts are bound to; nothing is deployed there."""
PROVE_THREADS = 2


def measure(*, quick: bool) -> dict[str, Any]:
    """Median of several native verifications of one proof, after one that is not counted; the same and gas per case."""
    rounds, sizes = (3, (SMALL,)) if quick else (ROUNDS, (SMALL, FULL))
    cases: dict[str, dict[str, Any]] = {}
    for profile in PROFILES.values():
        l1 = _L1(profile)
        cases |= {f"{profile.name}, {updates} updates": _case(l1, updates, rounds) for updates in sizes}
    seconds = cases[f"{DEFAULT_PROFILE.name}, {SMALL} updates"]["verify_seconds"]
    parameters = {"account_updates": SMALL, "profile": DEFAULT_PROFILE.name, "threads": 1}
    return result("verify", seconds, "seconds", parameters, cases)


class _L1:
    """An embedded chain with one profile's verifier contracts on it; every transaction in a block of its own."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        layout = layout_of(build_statement(venue_shape(DEFAULT_CONFIG)))
        limit = 1 << DEFAULT_CONFIG.tree_height
        self.setup = VerifierSetup(layout, profile.parameters, profile.digest, limit, LARGEST_HEIGHTS)
        self.sender = address_of(KEY)
        self.chain = Chain(CHAIN_ID, {self.sender: 10**30}, 0, MemoryBlockStore())
        raws, addresses = deployment_transactions(
            self.setup, EXCHANGE, chain_id=CHAIN_ID, key=KEY, sender=self.sender, nonce=0
        )
        self.deployment_gas = sum(receipt.gas_used for receipt in self.mined(raws))
        self.client = VerifierClient(self.chain, addresses)

    def mined(self, raws: Sequence[bytes]) -> list[Receipt]:
        """Receipts of transactions; raises :class:`Reverted` for one that fails."""
        receipts = []
        for raw in raws:
            (receipt,) = self.chain.build_block([raw], self.chain.head.time).receipts
            if not receipt.status:
                raise Reverted("verification on L1", receipt.reason)
            receipts.append(receipt)
        return receipts


def _case(l1: _L1, updates: int, rounds: int) -> dict[str, Any]:
    batch = venue_batch(updates, *FLOWS[updates])
    proved = prove_batch(batch, DEFAULT_CONFIG, profile=l1.profile, threads=PROVE_THREADS)
    verified = verify_file(proved.file)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        verify_file(proved.file)
        times.append(time.perf_counter() - started)
    times.sort()
    return {
        "deposits": len(batch.deposits),
        "withdrawals": len(batch.withdrawals),
        "bits_proven": verified.bits_proven,
        "prove_seconds": proved.seconds,
        "verify_seconds": times[len(times) // 2],
        "proof_bytes": len(proved.file),
        **_on_l1(l1, proved.file),
        "deployment_gas": l1.deployment_gas,
        "rounds": times,
    }


def _on_l1(l1: _L1, file: bytes) -> dict[str, Any]:
    """Gas and calldata of a proof's transactions, in all and one by one."""
    opened = open_file(file)
    parts = split_proof(l1.setup, opened.shape, opened.claim, opened.proof, chain_id=CHAIN_ID, exchange=EXCHANGE)
    raws = l1.client.transactions(KEY, parts, l1.chain.nonce(l1.sender))
    receipts = l1.mined(raws)
    if not l1.client.is_valid(parts.fact):
        raise Reverted("verification on L1", "the fact is not registered")
    data = [len(decode_transaction(raw, CHAIN_ID, l1.sender).data) for raw in raws]
    names = ["opening", *["queries"] * (len(raws) - 2), "registration"]
    gas = sum(receipt.gas_used for receipt in receipts)
    return {
        "gas": gas,
        "calldata_bytes": sum(data),
        "transactions": [
            {"name": name, "gas": receipt.gas_used, "calldata_bytes": size}
            for name, receipt, size in zip(names, receipts, data, strict=True)
        ],
    }
