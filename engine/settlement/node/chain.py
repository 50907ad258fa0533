"""The L1 on a node: a :class:`engine.settlement.chain.ledger.Ledger` whose blocks are the node's.

Blocks in which the venue's exchange contract spoke, or which hold transactions sent from here, are recorded in the
store with their receipts, and so is the newest block of each look at the node. The venue learns from the records; after
a restart the newest record has to be on the node still. Other blocks leave gaps between the records' numbers.
"""

from __future__ import annotations

import threading
import time as wall
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from engine.settlement.chain.blocks import Block, Receipt, decode_block, encode_block
from engine.settlement.chain.chain import BlockStore
from engine.settlement.chain.ledger import ZERO_ADDRESS
from engine.settlement.chain.transactions import GAS_PRICE, Transaction, decode_transaction
from engine.settlement.errors import (
    InsufficientFunds,
    NodeDiverged,
    NodeRefused,
    NonceMismatch,
    NonceTaken,
    NotIncluded,
    TransactionDropped,
    WrongChain,
)
from engine.settlement.node.anchor import Anchor
from engine.settlement.node.connection import NodeConnection
from engine.settlement.node.decoding import block_of, receipt_of
from engine.settlement.node.mining import Miner
from engine.settlement.node.reads import NodeReads
from engine.units import SECOND

PATIENCE = 180.0
"""Seconds that transactions may wait for blocks which come by themselves."""
POLL_SECONDS = 1.0
_KNOWN = ("already known", "already imported", "known transaction")


def anchor_of(connection: NodeConnection) -> Anchor:
    """Where a new venue begins on this node: its chain and its newest block."""
    reads = NodeReads(connection)
    header = reads.header("latest")
    return Anchor(reads.chain_id(), int(header["number"]), bytes(header["hash"]))


class NodeChain:
    """Blocks of a node. All methods may be called from any thread; ``include`` and ``follow`` one after the other.

    Parameters
    ----------
    connection, miner : the node, and how its blocks come about
    anchor : where the venue's part of the chain begins, from :func:`anchor_of`
    store : where records are kept; those in it are read back
    watched : address (20 bytes) of the contract whose events concern the venue

    Raises :class:`WrongChain` and :class:`NodeDiverged` when the node is not the one that the records come from.
    """

    def __init__(
        self, connection: NodeConnection, miner: Miner, anchor: Anchor, store: BlockStore, watched: bytes
    ) -> None:
        self.miner = miner
        self._connection = connection
        self._reads = NodeReads(connection)
        self._anchor = anchor
        self._store = store
        self._watched = watched
        self._work = threading.RLock()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._receipts: dict[bytes, Receipt] = {}
        self._included: dict[bytes, Any] = {}
        found = self._reads.chain_id()
        if found != anchor.chain_id:
            raise WrongChain(
                f"the node at {connection.url} has chain id {found}; this venue is on {anchor.chain_id}",
                field="chain_id",
                value=found,
                limit=anchor.chain_id,
            )
        self._blocks = [block_of(self._same_block(anchor.number, anchor.hash), ())]
        for record in store.read_all():
            self._publish(decode_block(record))
        self._note_fees(self._same_block(self.head.number, self.head.hash))

    def close(self) -> None:
        """Give up waiting for blocks, then close the connection."""
        self._closing.set()
        with self._work:
            self._connection.close()

    # -- looking

    @property
    def where(self) -> str:
        """In words."""
        return f"the node at {self._connection.url}"

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return self._anchor.chain_id

    @property
    def gas_price(self) -> int:
        """A tip, and twice the base fee of the newest block seen: full blocks need six to raise it that far."""
        return 2 * self._base_fee + GAS_PRICE

    @property
    def head(self) -> Block:
        """The newest record; the anchor's block before the first."""
        with self._lock:
            return self._blocks[-1]

    def blocks_since(self, number: int) -> list[Block]:
        """Records above ``number``, ascending."""
        with self._lock:
            return [block for block in self._blocks[1:] if block.number > number]

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt of a transaction in a recorded block, or None."""
        with self._lock:
            return self._receipts.get(transaction_hash)

    def nonce(self, address: bytes) -> int:
        """Next nonce of an address; what waits in the pool is not counted."""
        return self._reads.nonce(address)

    def balance(self, address: bytes) -> int:
        """Wei that an address holds."""
        return self._reads.balance(address)

    def code(self, address: bytes) -> bytes:
        """Runtime code at an address, empty for none."""
        return self._reads.code(address)

    def call(self, to: bytes, data: bytes, caller: bytes = ZERO_ADDRESS) -> bytes:
        """Result of a call against the newest state; raises :class:`Reverted`."""
        return self._reads.call(to, data, caller)

    def estimate(self, to: bytes, data: bytes, caller: bytes = ZERO_ADDRESS) -> int:
        """Gas that a transaction with this call would use at the newest state; raises :class:`Reverted`."""
        return self._reads.estimate(to, data, caller)

    def checkpoint(self) -> bytes:
        """Nothing: the node has the state."""
        return b""

    # -- sending

    def include(self, transactions: Sequence[bytes], time: int) -> tuple[Block, ...]:
        """Bring transactions into blocks; see :class:`engine.settlement.chain.ledger.Ledger`.

        Where blocks are made on demand they carry the time ``time`` (ns, cut to seconds), and there are as many as the
        transactions need: one that its sender cannot pay for yet waits for a block that holds what was sent before. On
        a network it takes as long as blocks take, three minutes at most: :class:`NotIncluded` says that it may be asked
        for again, with the same transactions. Further: :class:`NonceTaken`, :class:`TransactionDropped` and what the
        embedded chain raises.
        """
        with self._work:
            before = self.head.number
            queue = deque(decode_transaction(raw, self.chain_id) for raw in transactions)
            if not queue or self._pool_holds({transaction.sender for transaction in queue}):
                self.miner.mine(time // SECOND)
            self._check_nonces(queue)
            pending: dict[bytes, Transaction] = {}
            while queue or pending:
                while queue and self._fits(queue[0], pending) and self._send(queue[0]):
                    sent = queue.popleft()
                    if sent.hash not in self._included:
                        pending[sent.hash] = sent
                if pending:
                    self._settle(pending, time // SECOND)
                elif queue:
                    raise self._unpaid(queue[0])
            self.follow()
            return tuple(self.blocks_since(before))

    def _pool_holds(self, senders: set[bytes]) -> bool:
        """Whether transactions of these wait already: what was sent before a failure comes first."""
        return any(self._reads.nonce(sender, pool=True) > self.nonce(sender) for sender in senders)

    def _fits(self, transaction: Transaction, pending: dict[bytes, Transaction]) -> bool:
        """Whether the next block made on demand has room for it. Beyond that, Anvil drops what it was sent too early:
        a transaction whose predecessor had no room in the block has too high a nonce for it."""
        asked = sum(waiting.gas_limit for waiting in pending.values()) + transaction.gas_limit
        return not self.miner.on_demand or not pending or asked <= self._block_gas

    def _check_nonces(self, transactions: Sequence[Transaction]) -> None:
        """A node keeps a transaction with a gap before it for ever: refuse it here, as the embedded chain does."""
        counted: Counter[bytes] = Counter()
        for transaction in transactions:
            sender = transaction.sender
            if sender not in counted:
                counted[sender] = self.nonce(sender)
            if transaction.nonce > counted[sender]:
                raise NonceMismatch(sender, transaction.nonce, counted[sender])
            counted[sender] = max(counted[sender], transaction.nonce + 1)

    def _send(self, transaction: Transaction) -> bool:
        """Hand a transaction to the node; False when its sender cannot pay for it at the newest block."""
        try:
            self._connection.ask(lambda web3: web3.eth.send_raw_transaction(transaction.raw))
        except NodeRefused as error:
            words = str(error.value).lower()
            if "insufficient funds" in words:
                return False
            if any(known in words for known in _KNOWN):
                return True
            if "nonce too low" in words:
                found = self._reads.receipt(transaction.hash)
                if found is None:
                    expected = self.nonce(transaction.sender)
                    raise NonceMismatch(transaction.sender, transaction.nonce, expected) from error
                self._included[transaction.hash] = found
                return True
            if "underpriced" in words:
                raise NonceTaken(
                    f"another transaction of 0x{transaction.sender.hex()} with nonce {transaction.nonce} waits in the "
                    "node's pool",
                    field="nonce",
                    value=transaction.nonce,
                ) from error
            raise
        return True

    def _settle(self, pending: dict[bytes, Transaction], seconds: int) -> None:
        """Take those that blocks hold out of ``pending``: at least one of them on demand, all of them on a network."""
        if self.miner.on_demand:
            self.miner.mine(seconds)
            if not self._take_included(pending):
                raise self._missing(pending)
            return
        deadline = wall.monotonic() + PATIENCE
        while True:
            self._take_included(pending)
            if not pending:
                return
            missing = self._missing(pending)
            late = wall.monotonic() > deadline
            if late or isinstance(missing, TransactionDropped) or self._closing.wait(POLL_SECONDS):
                raise missing

    def _take_included(self, pending: dict[bytes, Transaction]) -> int:
        found = {name: receipt for name in pending if (receipt := self._reads.receipt(name)) is not None}
        self._included.update(found)
        for name in found:
            del pending[name]
        return len(found)

    def _missing(self, pending: dict[bytes, Transaction]) -> NotIncluded | TransactionDropped:
        """Why no block has the first of these: it waits, or the node has dropped it."""
        first = next(iter(pending.values()))
        name = f"transaction 0x{first.hash.hex()} (nonce {first.nonce} of 0x{first.sender.hex()})"
        if self._reads.knows(first.hash):
            return NotIncluded(f"no block has {name} yet; it waits in the node's pool", field="transaction")
        return TransactionDropped(f"the node dropped {name}", field="transaction", value=first.hash.hex())

    def _unpaid(self, transaction: Transaction) -> InsufficientFunds:
        needed = transaction.value + transaction.gas_limit * transaction.gas_price
        return InsufficientFunds(transaction.sender, needed, self.balance(transaction.sender))

    # -- the node's blocks

    def follow(self) -> None:
        """Look at the node's new blocks and record those that concern the venue, and the newest."""
        with self._work:
            head = self.head
            self._same_block(head.number, head.hash)
            newest = self._reads.header("latest")
            touched = self._touched(head.number + 1, int(newest["number"]))
            for number in sorted(touched):
                self._record(newest if number == newest["number"] else self._reads.header(number), touched[number])
            self._included.clear()
            self._note_fees(newest)

    def _touched(self, first: int, last: int) -> dict[int, set[bytes]]:
        """By number, the transactions of new blocks that concern the venue; the newest block in any case."""
        touched: dict[int, set[bytes]] = {last: set()} if last >= first else {}
        for entry in (*self._included.values(), *self._reads.logs(self._watched, first, last)):
            if entry["blockNumber"] >= first:
                touched.setdefault(int(entry["blockNumber"]), set()).add(bytes(entry["transactionHash"]))
        return touched

    def _record(self, header: Any, transactions: set[bytes]) -> None:
        receipts = []
        for name in transactions:
            found = self._included.get(name) or self._reads.receipt(name)
            if found is None or found["blockHash"] != header["hash"]:
                raise self._diverged(header["number"])
            reason = "" if found["status"] else self._reads.failure(name)
            receipts.append(receipt_of(found, reason, self._reads.calldata(name)))
        block = block_of(header, sorted(receipts, key=lambda receipt: receipt.index))
        self._store.append(block.number, encode_block(block))
        self._publish(block)

    def _publish(self, block: Block) -> None:
        with self._lock:
            self._blocks.append(block)
            self._receipts.update((receipt.transaction, receipt) for receipt in block.receipts)

    def _same_block(self, number: int, block_hash: bytes) -> Any:
        """The node's block ``number``, which must have this hash."""
        header = self._reads.header(number)
        if header is None or bytes(header["hash"]) != block_hash:
            raise self._diverged(number)
        return header

    def _diverged(self, number: int) -> NodeDiverged:
        return NodeDiverged(
            f"the node at {self._connection.url} no longer has L1 block {number} as this venue saw it: it was started "
            "anew, or its chain was reorganised. Nothing is lost here (the journal is whole, replay works), but the "
            "venue cannot go on with this node. Bring the node back to that chain (Anvil: --state FILE), or choose "
            "another folder with --data",
            field="--l1",
            value=number,
        )

    def _note_fees(self, header: Any) -> None:
        self._base_fee = int(header.get("baseFeePerGas") or 0)
        self._block_gas = int(header["gasLimit"])
