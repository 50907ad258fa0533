"""Attacks on Merkle paths, on the Poseidon table and on the range table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.field.koalabear import P
from engine.hashing.poseidon import permute
from tests.support.soundness.attacks_leaves import new_leaf, two_updates
from tests.support.soundness.forgery import SMALL, Forgery, forge, honest, one_update

CONTINUED = {
    "path: level counts",
    "path: weight doubles",
    "path: position accumulates",
    "path: path continues",
    "path: old node is the parent",
    "path: new node is the parent",
}
"""What a path breaks that goes on where it should have ended."""


def quiet_update() -> Forgery:
    """One update that changes a signature index only."""
    return forge(one_update(lambda a: replace(a, next_signature_index=5)))


def compress_with(bit: int, node: list[int], sibling: list[int]) -> list[int]:
    """What the path table hashes for any field element as bit."""
    left = [(n + bit * (s - n)) % P for n, s in zip(node, sibling, strict=True)]
    right = [(s + bit * (n - s)) % P for n, s in zip(node, sibling, strict=True)]
    return [(y + x) % P for y, x in zip(permute([*left, *right])[:8], left, strict=True)]


def rebuilt_path(bits: list[int]) -> Forgery:
    """The update's path rebuilt with these bits, one row each; account, roots and hashes go along."""
    forgery = quiet_update()
    old, new, sibling = (cells(forgery, name) for name in ("old", "new", "sibling"))
    account = 0
    for row, bit in enumerate(bits):
        below = forgery.traces["path"][:, min(row, SMALL.tree_height - 1)].copy()
        forgery.traces["path"][:, row] = below
        account = (account + bit * pow(2, row, P)) % P
        for name, value in (("level", row), ("weight", 1 << row), ("bit", bit), ("position", account), ("end", 0)):
            forgery.set("path", name, row, value)
        forgery.set("path", "start", row, int(row == 0)).set("path", "real", row, 1)
        forgery.limbs("path", "sibling", row, sibling)
        for name, node in (("old", old), ("new", new)):
            forgery.limbs("path", name, row, node)
        old, new = (compress_with(bit, node, sibling) for node in (old, new))
        for name, node in (("old_parent", old), ("new_parent", new)):
            forgery.limbs("path", name, row, node)
    forgery.set("path", "end", len(bits) - 1, 1)
    forgery.traces["path"][:, len(bits) :] = 0
    forgery.set("update", "account", 0, account).limbs("update", "old_root", 0, old)
    for row in forgery.rows():
        forgery.limbs("update", "new_root", row, new)
        if row:
            forgery.limbs("update", "old_root", row, new)
    return forgery.claim_roots().hash_again()


def cells(forgery: Forgery, name: str, row: int = 0) -> list[int]:
    return [forgery.get("path", f"{name}_{i}", row) for i in range(8)]


def rebuilt_honestly() -> Forgery:
    return rebuilt_path([1, 0, 0, 1])


def bit_is_two() -> Forgery:
    return rebuilt_path([2, 0, 0, 1])


def path_too_short() -> Forgery:
    return rebuilt_path([1, 0, 0])


def path_too_long() -> Forgery:
    return rebuilt_path([1, 0, 0, 1, 0])


def path_of_another_account() -> Forgery:
    return quiet_update().set("update", "account", 0, 8)


def path_that_begins_higher() -> Forgery:
    """Levels and weights shifted by one: a path of three rows that ends where it should."""
    forgery = rebuilt_path([1, 0, 0])
    for row in range(3):
        forgery.set("path", "level", row, row + 1)
    return forgery


def skipped_level() -> Forgery:
    forgery = rebuilt_path([1, 0, 0])
    return forgery.set("path", "level", 2, 3)


def weight_forged() -> Forgery:
    """Weights from 3: the same leaf under another account id."""
    forgery = rebuilt_path([1, 0, 0, 1])
    for row, weight in enumerate((3, 6, 12, 24)):
        forgery.set("path", "weight", row, weight)
        forgery.set("path", "position", row, 1 if row < 3 else 25)
    return forgery.set("update", "account", 0, 25)


def weight_not_doubled() -> Forgery:
    forgery = rebuilt_path([1, 0, 0, 1])
    forgery.set("path", "weight", 3, 2).set("path", "position", 3, 3)
    return forgery.set("update", "account", 0, 3)


def position_forged_at_start() -> Forgery:
    forgery = rebuilt_path([1, 0, 0, 1])
    for row, position in enumerate((0, 0, 0, 8)):
        forgery.set("path", "position", row, position)
    return forgery.set("update", "account", 0, 8)


def position_forged_on_the_way() -> Forgery:
    return rebuilt_path([1, 0, 0, 1]).set("path", "position", 3, 10).set("update", "account", 0, 10)


def node_swapped_on_the_way(name: str = "new") -> Forgery:
    """From level 2 on, the path is that of another node."""
    forgery = rebuilt_path([1, 0, 0, 1])
    node = [i + 1 for i in range(8)]
    for row in (2, 3):
        forgery.limbs("path", name, row, node)
        node = compress_with(forgery.get("path", "bit", row), node, cells(forgery, "sibling", row))
        forgery.limbs("path", f"{name}_parent", row, node)
    for row in forgery.rows():
        if name == "new" or row:
            forgery.limbs("update", "new_root", row, node if name == "new" else root(forgery, "new"))
            if row:
                forgery.limbs("update", "old_root", row, root(forgery, "new"))
    if name == "old":
        forgery.limbs("update", "old_root", 0, node)
    return forgery.claim_roots().hash_again()


def root(forgery: Forgery, side: str) -> list[int]:
    return cells(forgery, f"{side}_parent", 3)


def old_node_swapped_on_the_way() -> Forgery:
    return node_swapped_on_the_way("old")


def paths_spliced() -> Forgery:
    """Two accounts' leaves change places: each path changes its update number above the leaf."""
    forgery = two_updates()
    path, numbers = forgery.traces["path"], forgery.column("path", "update")
    path[numbers, 0], path[numbers, SMALL.tree_height] = 1, 0
    update = forgery.traces["update"]
    stay = [forgery.column("update", name) for name in ("index", "account", "gap")]
    roots = [forgery.column("update", f"{side}_root_{i}") for side in ("old", "new") for i in range(8)]
    moved = np.setdiff1d(np.arange(len(update)), [*stay, *roots])
    update[moved[:, None], [0, 1]] = update[moved[:, None], [1, 0]]
    return forgery.settle()


def two_siblings() -> Forgery:
    """The new path uses another sibling at level 1."""
    forgery = rebuilt_path([1, 0, 0, 1])
    node = compress_with(0, cells(forgery, "new", 1), [9] * 8)
    forgery.limbs("path", "new_parent", 1, node)
    for row in (2, 3):
        forgery.limbs("path", "new", row, node)
        node = compress_with(forgery.get("path", "bit", row), node, cells(forgery, "sibling", row))
        forgery.limbs("path", "new_parent", row, node)
    for row in forgery.rows():
        forgery.limbs("update", "new_root", row, node)
        if row:
            forgery.limbs("update", "old_root", row, node)
    return forgery.claim_roots().hash_again()


def path_without_start() -> Forgery:
    return quiet_update().set("path", "start", 0, 0)


def path_without_end() -> Forgery:
    return quiet_update().set("path", "end", 3, 0)


def lone_row(**values: int) -> Forgery:
    """A real row far from all paths, which hashes zeros."""
    forgery = honest()
    parent = compress_with(0, [0] * 8, [0] * 8)
    for name in ("old_parent", "new_parent"):
        forgery.limbs("path", name, -1, parent)
    for name, value in {"real": 1, **values}.items():
        forgery.set("path", name, -1, value)
    return forgery.hash_again()


def path_that_never_ends() -> Forgery:
    """The last row of the table goes on (its next row would be the first)."""
    return lone_row(start=1, weight=1, update=77)


def path_restarted() -> Forgery:
    forgery = quiet_update()
    return forgery.set("path", "start", 2, 1)


def start_on_a_padding_row() -> Forgery:
    return honest().set("path", "start", -1, 1).set("path", "weight", -1, 1)


def end_on_a_padding_row() -> Forgery:
    return honest().set("path", "end", -1, 1).set("path", "level", -1, 3)


def row_without_a_start() -> Forgery:
    """A real row after the last path that begins no path."""
    return lone_row(end=1, level=3)


def end_counts_twice() -> Forgery:
    return quiet_update().set("path", "end", 3, 2)


def start_counts_twice() -> Forgery:
    return quiet_update().set("path", "start", 0, 2)


def real_counts_twice() -> Forgery:
    return quiet_update().set("path", "real", 1, 2).hash_again()


def invented_hash() -> Forgery:
    """A permutation whose output is what the forger likes."""
    forgery = quiet_update()
    used = int(np.flatnonzero(forgery.traces["poseidon"][164])[0])
    column = forgery.column("poseidon", "last_round_3_0")
    forgery.traces["poseidon"][column, used] ^= 1
    return forgery


def permutation_from(column: int, change: int = 1) -> Forgery:
    """An unused row whose cells are right again after one wrong cell, as if computed from it."""
    forgery = quiet_update()
    row = int(np.flatnonzero(forgery.traces["poseidon"][164:].sum(axis=0) == 0)[0])
    forgery.traces["poseidon"][column, row] += change
    return forgery


def wrong_input() -> Forgery:
    return permutation_from(3)


def wrong_first_round() -> Forgery:
    return permutation_from(16 + 3 * 16 + 5)


def wrong_cube() -> Forgery:
    return permutation_from(80 + 19)


def wrong_last_round() -> Forgery:
    return permutation_from(163)


def hash_counted_less() -> Forgery:
    forgery = quiet_update()
    used = int(np.flatnonzero(forgery.traces["poseidon"][164])[0])
    forgery.traces["poseidon"][164, used] -= 1
    return forgery


def capacity_half_passed_off_as_rate() -> Forgery:
    forgery = quiet_update()
    used = int(np.flatnonzero(forgery.traces["poseidon"][165])[0])
    forgery.traces["poseidon"][165, used] -= 1
    forgery.traces["poseidon"][164, used] += 1
    return forgery


def limbs_from_one() -> Forgery:
    """The range table runs from 1 to 256, and 256 is a limb."""
    forgery = quiet_update()
    table = forgery.traces["range"]
    table[0] = (table[0] + 1) % P
    table[1] = np.roll(table[1], -1)
    forgery.set("range", "multiplicity", 255, 0)
    return forgery


def limbs_that_jump() -> Forgery:
    """300 replaces 255, and a limb of 300 passes."""
    forgery = new_leaf({20: 300})
    unused = int(np.flatnonzero(forgery.traces["range"][1, 1:] == 0)[-1]) + 1
    return forgery.set("range", "value", unused, 300).set("range", "multiplicity", unused, 1)


def limb_counted_less() -> Forgery:
    forgery = quiet_update()
    forgery.traces["range"][1, 0] -= 1
    return forgery


PATHS = {
    bit_is_two: {"path: bit is boolean"},
    path_too_short: {"path: end is the level below the root"},
    path_too_long: {"path: end is the level below the root"},
    path_of_another_account: {"bus path end"},
    path_that_begins_higher: {"path: start is level"},
    skipped_level: {"path: level counts"},
    weight_forged: {"path: weight is at start"},
    weight_not_doubled: {"path: weight doubles"},
    position_forged_at_start: {"path: position is the bit at start"},
    position_forged_on_the_way: {"path: position accumulates"},
    node_swapped_on_the_way: {"path: new node is the parent"},
    old_node_swapped_on_the_way: {"path: old node is the parent"},
    paths_spliced: {"path: update stays"},
    two_siblings: {"bus poseidon"},
    path_without_start: {"path: first row is a start", "bus path start"},
    path_without_end: {*CONTINUED, "bus path end"},
    path_that_never_ends: {"path: last path ends", "bus path start"},
    path_restarted: {
        "path: path does not restart",
        "path: start is level",
        "path: weight is at start",
        "path: position is the bit at start",
        "bus path start",
    },
    start_on_a_padding_row: {
        "path: start only on real rows",
        "path: real rows begin with a start",
        "bus path start",
    },
    end_on_a_padding_row: {"path: end only on real rows", "path: last path ends", "bus path end"},
    row_without_a_start: {"path: real rows begin with a start", "bus path end"},
    end_counts_twice: {*CONTINUED, "path: end is boolean", "bus path end"},
    start_counts_twice: {"path: start is boolean", "path: first row is a start", "bus path start"},
    real_counts_twice: {"path: real is boolean", "path: path continues", "path: real rows begin with a start"},
    invented_hash: {"poseidon: last round word", "bus poseidon"},
    wrong_input: {"poseidon: first round word"},
    wrong_first_round: {"poseidon: first round word", "poseidon: partial round", "poseidon: last round word"},
    wrong_cube: {"poseidon: partial round", "poseidon: last round word"},
    wrong_last_round: {"poseidon: last round word"},
    hash_counted_less: {"bus poseidon"},
    capacity_half_passed_off_as_rate: {"bus poseidon"},
    limbs_from_one: {"range: counter starts at", "bus range"},
    limbs_that_jump: {"range: counter counts"},
    limb_counted_less: {"bus range"},
}
"""Each attack with exactly what it breaks (numbers of limbs and words left out)."""
