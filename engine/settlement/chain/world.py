"""The L1's world state over pyrevm, with each transaction executed against cold, original values.

pyrevm keeps one never-ending journal: left alone, slots stay warm and "original" values stale from one transaction to
the next, and gas comes out too low. So every execution here runs inside a snapshot that is reverted, which leaves the
database of pyrevm untouched and everything cold. What the execution wrote is read before that and then put into the
database value by value. A mirror of the same values in Python is what is read, dumped and undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env, TxEnv

from engine.errors import UNDECODABLE, CorruptData
from engine.hashing.keccak import keccak256
from engine.settlement.chain.transactions import Transaction, floor_gas
from engine.settlement.contracts.abi import revert_reason, word
from engine.settlement.errors import InvalidTransaction

SPEC = "CANCUN"  # Vyper 0.4.3's default target; the later forks' transaction rules are in transactions.py
BLOCK_GAS_LIMIT = 60_000_000
FEE_RECIPIENT = bytes.fromhex("fee0" + "00" * 17 + "01")
_CODE_PADDING = 33  # revm pads analysed code with this many zero bytes
_ACCOUNT = re.compile(r"(0x[0-9a-f]{40}): Account \{ info: .*?, storage: \{(.*?)\}, status: AccountStatus\((.*?)\)")
_SLOT = re.compile(r"(\d+): StorageSlot \{")
_REVERT_OUTPUT = re.compile(r"^Revert \{.*output: 0x([0-9a-f]*) \}$")


@dataclass(frozen=True, slots=True)
class AccountInfoState:
    """Balance in wei, next nonce and code of one L1 account."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""


_EMPTY = AccountInfoState()


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What opcodes see of the block: number, and seconds since the epoch."""

    number: int
    timestamp: int


class EventLog(msgspec.Struct, frozen=True):
    """One event: emitting address (20 bytes), topics (32 bytes each), data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Execution:
    """Outcome of one execution. ``gas_used`` follows all fee rules; ``reason`` is "" on success."""

    success: bool
    gas_used: int
    output: bytes
    reason: str
    logs: tuple[EventLog, ...]
    created: bytes


class World:
    """All L1 accounts. Changes since the last :meth:`commit` can be rolled back. One thread at a time."""

    def __init__(self, chain_id: int) -> None:
        self._chain_id = chain_id
        self._evm = EVM(env=Env(cfg=CfgEnv(chain_id=chain_id)), gas_limit=BLOCK_GAS_LIMIT, spec_id=SPEC)
        self._infos: dict[bytes, AccountInfoState] = {}
        self._slots: dict[tuple[bytes, int], int] = {}
        self._old_infos: dict[bytes, AccountInfoState] = {}
        self._old_slots: dict[tuple[bytes, int], int] = {}

    def info(self, address: bytes) -> AccountInfoState:
        """The account at ``address`` (20 bytes); an empty one when nothing is there."""
        return self._infos.get(address, _EMPTY)

    def put_info(self, address: bytes, info: AccountInfoState) -> None:
        """Write balance, nonce and code of an account."""
        current = self.info(address)
        if info == current:
            return
        self._old_infos.setdefault(address, current)
        self._infos[address] = info
        account = AccountInfo(balance=info.balance, nonce=info.nonce, code=info.code or None)  # type: ignore[call-arg]
        self._evm.insert_account_info(_name(address), account)

    def put_slot(self, address: bytes, slot: int, value: int) -> None:
        """Write one storage slot of an account."""
        key = (address, slot)
        current = self._slots.get(key, 0)
        if value == current:
            return
        self._old_slots.setdefault(key, current)
        if value:
            self._slots[key] = value
        else:
            del self._slots[key]
        with self._reverted():  # the insertion also loads the account, which has to stay cold
            self._evm.insert_account_storage(_name(address), slot, value)

    def execute(self, transaction: Transaction, block: BlockContext) -> Execution:
        """Run a transaction whose nonce and funds were checked; write its effects, its nonce and its fee."""
        with self._reverted():
            execution = self._run(transaction, block)
            infos, slots = self._touched()
        for address, info in infos.items():
            self.put_info(address, info)
        for (address, slot), value in slots.items():
            self.put_slot(address, slot, value)
        gas_used = max(execution.gas_used, floor_gas(transaction.data))
        fee = gas_used * transaction.gas_price
        sender = self.info(transaction.sender)
        self.put_info(transaction.sender, replace(sender, balance=sender.balance - fee, nonce=transaction.nonce + 1))
        recipient = self.info(FEE_RECIPIENT)
        self.put_info(FEE_RECIPIENT, replace(recipient, balance=recipient.balance + fee))
        return replace(execution, gas_used=gas_used)

    def call(self, caller: bytes, to: bytes, data: bytes, block: BlockContext, gas: int) -> Execution:
        """Run a call against the present state and drop its effects."""
        nonce = self.info(caller).nonce
        with self._reverted():
            return self._run(
                Transaction(
                    raw=b"", hash=b"", sender=caller, nonce=nonce, gas_price=0, gas_limit=gas, to=to, value=0, data=data
                ),
                block,
            )

    def changes_digest(self) -> bytes:
        """32 bytes: Keccak-256 over what every account and slot changed since the last commit now holds, in order."""
        parts = []
        for address in sorted(self._old_infos):
            info = self._infos[address]
            parts += [b"\0", address, word(info.nonce), word(info.balance), keccak256(info.code)]
        for address, slot in sorted(self._old_slots):
            parts += [b"\1", address, word(slot), word(self._slots.get((address, slot), 0))]
        return keccak256(b"".join(parts))

    def commit(self) -> None:
        """Make the changes since the last commit final."""
        self._old_infos, self._old_slots = {}, {}

    def rollback(self) -> None:
        """Undo every change since the last commit."""
        for address, info in self._old_infos.copy().items():
            self.put_info(address, info)
        for (address, slot), value in self._old_slots.copy().items():
            self.put_slot(address, slot, value)
        self.commit()

    def dump(self) -> bytes:
        """The committed state as bytes, in a canonical order."""
        infos = [(a, word(i.balance), i.nonce, i.code) for a, i in sorted(self._infos.items())]
        slots = [(a, word(slot), word(value)) for (a, slot), value in sorted(self._slots.items())]
        return msgspec.msgpack.encode((infos, slots))

    def load(self, data: bytes) -> None:
        """Fill an empty world from :meth:`dump`; raises :class:`CorruptData`."""
        try:
            infos, slots = _dump_decoder.decode(data)
        except UNDECODABLE as error:
            raise CorruptData(f"L1 state does not decode: {error}", field="l1_state") from error
        for address, balance, nonce, code in infos:
            self.put_info(address, AccountInfoState(int.from_bytes(balance, "big"), nonce, code))
        for address, slot, value in slots:
            self.put_slot(address, int.from_bytes(slot, "big"), int.from_bytes(value, "big"))
        self.commit()

    @contextmanager
    def _reverted(self) -> Iterator[None]:
        """Leave no trace in pyrevm's journal of what happens inside."""
        snapshot = self._evm.snapshot()
        try:
            yield
        finally:
            self._evm.revert(snapshot)
            self._evm.reset_transient_storage()

    def _run(self, transaction: Transaction, block: BlockContext) -> Execution:
        """Execute inside an open snapshot. pyrevm raises on a revert or halt; its message carries the output."""
        evm, sender = self._evm, _name(transaction.sender)
        evm.set_block_env(_block_env(block))
        evm.set_tx_env(TxEnv(caller=sender, chain_id=self._chain_id))
        output, created = b"", b""
        try:
            if transaction.to:
                output = evm.message_call(
                    sender,
                    _name(transaction.to),
                    calldata=transaction.data,
                    value=transaction.value,
                    gas=transaction.gas_limit,
                    gas_price=transaction.gas_price,
                )
            else:
                # Price 0: the fee is taken in execute(), for calls and creations alike.
                address = evm.deploy(sender, transaction.data, value=transaction.value, gas=transaction.gas_limit)
                created = bytes.fromhex(address[2:])
        except RuntimeError as error:
            if evm.result is None:  # refused before execution: intake has let something through
                raise InvalidTransaction(f"the EVM refused it: {error}", field="transaction") from error
            match = _REVERT_OUTPUT.match(str(error))
            output = bytes.fromhex(match.group(1)) if match else b""
        result = evm.result
        assert result is not None
        reason = "" if result.is_success else revert_reason(output) or result.reason
        logs = tuple(_log(log) for log in result.logs) if result.is_success else ()
        return Execution(result.is_success, result.gas_used, output, reason, logs, created)

    def _touched(self) -> tuple[dict[bytes, AccountInfoState], dict[tuple[bytes, int], int]]:
        """Every account and slot that the open snapshot loaded, as the execution left them.

        Which slots there are can only be read from the journal's debug text; the values come from pyrevm itself.
        """
        evm = self._evm
        infos: dict[bytes, AccountInfoState] = {}
        slots: dict[tuple[bytes, int], int] = {}
        loaded = _ACCOUNT.findall(evm.journal_str)
        if len(loaded) != len(evm.journal_state):
            raise CorruptData("pyrevm's journal has another format than this version reads", field="pyrevm")
        for name, storage, status in loaded:
            address = bytes.fromhex(name[2:])
            written = [int(slot) for slot in _SLOT.findall(storage)]
            if "SelfDestructed" in status:  # since Cancun only a contract created in the same transaction disappears
                infos[address] = _EMPTY
                slots |= {(address, slot): 0 for slot in written}
                continue
            account = evm.basic(name)
            code = self.info(address).code or _stripped(evm.get_code(name))
            infos[address] = AccountInfoState(account.balance, account.nonce, code)
            slots |= {(address, slot): evm.storage(name, slot) for slot in written}
        return infos, slots


def _name(address: bytes) -> str:
    return "0x" + address.hex()


def _stripped(code: bytes | None) -> bytes:
    """Code as deployed, without the padding that revm's analysis adds."""
    return code[:-_CODE_PADDING] if code else b""


def _block_env(block: BlockContext) -> BlockEnv:
    return BlockEnv(
        number=block.number,
        timestamp=block.timestamp,
        gas_limit=BLOCK_GAS_LIMIT,
        basefee=0,
        coinbase=_name(FEE_RECIPIENT),
        prevrandao=bytes(32),
    )


def _log(log: Any) -> EventLog:
    topics, data = log.data
    return EventLog(bytes.fromhex(log.address[2:]), tuple(bytes(topic) for topic in topics), bytes(data))


_Dump = tuple[list[tuple[bytes, bytes, int, bytes]], list[tuple[bytes, bytes, bytes]]]
_dump_decoder = msgspec.msgpack.Decoder(_Dump)
