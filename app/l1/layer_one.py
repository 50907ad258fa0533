"""The L1 as the desk uses it: one user, one operator, blocks in slots, batches relayed in order.

A block is durable before the venue sees it; which batches were posted is asked of the contract, never remembered here.
A slot that verifies a proof costs tens of millions of gas, and a node may take its time or not answer at all. So the
desk works its slots on a thread of their own (``work_apart``), one at a time; what came of one is a fact for the loop.
Without that thread, in scenarios on the embedded chain, they are worked where they fall due.
"""

from __future__ import annotations

import logging
import threading
import time as wall
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from app.runtime import crash_points
from app.snapshot.views import ThreadView
from engine.errors import ProtocolError
from engine.exchange.config import VenueConfig
from engine.hashing.keccak import keccak256
from engine.sequencer.batch import Batch
from engine.sequencer.inputs import ClaimRequested, Input, L1Block
from engine.settlement.chain.blocks import Block
from engine.settlement.chain.chain import Chain
from engine.settlement.chain.ledger import Ledger
from engine.settlement.chain.world import BLOCK_GAS_LIMIT
from engine.settlement.errors import NonceMismatch
from engine.settlement.genesis import GenesisAccount, fund
from engine.settlement.keys.keys import UserKey
from engine.settlement.relay.client import CALL_GAS, Client, Deployment
from engine.settlement.relay.relayer import Plan, ProvedBatch, Relayer, proved_batch
from engine.settlement.relay.watcher import inputs_since

USER_TRANSACTIONS = 32
"""The user's transactions that may wait for one block."""
RELAY_GAS = BLOCK_GAS_LIMIT - USER_TRANSACTIONS * CALL_GAS
"""Gas of a block that batches may use, so that the user's transactions always find room."""
ERRORS_KEPT = 20
LOG = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Look:
    """What the contract and the user's address hold at one time; ``nonce``: the user's next one."""

    contract_root: bytes = b""
    last_batch: int = 0
    nonce: int = 0
    funds: UserFunds = field(default_factory=UserFunds)


@dataclass(frozen=True, slots=True)
class Slot:
    """What a slot works on: the user's transactions that wait, the proved batches, the number of the last block given
    to the venue. ``time``: venue time, ns."""

    time: int
    allow_empty: bool
    given: int
    user: tuple[bytes, ...]
    batches: dict[int, tuple[Batch, str]]


@dataclass(frozen=True, slots=True)
class SlotDone:
    """A slot that was worked on another thread: a fact for the loop, which hands it to :meth:`LayerOne.take`."""

    future: Future[SlotResult]


@dataclass(frozen=True, slots=True)
class SlotResult:
    """What a slot brought. ``sent``: how many of the user's transactions are done with."""

    blocks: tuple[L1Block, ...] = ()
    errors: tuple[str, ...] = ()
    sent: int = 0
    look: Look | None = None


def _let_others_run() -> None:
    """A frame's time for the window, which lets go of the interpreter's lock many times in a frame.

    Each time it would wait for one transaction of a proof to end, 13 ms, five or six times over.
    """
    wall.sleep(0.02)


class LayerOne:
    """The chain, the contracts' client, the relayer, the user's key."""

    def __init__(
        self,
        chain: Ledger,
        client: Client,
        deployment: Deployment,
        relayer: Relayer,
        config: VenueConfig,
        user: UserKey,
    ) -> None:
        self.chain = chain
        self.client = client
        self.deployment = deployment
        self.config = config
        self.user = user
        self.user_account = config.first_user_account
        self.errors: list[str] = []
        self.busy = False
        """Whether a slot is being worked on another thread."""
        self._relayer = relayer
        self._batches: dict[int, tuple[Batch, str]] = {}
        self._user_transactions: list[bytes] = []
        self._user_waiting = 0
        self._given = chain.head.number
        self._deliver: Callable[[SlotDone], None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._worker: threading.Thread | None = None
        self._since = 0.0
        self._look = self._see()

    def work_apart(self, deliver: Callable[[SlotDone], None]) -> None:
        """From now on work slots on a thread of their own and deliver what came of each."""
        self._deliver = deliver
        if isinstance(self.chain, Chain):
            self.chain.breathe = _let_others_run
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "l1")
            self._worker = self._thread.submit(threading.current_thread).result()  # started with the first work only

    def threads(self) -> tuple[ThreadView, ...]:
        """The thread that works slots, where there is one; its last sign of life is the beginning of a slot."""
        if self._worker is None:
            return ()
        age = wall.monotonic() - self._since if self.busy else 0.0
        return (ThreadView(name="L1", alive=self._worker.is_alive(), heartbeat_age=age, error="", restarts=0),)

    def close(self) -> None:
        """Let go of the chain, once a slot that is being worked on has come to its end."""
        self.chain.close()
        if self._thread is not None:
            self._thread.shutdown()

    @property
    def funds(self) -> UserFunds:
        """The user's money as of the last look."""
        return self._look.funds

    @property
    def contract_root(self) -> bytes:
        """The contract's root as of the last look."""
        return self._look.contract_root

    @property
    def last_batch(self) -> int:
        """The newest batch that the contract has as of the last look."""
        return self._look.last_batch

    # -- what the venue asks

    def unseen(self, last: int) -> list[L1Block]:
        """Blocks above ``last``, as inputs: what a crash kept from the venue."""
        self._given = self.chain.head.number
        return inputs_since(self.client, last, self.config.reclaim_margin)

    def queue_batch(self, batch: Batch, digest: str) -> None:
        """Relay a batch whose proof was accepted; it is in the next block that has room."""
        self._batches[batch.number] = (batch, digest)

    def mine(self, time: int, *, allow_empty: bool) -> list[L1Block]:
        """Work the slot: bring what waits to L1. The new blocks, durable; none when there is nothing to put into one.

        On another thread, the blocks come with a :class:`SlotDone`; a slot that comes while one is worked is left out.
        """
        if self.busy or not (allow_empty or self._user_transactions or self._batches):
            return []
        slot = Slot(time, allow_empty, self._given, tuple(self._user_transactions), dict(self._batches))
        if self._thread is None or self._deliver is None:
            return self.take(self._work(slot))
        self.busy, self._since = True, wall.monotonic()
        deliver = self._deliver
        self._thread.submit(self._work, slot).add_done_callback(lambda future: deliver(SlotDone(future)))
        return []

    def take(self, result: SlotResult) -> list[L1Block]:
        """Enter what a slot brought; its blocks are the venue's to see."""
        self.busy = False
        for message in result.errors:
            if message not in self.errors[-1:]:
                self.errors.append(message)
                LOG.warning("%s", message)
        del self.errors[:-ERRORS_KEPT]
        del self._user_transactions[: result.sent]
        if result.look is not None:
            self._look = result.look
            self._user_waiting = len(self._user_transactions)
        for number in [n for n in self._batches if n <= self.last_batch]:
            del self._batches[number]
        if result.blocks:
            self._given = result.blocks[-1].number
        return list(result.blocks)

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
            return [ClaimRequested(account=self.user_account, owner=self.user.address, transaction=keccak256(raw))]
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

    # -- inside

    def _next_nonce(self) -> int:
        """The user's next nonce, the transactions that wait for the next block counted."""
        self._user_waiting += 1
        return self._look.nonce + self._user_waiting - 1

    def _see(self) -> Look:
        """Read the contract and the user's funds by call at the head block."""
        client, owner = self.client, self.user.address
        funds = UserFunds(client.token_balance(owner), client.pending(self.user_account), client.withdrawable(owner))
        return Look(client.state_root(), client.last_batch(), self.chain.nonce(owner), funds)

    def _work(self, slot: Slot) -> SlotResult:
        """Follow, send, include, look. Whatever goes wrong is a message, and tried again in the next slot.

        Blocks are followed before anything is planned on them, and handed on even when planning or sending fails: what
        the outside does must neither end the venue nor hide from it.
        """
        messages: list[str] = []
        sent = 0
        try:
            self.chain.follow()
            sent = self._send(slot, messages)
        except NonceMismatch as error:  # the key was used elsewhere: what it signed for this slot was in vain
            messages.append(error.message)
            sent = len(slot.user) if error.sender == self.user.address else 0
        except ProtocolError as error:
            messages.append(error.message)
        except Exception as error:  # noqa: BLE001  a defect of this program: the venue trades on
            messages.append(_unexpected(error))
        return self._followed(slot, messages, sent)

    def _send(self, slot: Slot, messages: list[str]) -> int:
        """Bring what waits into blocks; how many of the user's transactions are done with."""
        plan = self._plan(slot.batches)
        if plan.refusal is not None:
            messages.append(plan.refusal.message)
        if slot.user or plan.calls or slot.allow_empty:
            self.chain.include([*slot.user, *self._relayer.sign(plan.calls)], slot.time)
        if plan.calls and plan.calls[-1].kind != "update":
            crash_points.reach("l1_batch_half_posted")
        return len(slot.user)

    def _followed(self, slot: Slot, messages: list[str], sent: int) -> SlotResult:
        """The blocks that came, as inputs, and what the contracts hold then."""
        try:
            inputs = tuple(inputs_since(self.client, slot.given, self.config.reclaim_margin))
            failures = _failures(self.chain.blocks_since(slot.given))
            look = self._see() if inputs or messages else None
            return SlotResult(inputs, (*messages, *failures), sent, look)
        except ProtocolError as error:
            messages.append(error.message)
        except Exception as error:  # noqa: BLE001  as above
            messages.append(_unexpected(error))
        return SlotResult(errors=tuple(messages), sent=sent)

    def _plan(self, batches: dict[int, tuple[Batch, str]]) -> Plan:
        """What the next consecutive batches still need on L1, as far as a block goes."""
        ready: list[ProvedBatch] = []
        number = self.last_batch + 1
        while number in batches:
            batch, digest = batches[number]
            ready.append(proved_batch(self.client, self.deployment, batch, digest))
            number += 1
        return self._relayer.plan(ready, RELAY_GAS)


def _unexpected(error: Exception) -> str:
    LOG.exception("working the L1 slot failed")
    return f"working the L1 slot failed unexpectedly ({type(error).__name__}); the log has the details"


def _failures(blocks: Iterable[Block]) -> tuple[str, ...]:
    return tuple(
        f"L1 block {block.number}, transaction {receipt.index} reverted: {receipt.reason}"
        for block in blocks
        for receipt in block.receipts
        if not receipt.status
    )
