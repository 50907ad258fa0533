"""A venue on a fresh chain: genesis is executed once a session; every test re-executes its stored block.

In place of the verifiers stands a contract that registers whatever fact it is told, so that the exchange contract can
be tested alone. The real ones are in ``verifier`` and in ``test_proof_to_root``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.exchange.config import DEFAULT_CONFIG
from engine.sequencer.batch import Batch, ExternalFlow, root_bytes
from engine.settlement.chain.blocks import Block, Receipt
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import address_of, sign_transaction
from engine.settlement.contracts.abi import encode_call, selector
from engine.settlement.errors import NotPostable
from engine.settlement.genesis import GenesisAccount, allocation, genesis, venue_client, venue_deployment
from engine.settlement.keys.keys import role_key
from engine.settlement.relay.client import Client, Deployment, StateUpdate
from engine.settlement.relay.relayer import ProvedBatch, Relayer, proved_batch
from engine.settlement.relay.verifiers import CONTRACTS_PER_PROFILE, VenueVerifiers, venue_verifiers

START = 1_723_075_200 * 10**9
SEED = DEFAULT_CONFIG.seed
DEPLOYER, OPERATOR, MAKER, TAKER = (role_key(SEED, role) for role in ("deployer", "operator", "maker", "taker"))
ROOTS = [tuple(100 * step + limb for limb in range(8)) for step in range(20)]
R0, R1, R2 = (root_bytes(root) for root in ROOTS[:3])
MAKER_ACCOUNT, TAKER_ACCOUNT = 16, 17
LAYER_2 = 10**12
"""What the exchange holds for accounts on the layer 2, from before: without it nothing can be withdrawn."""
MAKER_DEPOSIT, TAKER_DEPOSIT, WALLET = 5_000_000, 3_000_000, 1_000_000
DIGESTS = (b"\x22" * 32, b"\x23" * 32)
REGISTER = "register_fact(bytes32)"
# is_valid(fact): sload(fact); register_fact(fact), from anyone: sstore(fact, 1)
LEDGER_OF_FACTS = bytes.fromhex("6004355f3560e01c63") + selector(REGISTER) + bytes.fromhex(
    "14601857545f5260205ff35b6001905500"
)  # fmt: skip


class ToldVerifiers(VenueVerifiers):
    """Says yes to every fact that it was told."""

    def creation_codes(self, deployer: bytes, exchange: bytes) -> list[bytes]:
        size = bytes([len(LEDGER_OF_FACTS)])
        create = b"\x60" + size + bytes.fromhex("600c60003960") + size + bytes.fromhex("6000f3") + LEDGER_OF_FACTS
        return [create] * (CONTRACTS_PER_PROFILE * len(self.setups))

    def check(self, client: Client, deployment: Deployment) -> None:
        pass


def told_verifiers() -> ToldVerifiers:
    return ToldVerifiers(venue_verifiers(DEFAULT_CONFIG).setups)


def no_proof(digest: str) -> bytes:
    raise NotPostable("there are no proofs here")


@dataclass
class Venue:
    """A chain with the contracts, the maker's and taker's pending deposits, and shorthands."""

    chain: Chain
    client: Client
    deployment: Deployment
    store: MemoryBlockStore
    maker: bytes = field(default=address_of(MAKER))
    taker: bytes = field(default=address_of(TAKER))

    @property
    def time(self) -> int:
        return self.chain.head.time

    def nonce(self, key: bytes) -> int:
        return self.chain.nonce(address_of(key))

    def send(self, *raws: bytes) -> tuple[Receipt, ...]:
        return self.block(*raws).receipts

    def block(self, *raws: bytes) -> Block:
        return self.chain.build_block(raws, self.time)

    def batch(
        self,
        number: int,
        deposits: tuple[ExternalFlow, ...] = (),
        withdrawals: tuple[ExternalFlow, ...] = (),
        queue_count: int = 0,
    ) -> Batch:
        """Batch ``number`` from root to root of the list above; the updates play no part on L1."""
        return Batch(
            number=number,
            old_root=ROOTS[number - 1],
            new_root=ROOTS[number],
            updates=(),
            deposits=deposits,
            withdrawals=withdrawals,
            queue_count=queue_count,
            transactions=1,
            first_sequence=1,
            last_sequence=2,
            opened_at=START,
            closed_at=START,
        )

    def proved(self, number: int, deposits: tuple = (), withdrawals: tuple = (), queue_count: int = 0) -> ProvedBatch:
        batch = self.batch(number, deposits, withdrawals, queue_count)
        return proved_batch(self.client, self.deployment, batch, "ab" * 32)

    def told(
        self, number: int, deposits: tuple = (), withdrawals: tuple = (), queue_count: int = 0, profile: int = 0
    ) -> ProvedBatch:
        """The same, its fact registered by the profile's verifier."""
        proved = self.proved(number, deposits, withdrawals, queue_count)
        self.tell(proved.facts[profile], profile)
        return proved

    def tell(self, fact: bytes, profile: int = 0) -> None:
        """Register a fact, whoever sends it."""
        (receipt,) = self.send(self.telling(fact, profile))
        assert receipt.status == 1

    def telling(self, fact: bytes, profile: int = 0, key: bytes = MAKER) -> bytes:
        return sign_transaction(
            key,
            chain_id=self.chain.chain_id,
            nonce=self.nonce(key),
            to=self.deployment.verifiers[profile],
            data=encode_call(REGISTER, fact),
            gas_limit=100_000,
        )

    def relayer(self) -> Relayer:
        return Relayer(self.client, self.deployment, told_verifiers(), OPERATOR, no_proof)


def flow(account: int, owner: bytes, amount: int) -> ExternalFlow:
    return ExternalFlow(account, owner, amount)


def deployment() -> Deployment:
    return venue_deployment(DEFAULT_CONFIG, b"\x11" * 32, DIGESTS, root_bytes(ROOTS[0]))


def new_chain(store: MemoryBlockStore, **options: object) -> Chain:
    return Chain(DEFAULT_CONFIG.chain_id, allocation(DEFAULT_CONFIG), START, store, **options)  # type: ignore[arg-type]


def genesis_blocks() -> list[bytes]:
    """The stored records of a chain with contracts and two funded accounts; the exchange holds tokens besides."""
    store = MemoryBlockStore()
    accounts = (
        GenesisAccount(MAKER_ACCOUNT, MAKER, MAKER_DEPOSIT, WALLET),
        GenesisAccount(TAKER_ACCOUNT, TAKER, TAKER_DEPOSIT, WALLET),
    )
    chain = new_chain(store)
    client = genesis(chain, DEFAULT_CONFIG, deployment(), told_verifiers(), accounts, START)
    mint = client.mint(DEPLOYER, client.exchange, LAYER_2, chain.nonce(address_of(DEPLOYER)))
    assert chain.build_block([mint], START).receipts[0].status == 1
    return store.records


def open_venue(records: list[bytes]) -> Venue:
    """A venue on a copy of these records."""
    store = MemoryBlockStore(records)
    chain = new_chain(store)
    return Venue(chain, venue_client(chain, DEFAULT_CONFIG), deployment(), store)


def update(
    venue: Venue,
    number: int,
    old: bytes,
    new: bytes,
    outputs: bytes,
    told: bool = True,
    profile: int = 0,
    queue_count: int = 0,
) -> tuple[int, str]:
    """Register the fact of exactly these values (unless told not to), then post them: (status, reason)."""
    values = StateUpdate(profile, number, old, new, outputs, queue_count)
    if told:
        venue.tell(venue.client.fact_of(values), profile)
    (receipt,) = venue.send(venue.client.update_state(OPERATOR, values, venue.nonce(OPERATOR)))
    return receipt.status, receipt.reason


def entry(kind: int, account: int, owner: bytes, amount: int) -> bytes:
    return bytes([kind]) + account.to_bytes(8, "big") + owner + amount.to_bytes(8, "big")
