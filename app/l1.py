"""The L1 as the desk uses it: one user, one operator, blocks in slots, batches relayed in order.

Runs on the sequencer's thread. A block is durable before the venue sees it; which batches were posted is asked of the
contract, never remembered here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.journal import Journal
from engine.errors import ProtocolError
from engine.exchange.config import VenueConfig
from engine.hashing.keccak import keccak256
from engine.sequencer.batch import Batch
from engine.sequencer.inputs import ClaimRequested, Input, L1Block
from engine.settlement.blocks import Block
from engine.settlement.chain import Chain
from engine.settlement.client import Client, Deployment
from engine.settlement.genesis import GenesisAccount, fund
from engine.settlement.keys import UserKey, role_key
from engine.settlement.relayer import ProvedBatch, Relayer, proved_batch
from engine.settlement.watcher import block_input, inputs_since

BATCHES_PER_BLOCK = 4
"""State updates relayed in one block at most; together they must fit the block's gas."""
USER_TRANSACTIONS = 32
"""The user's transactions that may wait for one block, for the same reason."""


class NothingToDo(ProtocolError):
    """An L1 request that the contracts would refuse or that would do nothing."""


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """The user's wish on L1. ``kind``: deposit (with ``amount`` quanta), claim."""

    kind: str
    amount: int = 0


@dataclass(frozen=True, slots=True)
class UserFunds:
    """The user's money on L1, in quanta, as of the head block."""

    wallet: int = 0
    pending_deposit: int = 0
    claimable: int = 0


class JournalBlocks:
    """The chain's block store: the journal's database."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def append(self, number: int, record: bytes) -> None:
        """Durable on return."""
        self._journal.append_block(number, record)

    def read_all(self) -> Iterable[bytes]:
        """All records, checked against the journal's digest chain."""
        return (record for _, record in self._journal.read_blocks())


class LayerOne:
    """The chain, the contracts' client, the relayer, the user's key."""

    def __init__(
        self, chain: Chain, client: Client, deployment: Deployment, config: VenueConfig, user: UserKey
    ) -> None:
        self.chain = chain
        self.client = client
        self.deployment = deployment
        self.config = config
        self.user = user
        self.user_account = config.first_user_account
        self.funds = UserFunds()
        self.contract_root = b""
        self.last_batch = 0
        self.errors: list[str] = []
        self._relayer = Relayer(client, role_key(config.seed, "operator"))
        self._batches: dict[int, tuple[Batch, str]] = {}
        self._user_transactions: list[bytes] = []
        self._user_waiting = 0
        self.refresh()

    # -- what the venue asks

    def unseen(self, last: int) -> list[L1Block]:
        """Blocks above ``last``, as inputs: what a crash kept from the venue."""
        return inputs_since(self.client, last)

    def queue_batch(self, batch: Batch, digest: str) -> None:
        """Relay a batch whose proof was accepted; it is in the next block that has room."""
        self._batches[batch.number] = (batch, digest)

    def waiting_batches(self) -> int:
        """Proved batches that wait for a block."""
        return len(self._batches)

    def mine(self, time: int, *, allow_empty: bool) -> L1Block | None:
        """The slot's block, durable when this returns; None when there is nothing to put into it."""
        raws = self._user_transactions + self._relay()
        if not raws and not allow_empty:
            return None
        block = self.chain.build_block(raws, time)
        self._user_transactions.clear()
        self._user_waiting = 0
        self._note_failures(block)
        self.refresh()
        for number in [n for n in self._batches if n <= self.last_batch]:
            del self._batches[number]
        return block_input(self.client, block)

    # -- what the user asks

    def request(self, wish: ChainRequest) -> list[Input]:
        """Sign the user's transaction for the next block; a claim is also an input, so that the stepper shows it.

        Raises :class:`NothingToDo`.
        """
        if len(self._user_transactions) >= USER_TRANSACTIONS:
            raise NothingToDo(
                f"{USER_TRANSACTIONS} requests wait for the next L1 block already",
                field="requests",
                value=len(self._user_transactions),
                limit=USER_TRANSACTIONS,
            )
        if wish.kind == "deposit":
            if not 1 <= wish.amount <= self.funds.wallet:
                raise NothingToDo(
                    f"the wallet holds {self.funds.wallet} quanta",
                    field="amount",
                    value=wish.amount,
                    limit=(1, self.funds.wallet),
                )
            nonce = self._next_nonce()
            self._user_transactions.append(self.client.deposit(self.user.secret, self.user_account, wish.amount, nonce))
            return []
        if wish.kind == "claim":
            if not self.funds.claimable:
                raise NothingToDo("nothing is claimable on L1 yet", field="amount", limit=0)
            raw = self.send_claim()
            return [ClaimRequested(self.user_account, self.user.address, keccak256(raw))]
        raise NothingToDo(f"unknown L1 request {wish.kind!r}", field="kind", value=wish.kind)

    def send_claim(self) -> bytes:
        """Put a withdraw transaction into the next block."""
        raw = self.client.withdraw(self.user.secret, self.user.address, self._next_nonce())
        self._user_transactions.append(raw)
        return raw

    def fund_user(self, deposit: int, wallet: int) -> None:
        """First launch: ether, test tokens and a first deposit for the user, in the next block."""
        grant = GenesisAccount(self.user_account, self.user.secret, deposit, wallet)
        self._user_transactions.extend(fund(self.client, self.config, grant))
        self._user_waiting += 2 if deposit else 0

    # -- looking

    def refresh(self) -> None:
        """Read the contract and the user's funds by call at the head block."""
        client, owner = self.client, self.user.address
        self.contract_root = client.state_root()
        self.last_batch = client.last_batch()
        self.funds = UserFunds(
            client.token_balance(owner), client.pending(self.user_account, owner), client.withdrawable(owner)
        )

    # -- inside

    def _next_nonce(self) -> int:
        """The user's next nonce, the transactions that wait for the next block counted."""
        self._user_waiting += 1
        return self.chain.nonce(self.user.address) + self._user_waiting - 1

    def _relay(self) -> list[bytes]:
        """Facts and updates of the next consecutive batches."""
        ready: list[ProvedBatch] = []
        number = self.last_batch + 1
        while number in self._batches and len(ready) < BATCHES_PER_BLOCK:
            batch, digest = self._batches[number]
            ready.append(proved_batch(self.client, self.deployment, batch, digest))
            number += 1
        return self._relayer.transactions_of(ready)

    def _note_failures(self, block: Block) -> None:
        for receipt in block.receipts:
            if not receipt.status:
                self.errors.append(f"L1 block {block.number}, transaction {receipt.index} reverted: {receipt.reason}")
        del self.errors[:-20]
