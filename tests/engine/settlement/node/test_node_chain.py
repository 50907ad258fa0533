"""The venue's chain on Anvil: blocks on demand, records, restarts, reorganisations, and transactions that go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from engine.settlement.chain.chain import MemoryBlockStore
from engine.settlement.chain.transactions import address_of, sign_transaction
from engine.settlement.errors import (
    InsufficientFunds,
    InvalidTransaction,
    NodeDiverged,
    NodeRefused,
    NonceMismatch,
    NonceTaken,
    NotIncluded,
    TransactionDropped,
    WrongChain,
)
from engine.settlement.node import chain as module
from engine.settlement.node.anchor import Anchor
from engine.settlement.node.chain import NodeChain, anchor_of
from engine.settlement.node.connection import NodeConnection
from engine.settlement.node.mining import MiningElsewhere, MiningOnDemand, miner_of
from engine.units import SECOND
from tests.support.anvil_node import anvil, connected

START = 1_723_075_200
ETHER = 10**18
CHAIN_ID = 31337
_keys = count(1)


def loud_code() -> bytes:
    """Creation code of a contract that logs the first word of its calldata, and reverts where that is zero."""
    runtime = bytes.fromhex("5f358015600e575f5260205fa0005b5f5ffd")
    return bytes.fromhex(f"60{len(runtime):02x}600a5f3960{len(runtime):02x}5ff3") + runtime


@dataclass
class Sender:
    """A rich account of its own, so that no test's nonces are another's."""

    chain: NodeChain
    key: bytes = field(default_factory=lambda: next(_keys).to_bytes(32, "big"))

    def __post_init__(self) -> None:
        assert self.chain.miner.give_ether(self.address, 100 * ETHER)

    @property
    def address(self) -> bytes:
        return address_of(self.key)

    def sign(self, to: bytes, nonce: int | None = None, **more: object) -> bytes:
        options = {"gas_limit": 200_000, "gas_price": self.chain.gas_price, **more}
        used = self.chain.nonce(self.address) if nonce is None else nonce
        return sign_transaction(self.key, chain_id=CHAIN_ID, nonce=used, to=to, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def connection() -> Iterator[NodeConnection]:
    with anvil() as process, connected(process.url) as node:
        yield node


@pytest.fixture(scope="module")
def loud(connection: NodeConnection) -> bytes:
    """A contract whose events a venue would watch."""
    chain = NodeChain(connection, miner_of(connection), anchor_of(connection), MemoryBlockStore(), bytes(20))
    (block,) = chain.include([Sender(chain).sign(b"", data=loud_code())], START * SECOND)
    assert block.receipts[0].status
    return block.receipts[0].created


@dataclass
class World:
    connection: NodeConnection
    loud: bytes
    anchor: Anchor
    store: MemoryBlockStore
    chain: NodeChain

    def again(self) -> NodeChain:
        """The chain as a restart opens it."""
        return NodeChain(self.connection, self.chain.miner, self.anchor, self.store, self.loud)

    def mine(self, *raws: bytes) -> None:
        """A block that somebody else brought about."""
        for raw in raws:
            self.connection.request("eth_sendRawTransaction", "0x" + raw.hex())
        self.connection.request("evm_mine")


@pytest.fixture
def world(connection: NodeConnection, loud: bytes) -> World:
    anchor, store = anchor_of(connection), MemoryBlockStore()
    store.append = lambda number, record: store.records.append(record)  # type: ignore[method-assign]  # gaps are right
    return World(connection, loud, anchor, store, NodeChain(connection, miner_of(connection), anchor, store, loud))


def test_blocks_carry_the_venues_time_though_the_nodes_clock_was_ahead(world: World) -> None:
    assert world.chain.miner.on_demand
    time = world.chain.head.time + 12 * SECOND
    for seconds in (0, 12, 12):
        (block,) = world.chain.include([], time + seconds * SECOND + 5)
        assert (block.time, block.receipts) == (time + seconds * SECOND, ())
    assert [b.number for b in world.chain.blocks_since(world.anchor.number)] == [
        world.anchor.number + i for i in (1, 2, 3)
    ]


def test_a_block_time_before_the_last_is_taken(world: World) -> None:
    """A venue on a node that another one used before: the clock goes back, the numbers go on."""
    (block,) = world.chain.include([], (START - 1000) * SECOND)
    assert block.time == (START - 1000) * SECOND


def test_a_restart_reads_the_same_blocks_and_receipts_back(world: World) -> None:
    raw = Sender(world.chain).sign(world.loud, data=(7).to_bytes(32, "big"))
    (block,) = world.chain.include([raw], START * SECOND)
    again = world.again()
    assert again.head == block == world.chain.head
    (receipt,) = block.receipts
    assert again.receipt(receipt.transaction) == receipt
    assert receipt.logs[0].data == (7).to_bytes(32, "big")
    assert again.gas_price == world.chain.gas_price > 10**9


def test_events_of_others_are_recorded_and_quiet_blocks_are_not(world: World) -> None:
    stranger = Sender(world.chain)
    world.mine()
    world.mine(stranger.sign(world.loud, data=(9).to_bytes(32, "big")))
    for _ in range(3):
        world.mine()
    first = world.anchor.number + 1
    world.chain.follow()
    assert [block.number for block in world.chain.blocks_since(0)] == [first + 1, first + 4]
    assert [[r.sender for r in block.receipts] for block in world.chain.blocks_since(0)] == [[stranger.address], []]
    world.chain.follow()
    assert len(world.store.records) == 2, "nothing new, nothing recorded"


def test_ether_that_comes_with_the_same_call_is_waited_for(world: World) -> None:
    giver, poor = Sender(world.chain), (10**6 + next(_keys)).to_bytes(32, "big")
    gift = giver.sign(address_of(poor), value=ETHER, gas_limit=21_000)
    spend = sign_transaction(
        poor,
        chain_id=CHAIN_ID,
        nonce=0,
        to=giver.address,
        value=ETHER // 2,
        gas_limit=21_000,
        gas_price=world.chain.gas_price,
    )
    blocks = world.chain.include([gift, spend], START * SECOND)
    assert [[receipt.status for receipt in block.receipts] for block in blocks] == [[1], [1]]
    with pytest.raises(InsufficientFunds):
        world.chain.include([sign_transaction(b"\x77" * 32, chain_id=CHAIN_ID, nonce=0, to=b"", gas_limit=60_000)], 0)


def test_more_than_a_block_holds_takes_more_blocks(world: World) -> None:
    """Large ones that do not fit together, and a small one behind them that would fit before its turn."""
    sender = Sender(world.chain)
    limits = (2**24, 2**24, 2**24, 100_000)
    raws = [sender.sign(world.loud, nonce, gas_limit=gas, data=b"\1" * 32) for nonce, gas in enumerate(limits)]
    blocks = world.chain.include(raws, START * SECOND)
    receipts = [receipt for block in blocks for receipt in block.receipts]
    assert [receipt.status for receipt in receipts] == [1, 1, 1, 1]
    assert len({receipt.transaction for receipt in receipts}) == 4


def test_a_reverted_transaction_is_included_with_its_reason(world: World) -> None:
    (block,) = world.chain.include([Sender(world.chain).sign(world.loud, data=bytes(32))], START * SECOND)
    (receipt,) = block.receipts
    assert (receipt.status, receipt.logs, receipt.created) == (0, (), b"")
    assert "revert" in receipt.reason


def test_the_same_transaction_again_changes_nothing(world: World) -> None:
    sender = Sender(world.chain)
    raw = sender.sign(world.loud, data=b"\2" * 32)
    world.connection.request("eth_sendRawTransaction", "0x" + raw.hex())  # a try that was cut off after sending
    (block,) = world.chain.include([raw], START * SECOND)
    assert [receipt.status for receipt in block.receipts] == [1]
    assert world.chain.include([raw], START * SECOND) == ()
    assert world.chain.nonce(sender.address) == 1


def test_nonces_with_a_gap_or_used_elsewhere_are_refused(world: World) -> None:
    sender = Sender(world.chain)
    for nonces in ((1,), (0, 2)):
        with pytest.raises(NonceMismatch) as refused:
            world.chain.include([sender.sign(world.loud, nonce) for nonce in nonces], START * SECOND)
        assert refused.value.sender == sender.address
    world.mine(sender.sign(world.loud, 0, data=b"\3" * 32))
    with pytest.raises(NonceMismatch) as refused:
        world.chain.include([sender.sign(world.loud, 0, data=b"\4" * 32)], START * SECOND)
    assert (refused.value.value, refused.value.limit) == (0, 1)


def test_what_waits_in_the_pool_comes_first(world: World) -> None:
    sender = Sender(world.chain)
    waiting = sender.sign(world.loud, 0, data=b"\5" * 32)
    world.connection.request("eth_sendRawTransaction", "0x" + waiting.hex())
    with pytest.raises(NonceMismatch, match="the next one is 1"):
        world.chain.include([sender.sign(world.loud, 0, data=b"\6" * 32)], START * SECOND)
    world.chain.follow()
    assert [r.logs[0].data for block in world.chain.blocks_since(0) for r in block.receipts] == [b"\5" * 32]


def test_intake_rules_hold_though_the_node_is_laxer(world: World) -> None:
    sender = Sender(world.chain)
    with pytest.raises(InvalidTransaction, match="above the cap per transaction"):
        world.chain.include([sender.sign(world.loud, gas_limit=2**24 + 1)], START * SECOND)
    with pytest.raises(NodeRefused, match="base fee"):
        world.chain.include([sender.sign(world.loud, gas_price=1)], START * SECOND)


def test_another_chain_is_refused_by_its_id(world: World) -> None:
    other = Anchor(1, world.anchor.number, world.anchor.hash)
    with pytest.raises(WrongChain, match="has chain id 31337; this venue is on 1") as refused:
        NodeChain(world.connection, world.chain.miner, other, world.store, world.loud)
    assert (refused.value.value, refused.value.limit) == (31337, 1)


def test_a_reorganised_or_restarted_node_is_noticed(world: World) -> None:
    snapshot = world.connection.request("evm_snapshot")
    world.chain.include([Sender(world.chain).sign(world.loud, data=b"\7" * 32)], START * SECOND)
    records = list(world.store.records)
    assert world.connection.request("evm_revert", snapshot)
    for look in (world.again, world.chain.follow, lambda: world.chain.include([], START * SECOND)):
        with pytest.raises(NodeDiverged, match="Nothing is lost here") as refused:
            look()
        assert refused.value.value == world.anchor.number + 1
        world.mine()  # a shorter chain the first time, another block at the same number after it
    assert world.store.records == records
    gone = Anchor(CHAIN_ID, world.anchor.number, b"\1" * 32)
    with pytest.raises(NodeDiverged):
        NodeChain(world.connection, world.chain.miner, gone, MemoryBlockStore(), world.loud)


class TestOnANetwork:
    """The same node as if its blocks came by themselves."""

    @pytest.fixture
    def network(self, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
        monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
        world.chain.miner = MiningElsewhere()
        return world

    def test_transactions_wait_for_a_block_that_others_make(
        self, network: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raw = _rich(network).sign(network.loud, data=b"\1" * 32)
        taken = network.chain._take_included

        def mined_meanwhile(pending: dict) -> int:  # the second look finds a block
            found = taken(pending)
            network.mine()
            return found

        monkeypatch.setattr(network.chain, "_take_included", mined_meanwhile)
        blocks = network.chain.include([raw], 5)
        assert [receipt.status for block in blocks for receipt in block.receipts] == [1]
        assert blocks[0].time != 5, "the network's time, not the venue's"

    def test_a_wait_has_an_end_and_may_be_taken_up_again(self, network: World, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = _rich(network).sign(network.loud, data=b"\2" * 32)
        monkeypatch.setattr(module, "PATIENCE", 0.0)
        with pytest.raises(NotIncluded, match="it waits in the node's pool"):
            network.chain.include([raw], 0)
        assert network.chain.include([], 0) == ()
        network.mine()
        (block,) = network.chain.include([raw], 0)
        assert [receipt.status for receipt in block.receipts] == [1]

    def test_a_dropped_transaction_is_named(self, network: World, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = _rich(network).sign(network.loud, data=b"\3" * 32)
        taken = network.chain._take_included

        def dropped_meanwhile(pending: dict) -> int:
            network.connection.request("anvil_dropAllTransactions")
            return taken(pending)

        monkeypatch.setattr(network.chain, "_take_included", dropped_meanwhile)
        with pytest.raises(TransactionDropped, match="the node dropped transaction 0x"):
            network.chain.include([raw], 0)

    def test_a_nonce_that_waits_in_the_pool_is_taken(self, network: World) -> None:
        sender = _rich(network)
        waiting = sender.sign(network.loud, 0, data=b"\5" * 32)
        network.connection.request("eth_sendRawTransaction", "0x" + waiting.hex())
        with pytest.raises(NonceTaken, match="nonce 0 waits in the node's pool"):
            network.chain.include([sender.sign(network.loud, 0, data=b"\6" * 32)], 0)
        network.mine()

    def test_closing_ends_a_wait(self, network: World) -> None:
        raw = _rich(network).sign(network.loud, data=b"\4" * 32)
        network.chain._closing.set()
        with pytest.raises(NotIncluded):
            network.chain.include([raw], 0)
        network.mine()


def _rich(world: World) -> Sender:
    """A sender whose ether the development node gave, whoever mines."""
    mining, world.chain.miner = world.chain.miner, MiningOnDemand(world.connection)
    try:
        return Sender(world.chain)
    finally:
        world.chain.miner = mining
