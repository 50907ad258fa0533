"""The embedded L1: blocks of signed transactions over pyrevm, stored through a :class:`BlockStore`.

The default :class:`engine.settlement.chain.ledger.Ledger`. A block is durable before anything of it can be seen: it is
executed, appended to the store, only then published. On a restart the stored blocks are executed again (or
those after a checkpoint), and every hash has to come out the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec

from engine.errors import UNDECODABLE, CorruptData, OutOfRange, check_range
from engine.settlement.chain.blocks import Block, Receipt, decode_block, encode_block, make_block, rebuilt
from engine.settlement.chain.ledger import ZERO_ADDRESS
from engine.settlement.chain.transactions import GAS_PRICE, MAX_GAS_LIMIT, Transaction, decode_transaction, floor_gas
from engine.settlement.chain.world import BLOCK_GAS_LIMIT, AccountInfoState, BlockContext, Execution, World
from engine.settlement.errors import (
    BlockFull,
    ClockWentBack,
    InsufficientFunds,
    NonceMismatch,
    Reverted,
    SettlementError,
)
from engine.units import SECOND

MAX_CHAIN_ID = 2**62  # EIP-155's v = 35 + 2 * chain id has to fit 8 bytes


HEAVY_GAS = 1_000_000
"""Some 3 ms of the EVM."""


class BlockStore(Protocol):
    """Where block records are kept. ``append`` returns only once the record is durable."""

    def append(self, number: int, record: bytes) -> None:
        """Store the record of block ``number`` (1, 2, ...)."""

    def read_all(self) -> Iterable[bytes]:
        """All records in ascending order of number."""


class MemoryBlockStore:
    """A store for tests and throw-away chains."""

    def __init__(self, records: Iterable[bytes] = ()) -> None:
        self.records = list(records)

    def append(self, number: int, record: bytes) -> None:
        """Keep the record."""
        check_range("number", number, len(self.records) + 1, len(self.records) + 1)
        self.records.append(record)

    def read_all(self) -> list[bytes]:
        """All records."""
        return list(self.records)


class ChainCheckpoint(msgspec.Struct, frozen=True):
    """The world state after block ``number`` with hash ``block_hash``."""

    number: int
    block_hash: bytes
    state: bytes


class Chain:
    """An embedded Ethereum-like chain. All methods may be called from any thread.

    Parameters
    ----------
    chain_id : EIP-155 chain id, in [1, 2^62]
    allocation : wei per address in the genesis block
    time : venue time of the genesis block, ns
    store : where blocks are kept; blocks already in it are executed again
    checkpoint : bytes of :meth:`checkpoint`; blocks up to it are not executed again
    whole_blocks : of how many blocks, the newest, transactions stay in memory (proofs make blocks of a megabyte); all
        by default. Those of older ones are in the store alone; their receipts stay.
    recover_senders : recover every stored transaction's signature again (slow: 7 ms each) instead of trusting the hash
    """

    def __init__(
        self,
        chain_id: int,
        allocation: Mapping[bytes, int],
        time: int,
        store: BlockStore,
        checkpoint: bytes | None = None,
        recover_senders: bool = False,
        whole_blocks: int | None = None,
    ) -> None:
        self.chain_id = check_range("chain_id", chain_id, 1, MAX_CHAIN_ID)
        self.breathe: Callable[[], None] = lambda: None
        """Called after each execution of more than ``HEAVY_GAS``: pyrevm keeps the interpreter's lock meanwhile."""
        self._store = store
        self._whole_blocks = whole_blocks
        self._lock = threading.RLock()
        self._world = World(chain_id)
        for address, balance in sorted(allocation.items()):
            self._world.put_info(address, AccountInfoState(balance=balance))
        genesis = make_block(0, chain_id.to_bytes(32, "big"), time, (), (), self._world.changes_digest())
        self._world.commit()
        self._blocks = [genesis]
        self._receipts: dict[bytes, Receipt] = {}
        self._restore(None if checkpoint is None else _decode_checkpoint(checkpoint), recover_senders)

    @property
    def where(self) -> str:
        """In words."""
        return "the embedded chain"

    @property
    def gas_price(self) -> int:
        """Wei per gas: always the same here."""
        return GAS_PRICE

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several reads that belong to one block: no block is published meanwhile. Keep it short."""
        with self._lock:
            yield

    @property
    def head(self) -> Block:
        """The newest block. Does not wait for one that is being built."""
        return self._blocks[-1]

    def block(self, number: int) -> Block:
        """Block by number; raises :class:`OutOfRange` for one that does not exist."""
        with self._lock:
            check_range("block number", number, 0, len(self._blocks) - 1)
            return self._blocks[number]

    def blocks_since(self, number: int) -> list[Block]:
        """All blocks with a number above ``number``, ascending."""
        with self._lock:
            return self._blocks[max(number, -1) + 1 :]

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt of a transaction, or None when no block has it."""
        with self._lock:
            return self._receipts.get(transaction_hash)

    def nonce(self, address: bytes) -> int:
        """Next nonce of an address."""
        with self._lock:
            return self._world.info(address).nonce

    def balance(self, address: bytes) -> int:
        """Wei that an address holds."""
        with self._lock:
            return self._world.info(address).balance

    def code(self, address: bytes) -> bytes:
        """Runtime code at an address, empty for none."""
        with self._lock:
            return self._world.info(address).code

    def call(self, to: bytes, data: bytes, caller: bytes = ZERO_ADDRESS, gas: int = MAX_GAS_LIMIT) -> bytes:
        """Result of a call against the newest state, whose effects are dropped; raises :class:`Reverted`."""
        execution = self.simulate(to, data, caller, gas)
        if not execution.success:
            raise Reverted(f"call to 0x{to.hex()}", execution.reason)
        return execution.output

    def estimate(self, to: bytes, data: bytes, caller: bytes = ZERO_ADDRESS) -> int:
        """Gas of a transaction with this call against the newest state, the floor applied; raises :class:`Reverted`."""
        execution = self.simulate(to, data, caller)
        if not execution.success:
            raise Reverted(f"call to 0x{to.hex()}", execution.reason)
        return max(execution.gas_used, floor_gas(data))

    def simulate(self, to: bytes, data: bytes, caller: bytes = ZERO_ADDRESS, gas: int = MAX_GAS_LIMIT) -> Execution:
        """Like :meth:`call`, with gas, logs and reason instead of an exception."""
        with self._lock:
            context = _context(self._blocks[-1].number, self._blocks[-1].time)
            execution = self._world.call(caller, to, data, context, gas)
        self._after(execution)
        return execution

    def check(self, raw: bytes) -> Transaction:
        """Intake: decode, check the rules, nonce and funds against the newest state. Raises typed errors."""
        transaction = decode_transaction(raw, self.chain_id)
        with self._lock:
            self._check_state(transaction)
        return transaction

    def build_block(self, transactions: Sequence[bytes], time: int) -> Block:
        """Execute, store and publish the next block; all or nothing.

        Parameters
        ----------
        transactions : raw signed transactions, executed in this order; one that reverts is included with status 0
        time : venue time in ns, not before the head's

        A transaction that may not be included raises its typed error and no block is made.
        """
        decoded = [decode_transaction(raw, self.chain_id) for raw in transactions]
        with self._lock:
            parent = self._blocks[-1]
            if time < parent.time:
                raise ClockWentBack(
                    f"block time {time} lies before its parent's {parent.time}",
                    field="time",
                    value=time,
                    limit=parent.time,
                )
            try:
                block = self._execute(parent, decoded, time)
                self._store.append(block.number, encode_block(block))
            except BaseException:
                self._world.rollback()
                raise
            self._publish(block)
            return block

    def include(self, transactions: Sequence[bytes], time: int) -> tuple[Block, ...]:
        """The next block, as :class:`engine.settlement.chain.ledger.Ledger` has it."""
        return (self.build_block(transactions, time),)

    def follow(self) -> None:
        """Nobody else makes blocks."""

    def close(self) -> None:
        """Nothing is held."""

    def checkpoint(self) -> bytes:
        """The present state, to restart from with the same store."""
        with self._lock:
            head = self._blocks[-1]
            return msgspec.msgpack.encode(ChainCheckpoint(head.number, head.hash, self._world.dump()))

    def _check_state(self, transaction: Transaction) -> None:
        info = self._world.info(transaction.sender)
        if transaction.nonce != info.nonce:
            raise NonceMismatch(transaction.sender, transaction.nonce, info.nonce)
        needed = transaction.value + transaction.gas_limit * transaction.gas_price
        if needed > info.balance:
            raise InsufficientFunds(transaction.sender, needed, info.balance)

    def _execute(self, parent: Block, transactions: Sequence[Transaction], time: int) -> Block:
        number, gas_used, receipts = parent.number + 1, 0, []
        for index, transaction in enumerate(transactions):
            if gas_used + transaction.gas_limit > BLOCK_GAS_LIMIT:
                raise BlockFull(
                    f"transaction {index} asks for {transaction.gas_limit} gas; {BLOCK_GAS_LIMIT - gas_used} is left",
                    field="gas_limit",
                    value=transaction.gas_limit,
                    limit=BLOCK_GAS_LIMIT - gas_used,
                )
            self._check_state(transaction)
            execution = self._world.execute(transaction, _context(number, time))
            self._after(execution)
            gas_used += execution.gas_used
            receipts.append(_receipt(transaction, execution, number, index))
        raws = tuple(transaction.raw for transaction in transactions)
        return make_block(number, parent.hash, time, raws, tuple(receipts), self._world.changes_digest())

    def _after(self, execution: Execution) -> None:
        if execution.gas_used > HEAVY_GAS:
            self.breathe()

    def _publish(self, block: Block) -> None:
        self._world.commit()
        self._blocks.append(block)
        if self._whole_blocks is not None and len(self._blocks) > self._whole_blocks:
            place = len(self._blocks) - 1 - self._whole_blocks
            self._blocks[place] = msgspec.structs.replace(self._blocks[place], transactions=())
        self._receipts.update((receipt.transaction, receipt) for receipt in block.receipts)

    def _restore(self, checkpoint: ChainCheckpoint | None, recover_senders: bool) -> None:
        """Execute the stored blocks again; up to a checkpoint they only have to follow each other.

        The store vouches for its bytes (the journal by a digest chain); hashing them again costs half a second for an
        hour of proofs in calldata. The block that the checkpoint was taken at is checked whole.
        """
        skip_to = 0 if checkpoint is None else checkpoint.number
        for record in self._store.read_all():
            block, parent = decode_block(record), self._blocks[-1]
            follows = block.number == parent.number + 1 and block.parent_hash == parent.hash
            if not follows or (block.number >= skip_to and rebuilt(block) != block):
                raise _corrupt(block.number, "does not follow its parent, or its hash is wrong")
            if block.number > skip_to:
                self._replay(block, parent, recover_senders)
            self._publish(block)
            if checkpoint is not None and block.number == skip_to:
                self._load_state(checkpoint, block)
        if self._blocks[-1].number < skip_to:
            raise OutOfRange("checkpoint's block number", skip_to, 0, self._blocks[-1].number)

    def _replay(self, block: Block, parent: Block, recover_senders: bool) -> None:
        known = [None if recover_senders else receipt.sender for receipt in block.receipts]
        if len(known) != len(block.transactions):
            raise _corrupt(block.number, "has another number of receipts than transactions")
        decoded = [
            decode_transaction(raw, self.chain_id, sender)
            for raw, sender in zip(block.transactions, known, strict=True)
        ]
        try:
            again = self._execute(parent, decoded, block.time)
        except SettlementError as error:
            raise _corrupt(block.number, f"does not execute again: {error}") from error
        if again != block:
            raise _corrupt(block.number, "gives another result when executed again")

    def _load_state(self, checkpoint: ChainCheckpoint, block: Block) -> None:
        if checkpoint.block_hash != block.hash:
            raise _corrupt(block.number, "is not the one that the checkpoint was taken at")
        self._world = World(self.chain_id)
        self._world.load(checkpoint.state)


def _context(number: int, time: int) -> BlockContext:
    """Block number and seconds as opcodes see them (venue time rounded down)."""
    return BlockContext(number, time // SECOND)


def _receipt(transaction: Transaction, execution: Execution, number: int, index: int) -> Receipt:
    return Receipt(
        transaction=transaction.hash,
        block=number,
        index=index,
        sender=transaction.sender,
        to=transaction.to,
        status=int(execution.success),
        gas_used=execution.gas_used,
        calldata=len(transaction.data),
        gas_price=transaction.gas_price,
        reason=execution.reason,
        created=execution.created,
        logs=execution.logs,
    )


def _corrupt(number: int, what: str) -> CorruptData:
    return CorruptData(f"L1 block {number} {what}", field="l1_block", value=number)


def checkpoint_block(data: bytes) -> int:
    """Number of the block at which a checkpoint was taken; raises :class:`CorruptData`."""
    return _decode_checkpoint(data).number


def _decode_checkpoint(data: bytes) -> ChainCheckpoint:
    try:
        return msgspec.msgpack.decode(data, type=ChainCheckpoint)
    except UNDECODABLE as error:
        raise CorruptData(f"L1 checkpoint does not decode: {error}", field="l1_checkpoint") from error
