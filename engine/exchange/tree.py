"""The accounts tree: a sparse binary Poseidon tree of fixed height, and batches of updates with their paths.

Leaf ``i`` of ``2^height`` is account ``i``. A node is ``compress(left, right)``; empty subtrees are not stored,
their digests are precomputed per level. Digests are tuples of 8 canonical integers; the tree keeps them as 32 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np

from engine.errors import OutOfRange, check_range
from engine.exchange.accounts import EMPTY_ACCOUNT, Account, AccountUpdate, Digest
from engine.exchange.leaf import BLOCK, LEAF_DOMAIN, LIMB_BITS, leaf_digest, leaf_rows
from engine.hashing.poseidon import DIGEST_WORDS, compress
from engine.hashing.poseidon_constants import WIDTH
from engine.hashing.poseidon_kernels import compress_bytes, permute_many
from engine.units import AccountId

MAX_HEIGHT = 30
"""Account ids must stay below p."""


class AccountOutsideTree(OutOfRange):
    """An account id outside the tree."""

    code: ClassVar[str] = "account_outside_tree"

    def __init__(self, account: object, height: int) -> None:
        super().__init__("account", account, 0, (1 << height) - 1)


@lru_cache(maxsize=64)
def empty_digests(height: int, max_positions: int, limb_bits: int = LIMB_BITS) -> tuple[Digest, ...]:
    """Digests of empty subtrees of height 0 (the empty leaf) to ``height`` (the root of an empty tree)."""
    digests: list[Digest] = [leaf_digest(EMPTY_ACCOUNT, max_positions, limb_bits)]
    for _ in range(height):
        digests.append(compress(digests[-1], digests[-1]))
    return tuple(digests)


class AccountTree:
    """Accounts by id, and the Poseidon root over them. Not thread-safe: one owner.

    Parameters
    ----------
    height : 1 .. 30; the tree has 2^height leaves
    max_positions : positions a leaf has room for (markets of the venue)
    limb_bits : width of the leaf's integer limbs; 16 on the venue
    """

    def __init__(self, height: int, max_positions: int, limb_bits: int = LIMB_BITS) -> None:
        self.height = check_range("tree_height", height, 1, MAX_HEIGHT)
        self.max_positions = check_range("max_positions", max_positions, 0, 1024)
        self.limb_bits = check_range("limb_bits", limb_bits, 8, LIMB_BITS)
        self._empty = [_WORDS.pack(*digest) for digest in empty_digests(height, max_positions, limb_bits)]
        self._levels: list[dict[int, bytes]] = [{} for _ in range(height + 1)]
        self._accounts: dict[AccountId, Account] = {}

    @property
    def root(self) -> Digest:
        """Digest of the whole tree."""
        return self._node(self.height, 0)

    def get(self, account_id: AccountId) -> Account:
        """The account, empty when nobody has it; :class:`AccountOutsideTree` outside [0, 2^height)."""
        return self._accounts.get(self._checked(account_id), EMPTY_ACCOUNT)

    def accounts(self) -> Iterator[tuple[AccountId, Account]]:
        """All accounts that are not empty, ascending by id."""
        for account_id in sorted(self._accounts):
            yield account_id, self._accounts[account_id]

    def path(self, account_id: AccountId) -> tuple[Digest, ...]:
        """``height`` siblings of the leaf's path, from the leaf's own sibling to the child of the root."""
        index = self._checked(account_id)
        return tuple(self._node(level, (index >> level) ^ 1) for level in range(self.height))

    def update(self, account_id: AccountId, account: Account) -> tuple[Digest, ...]:
        """Replace one leaf; returns the siblings of its path (the same before and after)."""
        updates, _ = self.apply_batch({account_id: account})
        return updates[0].siblings

    def apply_batch(self, accounts: Mapping[AccountId, Account]) -> tuple[tuple[AccountUpdate, ...], Digest]:
        """Replace these leaves in ascending id; returns the updates, each with its siblings then, and the new root.

        Every id and account is checked before the first leaf changes: after an error the tree is as it was.
        """
        order = sorted(self._checked(account_id) for account_id in accounts)
        nodes = _leaf_nodes([accounts[i] for i in order], self.max_positions, self.limb_bits)
        indices: list[int]
        indices, climbing = [*order], list(range(len(order)))  # of each update: which of the nodes it is under
        siblings: list[list[Digest]] = []  # level by level
        for level in range(self.height):
            beside, parents, pairs = self._raise(level, indices, nodes)
            digests = [*map(_WORDS.unpack, beside)]
            siblings.append([*map(digests.__getitem__, climbing)])
            climbing = [*map(parents.__getitem__, climbing)]
            indices = [*dict.fromkeys([index >> 1 for index in indices])]
            nodes = _split(compress_bytes(b"".join(pairs)))
        if nodes:
            self._levels[self.height][0] = nodes[-1]
        held = self._accounts
        updates = tuple(
            AccountUpdate(i, held.get(i, EMPTY_ACCOUNT), accounts[i], path)
            for i, path in zip(order, zip(*siblings, strict=True), strict=True)
        )
        for account_id in order:
            self._store(account_id, accounts[account_id])
        return updates, self.root

    def _checked(self, account_id: AccountId) -> AccountId:
        if not 0 <= account_id < 1 << self.height:
            raise AccountOutsideTree(account_id, self.height)
        return account_id

    def _node(self, level: int, index: int) -> Digest:
        return _digest(self._levels[level].get(index, self._empty[level]))

    def _store(self, account_id: AccountId, account: Account) -> None:
        if account.version == 0 and account == EMPTY_ACCOUNT:
            self._accounts.pop(account_id, None)
        else:
            self._accounts[account_id] = account

    def _raise(
        self, level: int, indices: Sequence[int], nodes: Sequence[bytes]
    ) -> tuple[list[bytes], list[int], list[bytes]]:
        """Store the changed nodes of one level, ascending; each one's sibling, its parent's place, the parents' pairs.

        Only the last state of a node matters to what comes after it: the updates under the left one of two siblings see
        the right one as it was, those under the right one see the left one as it has become.
        """
        known, empty = self._levels[level], self._empty[level]
        beside: list[bytes] = []
        parents: list[int] = []
        pairs: list[bytes] = []
        before = -1
        for index, node in zip(indices, nodes, strict=True):
            if not index & 1:
                sibling = known.get(index + 1, empty)
                pairs.append(node + sibling)
            elif before == index - 1:
                sibling = nodes[len(beside) - 1]
                pairs[-1] = sibling + node
            else:
                sibling = known.get(index - 1, empty)
                pairs.append(sibling + node)
            before = index
            beside.append(sibling)
            parents.append(len(pairs) - 1)
        known.update(zip(indices, nodes, strict=True))
        return beside, parents, pairs


_WORDS = struct.Struct(f"<{DIGEST_WORDS}I")


def _digest(node: bytes) -> Digest:
    return _WORDS.unpack(node)


def _split(data: bytes) -> list[bytes]:
    """Nodes from their bytes in a row."""
    return [data[at : at + _WORDS.size] for at in range(0, len(data), _WORDS.size)]


def _leaf_nodes(accounts: Sequence[Account], max_positions: int, limb_bits: int) -> list[bytes]:
    if not accounts:
        return []
    words = leaf_rows(accounts, max_positions, limb_bits)
    count = len(words)
    state = np.zeros((count + 15 & ~15, WIDTH), dtype=np.uint32)  # whole vectors: then it is permuted in place
    state[:count, BLOCK : BLOCK + 2] = LEAF_DOMAIN, words.shape[1]
    flat = state.reshape(-1)
    for start in range(0, words.shape[1], BLOCK):
        state[:count, :BLOCK] = words[:, start : start + BLOCK]
        permute_many(flat, out=flat)
    return _split(state[:count, :BLOCK].astype("<u4", copy=False).tobytes())


def leaf_digests(accounts: Sequence[Account], max_positions: int, limb_bits: int = LIMB_BITS) -> list[Digest]:
    """:func:`engine.exchange.leaf.leaf_digest` of many accounts."""
    return [_digest(node) for node in _leaf_nodes(accounts, max_positions, limb_bits)]


def climb(digest: Digest, index: int, siblings: Sequence[Digest]) -> list[Digest]:
    """The nodes of leaf ``index``'s path: its digest, then its ancestors, the root last. Plain reference."""
    nodes = [digest]
    for level, sibling in enumerate(siblings):
        left, right = (sibling, nodes[-1]) if index >> level & 1 else (nodes[-1], sibling)
        nodes.append(compress(left, right))
    return nodes
