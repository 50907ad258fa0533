"""Attacks on leaves: owners, malformed encodings, order of updates, padding rows, roots."""

from __future__ import annotations

from dataclasses import replace

from engine.exchange.accounts import EMPTY_ACCOUNT
from engine.field.koalabear import P
from tests.support.soundness.forgery import (
    Forgery,
    close_batch,
    forge,
    honest,
    one_update,
    opened_tree,
    trader,
    words_of,
)

ADDRESS, SIGNATURE = 10, 20
MARKET, SIZE, FUNDING, SECOND = 28, 29, 33, 37


def another_new_root() -> Forgery:
    forgery = honest()
    publics = list(forgery.publics)
    publics[11] ^= 1
    return replace(forgery, publics=tuple(publics))


def another_old_root() -> Forgery:
    forgery = honest()
    publics = list(forgery.publics)
    publics[0] ^= 1
    return replace(forgery, publics=tuple(publics))


def stolen_address() -> Forgery:
    """The new leaf names another owner, the rest of the trace goes along with it."""
    return forge(one_update(lambda a: replace(a, l1_address=bytes(20)))).hash_again()


def stolen_key() -> Forgery:
    return forge(one_update(lambda a: replace(a, key_digest=(7,) * 8))).hash_again()


def stolen_address_with_forged_old_leaf() -> Forgery:
    """The old leaf is claimed to have had the thief's address all along; then the old root is not the one told."""
    batch = one_update(lambda a: replace(a, l1_address=bytes(20)))
    update = replace(batch.updates[0], old=replace(batch.updates[0].old, l1_address=bytes(20)))
    forgery, genuine = forge(replace(batch, updates=(update,))), forge(one_update(lambda a: a))
    return replace(forgery, publics=(*genuine.publics[:8], *forgery.publics[8:]))


def account_taken_over_as_if_empty() -> Forgery:
    """The old leaf is declared absent, so that its owner need not stay."""
    forgery = forge(one_update(lambda a: replace(trader(6, 0), l1_address=bytes(20)), account=2))
    forgery.set("update", "old_present", 0, 0).limbs("update", "old_signature_index", 0, [0] * 4)
    return forgery.limbs("update", "old_collateral", 0, [0] * 4).settle().hash_again()


def half_present_old_leaf() -> Forgery:
    """'Present' as a fraction: an old leaf that holds half of everything the new owner's leaf holds."""
    half = pow(2, -1, P)
    batch = one_update(lambda a: replace(a, collateral=1), account=2, deposits={2: 1})
    owner = words_of(batch.updates[0].new)[2:20]
    words = [27 * half % P, half, *(word * half % P for word in owner), *([0] * 28)]
    forgery = forge(batch, old_words={0: words}).set("update", "old_present", 0, half)
    return forgery.limbs("update", "old_used", 0, [0, 0]).settle()


def account_emptied() -> Forgery:
    return forge(one_update(lambda a: EMPTY_ACCOUNT, account=13)).settle().hash_again()


def updated_twice() -> Forgery:
    """The same account in two rows, each row's path right: what it gains in one it loses in the other."""
    tree = opened_tree()
    up = close_batch(tree, {9: replace(tree.get(9), collateral=300)})
    down = close_batch(tree, {9: replace(tree.get(9), collateral=255)})
    return forge(replace(down, updates=(*up.updates, *down.updates)))


def out_of_order(gap_denied: bool = False) -> Forgery:
    tree = opened_tree()
    five = close_batch(tree, {5: replace(tree.get(5), next_signature_index=7)})
    two = close_batch(tree, {2: replace(tree.get(2), next_signature_index=7)})
    forgery = forge(replace(two, updates=(*five.updates, *two.updates), old_root=five.old_root))
    return forgery.set("update", "gap", 1, 0).count() if gap_denied else forgery


def out_of_order_with_gap_denied() -> Forgery:
    return out_of_order(gap_denied=True)


def new_leaf(changes: dict[int, int], positions: tuple[tuple[int, int, int], ...] = ((1, 5, 0), (2, 6, 0))) -> Forgery:
    """A fresh account whose words are changed by hand, hashed as they are."""
    tree = opened_tree()
    batch = close_batch(tree, {12: trader(4, 1, *positions)}, deposits={12: 1})
    words = words_of(batch.updates[0].new)
    for index, value in changes.items():
        words[index] = value
    return forge(batch, new_words={0: words})


def signature_index_out_of_range() -> Forgery:
    return new_leaf({20: 256})


def address_limb_out_of_range() -> Forgery:
    """A new account whose owner is no address: one limb is 2^16."""
    words = words_of(trader(4, 0))
    words[ADDRESS:SIGNATURE] = [1 << 16, *([0] * 9)]
    return forge(close_batch(opened_tree(), {12: trader(4, 0)}), new_words={0: words})


def account_opened_in_somebodys_name() -> Forgery:
    """An account that its owner never asked for."""
    return forge(close_batch(opened_tree(), {12: trader(4, 0)}))


def account_opened_with_anothers_deposit() -> Forgery:
    """The verifier knows whose deposit it is; the leaf names another owner."""
    batch = close_batch(opened_tree(), {12: trader(4, 1)}, deposits={12: 1})
    told = replace(batch, deposits=(replace(batch.deposits[0], owner=bytes(20)),))
    return forge(batch, told=told)


def market_out_of_range() -> Forgery:
    return new_leaf({MARKET: P - 1})


def size_out_of_range() -> Forgery:
    return new_leaf({SIZE: 256})


def funding_out_of_range() -> Forgery:
    return new_leaf({FUNDING + 3: 256})


def market_twice() -> Forgery:
    return new_leaf({SECOND: 1})


def markets_descend() -> Forgery:
    return new_leaf({MARKET: 9})


def position_of_nothing() -> Forgery:
    return new_leaf({SIZE: 0}).set("update", "size_inverse_0", 0, 0)


def another_version() -> Forgery:
    return new_leaf({1: 2})


def another_length() -> Forgery:
    return new_leaf({0: 44}).set("update", "new_used_1", 0, 1).set("update", "size_inverse_1", 0, pow(6, -1, P)).count()


def something_after_the_end() -> Forgery:
    return new_leaf({47: 1})


def position_in_an_unused_slot() -> Forgery:
    return new_leaf({0: 36}).set("update", "size_inverse_1", 0, 0)


def absent_but_not_zero(changes: dict[int, int]) -> Forgery:
    """An old leaf of all zeros but for some words."""
    tree = opened_tree()
    batch = close_batch(tree, {12: trader(4, 1)}, deposits={12: 1})
    words = [changes.get(i, 0) for i in range(48)]
    return forge(batch, old_words={0: words}).set("update", "old_present", 0, 0)


def absent_leaf_with_signature_index() -> Forgery:
    return absent_but_not_zero({21: 1})


def absent_leaf_with_position() -> Forgery:
    forgery = absent_but_not_zero({0: 9, MARKET: 1, SIZE: 1})
    return forgery.limbs("update", "old_used", 0, [1, 0])


def padding_with_signature_index() -> Forgery:
    return honest().set("update", "new_signature_index_0", 6, 1).count()


def old_leaf_with(changes: dict[int, int]) -> Forgery:
    """An old leaf (two positions) whose words are changed by hand."""
    batch = one_update(lambda a: replace(a, positions=()))
    words = words_of(batch.updates[0].old)
    for index, value in changes.items():
        words[index] = value
    return forge(batch, old_words={0: words})


def old_position_in_an_unused_slot() -> Forgery:
    return old_leaf_with({0: 36})


def old_slot_used_by_half() -> Forgery:
    half = pow(2, -1, P)
    forgery = old_leaf_with({0: (36 + 9 * half) % P, **dict.fromkeys(range(SECOND, 46), 0)})
    return forgery.limbs("update", "old_used", 0, [1, half])


def old_second_slot_without_the_first() -> Forgery:
    forgery = old_leaf_with({0: 36, **dict.fromkeys(range(MARKET, SECOND), 0)})
    return forgery.limbs("update", "old_used", 0, [0, 1])


def second_slot_without_the_first() -> Forgery:
    """27 + 9 words, all of them in the second slot."""
    forgery = new_leaf({0: 36, **dict.fromkeys(range(MARKET, SECOND), 0)})
    forgery.limbs("update", "new_used", 0, [0, 1]).limbs("update", "size_inverse", 0, [0, pow(6, -1, P)])
    return forgery.count()


def slot_used_by_half() -> Forgery:
    """Half a slot: the length says 27 + 9 / 2."""
    half = pow(2, -1, P)
    forgery = new_leaf({0: (27 + 9 * half) % P, **dict.fromkeys(range(MARKET, 46), 0)})
    return forgery.limbs("update", "new_used", 0, [half, 0]).count()


def padding_that_moves_the_root() -> Forgery:
    """The last padding row replaces the root; the verifier is told the forged one."""
    forgery = honest()
    for i in range(8):
        forgery.set("update", f"new_root_{i}", -1, i + 1)
    return forgery.claim_roots()


def root_replaced_between_updates() -> Forgery:
    """Two updates of different trees side by side."""
    tree, other = opened_tree(), opened_tree()
    other.update(11, trader(8, 1000))
    two = close_batch(tree, {2: replace(tree.get(2), next_signature_index=7)})
    nine = close_batch(other, {9: replace(other.get(9), next_signature_index=7)})
    return forge(replace(two, updates=(*two.updates, *nine.updates)))


def update_after_padding() -> Forgery:
    """Row 1 moves behind a padding row (its path goes along)."""
    forgery = two_updates()
    trace = forgery.traces["update"]
    trace[:, 3] = trace[:, 1]
    for row in (1, 2):
        trace[:, row] = 0
        for i in range(8):
            root = forgery.get("update", f"new_root_{i}", 0)
            forgery.set("update", f"old_root_{i}", row, root).set("update", f"new_root_{i}", row, root)
    for row in forgery.rows():
        forgery.set("update", "index", row, row)
    forgery.set("update", "account", 2, forgery.get("update", "account", 0))
    path = forgery.traces["path"]
    path[forgery.column("path", "update"), path[forgery.column("path", "update")] == 1] = 3
    return forgery.settle()


def two_updates() -> Forgery:
    tree = opened_tree()
    changes = {i: replace(tree.get(i), next_signature_index=7) for i in (2, 9)}
    return forge(close_batch(tree, changes))


def renumbered(start: int, jump: int) -> Forgery:
    """Update numbers that do not count 0, 1, 2, ..., the paths numbered alike."""
    forgery = two_updates()
    for row in forgery.rows():
        forgery.set("update", "index", row, start + row * jump)
    path, column = forgery.traces["path"], forgery.column("path", "update")
    used = path[forgery.column("path", "real")] == 1
    path[column, used] = start + path[column, used] * jump
    return forgery


def numbers_from_one() -> Forgery:
    return renumbered(1, 1)


def one_number_for_all() -> Forgery:
    return renumbered(0, 0)


def old_leaf_on_a_padding_row() -> Forgery:
    return honest().set("update", "old_present", 6, 1)


def doubly_real_update() -> Forgery:
    """'Real' is 2, and whatever can be doubled is."""
    return forge(one_update(lambda a: a, account=2)).set("update", "real", 0, 2).count()


LEAVES = {
    another_new_root: {"update: last root is the new root"},
    another_old_root: {"update: first root is the old root"},
    stolen_address: {"bus poseidon"},
    stolen_key: {"bus poseidon"},
    stolen_address_with_forged_old_leaf: {"update: first root is the old root"},
    account_taken_over_as_if_empty: {"bus poseidon"},
    half_present_old_leaf: {"update: old present is boolean"},
    account_emptied: {"bus poseidon"},
    updated_twice: {"bus range"},
    out_of_order: {"bus range"},
    out_of_order_with_gap_denied: {"update: accounts ascend"},
    signature_index_out_of_range: {"bus range"},
    address_limb_out_of_range: {"update: address limb of a new account is its deposit's"},
    account_opened_in_somebodys_name: {"update: address limb of a new account is its deposit's"},
    account_opened_with_anothers_deposit: {"bus external"},
    market_out_of_range: {"bus range"},
    size_out_of_range: {"bus range"},
    funding_out_of_range: {"bus range"},
    market_twice: {"bus range"},
    markets_descend: {"bus range"},
    position_of_nothing: {"update: size is not zero"},
    another_version: {"bus poseidon"},
    another_length: {"bus poseidon"},
    something_after_the_end: {"bus poseidon"},
    position_in_an_unused_slot: {"update: new slot word is zero when unused"},
    absent_leaf_with_signature_index: {"update: old signature index of an absent leaf is zero"},
    absent_leaf_with_position: {"update: old slot fills from the left"},
    padding_with_signature_index: {"update: new signature index of an absent leaf is zero"},
    old_position_in_an_unused_slot: {"update: old slot word is zero when unused"},
    old_slot_used_by_half: {"update: old slot used is boolean"},
    old_second_slot_without_the_first: {"update: old slot fills from the left"},
    second_slot_without_the_first: {"update: new slot fills from the left"},
    slot_used_by_half: {"update: new slot used is boolean", "update: size is not zero"},
    padding_that_moves_the_root: {"update: padding keeps root"},
    root_replaced_between_updates: {"update: root is chained"},
    update_after_padding: {"update: real rows come first"},
    numbers_from_one: {"update: index starts at"},
    one_number_for_all: {"update: index counts"},
    old_leaf_on_a_padding_row: {"update: old leaf only on real rows"},
    doubly_real_update: {
        "update: real is boolean",
        "update: address limb of a new account is its deposit's",
        "update: old leaf only on real rows",
        "update: new collateral of an absent leaf is zero",
        "update: new signature index of an absent leaf is zero",
        "bus poseidon",
        "bus path start",
        "bus path end",
    },
}
"""Each attack with exactly what it breaks (numbers of limbs and words left out)."""
