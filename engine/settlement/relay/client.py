"""Typed client of the token and the exchange contract: transactions to send, views to read, events to decode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import check_range
from engine.hashing.keccak import keccak256
from engine.settlement.chain.ledger import Ledger
from engine.settlement.chain.transactions import MAX_GAS_LIMIT, contract_address, sign_transaction
from engine.settlement.chain.world import EventLog
from engine.settlement.contracts.abi import decode_words, encode_arguments, encode_call, topic
from engine.settlement.contracts.artifacts import load_artifact
from engine.settlement.verifier.deployment import VerifierAddresses

ENTRY_BYTES = 37
MAX_ENTRIES = 512  # deposits and withdrawals of one batch, as the contract bounds them
UPDATE = "update_state(uint256,uint64,bytes32,bytes32,bytes)"
UNLIMITED = 2**256 - 1
DEPLOY_GAS = 3_000_000
CALL_GAS = 200_000  # every call but update_state stays below 100,000
UPDATE_BASE_GAS = 150_000
UPDATE_ENTRY_GAS = 60_000  # worst case of one entry, calldata included, with room to spare


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the exchange contract is made with. Digests and root are 32 bytes, addresses 20.

    ``operator`` may send batches, each with a registered fact.
    ``verifiers``, ``parameter_digests``: profile by profile, the contract that registers its facts and the digest of
    its parameters.
    """

    operator: bytes
    statement_id: bytes
    verifiers: tuple[bytes, ...]
    parameter_digests: tuple[bytes, ...]
    config_hash: bytes
    genesis_root: bytes
    account_limit: int


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """Arguments of an update: ``profile`` by its place in the deployment; ``outputs`` as the fact commits to them."""

    profile: int
    number: int
    old_root: bytes
    new_root: bytes
    outputs: bytes

    def data(self) -> bytes:
        """Calldata; raises :class:`OutOfRange` for more entries than one batch may have."""
        check_range("outputs (entries)", self.entries, 0, MAX_ENTRIES)
        return encode_call(UPDATE, self.profile, self.number, self.old_root, self.new_root, self.outputs)

    def gas(self) -> int:
        """A gas limit that covers every case."""
        return min(MAX_GAS_LIMIT, UPDATE_BASE_GAS + UPDATE_ENTRY_GAS * self.entries)

    @property
    def entries(self) -> int:
        """Deposits and withdrawals."""
        return len(self.outputs) // ENTRY_BYTES


@dataclass(frozen=True, slots=True)
class DepositEvent:
    """``amount`` quanta wait for ``account``."""

    account: int
    owner: bytes
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
    """The contract took batch ``batch_number`` with ``entries`` deposits and withdrawals, for the sake of ``fact``."""

    batch_number: int
    fact: bytes
    old_root: bytes
    new_root: bytes
    entries: int


@dataclass(frozen=True, slots=True)
class WithdrawnEvent:
    """``owner`` was paid ``amount`` quanta."""

    owner: bytes
    amount: int


Event = DepositEvent | WithdrawalAllowedEvent | StateUpdateEvent | WithdrawnEvent


def deployed_addresses(deployer: bytes) -> tuple[bytes, bytes]:
    """Addresses of token and exchange: the deployer's first two transactions create them."""
    return contract_address(deployer, 0), contract_address(deployer, 1)


def creation_codes(token: bytes, deployment: Deployment) -> tuple[bytes, bytes]:
    """Creation code of token and exchange, for the deployer's nonces 0 and 1; ``token``: where the former will be."""
    arguments = encode_arguments(
        ("address", "address", "bytes32", "address[]", "bytes32[]", "bytes32", "bytes32", "uint64"),
        token,
        deployment.operator,
        deployment.statement_id,
        deployment.verifiers,
        deployment.parameter_digests,
        deployment.config_hash,
        deployment.genesis_root,
        deployment.account_limit,
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

    def update_state(self, key: bytes, update: StateUpdate, nonce: int) -> bytes:
        """Post a batch whose fact is registered; the operator's key has to sign.

        Raises :class:`OutOfRange` for more entries than one batch may have.
        """
        return self._sign(key, self.exchange, update.data(), update.gas(), nonce)

    def withdraw(self, key: bytes, owner: bytes, nonce: int) -> bytes:
        """Pay ``owner`` everything claimable; any key may send it."""
        return self._sign(key, self.exchange, encode_call("withdraw(address)", owner), CALL_GAS, nonce)

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

    def pending(self, account: int, owner: bytes) -> int:
        """Quanta that ``owner`` deposited for ``account`` and no batch has credited yet."""
        return int(self._view(self.exchange, "uint256", "pending_deposits(uint64,address)", account, owner))

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


def _deposit(log: EventLog) -> DepositEvent:
    return DepositEvent(_number(log.topics[1]), log.topics[2][12:], _number(log.data))


def _withdrawal_allowed(log: EventLog) -> WithdrawalAllowedEvent:
    amount, batch_number = decode_words(("uint64", "uint64"), log.data)
    return WithdrawalAllowedEvent(log.topics[1][12:], _number(log.topics[2]), amount, batch_number)


def _state_update(log: EventLog) -> StateUpdateEvent:
    old_root, new_root, entries = decode_words(("bytes32", "bytes32", "uint256"), log.data)
    return StateUpdateEvent(_number(log.topics[1]), log.topics[2], old_root, new_root, entries)


def _withdrawn(log: EventLog) -> WithdrawnEvent:
    return WithdrawnEvent(log.topics[1][12:], _number(log.data))


_EVENTS: Mapping[bytes, Any] = {
    topic("Deposit(uint64,address,uint64)"): _deposit,
    topic("WithdrawalAllowed(address,uint64,uint64,uint64)"): _withdrawal_allowed,
    topic("StateUpdate(uint64,bytes32,bytes32,bytes32,uint256)"): _state_update,
    topic("Withdrawn(address,uint256)"): _withdrawn,
}
