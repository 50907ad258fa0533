"""Blocks, receipts, gas, storage before visibility, and re-execution."""

from __future__ import annotations

import re
import threading

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CorruptData, OutOfRange
from engine.sequencer.batch import root_bytes
from engine.settlement.chain import world
from engine.settlement.chain.blocks import Block, decode_block, encode_block, make_block
from engine.settlement.chain.chain import Chain, MemoryBlockStore
from engine.settlement.chain.transactions import (
    BASE_GAS,
    GAS_PRICE,
    MAX_GAS_LIMIT,
    address_of,
    contract_address,
    sign_transaction,
)
from engine.settlement.chain.world import BLOCK_GAS_LIMIT, FEE_RECIPIENT
from engine.settlement.contracts.abi import encode_call
from engine.settlement.errors import BlockFull, ClockWentBack, InsufficientFunds, NonceMismatch, Reverted
from tests.support.settlement_venue import (
    MAKER,
    MAKER_ACCOUNT,
    MAKER_DEPOSIT,
    ROOTS,
    START,
    TAKER,
    Venue,
    flow,
    genesis_blocks,
    new_chain,
    open_venue,
)

KEY = b"\x07" * 32
SENDER = address_of(KEY)
ETHER = 10**18
# Stores the second argument word in the slot of the first: sstore(calldataload(0), calldataload(32)), 5 opcodes.
STORE_CODE = bytes.fromhex("6020355f355500")
SIZE_CODE = bytes.fromhex("365f5500")  # sstore(0, calldatasize())
# Reverts with no data; halts on an invalid opcode.
REVERT_CODE, INVALID_CODE = bytes.fromhex("5f5ffd"), bytes.fromhex("fe")
# Returns block number, timestamp, chain id, gas price, origin's balance at the start.
CONTEXT_CODE = bytes.fromhex("435f52" + "42602052" + "46604052" + "3a606052" + "60805ff3")


def init_code(code: bytes) -> bytes:
    """Creation code that returns ``code`` (at most 32 bytes): push it, store it, return its place in the word."""
    return (
        bytes([0x5F + len(code)]) + code + bytes.fromhex("5f52") + bytes([0x60, len(code), 0x60, 32 - len(code), 0xF3])
    )


class Sandbox:
    """A chain with one rich sender."""

    def __init__(self, store: MemoryBlockStore | None = None) -> None:
        self.store = MemoryBlockStore() if store is None else store
        self.chain = Chain(31337, {SENDER: 10 * ETHER}, START, self.store)

    def raw(self, to: bytes, data: bytes = b"", nonce: int | None = None, gas: int = 200_000, **rest: int) -> bytes:
        nonce = self.chain.nonce(SENDER) if nonce is None else nonce
        return sign_transaction(KEY, chain_id=31337, nonce=nonce, to=to, data=data, gas_limit=gas, **rest)

    def send(self, to: bytes, data: bytes = b"", **rest: int):  # type: ignore[no-untyped-def]
        return self.chain.build_block([self.raw(to, data, **rest)], START).receipts[0]

    def deploy(self, code: bytes) -> bytes:
        created = self.send(b"", init_code(code)).created
        assert self.chain.code(created) == code
        return created

    def store_gas(self, contract: bytes, slot: int, value: int) -> int:
        """Gas of one store, without the intrinsic part."""
        data = slot.to_bytes(32, "big") + value.to_bytes(32, "big")
        gas = self.send(contract, data).gas_used
        zeros = data.count(0)
        return gas - BASE_GAS - 4 * zeros - 16 * (64 - zeros)


def test_storage_gas_starts_cold_in_every_transaction() -> None:
    """EIP-2929, EIP-2200 and EIP-3529: what pyrevm's never-ending journal would get wrong."""
    box = Sandbox()
    contract = box.deploy(STORE_CODE)
    opcodes = 3 + 3 + 2 + 3  # PUSH1 CALLDATALOAD PUSH0 CALLDATALOAD
    assert box.store_gas(contract, 1, 5) == opcodes + 22_100
    assert box.store_gas(contract, 1, 6) == opcodes + 5_000
    assert box.store_gas(contract, 1, 6) == opcodes + 2_200
    assert box.store_gas(contract, 2, 7) == opcodes + 22_100


def test_a_cleared_slot_is_refunded() -> None:
    """EIP-3529: 4,800 back; the slot is cold and empty again for the next transaction."""
    box = Sandbox()
    contract = box.deploy(SIZE_CODE)
    assert box.send(contract, b"\x01").gas_used == BASE_GAS + 16 + 4 + 22_100
    assert box.send(contract).gas_used == BASE_GAS + 4 + 5_000 - 4_800
    assert box.send(contract, b"\x01").gas_used == BASE_GAS + 16 + 4 + 22_100


def test_calldata_floor_is_charged() -> None:
    box = Sandbox()
    receipt = box.send(b"\x99" * 20, b"\xff" * 1000 + bytes(500))
    assert receipt.gas_used == BASE_GAS + 1000 * 40 + 500 * 10
    assert box.chain.balance(SENDER) == 10 * ETHER - receipt.gas_used * GAS_PRICE
    assert box.chain.balance(FEE_RECIPIENT) == receipt.gas_used * GAS_PRICE


def test_value_fee_and_nonce_of_a_plain_transfer() -> None:
    box = Sandbox()
    receipt = box.send(b"\x99" * 20, value=123, gas=BASE_GAS, gas_price=5)
    assert (receipt.status, receipt.gas_used, receipt.gas_price) == (1, BASE_GAS, 5)
    assert box.chain.balance(b"\x99" * 20) == 123
    assert box.chain.balance(SENDER) == 10 * ETHER - 123 - 5 * BASE_GAS
    assert box.chain.nonce(SENDER) == 1


@pytest.mark.parametrize(("code", "reason"), [(REVERT_CODE, "Revert"), (INVALID_CODE, "InvalidFEOpcode")])
def test_a_failed_transaction_pays_and_changes_nothing_else(code: bytes, reason: str) -> None:
    box = Sandbox()
    contract = box.deploy(code)
    before = box.chain.balance(SENDER)
    receipt = box.send(contract, value=77, gas=50_000)
    assert (receipt.status, receipt.reason, receipt.logs) == (0, reason, ())
    assert receipt.gas_used == (50_000 if code == INVALID_CODE else BASE_GAS + 4)
    assert box.chain.balance(SENDER) == before - receipt.gas_used * GAS_PRICE
    assert box.chain.balance(contract) == 0
    assert box.chain.nonce(SENDER) == 2


def test_a_failed_creation_uses_its_nonce() -> None:
    box = Sandbox()
    receipt = box.send(b"", INVALID_CODE, gas=60_000)
    assert (receipt.status, receipt.created, receipt.gas_used) == (0, b"", 60_000)
    assert box.chain.nonce(SENDER) == 1
    assert box.chain.code(contract_address(SENDER, 0)) == b""
    assert box.send(b"", init_code(STORE_CODE)).created == contract_address(SENDER, 1)


def test_opcodes_see_block_and_transaction() -> None:
    box = Sandbox()
    contract = box.deploy(CONTEXT_CODE)
    output = box.chain.call(contract, b"")
    words = [int.from_bytes(output[i : i + 32], "big") for i in range(0, 128, 32)]
    assert words == [1, START // 10**9, 31337, 0]


def test_a_call_leaves_no_trace(venue: Venue) -> None:
    before = venue.chain.checkpoint()
    data = bytes.fromhex("a9059cbb") + venue.taker.rjust(32, b"\0") + (5).to_bytes(32, "big")
    assert venue.chain.call(venue.client.token, data, caller=venue.maker) == (1).to_bytes(32, "big")
    assert venue.chain.checkpoint() == before
    with pytest.raises(Reverted) as refused:
        venue.chain.call(venue.client.token, data, caller=b"\x01" * 20)
    assert refused.value.reason == "token: insufficient balance"


def test_blocks_are_linked_timed_and_receipts_are_found() -> None:
    box = Sandbox()
    raw = box.raw(b"\x99" * 20)
    first = box.chain.build_block([raw], START + 5)
    second = box.chain.build_block([], START + 5)
    assert (first.number, second.number) == (1, 2)
    assert second.parent_hash == first.hash
    assert first.parent_hash == box.chain.block(0).hash
    assert box.chain.blocks_since(0) == [first, second]
    assert box.chain.blocks_since(-5)[0] is box.chain.block(0)
    transaction = box.chain.block(1).receipts[0]
    assert box.chain.receipt(transaction.transaction) is transaction
    assert box.chain.receipt(b"\x00" * 32) is None
    with pytest.raises(ClockWentBack) as refused:
        box.chain.build_block([], START + 4)
    assert (refused.value.value, refused.value.limit) == (START + 4, START + 5)
    with pytest.raises(OutOfRange, match="block number"):
        box.chain.block(3)


def test_state_rules_at_intake() -> None:
    box = Sandbox()
    for nonce in (1, 2**40):
        with pytest.raises(NonceMismatch) as refused:
            box.chain.check(box.raw(b"\x99" * 20, nonce=nonce))
        assert (refused.value.value, refused.value.limit) == (nonce, 0)
    exact = 10 * ETHER - 200_000 * GAS_PRICE
    assert box.chain.check(box.raw(b"\x99" * 20, value=exact)).value == exact
    with pytest.raises(InsufficientFunds) as poor:
        box.chain.check(box.raw(b"\x99" * 20, value=exact + 1))
    assert (poor.value.value, poor.value.limit) == (10 * ETHER + 1, 10 * ETHER)
    box.send(b"\x99" * 20)
    with pytest.raises(NonceMismatch):
        box.chain.check(box.raw(b"\x99" * 20, nonce=0))


def test_a_block_is_all_or_nothing() -> None:
    box = Sandbox()
    contract = box.deploy(STORE_CODE)
    before = box.chain.checkpoint()
    write = box.raw(contract, (1).to_bytes(32, "big") * 2)
    with pytest.raises(NonceMismatch):
        box.chain.build_block([write, box.raw(contract, nonce=7)], START)
    assert box.chain.checkpoint() == before
    assert len(box.store.records) == 1
    assert box.store_gas(contract, 1, 9) == 11 + 22_100  # the undone write left neither value nor warmth


def test_a_block_has_a_gas_limit() -> None:
    box = Sandbox()
    contract = box.deploy(INVALID_CODE)
    full = BLOCK_GAS_LIMIT // MAX_GAS_LIMIT
    raws = [box.raw(contract, nonce=1 + i, gas=MAX_GAS_LIMIT) for i in range(full + 1)]
    with pytest.raises(BlockFull) as refused:
        box.chain.build_block(raws, START)
    assert refused.value.limit == BLOCK_GAS_LIMIT - full * MAX_GAS_LIMIT
    assert box.chain.build_block(raws[:full], START).gas_used == full * MAX_GAS_LIMIT


class ObservedStore(MemoryBlockStore):
    """Notes what readers could see while a block was being stored; fails on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.chain: Chain | None = None
        self.seen: list[int] = []
        self.fail = False

    def append(self, number: int, record: bytes) -> None:
        if self.fail:
            raise OSError("disk full")
        if self.chain is not None:
            self.seen.append(self.chain.head.number)
        super().append(number, record)


def test_a_block_is_stored_before_it_is_seen() -> None:
    store = ObservedStore()
    box = Sandbox(store)
    store.chain = box.chain
    box.send(b"\x99" * 20)
    box.send(b"\x99" * 20)
    assert store.seen == [0, 1]


def test_a_block_that_cannot_be_stored_never_happened() -> None:
    store = ObservedStore()
    box = Sandbox(store)
    contract = box.deploy(STORE_CODE)
    before = box.chain.checkpoint()
    store.fail = True
    with pytest.raises(OSError, match="disk full"):
        box.store_gas(contract, 1, 5)
    assert box.chain.checkpoint() == before
    store.fail = False
    assert box.store_gas(contract, 1, 5) == 11 + 22_100


@pytest.fixture(scope="module")
def busy() -> Venue:
    """A venue after deposits, batches, a claim and a revert; tests must not change it."""
    venue = open_venue(genesis_blocks())
    venue.relayer().post(venue.told(1, (flow(MAKER_ACCOUNT, venue.maker, MAKER_DEPOSIT),), queue_count=1), START + 7)
    venue.relayer().post(venue.told(2, (), (flow(MAKER_ACCOUNT, venue.maker, 3),)), START + 8)
    nonce = venue.nonce(MAKER)
    withdraw = venue.client.withdraw
    venue.send(withdraw(MAKER, venue.maker, nonce), withdraw(MAKER, venue.maker, nonce + 1))
    return venue


def test_re_execution_gives_the_same_chain(busy: Venue) -> None:
    for recover in (False, True):
        again = new_chain(MemoryBlockStore(busy.store.records), recover_senders=recover)
        assert again.blocks_since(-1) == busy.chain.blocks_since(-1)
        assert again.checkpoint() == busy.chain.checkpoint()


def test_transactions_of_old_blocks_are_left_to_the_store(busy: Venue) -> None:
    """Receipts, hashes and what comes next are not touched by it; a restart reads the store."""
    kept = new_chain(MemoryBlockStore(busy.store.records), whole_blocks=2)
    whole = busy.chain.blocks_since(-1)
    assert [bool(block.transactions) for block in kept.blocks_since(0)] == [False] * (len(whole) - 3) + [True] * 2
    assert [(b.hash, b.receipts) for b in kept.blocks_since(-1)] == [(b.hash, b.receipts) for b in whole]
    assert kept.checkpoint() == busy.chain.checkpoint()
    assert (
        kept.build_block([], busy.time + 1).hash
        == open_venue(busy.store.records).chain.build_block([], busy.time + 1).hash
    )


def test_a_checkpoint_gives_the_same_chain(busy: Venue) -> None:
    early = open_venue(busy.store.records[:2])
    checkpoint = early.chain.checkpoint()
    again = new_chain(MemoryBlockStore(busy.store.records), checkpoint=checkpoint)
    assert again.blocks_since(-1) == busy.chain.blocks_since(-1)
    assert again.checkpoint() == busy.chain.checkpoint()
    with pytest.raises(OutOfRange, match="checkpoint"):
        new_chain(MemoryBlockStore(busy.store.records[:1]), checkpoint=checkpoint)
    with pytest.raises(CorruptData, match="checkpoint"):
        new_chain(MemoryBlockStore(busy.store.records), checkpoint=checkpoint[:-1])
    other = open_venue(busy.store.records[:1])
    other.block()
    with pytest.raises(CorruptData, match="not the one"):
        new_chain(MemoryBlockStore(busy.store.records), checkpoint=other.chain.checkpoint())


def test_others_get_a_turn_after_heavy_executions_only(busy: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    venue, turns = open_venue(busy.store.records), []
    venue.chain.breathe = lambda: turns.append(1)
    monkeypatch.setattr("engine.settlement.chain.chain.HEAVY_GAS", 50_000)
    venue.client.state_root()
    assert not turns
    deposit = venue.client.deposit(MAKER, MAKER_ACCOUNT, 5, venue.nonce(MAKER))
    assert venue.send(deposit)[0].gas_used > 50_000
    assert len(turns) == 1
    call = encode_call("deposit(uint64,uint64)", MAKER_ACCOUNT, 5)
    assert venue.chain.simulate(venue.client.exchange, call, venue.maker).gas_used > 50_000
    assert len(turns) == 2


def test_a_text_that_is_no_text_is_corrupt_data(busy: Venue) -> None:
    record = busy.store.records[-1]  # its second withdrawal was refused in words
    with pytest.raises(CorruptData, match="does not decode"):
        decode_block(record.replace(b"nothing to", b"\xee\x00thing to"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_in_a_stored_block_is_noticed(busy: Venue, data: st.DataObject) -> None:
    records = list(busy.store.records)
    which = data.draw(st.integers(0, len(records) - 1))
    damaged = bytearray(records[which])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    records[which] = bytes(damaged)
    with pytest.raises(CorruptData):
        new_chain(MemoryBlockStore(records))


def rehashed(block: Block, **changes: object) -> Block:
    """A forged block whose own hash is right."""
    forged = msgspec.structs.replace(block, **changes)
    return make_block(
        forged.number, forged.parent_hash, forged.time, forged.transactions, forged.receipts, forged.state_digest
    )


def test_forged_lost_and_swapped_blocks_are_noticed(busy: Venue) -> None:
    records = busy.store.records
    last = decode_block(records[-1])
    receipts = last.receipts
    richer = (msgspec.structs.replace(receipts[0], gas_used=receipts[0].gas_used - 1), *receipts[1:])
    posed = tuple(msgspec.structs.replace(receipt, sender=address_of(TAKER)) for receipt in receipts)
    forged = [
        rehashed(last, receipts=richer),
        rehashed(last, receipts=posed),
        rehashed(last, receipts=receipts[:1]),
        rehashed(last, state_digest=bytes(32)),
        rehashed(last, transactions=last.transactions[::-1]),
        rehashed(last, time=last.time - 1),
    ]
    for block in forged[:-1]:
        with pytest.raises(CorruptData, match=f"L1 block {last.number}"):
            new_chain(MemoryBlockStore([*records[:-1], encode_block(block)]))
    for damaged in (records[1:], records[:1] + records[2:], records[::-1], [*records, records[-1]], [records[0][:-1]]):
        with pytest.raises(CorruptData):
            new_chain(MemoryBlockStore(damaged))
    newer = msgspec.structs.replace(last, version=9)
    with pytest.raises(CorruptData, match="version"):
        decode_block(encode_block(newer))


def test_a_chain_of_another_id_does_not_take_the_blocks(busy: Venue) -> None:
    with pytest.raises(CorruptData):
        Chain(1, {}, START, MemoryBlockStore(busy.store.records))
    with pytest.raises(OutOfRange, match="chain_id"):
        Chain(0, {}, START, MemoryBlockStore())


def test_an_unknown_journal_format_stops_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another pyrevm whose debug text cannot be read must not lose writes silently."""
    box = Sandbox()
    before = box.chain.checkpoint()
    monkeypatch.setattr(world, "_ACCOUNT", re.compile("nothing like it"))
    with pytest.raises(CorruptData, match="pyrevm"):
        box.send(b"\x99" * 20)
    assert box.chain.checkpoint() == before


def test_readers_on_other_threads_see_whole_blocks(venue: Venue) -> None:
    """While blocks are built, head, state root and batch number always belong together."""
    relayer, seen, done = venue.relayer(), [], threading.Event()

    def read() -> None:
        while not done.is_set():
            with venue.chain.reading():
                seen.append((venue.chain.head.number, venue.client.last_batch(), venue.client.state_root()))

    batches = [venue.told(number) for number in range(1, 8)]
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for batch in batches:
            relayer.post(batch, venue.time)
    finally:
        done.set()
        reader.join()
    assert seen
    for head, last, root in seen:
        assert (head, root) == (2 + len(batches) + last, root_bytes(ROOTS[last]))
