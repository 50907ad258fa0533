"""The path table: one row per level of an update's Merkle path, from the leaf up.

A row hashes the old and the new node with the *same* sibling and the *same* boolean bit, so nothing beside the leaf
can change. Rows of one path follow each other: the parents of one row are the nodes of the next. ``level`` counts
from 0, and a path may end only at the level below the root; one that ran past it could never end, for the table is far
shorter than p rows.

    real start end level weight update bit position | old     new     sibling  old_parent new_parent
     1     1    0    0     1      u    b0  b0       | leaf    leaf'   s0       n1         n1'      <- bus "path start"
     1     0    0    1     2      u    b1  +2 b1    | n1      n1'     s1       n2         n2'
     ...                                            |  each row: two lookups on bus "poseidon"
     1     0    1   h-1  2^(h-1)  u    ..  account  | n(h-1)  ..      s(h-1)   root       root'    <- bus "path end"
     1     1    0    0     1     u+1   ..           | the next update's path
     0     0    0    .     .      .    .    .       | padding: nothing is looked up
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.proving.shape import BUS_PATH_END, BUS_PATH_START, BUS_POSEIDON, StatementShape
from engine.proving.tables.columns import ColumnList, boolean, unless, when
from engine.proving.tables.poseidon import RATE_HALF, poseidon_tuple
from engine.stark.air.expression import Column, Expression
from engine.stark.air.table import Constraint, Interaction, Table

NODE = 8


@dataclass(frozen=True, slots=True)
class PathColumns:
    """One level of one path.

    ``real``        1 on rows of a path, 0 on padding
    ``start``       1 on a path's first row, whose nodes are the leaves
    ``end``         1 on its last row, whose parents are the roots
    ``level``       0 at the leaf, height - 1 below the root
    ``weight``      2^level
    ``update``      index of the update whose path it is; ties start and end to the update table
    ``bit``         0: the node is a left child; 1: a right child
    ``position``    sum of bit * weight up to this level; the account's number at the end
    ``old``         8 words: the node before the update
    ``new``         8 words: the node after it
    ``sibling``     8 words: the other child, the same before and after
    ``old_parent``  8 words: hash of ``old`` and ``sibling``
    ``new_parent``  8 words: hash of ``new`` and ``sibling``
    ``names``       of all columns, in order
    """

    real: Column
    start: Column
    end: Column
    level: Column
    weight: Column
    update: Column
    bit: Column
    position: Column
    old: tuple[Column, ...]
    new: tuple[Column, ...]
    sibling: tuple[Column, ...]
    old_parent: tuple[Column, ...]
    new_parent: tuple[Column, ...]
    names: tuple[str, ...]


def path_columns() -> PathColumns:
    """Layout of the table."""
    c = ColumnList()
    return PathColumns(
        real=c.one("real"),
        start=c.one("start"),
        end=c.one("end"),
        level=c.one("level"),
        weight=c.one("weight"),
        update=c.one("update"),
        bit=c.one("bit"),
        position=c.one("position"),
        old=c.many("old", NODE),
        new=c.many("new", NODE),
        sibling=c.many("sibling", NODE),
        old_parent=c.many("old_parent", NODE),
        new_parent=c.many("new_parent", NODE),
        names=tuple(c.names),
    )


def path_table(shape: StatementShape) -> Table:
    """Constraints of degree at most 3; two Poseidon lookups a row."""
    c = path_columns()
    return Table(
        name="path",
        columns=c.names,
        constraints=(*_row_constraints(c, shape.tree_height), *_chain_constraints(c)),
        interactions=(
            Interaction(BUS_POSEIDON, c.real, _compression(c, c.old, c.old_parent)),
            Interaction(BUS_POSEIDON, c.real, _compression(c, c.new, c.new_parent)),
            Interaction(BUS_PATH_START, -c.start, (c.update, *c.old, *c.new)),
            Interaction(BUS_PATH_END, -c.end, (c.update, c.position, *c.old_parent, *c.new_parent)),
        ),
    )


def _compression(c: PathColumns, node: Sequence[Column], parent: Sequence[Column]) -> tuple[Expression, ...]:
    """parent = permute(left || right)[:8] + left: the bus carries what the permutation itself puts out."""
    left = [n + c.bit * (s - n) for n, s in zip(node, c.sibling, strict=True)]
    right = [s + c.bit * (n - s) for n, s in zip(node, c.sibling, strict=True)]
    outputs = [p - x for p, x in zip(parent, left, strict=True)]
    return poseidon_tuple(RATE_HALF, [*left, *right], outputs)


def _row_constraints(c: PathColumns, height: int) -> list[Constraint]:
    return [
        Constraint("real is boolean", boolean(c.real)),
        Constraint("start is boolean", boolean(c.start)),
        Constraint("end is boolean", boolean(c.end)),
        Constraint("bit is boolean", boolean(c.bit)),
        Constraint("start only on real rows", when(c.start, 1 - c.real)),
        Constraint("end only on real rows", when(c.end, 1 - c.real)),
        Constraint("start is level 0", when(c.start, c.level)),
        Constraint("end is the level below the root", when(c.end, c.level - (height - 1))),
        Constraint("weight is 1 at start", when(c.start, c.weight - 1)),
        Constraint("position is the bit at start", when(c.start, c.position - c.bit)),
    ]


def _chain_constraints(c: PathColumns) -> list[Constraint]:
    """Where a path goes on, the next row continues it; where none does, a real row must be a start."""
    going_on = c.real - c.end
    chained = [
        ("level counts", c.level.next - c.level - 1),
        ("weight doubles", c.weight.next - c.weight * 2),
        ("update stays", c.update.next - c.update),
        ("position accumulates", c.position.next - c.position - c.bit.next * c.weight.next),
        ("path continues", c.real.next - 1),
        ("path does not restart", c.start.next),
        *((f"old node {i} is the parent", c.old[i].next - c.old_parent[i]) for i in range(NODE)),
        *((f"new node {i} is the parent", c.new[i].next - c.new_parent[i]) for i in range(NODE)),
    ]
    return [
        *(Constraint(name, when(going_on, expression), "transition") for name, expression in chained),
        Constraint("real rows begin with a start", unless(going_on, c.real.next - c.start.next), "transition"),
        Constraint("first row is a start", c.real - c.start, "first"),
        Constraint("last path ends", going_on, "last"),
    ]
