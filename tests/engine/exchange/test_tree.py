"""The sparse accounts tree against a full tree computed slowly from all its leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutOfRange
from engine.exchange.accounts import EMPTY_ACCOUNT, Account, Digest
from engine.exchange.leaf import leaf_digest
from engine.exchange.tree import AccountOutsideTree, AccountTree, climb, empty_digests, leaf_digests
from engine.hashing.poseidon import compress


def account(collateral: int) -> Account:
    return (
        Account(version=1, l1_address=collateral.to_bytes(20, "big"), collateral=collateral)
        if collateral
        else EMPTY_ACCOUNT
    )


def full_levels(height: int, accounts: dict[int, Account]) -> list[list[Digest]]:
    """Every node of the tree, leaves first."""
    levels = [[leaf_digest(accounts.get(i, EMPTY_ACCOUNT), 1) for i in range(1 << height)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([compress(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return levels


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.data())
def test_tree_equals_the_full_tree(height: int, data: st.DataObject):
    tree, mirror = AccountTree(height, 1), {}
    ids = st.integers(0, (1 << height) - 1)
    for changes in data.draw(st.lists(st.dictionaries(ids, st.integers(0, 9), max_size=4), max_size=3)):
        before = tree.root
        updates, root = tree.apply_batch({i: account(c) for i, c in changes.items()})
        assert [u.account for u in updates] == sorted(changes)
        for update in updates:
            assert update.old == mirror.get(update.account, EMPTY_ACCOUNT)
            assert climb(leaf_digest(update.old, 1), update.account, update.siblings)[-1] == before
            mirror[update.account] = update.new
            before = climb(leaf_digest(update.new, 1), update.account, update.siblings)[-1]
        levels = full_levels(height, mirror)
        assert root == before == tree.root == levels[-1][0]
        for i in range(1 << height):
            assert tree.get(i) == mirror.get(i, EMPTY_ACCOUNT)
            assert tree.path(i) == tuple(levels[level][(i >> level) ^ 1] for level in range(height))
    assert dict(tree.accounts()) == {i: a for i, a in mirror.items() if a != EMPTY_ACCOUNT}


def test_empty_tree_and_removal_restore_the_precomputed_root():
    tree = AccountTree(4, 2)
    assert tree.root == empty_digests(4, 2)[-1]
    siblings = tree.update(11, account(5))
    assert siblings == tree.path(11)
    assert tree.root != empty_digests(4, 2)[-1]
    tree.update(11, EMPTY_ACCOUNT)
    assert tree.root == empty_digests(4, 2)[-1]
    assert list(tree.accounts()) == []


@pytest.mark.parametrize("account_id", [-1, 16, 1 << 40])
def test_ids_outside_the_tree_are_refused(account_id: int):
    tree = AccountTree(4, 2)
    for call in (
        tree.get,
        tree.path,
        lambda i: tree.update(i, EMPTY_ACCOUNT),
        lambda i: tree.apply_batch({i: EMPTY_ACCOUNT}),
    ):
        with pytest.raises(AccountOutsideTree) as caught:
            call(account_id)
        assert caught.value.field == "account"
        assert caught.value.limit == (0, 15)


def test_a_bad_account_leaves_the_tree_untouched():
    tree = AccountTree(4, 2)
    tree.update(3, account(7))
    before = tree.root
    with pytest.raises(OutOfRange):
        tree.apply_batch({3: account(8), 4: Account(version=1, collateral=1 << 63)})
    assert tree.root == before
    assert tree.get(3) == account(7)


@pytest.mark.parametrize(("height", "positions"), [(0, 1), (31, 1), (4, -1)])
def test_shapes_out_of_range_are_refused(height: int, positions: int):
    with pytest.raises(OutOfRange):
        AccountTree(height, positions)


def test_many_digests_equal_one_by_one():
    accounts = [account(c) for c in (0, 1, 2, 1 << 62)]
    assert leaf_digests(accounts, 2) == [leaf_digest(a, 2) for a in accounts]
