"""Proofs of small batches under the contracts' parameters, and a chain with the contracts on it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.exchange.accounts import Account
from engine.exchange.config import DEFAULT_CONFIG, config_hash
from engine.exchange.tree import AccountTree
from engine.proving.parameters import parameter_digest
from engine.proving.shape import StatementShape, venue_shape
from engine.proving.statement import Claim, build_statement, claim_inputs, claim_of, claim_terms
from engine.proving.traces import build_traces
from engine.sequencer.batch import Batch, ExternalFlow
from engine.settlement.chain.blocks import Receipt
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import address_of
from engine.settlement.verifier.client import L1Proof, VerifierClient, split_proof
from engine.settlement.verifier.deployment import VerifierAddresses, VerifierSetup, deployment_transactions
from engine.stark.air.layout import layout_of
from engine.stark.parameters import Parameters
from engine.stark.protocol.prover import prove

PARAMETERS = Parameters(queries=9, log_blowup=3, log_arity=4, batching_grinding=3, query_grinding=6, target_bits=0)
"""Few queries: quick, and far from secure. The layout of proofs and contracts is that of the real parameters."""
CHAIN_ID = 31337
KEY = b"\x05" * 32
EXCHANGE = b"\x77" * 20
TIME = 10**18
SHAPE: StatementShape = venue_shape(DEFAULT_CONFIG)


def sample_batch(seed: int, count: int) -> Batch:
    """Deposits into new accounts; every second account has had its deposit before and pays half of it out."""
    tree = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets))
    ids = [17 * seed + 1000 * place + 3 for place in range(count)]
    owner = {i: bytes([seed, *i.to_bytes(3, "big"), *range(16)]) for i in ids}
    before = {i: Account(version=1, l1_address=owner[i], collateral=10_000 + i) for i in ids[::2]}
    if before:
        tree.apply_batch(before)
    old_root = tree.root
    changes = {}
    deposits, withdrawals = [], []
    for i in ids:
        if i in before:
            withdrawals.append(ExternalFlow(i, owner[i], 5_000))
            changes[i] = Account(version=1, l1_address=owner[i], collateral=before[i].collateral - 5_000)
        else:
            deposits.append(ExternalFlow(i, owner[i], (1 << 40) + i))
            changes[i] = Account(version=1, l1_address=owner[i], collateral=(1 << 40) + i)
    updates, new_root = tree.apply_batch(changes)
    return Batch(
        number=seed,
        old_root=old_root,
        new_root=new_root,
        updates=updates,
        deposits=tuple(deposits),
        withdrawals=tuple(withdrawals),
        transactions=count,
        first_sequence=1,
        last_sequence=count,
        opened_at=0,
        closed_at=1,
    )


@dataclass(frozen=True)
class Proved:
    """A claim, its STARK proof and what the native verifier needs beside."""

    claim: Claim
    proof: bytes

    @property
    def inputs(self) -> tuple[int, ...]:
        return claim_inputs(self.claim)


def prove_sample(seed: int, count: int, parameters: Parameters = PARAMETERS) -> Proved:
    batch = sample_batch(seed, count)
    claim = claim_of(batch, config_hash(DEFAULT_CONFIG))
    traces = build_traces(batch, SHAPE).by_name()
    terms = claim_terms(claim, SHAPE)
    return Proved(claim, prove(build_statement(SHAPE), traces, claim_inputs(claim), terms, parameters).bytes)


class Bench:
    """The contracts on a chain of their own. ``send`` mines one transaction per block."""

    def __init__(self, setup: VerifierSetup, exchange: bytes = EXCHANGE) -> None:
        self.setup = setup
        self.exchange = exchange
        self.sender = address_of(KEY)
        self.chain = Chain(CHAIN_ID, {self.sender: 10**30}, TIME, MemoryBlockStore())
        raws, self.addresses = deployment_transactions(
            setup, exchange, chain_id=CHAIN_ID, key=KEY, sender=self.sender, nonce=0
        )
        self.deployed = [self.send_raw(raw) for raw in raws]
        self.client = VerifierClient(self.chain, self.addresses)

    def send_raw(self, raw: bytes) -> Receipt:
        (receipt,) = self.chain.build_block([raw], self.chain.head.time).receipts
        return receipt

    def send(self, to: bytes, data: bytes) -> Receipt:
        return self.send_raw(self.client.sign(KEY, to, data, self.chain.nonce(self.sender)))

    def split(self, proved: Proved) -> L1Proof:
        return split_proof(self.setup, SHAPE, proved.claim, proved.proof, chain_id=CHAIN_ID, exchange=self.exchange)

    def run(self, proof: L1Proof) -> list[Receipt]:
        """Every transaction of a proof; stops at the first that fails."""
        receipts: list[Receipt] = []
        for raw in self.client.transactions(KEY, proof, self.chain.nonce(self.sender)):
            receipts.append(self.send_raw(raw))
            if not receipts[-1].status:
                break
        return receipts


def make_setup(parameters: Parameters = PARAMETERS) -> VerifierSetup:
    layout = layout_of(build_statement(SHAPE))
    limit = 1 << DEFAULT_CONFIG.tree_height
    return VerifierSetup(layout, parameters, parameter_digest(parameters), limit, (17, 17, 12, 16))


def make_bench() -> Bench:
    return Bench(make_setup())


__all__ = ["Bench", "Proved", "VerifierAddresses", "make_bench", "make_setup", "prove_sample"]
