"""From a proof file to a new root: the real contracts, real proofs, and nothing else that moves the root."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from engine.exchange.accounts import Account
from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.proving.parameters import QUICK
from engine.proving.proof_file import decode_file, header_claim
from engine.proving.prover import prove_batch
from engine.proving.shape import venue_shape
from engine.proving.statement import statement_id
from engine.sequencer.batch import Batch, ExternalFlow, root_bytes
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, address_of
from engine.settlement.errors import NotPostable
from engine.settlement.genesis import GenesisAccount, allocation, genesis, venue_client, venue_deployment
from engine.settlement.keys.keys import role_key
from engine.settlement.relay.client import Client, Deployment, StateUpdate
from engine.settlement.relay.relayer import Call, ProvedBatch, Relayer, proved_batch
from engine.settlement.relay.verifiers import venue_verifiers
from engine.settlement.relay.watcher import inputs_since
from engine.settlement.verifier.client import VerifierClient, split_proof

START = 1_723_075_200 * 10**9
OPERATOR, MAKER = (role_key(DEFAULT_CONFIG.seed, role) for role in ("operator", "maker"))
OWNER = address_of(MAKER)
ACCOUNT, DEPOSIT = 16, 5_000_000
VERIFIERS = venue_verifiers(DEFAULT_CONFIG)


def make_batches() -> list[Batch]:
    """The deposit is credited, then some of it withdrawn."""
    tree, batches = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets)), []
    deposits, withdrawals = (ExternalFlow(ACCOUNT, OWNER, DEPOSIT),), (ExternalFlow(ACCOUNT, OWNER, 7),)
    steps = ((DEPOSIT, deposits, ()), (DEPOSIT - 7, (), withdrawals))
    for number, (collateral, incoming, outgoing) in enumerate(steps, 1):
        old_root = tree.root
        updates, root = tree.apply_batch({ACCOUNT: Account(version=1, l1_address=OWNER, collateral=collateral)})
        batch = Batch(
            number=number,
            old_root=old_root,
            new_root=root,
            updates=updates,
            deposits=incoming,
            withdrawals=outgoing,
            queue_count=len(incoming),
            transactions=1,
            first_sequence=1,
            last_sequence=1,
            opened_at=START,
            closed_at=START,
        )
        batches.append(batch)
    return batches


@dataclass
class World:
    """A venue's chain, and the files of two batches by digest."""

    chain: Chain
    client: Client
    deployment: Deployment
    batches: list[ProvedBatch]
    files: dict[str, bytes]

    def relayer(self, **files: bytes) -> Relayer:
        """A new one each time: it remembers nothing."""
        return Relayer(self.client, self.deployment, VERIFIERS, OPERATOR, {**self.files, **files}.__getitem__)

    def send(self, relayer: Relayer, calls: tuple[Call, ...]) -> None:
        block = self.chain.build_block(relayer.sign(calls), self.chain.head.time)
        assert [receipt.status for receipt in block.receipts] == [1] * len(calls)
        pairs = list(zip(block.receipts, calls, strict=True))
        assert [receipt.gas_used <= call.gas for receipt, call in pairs] == [True] * len(calls)

    def update(self, batch: ProvedBatch, profile: int = 0, **change: object) -> str:
        """What the exchange says to this update: "" when it takes it. Nothing of it stays."""
        values = StateUpdate(profile, batch.number, batch.old_root, batch.new_root, batch.outputs, batch.queue_count)
        result = self.chain.simulate(self.client.exchange, replace(values, **change).data(), address_of(OPERATOR))
        return result.reason


@pytest.fixture(scope="module")
def made() -> tuple[list[bytes], list[Batch], dict[int, tuple[str, bytes]]]:
    """The chain's records after genesis, the batches, and their proofs' digests and files."""
    store = MemoryBlockStore()
    chain = Chain(DEFAULT_CONFIG.chain_id, allocation(DEFAULT_CONFIG), START, store)
    batches = make_batches()
    genesis(chain, DEFAULT_CONFIG, deployment_of(batches), VERIFIERS, (GenesisAccount(ACCOUNT, MAKER, DEPOSIT),), START)
    proofs = {batch.number: prove_batch(batch, DEFAULT_CONFIG, profile=QUICK) for batch in batches}
    return store.records, batches, {number: (proof.digest, proof.file) for number, proof in proofs.items()}


def deployment_of(batches: list[Batch]) -> Deployment:
    identity = statement_id(venue_shape(DEFAULT_CONFIG))
    return venue_deployment(DEFAULT_CONFIG, identity, VERIFIERS.digests, root_bytes(batches[0].old_root))


@pytest.fixture
def world(made: tuple[list[bytes], list[Batch], dict[int, tuple[str, bytes]]]) -> World:
    records, batches, proofs = made
    chain = Chain(DEFAULT_CONFIG.chain_id, allocation(DEFAULT_CONFIG), START, MemoryBlockStore(records))
    client, deployment = venue_client(chain, DEFAULT_CONFIG), deployment_of(batches)
    posted = [proved_batch(client, deployment, batch, proofs[batch.number][0]) for batch in batches]
    return World(chain, client, deployment, posted, dict(proofs.values()))


def test_genesis_with_both_verifiers_is_one_block(world: World) -> None:
    assert world.chain.head.number == 1
    assert all(receipt.status for receipt in world.chain.head.receipts)
    for place in world.client.verifiers:
        assert world.chain.code(place.opening)
        assert world.chain.code(place.queries)


def test_a_proof_moves_the_root_and_its_whole_cost_is_known(world: World) -> None:
    relayer, (first, second) = world.relayer(), world.batches
    for batch in (first, second):
        posted = relayer.post(batch, START)
        (update,) = inputs_since(world.client, 0, 0)[-1].state_updates
        kinds = [step.kind for step in update.steps]
        assert kinds[0] == "open"
        assert kinds[-2:] == ["register", "update"]
        assert set(kinds[1:-2]) == {"check"}
        assert sum(step.gas for step in update.steps) == posted.gas_used
        assert [step.transaction for step in update.steps] == [receipt.transaction for receipt in posted.receipts]
        assert all(step.gas <= MAX_GAS_LIMIT and step.calldata > 0 for step in update.steps)
        assert (world.client.last_batch(), world.client.state_root()) == (batch.number, batch.new_root)
    assert world.client.withdrawable(OWNER) == 7
    assert relayer.plan([first, second]).calls == ()


def test_a_partly_posted_batch_is_completed_and_nothing_is_sent_twice(world: World) -> None:
    """A crash after any number of transactions: the next relayer asks the contracts and sends the rest."""
    whole = world.relayer().plan(world.batches[:1]).calls
    sent: list[Call] = []
    while calls := world.relayer().plan(world.batches[:1]).calls:
        assert [call.data for call in calls] == [call.data for call in whole[len(sent) :]]
        world.send(world.relayer(), calls[:1])
        sent.append(calls[0])
    assert [call.data for call in sent] == [call.data for call in whole]
    assert world.client.state_root() == world.batches[0].new_root


def test_queries_that_another_brought_are_not_brought_again(world: World) -> None:
    """Out of order, and some of them only: the rest is asked for query by query."""
    relayer = world.relayer()
    _, first, *_ = whole = relayer.plan(world.batches[:1]).calls
    world.send(relayer, (first,))
    rest = world.relayer().plan(world.batches[:1]).calls
    assert first.data not in [call.data for call in rest]
    assert len(rest) == len(whole) - 1
    for call in reversed([call for call in rest if call.kind in ("open", "check")]):
        world.send(relayer, (call,))
    assert [call.kind for call in world.relayer().plan(world.batches[:1]).calls] == ["register", "update"]


def test_without_every_part_of_a_proof_the_root_stays(world: World) -> None:
    first = world.batches[0]
    assert world.update(first) == "fact not registered"
    for call in world.relayer().plan([first]).calls[:-1]:
        assert world.update(first) == "fact not registered"
        world.send(world.relayer(), (call,))
    assert world.update(first) == ""


def test_a_fact_serves_its_own_batch_outputs_and_profile_only(world: World) -> None:
    first, second = world.batches
    world.send(world.relayer(), world.relayer().plan([first]).calls[:-1])
    assert world.update(first) == ""
    assert world.update(first, profile=1) == "fact not registered"
    assert world.update(first, new_root=second.new_root) == "fact not registered"
    assert world.update(first, outputs=b"") == "fact not registered"
    assert world.update(first, outputs=first.outputs[:-1] + bytes([first.outputs[-1] ^ 1])) == "fact not registered"
    assert world.update(second) == "wrong batch number"
    assert world.update(first, number=2) == "wrong batch number"


def test_a_proof_of_a_later_batch_opens_nothing_before_its_turn(world: World) -> None:
    first, second = world.batches
    _, proof = world.relayer()._split(second)
    verifier = VerifierClient(world.chain, world.client.verifiers[0])
    for raw in verifier.transactions(MAKER, proof, world.chain.nonce(OWNER)):  # anyone may bring a proof
        assert world.chain.build_block([raw], START).receipts[0].status == 1
    assert verifier.is_valid(second.facts[0])
    assert world.update(first) == "fact not registered"
    assert world.update(second) == "wrong batch number"
    assert world.update(first, new_root=second.new_root, outputs=second.outputs) == "fact not registered"
    world.relayer().post(first, START)
    assert [call.kind for call in world.relayer().plan([first, second]).calls] == ["update"]
    assert world.update(second) == ""


@pytest.mark.parametrize("elsewhere", [{"chain_id": 1}, {"exchange": OWNER}])
def test_a_proof_for_another_chain_or_exchange_registers_nothing(world: World, elsewhere: dict) -> None:
    """Its openings go to a context that this chain's opening contract, for this exchange, never makes."""
    relayer, first = world.relayer(), world.batches[0]
    header, stark = decode_file(world.files[first.proof_digest])
    claim, shape = header_claim(header)
    here = {"chain_id": world.chain.chain_id, "exchange": world.client.exchange}
    proof = split_proof(VERIFIERS.setups[0], shape, claim, stark, **{**here, **elsewhere})
    assert proof.fact not in first.facts
    verifier = VerifierClient(world.chain, world.client.verifiers[0])
    *parts, register = verifier.transactions(MAKER, proof, world.chain.nonce(OWNER))
    for raw in parts:
        assert world.chain.build_block([raw], START).receipts[0].status == 1
    (refused,) = world.chain.build_block([register], START).receipts
    assert (refused.status, refused.reason) == (0, "not opened")
    assert not any(verifier.is_valid(fact) for fact in (proof.fact, *first.facts))
    assert world.update(first) == "fact not registered"
    assert [call.kind for call in relayer.plan([first]).calls][:1] == ["check"]  # its opening is ours all the same


def test_a_file_about_something_else_is_not_posted(world: World) -> None:
    first, second = world.batches
    relayer = world.relayer(**{first.proof_digest: world.files[second.proof_digest]})
    plan = relayer.plan([first])
    assert plan.calls == ()
    assert plan.refusal is not None
    assert "about something else" in plan.refusal.message


@pytest.mark.parametrize("place", [-100_000, -200_000, 2_000])
def test_a_corrupted_proof_is_refused_by_the_chain(world: World, place: int) -> None:
    first = world.batches[0]
    file = bytearray(world.files[first.proof_digest])
    file[place] ^= 1
    relayer = world.relayer(**{first.proof_digest: bytes(file)})
    plan = relayer.plan([first])
    sent = [call.kind for call in plan.calls]
    assert plan.refusal is not None
    assert "update" not in sent
    world.send(relayer, plan.calls)
    assert world.update(first) == "fact not registered"
    with pytest.raises(NotPostable):
        relayer.post(first, START)
    world.relayer().post(first, START)  # the whole file does it still
    assert world.client.last_batch() == 1
