"""Refusals of the embedded chain, its clients and the key files: one class per cause."""

from __future__ import annotations

from engine.errors import ProtocolError


class SettlementError(ProtocolError):
    """Base of every refusal on the L1 side."""


class InvalidTransaction(SettlementError):
    """A transaction that no Ethereum node would take in: bad encoding, signature, size or gas limit."""


class NonceMismatch(SettlementError):
    """The transaction's nonce is not its sender's next one."""

    def __init__(self, sender: bytes, nonce: int, expected: int) -> None:
        self.sender = sender
        super().__init__(
            f"nonce of 0x{sender.hex()} is {nonce}; the next one is {expected}",
            field="nonce",
            value=nonce,
            limit=expected,
        )


class InsufficientFunds(SettlementError):
    """The sender cannot pay value plus gas limit times gas price."""

    def __init__(self, sender: bytes, needed: int, balance: int) -> None:
        super().__init__(
            f"0x{sender.hex()} has {balance} wei; the transaction may cost {needed}",
            field="value",
            value=needed,
            limit=balance,
        )


class BlockFull(SettlementError):
    """The transactions of one block ask for more gas than a block has."""


class ClockWentBack(SettlementError):
    """A block's time lies before its parent's."""


class Reverted(SettlementError):
    """A call or transaction was reverted; ``reason`` is the contract's own word, or the halt's name."""

    def __init__(self, what: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{what} was reverted: {reason}", field=what, value=reason)


class BatchOutOfOrder(SettlementError):
    """A batch that is not the contract's next one cannot be posted."""


class NotPostable(SettlementError):
    """A batch that cannot be brought to L1: its proof file is missing or damaged, or a verifier contract refuses it."""


class RootDivergence(SettlementError):
    """The contract and the layer 2 disagree about a root: nothing further may be posted."""


class KeyFileError(SettlementError):
    """A key file or its passphrase file is missing, unreadable, corrupt or does not open."""


class ArtifactError(SettlementError):
    """A compiled contract is missing or is not what it claims to be."""


class OtherLedger(SettlementError):
    """The data folder's venue has its L1 somewhere else than where this run looks for it."""


class NodeError(SettlementError):
    """Base of what a node over JSON-RPC does to its client."""


class BadNodeUrl(NodeError):
    """The address of the node is none that can be asked."""


class NodeUnreachable(NodeError):
    """The node does not answer, or not in time."""


class NodeRefused(NodeError):
    """The node answers with an error, which is repeated as it is, or with something that makes no sense."""


class WrongChain(NodeError):
    """The node is one of another chain than the venue's."""


class NodeDiverged(NodeError):
    """A block that the venue has seen is not on the node any more: a reorganisation, or the node started anew."""


class NonceTaken(NodeError):
    """Another transaction of the same sender with the same nonce waits in the node's pool."""


class TransactionDropped(NodeError):
    """The node took a transaction in and does not know it any more."""


class NotIncluded(NodeError):
    """No block has the transaction yet; it waits in the node's pool."""
