"""Typed client of the token and the exchange contract: transactions to send, views to read, events to decode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import check_range
from engine.settlement.abi import decode_words, encode_arguments, encode_call, topic
from engine.settlement.artifacts import load_artifact
from engine.settlement.ledger import Ledger
from engine.settlement.transactions import GAS_PRICE, MAX_GAS_LIMIT, contract_address, sign_transaction
from engine.settlement.world import EventLog

ENTRY_BYTES = 37
MAX_ENTRIES = 512  # deposits and withdrawals of one batch, as the contract bounds them
UNLIMITED = 2**256 - 1
DEPLOY_GAS = 3_000_000
CALL_GAS = 200_000  # every call but update_state stays below 100,000
UPDATE_BASE_GAS = 150_000
UPDATE_ENTRY_GAS = 60_000  # worst case of one entry, calldata included, with room to spare


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the exchange contract is made with. Digests and root are 32 bytes, addresses 20."""

    operator: bytes
    statement_id: bytes
    verifier_parameter_digest: bytes
    config_hash: bytes
    genesis_root: bytes
    account_limit: int


@dataclass(frozen=True, slots=True)
class DepositEvent:
    """``amount`` quanta wait for ``account``."""

    account: int
    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class FactEvent:
    """The operator attested ``fact``."""

    fact: bytes


@dataclass(frozen=True, slots=True)
class WithdrawalAllowedEvent:
    """Batch ``batch_number`` made ``amount`` quanta of ``account`` claimable by ``owner``."""

    owner: bytes
    account: int
    amount: int
    batch_number: int


@dataclass(frozen=True, slots=True)
class StateUpdateEvent:
    """The contract took batch ``batch_number`` with ``entries`` deposits and withdrawals."""

    batch_number: int
    old_root: bytes
    new_root: bytes
    entries: int


@dataclass(frozen=True, slots=True)
class WithdrawnEvent:
    """``owner`` was paid ``amount`` quanta."""

    owner: bytes
    amount: int


Event = DepositEvent | FactEvent | WithdrawalAllowedEvent | StateUpdateEvent | WithdrawnEvent


def deployed_addresses(deployer: bytes) -> tuple[bytes, bytes]:
    """Addresses of token and exchange: the deployer's first two transactions create them."""
    return contract_address(deployer, 0), contract_address(deployer, 1)


def deployment_transactions(
    chain_id: int, deployer_key: bytes, token: bytes, deployment: Deployment, gas_price: int = GAS_PRICE
) -> list[bytes]:
    """The two creations, with the deployer's nonces 0 and 1."""
    arguments = encode_arguments(
        ("address", "address", "bytes32", "bytes32", "bytes32", "bytes32", "uint64"),
        token,
        deployment.operator,
        deployment.statement_id,
        deployment.verifier_parameter_digest,
        deployment.config_hash,
        deployment.genesis_root,
        deployment.account_limit,
    )
    codes = (_bytecode("token"), _bytecode("exchange") + arguments)
    return [
        sign_transaction(
            deployer_key,
            chain_id=chain_id,
            nonce=nonce,
            to=b"",
            data=code,
            gas_limit=DEPLOY_GAS,
            gas_price=gas_price,
        )
        for nonce, code in enumerate(codes)
    ]


def decode_event(log: EventLog) -> Event | None:
    """An event of the exchange contract from its log; None for an event of another signature."""
    decoder = _EVENTS.get(log.topics[0]) if log.topics else None
    return None if decoder is None else decoder(log)


class Client:
    """Both contracts of one venue on one chain. Transactions come back raw and signed, for :meth:`Ledger.include`.

    ``nonce`` is the sender's next one (:meth:`Ledger.nonce`), counted on for several transactions in one block.
    """

    def __init__(self, chain: Ledger, token: bytes, exchange: bytes) -> None:
        self.chain = chain
        self.token = token
        self.exchange = exchange

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

    def register_fact(self, key: bytes, fact: bytes, nonce: int) -> bytes:
        """Attest a fact; only the operator's key may."""
        return self._sign(key, self.exchange, encode_call("register_fact(bytes32)", fact), CALL_GAS, nonce)

    def update_state(
        self, key: bytes, batch_number: int, old_root: bytes, new_root: bytes, outputs: bytes, nonce: int
    ) -> bytes:
        """Post a batch whose fact is registered; ``outputs`` as the fact commits to them (37 bytes an entry).

        Raises :class:`OutOfRange` for more entries than one batch may have.
        """
        entries = check_range("outputs (entries)", len(outputs) // ENTRY_BYTES, 0, MAX_ENTRIES)
        data = encode_call("update_state(uint64,bytes32,bytes32,bytes)", batch_number, old_root, new_root, outputs)
        gas = min(MAX_GAS_LIMIT, UPDATE_BASE_GAS + UPDATE_ENTRY_GAS * entries)
        return self._sign(key, self.exchange, data, gas, nonce)

    def withdraw(self, key: bytes, owner: bytes, nonce: int) -> bytes:
        """Pay ``owner`` everything claimable; any key may send it."""
        return self._sign(key, self.exchange, encode_call("withdraw(address)", owner), CALL_GAS, nonce)

    def state_root(self) -> bytes:
        """The root that the contract holds."""
        return bytes(self._view(self.exchange, "bytes32", "state_root()"))

    def last_batch(self) -> int:
        """Number of the newest batch that the contract took; 0 before the first."""
        return int(self._view(self.exchange, "uint64", "last_batch()"))

    def fact_registered(self, fact: bytes) -> bool:
        """Whether the operator attested ``fact``."""
        return bool(self._view(self.exchange, "bool", "facts(bytes32)", fact))

    def fact_of(self, batch_number: int, old_root: bytes, new_root: bytes, outputs_hash: bytes) -> bytes:
        """The fact that the contract would ask for."""
        signature = "fact_of(uint64,bytes32,bytes32,bytes32)"
        return bytes(self._view(self.exchange, "bytes32", signature, batch_number, old_root, new_root, outputs_hash))

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
        return Deployment(
            operator=_address(self._view(self.exchange, "address", "OPERATOR()")),
            statement_id=bytes(self._view(self.exchange, "bytes32", "STATEMENT_ID()")),
            verifier_parameter_digest=bytes(self._view(self.exchange, "bytes32", "VERIFIER_PARAMETER_DIGEST()")),
            config_hash=bytes(self._view(self.exchange, "bytes32", "CONFIG_HASH()")),
            genesis_root=self.state_root(),
            account_limit=int(self._view(self.exchange, "uint64", "ACCOUNT_LIMIT()")),
        )

    def fact_source(self) -> str:
        """Who stands behind facts, in the contract's own words."""
        return str(self._view(self.exchange, "string", "FACT_SOURCE()"))

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


def _fact(log: EventLog) -> FactEvent:
    return FactEvent(log.topics[1])


def _withdrawal_allowed(log: EventLog) -> WithdrawalAllowedEvent:
    amount, batch_number = decode_words(("uint64", "uint64"), log.data)
    return WithdrawalAllowedEvent(log.topics[1][12:], _number(log.topics[2]), amount, batch_number)


def _state_update(log: EventLog) -> StateUpdateEvent:
    old_root, new_root, entries = decode_words(("bytes32", "bytes32", "uint256"), log.data)
    return StateUpdateEvent(_number(log.topics[1]), old_root, new_root, entries)


def _withdrawn(log: EventLog) -> WithdrawnEvent:
    return WithdrawnEvent(log.topics[1][12:], _number(log.data))


_EVENTS: Mapping[bytes, Any] = {
    topic("Deposit(uint64,address,uint64)"): _deposit,
    topic("FactRegistered(bytes32)"): _fact,
    topic("WithdrawalAllowed(address,uint64,uint64,uint64)"): _withdrawal_allowed,
    topic("StateUpdate(uint64,bytes32,bytes32,uint256)"): _state_update,
    topic("Withdrawn(address,uint256)"): _withdrawn,
}
