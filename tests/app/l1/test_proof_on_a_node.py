"""Real proofs before the contracts on a real node: accepted, the root moves; corrupted, refused, and nothing moves.

What the exchange contract holds is read by web3.py alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec
import pytest
import requests
from web3 import HTTPProvider, Web3

from app.paths import open_paths
from app.venue.replay import replay
from app.venue.session import Session, open_session
from engine.exchange.config import DEFAULT_CONFIG
from engine.proving.prover import verify_file
from engine.sequencer.batch import root_bytes
from engine.settlement.chain.transactions import address_of
from engine.settlement.contracts.artifacts import load_artifact
from engine.settlement.errors import NotPostable
from engine.settlement.keys.keys import role_key
from engine.settlement.relay.relayer import Relayer, proved_batch
from engine.settlement.relay.verifiers import venue_verifiers
from engine.settlement.verifier.client import VerifierClient, check_data, in_order, open_data
from engine.stark.errors import VerificationError
from engine.units import SECOND
from tests.support.anvil_node import anvil

CONFIG = msgspec.structs.replace(DEFAULT_CONFIG, batch_max_age=3 * SECOND)


@dataclass
class World:
    session: Session
    contract: object

    def root(self) -> bytes:
        return bytes(self.contract.functions.state_root().call())  # type: ignore[attr-defined]

    def last(self) -> int:
        return int(self.contract.functions.last_batch().call())  # type: ignore[attr-defined]

    def file(self, batch: int) -> bytes:
        digest = self.session.loop.venue.batch_record(batch).digest
        return (self.session.paths.proofs / f"{digest}.proof").read_bytes()

    def run_until(self, condition: object, limit: int = 120) -> None:
        loop = self.session.loop
        end = loop.venue.time + limit * SECOND
        while not condition():  # type: ignore[operator]
            assert loop.venue.time < end, self.session.chain.errors
            loop.run_to(loop.venue.time + SECOND, step=SECOND)

    def relayer(self, file: bytes) -> Relayer:
        """One that is handed this file as the batch's proof."""
        chain = self.session.chain
        operator = role_key(CONFIG.seed, "operator")
        return Relayer(chain.client, chain.deployment, venue_verifiers(CONFIG), operator, lambda digest: file)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A venue with its real prover and its real contracts on Anvil; the first batch is proved and not yet posted."""
    folder = tmp_path_factory.mktemp("node")
    with anvil() as node, requests.Session() as http:
        web3 = Web3(HTTPProvider(node.url, session=http))
        session = open_session(open_paths(folder), CONFIG, l1=node.url)
        try:
            session.loop.set_hold(True)
            session.prover.start()
            exchange = Web3.to_checksum_address("0x" + session.chain.client.exchange.hex())
            found = World(session, web3.eth.contract(exchange, abi=load_artifact("exchange").abi))
            records = session.loop.venue.core.batches.records
            session.chain.mine = lambda time, *, allow_empty: []  # type: ignore[method-assign]  # no slot meanwhile
            found.run_until(lambda: 1 in records and records[1].digest != "")
            yield found
        finally:
            session.close()


def flipped(data: bytes, place: int) -> bytes:
    out = bytearray(data)
    out[place] ^= 1
    return bytes(out)


def test_a_corrupted_proof_is_refused_at_the_native_verifiers_stage_and_moves_nothing(world: World) -> None:
    assert world.last() == 0
    session, file = world.session, world.file(1)
    chain, before = session.chain, world.root()
    batch = proved_batch(chain.client, chain.deployment, session.loop.venue.batch(1), "")
    stages = set()
    for place in (len(file) - 5_000, len(file) - 200_000, 2_000):
        bad = flipped(file, place)
        with pytest.raises(VerificationError) as native:
            verify_file(bad)
        stages.add(native.value.stage)
        with pytest.raises(NotPostable, match=native.value.stage):
            world.relayer(bad).post(batch, session.loop.venue.time)
    assert len(stages) > 1
    assert (world.root(), world.last()) == (before, 0)


def test_a_corrupted_proof_that_is_sent_all_the_same_fails_on_the_chain(world: World) -> None:
    """Past the relayer, which asks the node first: transactions with their fees, included and reverted."""
    chain, key = world.session.chain, role_key(CONFIG.seed, "operator")
    ledger, before = chain.chain, world.root()
    _, proof = world.relayer(world.file(1))._split(  # the file's own cutting up
        proved_batch(chain.client, chain.deployment, world.session.loop.venue.batch(1), "")
    )
    verifier = VerifierClient(ledger, chain.client.verifiers[0])
    nonce, time = ledger.nonce(address_of(key)), ledger.head.time
    numbers = in_order(proof)[:2]
    row = proof.openings[numbers[0]].row
    calls = [
        (verifier.addresses.opening, open_data(replace(proof, head=flipped(proof.head, len(proof.head) - 3)))),
        (verifier.addresses.queries, check_data(proof, numbers).replace(row, flipped(row, 3), 1)),
    ]
    raws = [verifier.sign(key, to, calldata, nonce + place) for place, (to, calldata) in enumerate(calls)]
    receipts = [receipt for block in ledger.include(raws, time) for receipt in block.receipts]
    assert [receipt.status for receipt in receipts] == [0, 0]
    assert receipts[1].reason == "trace opening"
    assert all(receipt.gas_used > 1_000_000 for receipt in receipts)
    assert (world.root(), world.last()) == (before, 0)


def test_the_proof_as_it_was_made_is_accepted_and_the_root_moves(world: World) -> None:
    del world.session.chain.mine  # slots are worked again
    session = world.session
    world.run_until(lambda: session.loop.venue.core.batches.last_posted >= 1)
    record = session.loop.venue.batch_record(1)
    assert world.last() >= 1
    assert record.status == "final"
    world.run_until(lambda: session.loop.venue.core.batches.last_posted == world.last())
    assert (
        world.root()
        == root_bytes(session.loop.venue.batch_record(world.last()).new_root)
        == session.chain.contract_root
    )
    reverted = [message.rsplit(": ", 1)[1] for message in session.chain.errors]
    assert reverted == ["grinding", "trace opening"], "the two of the test before, seen in their block"


def test_replay_asks_no_node(world: World) -> None:
    outcome = replay(world.session.paths)
    assert outcome["root"] == root_bytes(world.session.loop.venue.state_root()).hex()
    assert outcome["l1_block"] == world.session.chain.chain.head.number
