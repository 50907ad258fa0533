"""Where the L1 of a folder's venue is: embedded, or on a node. The folder remembers it; the configuration does not.

What is remembered of a node: where the venue's part of its chain begins, which tells it from every other, and the
address it was made with, to name it. The same chain may be reached at another address later.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from app.storage.journal import Journal
from engine.errors import UNDECODABLE, CorruptData
from engine.exchange.config import VenueConfig
from engine.settlement.errors import OtherLedger, WrongChain
from engine.settlement.node.anchor import Anchor

META = "l1"


class NamedNode(Protocol):
    """What is asked of the node that this run names."""

    @property
    def url(self) -> str:
        """Where it was reached, without what may be secret in it."""

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""

    def fresh_anchor(self, config: VenueConfig) -> Anchor:
        """Where a new venue begins on it; raises :class:`OtherLedger` if it holds another one of the same keys."""


class StoredLedger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The journal's meta row."""

    url: str
    anchor: Anchor


def stored_ledger(journal: Journal) -> StoredLedger | None:
    """The node that the folder's venue is on; None for the embedded chain and for a new folder."""
    data = journal.get_meta(META)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=StoredLedger)
    except UNDECODABLE as error:
        raise CorruptData(f"the journal's L1 does not decode: {error}", field=META) from error


def claim_ledger(journal: Journal, node: NamedNode | None, config: VenueConfig) -> Anchor | None:
    """Check that the folder's venue has its L1 where this run looks for it, or remember that for a new one.

    Returns the anchor on the node, None for the embedded chain. Raises :class:`OtherLedger` and :class:`WrongChain`.
    """
    stored, new = stored_ledger(journal), journal.get_meta("config") is None
    if node is None:
        if stored is None:
            return None
        raise OtherLedger(
            f"the L1 of this folder's venue is a node (made with --l1 {stored.url}); name it with --l1, or choose "
            "another folder with --data",
            field="--l1",
            limit=stored.url,
        )
    if stored is None and not new:
        raise OtherLedger(
            "the L1 of this folder's venue is the embedded chain; leave --l1 out, or choose another folder with --data",
            field="--l1",
            value=node.url,
        )
    if stored is None:
        stored = StoredLedger(node.url, node.fresh_anchor(config))
        journal.set_meta(META, msgspec.json.encode(stored))
    if stored.anchor.chain_id != node.chain_id:
        raise WrongChain(
            f"the node at {node.url} has chain id {node.chain_id}; this folder's venue is on {stored.anchor.chain_id}",
            field="chain_id",
            value=node.chain_id,
            limit=stored.anchor.chain_id,
        )
    return stored.anchor
