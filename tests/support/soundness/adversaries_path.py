"""An adversary for each constraint of the path table.

Some constraints are implied by others (a path that starts or ends where it should not unbalances a bus or can never
end): then the recorded forgery breaks a set of constraints, and passes when all of them are deleted.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.field.koalabear import P
from tests.support.soundness import attacks_paths as paths
from tests.support.soundness.attacks_paths import cells, compress_with, quiet_update
from tests.support.soundness.forgery import SMALL, Forgery, forge, one_update
from tests.support.soundness.mutation import Adversary

TOP = SMALL.tree_height - 1
CHOSEN = [11, 12, 13, 14, 15, 16, 17, 18]
"""A node that the forger likes."""
Cells = dict[str, int | list[int]]


def forged_top(forgery: Forgery) -> tuple[Cells, list[int]]:
    """The honest last row of the update's path with another new node, and the new root that it leads to."""
    bit, sibling = forgery.get("path", "bit", TOP), cells(forgery, "sibling", TOP)
    root = compress_with(bit, CHOSEN, sibling)
    row = {**forgery.path_row(TOP), "new": CHOSEN, "new_parent": root, "start": 0, "real": 1, "end": 1}
    return row, root


def start_and_end_apart() -> Forgery:
    """A start on a row that hashes nothing; far from it a real row that began nowhere ends at a chosen root."""
    forgery = quiet_update()
    top, root = forged_top(forgery)
    lone_start = {**forgery.path_row(0), "real": 0}
    return forgery.path_rows([{}, lone_start, top]).new_root(root).hash_again()


def last_level_not_hashed() -> Forgery:
    """The path ends on a row that is not real, so that its parents are what the forger likes."""
    forgery = quiet_update()
    rows = [forgery.path_row(level) for level in range(TOP + 1)]
    rows[TOP] |= {"real": 0, "end": 1, "new_parent": CHOSEN}
    return forgery.path_rows([*rows, after(rows[TOP])]).new_root(CHOSEN).hash_again()


def after(row: Cells) -> Cells:
    """What the chain demands of the row after one that does not end, but for ``real``."""
    return {
        "level": row["level"] + 1, "weight": row["weight"] * 2, "update": row["update"], "position": row["position"],
        "old": row["old_parent"], "new": row["new_parent"],
    }  # fmt: skip


def first_row_no_start() -> Forgery:
    """Row 0 ends a path that began nowhere; the path that begins is abandoned after a row."""
    forgery = quiet_update()
    top, root = forged_top(forgery)
    begun = forgery.path_row(0)
    return forgery.path_rows([top, begun, after(begun)]).new_root(root).hash_again()


def last_path_open() -> Forgery:
    """Row 0 ends a path that began nowhere; the one that begins is cut off by the end of the table."""
    forgery = quiet_update()
    top, root = forged_top(forgery)
    begun, last = forgery.path_row(0), forgery.traces["path"].shape[1] - 1
    return forgery.path_rows([top, *([{}] * (last - 1)), begun]).new_root(root).hash_again()


def row_before_the_start() -> Forgery:
    """A leaf that changes nothing hangs from one more level, whose left child is zero.

    The last block of a short leaf is all zeros, so its digest is also the compression of zero and its capacity.
    """
    forgery = forge(one_update(lambda a: a, account=2))
    capacity = [forgery.get("update", f"old_capacity_{SMALL.blocks - 1}_{i}", 0) for i in range(8)]
    digest = [forgery.get("update", f"old_digest_{i}", 0) for i in range(8)]
    below: Cells = {"real": 1, "level": P - 1, "weight": pow(2, -1, P), "sibling": capacity}
    below |= {"old_parent": digest, "new_parent": digest}
    rows = [forgery.path_row(level) for level in range(TOP + 1)]
    return forgery.path_rows([below, *rows]).hash_again()


def starts_that_cancel() -> Forgery:
    """Two rows that are not real start the same path, twice and minus twice."""
    forgery = quiet_update()
    rows = [forgery.path_row(level) for level in range(TOP + 1)]
    extra: Cells = {"weight": 1, "update": 77}
    return forgery.path_rows([*rows, {}, {**extra, "start": 2}, {}, {**extra, "start": P - 2}])


def ends_that_cancel() -> Forgery:
    """The same end counts twice after a path and minus once on the first row."""
    forgery = quiet_update()
    rows = [forgery.path_row(level) for level in range(TOP + 1)]
    again: Cells = {**rows[TOP], "end": P - 1}
    rows[TOP] = {**rows[TOP], "end": 2}
    return forgery.path_rows([again, after(again), {}, *rows, after(rows[TOP])]).hash_again()


def node_changed_on_the_way(side: str, word: int) -> Forgery:
    """From level 2 on, the path is that of a node that differs in one word."""
    forgery = quiet_update()
    node = cells(forgery, side, 2)
    node[word] = (node[word] + 1) % P
    for row in range(2, TOP + 1):
        forgery.limbs("path", side, row, node)
        node = compress_with(forgery.get("path", "bit", row), node, cells(forgery, "sibling", row))
        forgery.limbs("path", f"{side}_parent", row, node)
    if side == "new":
        return forgery.new_root(node).hash_again()
    return forgery.limbs("update", "old_root", 0, node).claim_roots().hash_again()


ALONE: dict[str, Callable[[], Forgery]] = {
    "bit is boolean": paths.bit_is_two,
    "start is level 0": paths.path_that_begins_higher,
    "end is the level below the root": paths.path_too_short,
    "weight is 1 at start": paths.weight_forged,
    "position is the bit at start": paths.position_forged_at_start,
    "level counts": paths.skipped_level,
    "weight doubles": paths.weight_not_doubled,
    "update stays": paths.paths_spliced,
    "position accumulates": paths.position_forged_on_the_way,
    **{
        f"{side} node {i} is the parent": lambda side=side, i=i: node_changed_on_the_way(side, i)
        for side in ("old", "new")
        for i in range(8)
    },
}
TOGETHER: dict[str, tuple[Callable[[], Forgery], tuple[str, ...]]] = {
    "real is boolean": (paths.real_counts_twice, ("path continues", "real rows begin with a start")),
    "start is boolean": (starts_that_cancel, ("start only on real rows", "real rows begin with a start")),
    "end is boolean": (ends_that_cancel, ("first row is a start", "path continues")),
    "start only on real rows": (start_and_end_apart, ("real rows begin with a start",)),
    "real rows begin with a start": (start_and_end_apart, ("start only on real rows",)),
    "end only on real rows": (last_level_not_hashed, ("path continues",)),
    "path continues": (last_level_not_hashed, ("end only on real rows",)),
    "path does not restart": (row_before_the_start, ("first row is a start",)),
    "first row is a start": (first_row_no_start, ("path continues",)),
    "last path ends": (last_path_open, ("first row is a start",)),
}
"""Constraint -> a forgery, and what else it breaks."""

PATH_ADVERSARIES = {
    **{f"path: {name}": Adversary(make, frozenset({f"path: {name}"})) for name, make in ALONE.items()},
    **{
        f"path: {name}": Adversary(make, frozenset(f"path: {item}" for item in (name, *others)))
        for name, (make, others) in TOGETHER.items()
    },
}
