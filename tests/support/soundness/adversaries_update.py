"""An adversary for each constraint of the update table: rows, leaves, order and roots. Sums are in adversaries_sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.exchange.accounts import Account
from engine.exchange.leaf import POSITION_WORDS
from engine.field.koalabear import P
from tests.support.soundness import attacks_leaves as leaves
from tests.support.soundness.adversaries_sums import SUMS
from tests.support.soundness.attacks_leaves import MARKET, SECOND, SIZE, absent_but_not_zero, new_leaf, old_leaf_with
from tests.support.soundness.forgery import Forgery, close_batch, forge, honest, opened_tree, trader, words_of
from tests.support.soundness.mutation import Adversary

HALF = pow(2, -1, P)
SLOTS = (MARKET, SECOND)
PADDING = 6
"""A padding row of the sample batch."""


def nobody(**fields: object) -> Account:
    """A fresh account without an owner."""
    return replace(trader(4, 0), l1_address=bytes(20), next_signature_index=0, **fields)


def doubly_real() -> Forgery:
    """'Real' is 2: a leaf of version 2 and length 54, with two equal paths. And it moves the root."""
    batch = close_batch(opened_tree(), {12: nobody()})
    words = words_of(batch.updates[0].new)
    forgery = forge(batch, new_words={0: [54, 2, *words[2:]]}).set("update", "real", 0, 2)
    forgery.limbs("update", "new_used", 0, [0, 0]).limbs("update", "size_inverse", 0, [0, 0])
    rows = [forgery.path_row(level) for level in range(forgery.shape.tree_height)]
    return forgery.path_rows(rows * 2).count().hash_again()


def address_of_nobody(limb: int) -> Forgery:
    """A new account, no deposit, and an owner all the same."""
    owner = (1 << (16 * limb)).to_bytes(20, "big")
    return forge(close_batch(opened_tree(), {12: replace(nobody(), l1_address=owner)}))


def all_zero_slots(slot: int) -> dict[int, int]:
    """Changes that empty this slot and all after it."""
    return dict.fromkeys(range(SLOTS[slot], MARKET + 2 * POSITION_WORDS), 0)


def unused_but_not_zero(side: str, slot: int, word: int) -> Forgery:
    """An unused slot with one word in it, which the leaf's digest covers and its length does not."""
    length = 27 + POSITION_WORDS * slot
    changes = {0: length, **all_zero_slots(slot), SLOTS[slot] + word: 1}
    if side == "old":
        return old_leaf_with(changes)
    forgery = new_leaf(changes)
    return forgery.set("update", f"size_inverse_{slot}", 0, 0).count()


def old_slot_half_used(slot: int) -> Forgery:
    length = (27 + POSITION_WORDS * slot + POSITION_WORDS * HALF) % P
    forgery = old_leaf_with({0: length, **all_zero_slots(slot)})
    return forgery.limbs("update", "old_used", 0, [1] * slot + [HALF] + [0] * (1 - slot))


def second_slot_half_used() -> Forgery:
    """Market 2, size 6, and 'used' is one half: what is unused is no longer zero, the size's inverse goes along."""
    forgery = new_leaf({0: (36 + 9 * HALF) % P})
    forgery.limbs("update", "new_used", 0, [1, HALF])
    return forgery.set("update", "size_inverse_1", 0, HALF * pow(6, -1, P)).count()


def slot_used_on_padding() -> Forgery:
    forgery = honest().set("update", "new_used_0", PADDING, 1).set("update", "new_size_0_0", PADDING, 1)
    return forgery.set("update", "size_inverse_0", PADDING, 1).count()


def size_zero(slot: int) -> Forgery:
    forgery = new_leaf({SIZE + POSITION_WORDS * slot: 0})
    return forgery.set("update", f"size_inverse_{slot}", 0, 0)


def padding_moves_root(word: int) -> Forgery:
    """The last padding row changes one word of the root; the verifier is told the changed one."""
    forgery = honest()
    value = forgery.get("update", f"new_root_{word}", -1)
    return forgery.set("update", f"new_root_{word}", -1, value + 1).claim_roots()


def root_jumps(word: int) -> Forgery:
    """From one padding row to the next, one word of the root changes."""
    forgery = honest()
    for row in range(PADDING, len(forgery.rows())):
        for side in ("old", "new"):
            value = forgery.get("update", f"{side}_root_{word}", row)
            forgery.set("update", f"{side}_root_{word}", row, value + 1)
    return forgery.claim_roots()


def other_public(index: int) -> Forgery:
    """The verifier is told another root."""
    forgery = honest()
    publics = list(forgery.publics)
    publics[index] = (publics[index] + 1) % P
    return replace(forgery, publics=tuple(publics))


Makers = dict[str, Callable[[], Forgery]]
ROWS: Makers = {
    "old present is boolean": leaves.half_present_old_leaf,
    "old leaf only on real rows": leaves.old_leaf_on_a_padding_row,
    "real rows come first": leaves.update_after_padding,
    "index starts at 0": leaves.numbers_from_one,
    "index counts": leaves.one_number_for_all,
    "accounts ascend": leaves.out_of_order_with_gap_denied,
    **{f"address limb {i} of a new account is its deposit's": lambda i=i: address_of_nobody(i) for i in range(10)},
}
ROOTS: Makers = {
    **{f"padding keeps root {i}": lambda i=i: padding_moves_root(i) for i in range(8)},
    **{f"root {i} is chained": lambda i=i: root_jumps(i) for i in range(8)},
    **{f"first root {i} is the old root": lambda i=i: other_public(i) for i in range(8)},
    **{f"last root {i} is the new root": lambda i=i: other_public(8 + i) for i in range(8)},
}
LEAVES: Makers = {
    **{
        f"old signature index {i} of an absent leaf is zero": lambda i=i: absent_but_not_zero({20 + i: 1})
        for i in range(4)
    },
    **{
        f"new signature index {i} of an absent leaf is zero": lambda i=i: (
            honest().set("update", f"new_signature_index_{i}", PADDING, 1).count()
        )
        for i in range(4)
    },
    **{f"old slot {k} used is boolean": lambda k=k: old_slot_half_used(k) for k in range(2)},
    "old slot 0 fills from the left": leaves.absent_leaf_with_position,
    "old slot 1 fills from the left": leaves.old_second_slot_without_the_first,
    "new slot 0 fills from the left": slot_used_on_padding,
    "new slot 1 fills from the left": leaves.second_slot_without_the_first,
    **{f"size {k} is not zero": lambda k=k: size_zero(k) for k in range(2)},
    **{
        f"{side} slot {k} word {i} is zero when unused": lambda side=side, k=k, i=i: unused_but_not_zero(side, k, i)
        for side in ("old", "new")
        for k in range(2)
        for i in range(POSITION_WORDS)
    },
}
TOGETHER: dict[str, tuple[Callable[[], Forgery], tuple[str, ...]]] = {
    "real is boolean": (doubly_real, tuple(f"padding keeps root {i}" for i in range(8))),
    "new slot 0 used is boolean": (leaves.slot_used_by_half, ("size 0 is not zero",)),
    "new slot 1 used is boolean": (
        second_slot_half_used,
        ("new slot 1 word 0 is zero when unused", "new slot 1 word 1 is zero when unused"),
    ),
}
"""Constraint -> a forgery, and what else it breaks."""

UPDATE_ADVERSARIES = {
    **{
        f"update: {name}": Adversary(make, frozenset({f"update: {name}"}))
        for name, make in {**ROWS, **ROOTS, **LEAVES, **SUMS}.items()
    },
    **{
        f"update: {name}": Adversary(make, frozenset(f"update: {item}" for item in (name, *others)))
        for name, (make, others) in TOGETHER.items()
    },
}
