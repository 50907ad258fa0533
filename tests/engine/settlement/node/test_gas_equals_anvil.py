"""Every transaction has the gas, status and logs on the embedded chain that it has on Anvil, a node of another make."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from engine.exchange.config import DEFAULT_CONFIG
from engine.settlement.chain.blocks import Receipt
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import address_of, sign_transaction
from engine.settlement.contracts.abi import selector, word
from engine.settlement.gas_report import REPORT_TIME, measured_chain
from engine.settlement.genesis import allocation, venue_client
from engine.settlement.keys.keys import role_key
from engine.settlement.node.chain import NodeChain, anchor_of
from engine.settlement.node.mining import miner_of
from engine.settlement.relay.client import UPDATE
from tests.support.anvil_node import anvil, connected
from tests.support.verifier_bench import KEY, Bench, make_bench, prove_sample

RANDOM_TRANSACTIONS = 100
STORE = bytes.fromhex("666020355f3555005f5260076019f3")  # a contract: sstore(calldataload(0), calldataload(32))
VANISH = bytes.fromhex("6133ff5f526002601ef3")  # a contract: selfdestruct(caller())
ENTRIES = (
    "deposit(uint64,uint64)",
    "open_account(bytes32,uint64)",
    "request_reclaim(uint64)",
    "reclaim(uint64)",
    "withdraw(address,uint256)",
    UPDATE,
    "nothing()",
)


def add_random_transactions(chain: Chain) -> None:
    """One block each: stores, hostile calldata, transfers, creations, precompiles, a vanishing contract."""
    draw, key = random.Random(5), role_key(DEFAULT_CONFIG.seed, "maker")
    exchange = venue_client(chain, DEFAULT_CONFIG).exchange

    def add(to: bytes, data: bytes, gas: int = 200_000, value: int = 0) -> bytes:
        nonce = chain.nonce(address_of(key))
        raw = sign_transaction(key, chain_id=chain.chain_id, nonce=nonce, to=to, data=data, gas_limit=gas, value=value)
        return chain.build_block([raw], REPORT_TIME).receipts[0].created

    store, vanish = add(b"", STORE), add(b"", VANISH)
    add(b"", bytes.fromhex("33ff"))
    for turn in range(RANDOM_TRANSACTIONS):
        kind = turn % 10
        if kind < 4:
            value = draw.choice([0, 0, 5, 2**255])
            add(store, word(draw.randrange(3)) + word(value), draw.choice([30_000, 100_000, 1_000_000]))
        elif kind == 4:
            add(exchange, selector(draw.choice(ENTRIES)) + draw.randbytes(draw.randrange(200)))
        elif kind == 5:
            add(draw.randbytes(20), draw.randbytes(draw.randrange(2000)), value=draw.randrange(100))
        elif kind == 6:
            add(b"", draw.randbytes(draw.randrange(100)))
        elif kind == 7:
            deposit = selector(ENTRIES[0]) + word(draw.randrange(40)) + word(draw.randrange(100))
            add(exchange, deposit, draw.choice([40_000, 200_000]))
        elif kind == 8:
            add(draw.randrange(1, 10).to_bytes(20, "big"), draw.randbytes(draw.randrange(300)))
        else:
            add(vanish, b"", value=draw.randrange(5))


@pytest.fixture(scope="module")
def node() -> Iterator[NodeChain]:
    """A chain on Anvil under Osaka's rules without a base fee, with the ether of both embedded chains."""
    funds = {**allocation(DEFAULT_CONFIG), address_of(KEY): 10**30}
    options = ("--hardfork", "osaka", "--block-base-fee-per-gas", 0, "--gas-limit", 60_000_000)
    with anvil(*options, allocation=funds) as process, connected(process.url) as connection:
        yield NodeChain(connection, miner_of(connection), anchor_of(connection), MemoryBlockStore(), bytes(20))


def outcome(receipt: Receipt) -> tuple[object, ...]:
    return receipt.gas_used, receipt.status, receipt.created, receipt.logs


def assert_equal_on(node: NodeChain, chain: Chain) -> list[Receipt]:
    """Every transaction again on Anvil, a block each; returns the embedded chain's receipts."""
    compared = []
    for block in chain.blocks_since(0):
        for raw, ours in zip(block.transactions, block.receipts, strict=True):
            (again,) = node.include([raw], REPORT_TIME)
            (theirs,) = again.receipts
            assert outcome(theirs) == outcome(ours), f"block {block.number}, transaction {ours.index}: {ours.reason}"
            compared.append(ours)
    return compared


def test_every_action_of_the_contracts_and_hostile_calls(node: NodeChain) -> None:
    chain, _ = measured_chain()
    add_random_transactions(chain)
    compared = assert_equal_on(node, chain)
    assert len(compared) >= RANDOM_TRANSACTIONS + 20
    assert 10 < sum(not receipt.status for receipt in compared) < len(compared) - 30


def test_a_whole_verification(node: NodeChain) -> None:
    bench: Bench = make_bench()
    receipts = bench.run(bench.split(prove_sample(1, 3)))
    assert all(receipt.status for receipt in receipts)
    compared = assert_equal_on(node, bench.chain)
    assert len(compared) == len(bench.deployed) + len(receipts)
