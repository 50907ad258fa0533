"""Questions to a node about its state, blocks and transactions, answered in bytes and integers.

All of them are reads: see :meth:`NodeConnection.read` for limits and errors.
"""

from __future__ import annotations

from typing import Any

from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound

from engine.settlement.contracts.abi import revert_reason
from engine.settlement.errors import NodeRefused, Reverted
from engine.settlement.node.connection import NodeConnection

LOG_RANGE = 2_000
"""Blocks asked for events at once; public nodes refuse long ranges."""


class NodeReads:
    """What a node knows. ``header`` and ``receipt`` give web3.py's own mappings, or None for what is not there."""

    def __init__(self, connection: NodeConnection) -> None:
        self.url = connection.url
        self._connection = connection

    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return int(self._connection.read(lambda web3: web3.eth.chain_id))

    def nonce(self, address: bytes, *, pool: bool = False) -> int:
        """Next nonce of an address; what waits in the pool is counted on demand only."""
        block: Any = "pending" if pool else "latest"
        name: Any = address
        return int(self._connection.read(lambda web3: web3.eth.get_transaction_count(name, block)))

    def balance(self, address: bytes) -> int:
        """Wei that an address holds."""
        return int(self._connection.read(lambda web3: web3.eth.get_balance(address)))  # type: ignore[arg-type]

    def code(self, address: bytes) -> bytes:
        """Runtime code at an address, empty for none."""
        return bytes(self._connection.read(lambda web3: web3.eth.get_code(address)))  # type: ignore[arg-type]

    def call(self, to: bytes, data: bytes, caller: bytes) -> bytes:
        """Result of a call against the newest state; raises :class:`Reverted`."""
        request: Any = {"to": to, "data": data, "from": caller}

        def question(web3: Any) -> bytes:
            try:
                return bytes(web3.eth.call(request))
            except ContractLogicError as error:
                raise _reverted(to, error) from error

        return self._connection.read(question)

    def estimate(self, to: bytes, data: bytes, caller: bytes) -> int:
        """Gas of a transaction with this call against the newest state; raises :class:`Reverted`."""
        request: Any = {"to": to, "data": data, "from": caller}

        def question(web3: Any) -> int:
            try:
                return int(web3.eth.estimate_gas(request))
            except ContractLogicError as error:
                raise _reverted(to, error) from error

        return self._connection.read(question)

    def calldata(self, name: bytes) -> int:
        """Bytes of calldata of the transaction with this hash."""
        return len(self._connection.read(lambda web3: web3.eth.get_transaction(name))["input"])  # type: ignore[arg-type]

    def header(self, number: int | str) -> Any:
        """A block without its transactions' contents."""

        def question(web3: Any) -> Any:
            try:
                return web3.eth.get_block(number)
            except BlockNotFound:
                return None

        return self._connection.read(question)

    def receipt(self, name: bytes) -> Any:
        """The receipt of the transaction with this hash."""

        def question(web3: Any) -> Any:
            try:
                return web3.eth.get_transaction_receipt(name)
            except TransactionNotFound:
                return None

        return self._connection.read(question)

    def knows(self, name: bytes) -> bool:
        """Whether a block or the pool holds the transaction with this hash."""

        def question(web3: Any) -> bool:
            try:
                return web3.eth.get_transaction(name) is not None
            except TransactionNotFound:
                return False

        return self._connection.read(question)

    def logs(self, address: bytes, first: int, last: int) -> list[Any]:
        """Events of a contract in blocks ``first`` to ``last``."""
        found: list[Any] = []
        for start in range(first, last + 1, LOG_RANGE):
            span: Any = {"address": address, "fromBlock": start, "toBlock": min(last, start + LOG_RANGE - 1)}
            found += self._connection.read(lambda web3, span=span: web3.eth.get_logs(span))  # type: ignore[misc]
        return found

    def failure(self, name: bytes) -> str:
        """Why a transaction in a block failed, where the node traces transactions."""
        options = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
        try:
            trace = self._connection.request("debug_traceTransaction", "0x" + name.hex(), options)
        except NodeRefused:
            return "failed (the node does not say why)"
        return revert_reason(_bytes(str(trace.get("output") or "0x"))) or str(trace.get("error") or "failed")


def _reverted(to: bytes, error: ContractLogicError) -> Reverted:
    output = _bytes(str(error.data)) if str(error.data).startswith("0x") else b""
    return Reverted(f"call to 0x{to.hex()}", revert_reason(output) or str(error.message))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
