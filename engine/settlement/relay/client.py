"""Typed client of the token and the exchange contract: transactions to send, views to read, events to decode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import check_range
from engine.hashing.keccak import keccak256
from engine.sequencer.meter import MAX_ENTRIES
from engine.settlement.chain.ledger import Ledger
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, contract_address, sign_transaction
from engine.settlement.chain.world import EventLog
from engine.settlement.contracts.abi import decode_words, encode_arguments, encode_call, topic
from engine.settlement.contracts.artifacts import load_artifact
from engine.settlement.verifier.deployment import VerifierAddresses

ENTRY_BYTES = 37
MAX_QUEUE_COUNT = 512  # entries of the queue that the contract takes with one batch
UPDATE = "update_state(uint256,uint64,bytes32,bytes32,uint256,bytes)"
UNLIMITED = 2**256 - 1
DEPLOY_GAS = 3_000_000
CALL_GAS = 250_000  # every call but update_state stays below 200,000
UPDATE_BASE_GAS = 150_000
UPDATE_ENTRY_GAS = 60_000  # worst case of one entry, calldata included, with room to spare
UPDATE_QUEUE_GAS = 12_000  # likewise for one entry of the queue
Reserved = Sequence[tuple[int, bytes]]
"""Accounts that have an owner (20 bytes) from the deployment on, ascending."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the exchange contract is made with. Digests and root are 32 bytes, addresses 20.

    ``operator`` may send batches, each with a registered fact.
    ``verifiers``, ``parameter_digests``: profile by profile, the contract that registers its facts and the digest of
    its parameters.
    ``min_opening``: least quanta that open an account; ``reclaim_delay``: seconds until a deposit asked back is its
    depositor's; ``first_account``: the first id handed out.
    """

    operator: bytes
    statement_id: bytes
    verifiers: tuple[bytes, ...]
    parameter_digests: tuple[bytes, ...]
    config_hash: bytes
    genesis_root: bytes
    account_limit: int
    min_opening: int
    reclaim_delay: int
    first_account: int


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """Arguments of an update: ``profile`` by its place in the deployment; ``outputs`` as the fact commits to them.

    ``queue_count``: how many entries of the contract's queue the batch takes.
    """

    profile: int
    number: int
    old_root: bytes
    new_root: bytes
    outputs: bytes
    queue_count: int = 0

    def data(self) -> bytes:
        """Calldata; raises :class:`OutOfRange` for more entries than one batch may have."""
        check_range("outputs (entries)", self.entries, 0, MAX_ENTRIES)
        check_range("queue_count", self.queue_count, 0, MAX_QUEUE_COUNT)
        return encode_call(
            UPDATE, self.profile, self.number, self.old_root, self.new_root, self.queue_count, self.outputs
        )

    def gas(self) -> int:
        """A gas limit that covers every case."""
        gas = UPDATE_BASE_GAS + UPDATE_ENTRY_GAS * self.entries + UPDATE_QUEUE_GAS * self.queue_count
        return min(MAX_GAS_LIMIT, gas)

    @property
    def entries(self) -> int:
        """Deposits and withdrawals."""
        return len(self.outputs) // ENTRY_BYTES


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """``amount`` quanta of ``depositor`` wait in the queue as ``entry``, for ``account``, which ``owner`` owns.

    ``key_digest``: 32 bytes, not zero only where the account was opened with a key. ``queue_hash``: over all entries
    up to this one.
    """

    entry: int
    account: int
    owner: bytes
    depositor: bytes
    amount: int
    key_digest: bytes
    queue_hash: bytes


@dataclass(frozen=True, slots=True)
class ReclaimRequestedEvent:
    """Entry ``entry`` counts as zero from ``reclaim_at`` (seconds) on, unless a batch took it before."""

    entry: int
    reclaim_at: int


@dataclass(frozen=True, slots=True)
class ReclaimedEvent:
    """``amount`` quanta of entry ``entry`` went back to ``depositor``."""

    entry: int
    depositor: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class WithdrawalAllowedEvent:
    """Batch ``batch_number`` made ``amount`` quanta of ``account`` claimable by ``owner``."""

    owner: bytes
    account: int
    amount: int
    batch_number: int


@dataclass(frozen=True, slots=True)
class StateUpdateEvent:
    """The contract took batch ``batch_number`` with ``entries`` deposits and withdrawals, for the sake of ``fact``.

    ``queue_consumed``: entries of the queue that batches have taken so far.
    """

    batch_number: int
    fact: bytes
    old_root: bytes
    new_root: bytes
    entries: int
    queue_consumed: int


@dataclass(frozen=True, slots=True)
class WithdrawnEvent:
    """``owner`` was paid ``amount`` quanta."""

    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """An entry as the contract holds it now. ``amount`` 0: credited, paid back, or not there; ``reclaim_at`` 0: never.

    ``reclaim_at`` in seconds.
    """

    account: int
    depositor: bytes
    amount: int
    reclaim_at: int


Event = (
    QueuedEvent | ReclaimRequestedEvent | ReclaimedEvent | WithdrawalAllowedEvent | StateUpdateEvent | WithdrawnEvent
)


def deployed_addresses(deployer: bytes) -> tuple[bytes, bytes]:
    """Addresses of token and exchange: the deployer's first two transactions create them."""
    return contract_address(deployer, 0), contract_address(deployer, 1)


def creation_codes(token: bytes, deployment: Deployment, reserved: Reserved = ()) -> tuple[bytes, bytes]:
    """Creation code of token and exchange, for the deployer's nonces 0 and 1; ``token``: where the former will be."""
    numbers = ("uint64",) * 4
    arguments = encode_arguments(
        (
            "address",
            "address",
            "bytes32",
            "address[]",
            "bytes32[]",
            "bytes32",
            "bytes32",
            *numbers,
            "uint64[]",
            "address[]",
        ),
        token,
        deployment.operator,
        deployment.statement_id,
        deployment.verifiers,
        deployment.parameter_digests,
        deployment.config_hash,
        deployment.genesis_root,
        deployment.account_limit,
        deployment.min_opening,
        deployment.reclaim_delay,
        deployment.first_account,
        [account for account, _ in reserved],
        [owner for _, owner in reserved],
    )
    return _bytecode("token"), _bytecode("exchange") + arguments


def decode_event(log: EventLog) -> Event | None:
    """An event of the exchange contract from its log; None for an event of another signature."""
    decoder = _EVENTS.get(log.topics[0]) if log.topics else None
    return None if decoder is None else decoder(log)


class Client:
    """Token and exchange of one venue on one chain, and where its verifiers are, profile by profile.

    Transactions come back raw and signed, for :meth:`Ledger.include`.

    ``nonce`` is the sender's next one (:meth:`Ledger.nonce`), counted on for several transactions in one block.
    """

    def __init__(
        self, chain: Ledger, token: bytes, exchange: bytes, verifiers: tuple[VerifierAddresses, ...] = ()
    ) -> None:
        self.chain = chain
        self.token = token
        self.exchange = exchange
        self.verifiers = verifiers
        self.verifier_contracts = frozenset(address for v in verifiers for address in (v.opening, v.queries))

    def mint(self, key: bytes, owner: bytes, amount: int, nonce: int) -> bytes:
        """Test tokens for ``owner``; only the deployer's key may."""
        return self._sign(key, self.token, encode_call("mint(address,uint256)", owner, amount), CALL_GAS, nonce)

    def approve(self, key: bytes, amount: int, nonce: int) -> bytes:
        """Allow the exchange to pull ``amount`` quanta from the key's address."""
        data = encode_call("approve(address,uint256)", self.exchange, amount)
        return self._sign(key, self.token, data, CALL_GAS, nonce)

    def deposit(self, key: bytes, account: int, amount: int, nonce: int) -> bytes:
        """Put ``amount`` approved quanta on the exchange for ``account``."""
        return self._sign(key, self.exchange, encode_call("deposit(uint64,uint64)", account, amount), CALL_GAS, nonce)

    def open_account(self, key: bytes, key_digest: bytes, amount: int, nonce: int) -> bytes:
        """Open an account of the key's address with ``amount`` approved quanta; the contract hands out its id."""
        data = encode_call("open_account(bytes32,uint64)", key_digest, amount)
        return self._sign(key, self.exchange, data, CALL_GAS, nonce)

    def request_reclaim(self, key: bytes, entry: int, nonce: int) -> bytes:
        """Ask for a deposit back that no batch has taken yet; only its depositor may."""
        return self._sign(key, self.exchange, encode_call("request_reclaim(uint64)", entry), CALL_GAS, nonce)

    def reclaim(self, key: bytes, entry: int, nonce: int) -> bytes:
        """Pay a deposit back whose delay is over; any key may send it."""
        return self._sign(key, self.exchange, encode_call("reclaim(uint64)", entry), CALL_GAS, nonce)

    def update_state(self, key: bytes, update: StateUpdate, nonce: int) -> bytes:
        """Post a batch whose fact is registered; the operator's key has to sign.

        Raises :class:`OutOfRange` for more entries than one batch may have.
        """
        return self._sign(key, self.exchange, update.data(), update.gas(), nonce)

    def withdraw(self, key: bytes, owner: bytes, nonce: int, amount: int = 0) -> bytes:
        """Pay ``owner`` everything claimable; any key may send it. A part (``amount``) only the owner may ask for."""
        if amount:
            data = encode_call("withdraw(address,uint256)", owner, amount)
        else:
            data = encode_call("withdraw(address)", owner)
        return self._sign(key, self.exchange, data, CALL_GAS, nonce)

    def state_root(self) -> bytes:
        """The root that the contract holds."""
        return bytes(self._view(self.exchange, "bytes32", "state_root()"))

    def last_batch(self) -> int:
        """Number of the newest batch that the contract took; 0 before the first."""
        return int(self._view(self.exchange, "uint64", "last_batch()"))

    def is_valid(self, verifier: bytes, fact: bytes) -> bool:
        """Whether the verifier contract at this address registered ``fact``."""
        return bool(self._view(verifier, "bool", "is_valid(bytes32)", fact))

    def fact_of(self, update: StateUpdate) -> bytes:
        """The fact that the contract would ask the profile's verifier for."""
        signature = "fact_of(uint256,uint64,bytes32,bytes32,bytes32)"
        arguments = (update.profile, update.number, update.old_root, update.new_root, keccak256(update.outputs))
        return bytes(self._view(self.exchange, "bytes32", signature, *arguments))

    def pending(self, account: int) -> int:
        """Quanta that wait for ``account`` among the first 512 entries of the queue that no batch has taken yet."""
        return int(self._view(self.exchange, "uint256", "pending_deposit(uint64)", account))

    def account_owner(self, account: int) -> bytes:
        """Who owns an account, 20 bytes; all zero where it is not open."""
        return _address(self._view(self.exchange, "address", "account_owner(uint64)", account))

    def queue_length(self) -> int:
        """How many entries the queue has had."""
        return int(self._view(self.exchange, "uint64", "queue_length()"))

    def queue_consumed(self) -> int:
        """How many of them batches have taken."""
        return int(self._view(self.exchange, "uint64", "queue_consumed()"))

    def queue_hash(self) -> bytes:
        """The rolling hash over all entries, 32 bytes."""
        return bytes(self._view(self.exchange, "bytes32", "queue_hash()"))

    def earliest_reclaim(self, first: int, count: int) -> int:
        """When (seconds) the first of ``count`` entries from ``first`` on that are asked back is zero; 0: none."""
        return int(self._view(self.exchange, "uint64", "earliest_reclaim(uint64,uint256)", first, count))

    def queue_sum(self, first: int, count: int) -> int:
        """Quanta that ``count`` entries from ``first`` on would bring a batch now."""
        return int(self._view(self.exchange, "uint256", "queue_sum(uint64,uint256)", first, count))

    def queue_entry(self, entry: int) -> QueueEntry:
        """An entry as the contract holds it."""
        output = self.chain.call(self.exchange, encode_call("queue_entry(uint64)", entry))
        account, depositor, amount, reclaim_at = decode_words(("uint64", "address", "uint64", "uint64"), output)
        return QueueEntry(account, _address(depositor), amount, reclaim_at)

    def withdrawable(self, owner: bytes) -> int:
        """Quanta that ``owner`` may claim."""
        return int(self._view(self.exchange, "uint256", "withdrawable(address)", owner))

    def total_pending(self) -> int:
        """Sum of all pending deposits."""
        return int(self._view(self.exchange, "uint256", "total_pending()"))

    def total_withdrawable(self) -> int:
        """Sum of all claimable balances."""
        return int(self._view(self.exchange, "uint256", "total_withdrawable()"))

    def token_balance(self, owner: bytes) -> int:
        """Token quanta of an address."""
        return int(self._view(self.token, "uint256", "balanceOf(address)", owner))

    def allowance(self, owner: bytes) -> int:
        """Token quanta of ``owner`` that the exchange may still pull."""
        return int(self._view(self.token, "uint256", "allowance(address,address)", owner, self.exchange))

    def deployment(self) -> Deployment:
        """The constants of the deployed contract; ``genesis_root`` is its present root."""
        profiles = self.chain.call(self.exchange, encode_call("profiles()"))
        verifiers, digests = decode_words(("address[]", "bytes32[]"), profiles)
        return Deployment(
            operator=_address(self._view(self.exchange, "address", "OPERATOR()")),
            statement_id=bytes(self._view(self.exchange, "bytes32", "STATEMENT_ID()")),
            verifiers=tuple(_address(verifier) for verifier in verifiers),
            parameter_digests=tuple(bytes(digest) for digest in digests),
            config_hash=bytes(self._view(self.exchange, "bytes32", "CONFIG_HASH()")),
            genesis_root=self.state_root(),
            account_limit=int(self._view(self.exchange, "uint64", "ACCOUNT_LIMIT()")),
            min_opening=int(self._view(self.exchange, "uint64", "MIN_OPENING()")),
            reclaim_delay=int(self._view(self.exchange, "uint64", "RECLAIM_DELAY()")),
            first_account=int(self._view(self.exchange, "uint64", "FIRST_ACCOUNT()")),
        )

    def events(self, logs: tuple[EventLog, ...]) -> list[Event]:
        """The exchange contract's events among these logs, in order."""
        decoded = [decode_event(log) for log in logs if log.address == self.exchange]
        return [event for event in decoded if event is not None]

    def _view(self, to: bytes, result: str, signature: str, *arguments: Any) -> Any:
        return decode_words((result,), self.chain.call(to, encode_call(signature, *arguments)))[0]

    def _sign(self, key: bytes, to: bytes, data: bytes, gas_limit: int, nonce: int) -> bytes:
        chain = self.chain
        return sign_transaction(
            key, chain_id=chain.chain_id, nonce=nonce, to=to, data=data, gas_limit=gas_limit, gas_price=chain.gas_price
        )


def _bytecode(name: str) -> bytes:
    return bytes.fromhex(load_artifact(name).bytecode)


def _address(value: str) -> bytes:
    return bytes.fromhex(value[2:])


def _number(topic_or_word: bytes) -> int:
    return int.from_bytes(topic_or_word, "big")


def _queued(log: EventLog) -> QueuedEvent:
    depositor, amount, key_digest, queue_hash = decode_words(("address", "uint64", "bytes32", "bytes32"), log.data)
    return QueuedEvent(
        entry=_number(log.topics[1]),
        account=_number(log.topics[2]),
        owner=log.topics[3][12:],
        depositor=_address(depositor),
        amount=amount,
        key_digest=key_digest,
        queue_hash=queue_hash,
    )


def _reclaim_requested(log: EventLog) -> ReclaimRequestedEvent:
    return ReclaimRequestedEvent(_number(log.topics[1]), _number(log.data))


def _reclaimed(log: EventLog) -> ReclaimedEvent:
    return ReclaimedEvent(_number(log.topics[1]), log.topics[2][12:], _number(log.data))


def _withdrawal_allowed(log: EventLog) -> WithdrawalAllowedEvent:
    amount, batch_number = decode_words(("uint64", "uint64"), log.data)
    return WithdrawalAllowedEvent(log.topics[1][12:], _number(log.topics[2]), amount, batch_number)


def _state_update(log: EventLog) -> StateUpdateEvent:
    types = ("bytes32", "bytes32", "uint256", "uint64")
    return StateUpdateEvent(_number(log.topics[1]), log.topics[2], *decode_words(types, log.data))


def _withdrawn(log: EventLog) -> WithdrawnEvent:
    return WithdrawnEvent(log.topics[1][12:], _number(log.data))


_EVENTS: Mapping[bytes, Any] = {
    topic("Queued(uint64,uint64,address,address,uint64,bytes32,bytes32)"): _queued,
    topic("ReclaimRequested(uint64,uint64)"): _reclaim_requested,
    topic("Reclaimed(uint64,address,uint64)"): _reclaimed,
    topic("WithdrawalAllowed(address,uint64,uint64,uint64)"): _withdrawal_allowed,
    topic("StateUpdate(uint64,bytes32,bytes32,bytes32,uint256,uint64)"): _state_update,
    topic("Withdrawn(address,uint256)"): _withdrawn,
}
