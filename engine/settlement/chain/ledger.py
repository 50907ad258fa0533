"""What the venue needs of an L1. The embedded :class:`engine.settlement.chain.chain.Chain` is the default.

Reads are answered from one block, the head. Transactions come signed and raw (EIP-155); their senders' keys never reach
a ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.settlement.chain.blocks import Block, Receipt

ZERO_ADDRESS = bytes(20)


class Ledger(Protocol):
    """A chain of blocks. All methods may be called from any thread and raise typed errors only."""

    @property
    def where(self) -> str:
        """Which chain this is, in words for people."""

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""

    @property
    def gas_price(self) -> int:
        """Wei per gas that a transaction signed now should offer."""

    @property
    def head(self) -> Block:
        """The newest block that this ledger knows."""

    def blocks_since(self, number: int) -> list[Block]:
        """Known blocks with a number above ``number``, ascending."""

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt of a transaction in a known block, or None."""

    def nonce(self, address: bytes) -> int:
        """Next nonce of an address (20 bytes), transactions in blocks counted."""

    def balance(self, address: bytes) -> int:
        """Wei that an address holds."""

    def code(self, address: bytes) -> bytes:
        """Runtime code at an address, empty for none."""

    def call(self, to: bytes, data: bytes, caller: bytes = ZERO_ADDRESS) -> bytes:
        """Result of a call whose effects are dropped; raises :class:`Reverted` with the contract's reason."""

    def estimate(self, to: bytes, data: bytes, caller: bytes = ZERO_ADDRESS) -> int:
        """Gas that a transaction with this call would use now, fee rules applied; raises :class:`Reverted`."""

    def include(self, transactions: Sequence[bytes], time: int) -> tuple[Block, ...]:
        """Bring transactions into blocks, each sender's in this order; the new blocks, durable, in ascending order.

        One that reverts is included with status 0. One that may not be included raises its typed error. The embedded
        chain makes exactly one block, also of no transactions, at ``time`` (venue time, ns).
        """

    def follow(self) -> None:
        """Look at what the outside has done since; raises when it is no longer the chain that is known here."""

    def close(self) -> None:
        """Let go of what the ledger holds; an ``include`` that waits for the outside gives up."""

    def checkpoint(self) -> bytes:
        """What a restart needs beside the stored blocks; empty for a ledger that keeps its state elsewhere."""
