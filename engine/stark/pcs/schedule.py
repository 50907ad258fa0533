"""Which heights a proof has, how FRI folds through them, and what each query opens: all that follows from heights.

Tables of one height form a group: their matrices lie side by side in one row of the Merkle tree, in statement order.
FRI starts at the tallest group's domain and folds by up to 2**log_arity, but stops at every group's domain on the way,
where that group's DEEP polynomial joins. The last polynomial is no longer than the smallest table, so that all join.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.stark.air.layout import QUOTIENT_CHUNKS, Layout
from engine.stark.parameters import Parameters

EXTENSION = 5


@dataclass(frozen=True, slots=True)
class Shape:
    """``groups``: (log height, table indices), tallest first. ``schedule``: log2 of the arity of each fold.

    ``log_final``: log2 of the number of coefficients of the last polynomial.
    """

    log_heights: tuple[int, ...]
    groups: tuple[tuple[int, tuple[int, ...]], ...]
    schedule: tuple[int, ...]
    log_final: int
    log_blowup: int

    @property
    def log_heights_present(self) -> tuple[int, ...]:
        """Distinct heights, tallest first."""
        return tuple(height for height, _ in self.groups)

    @property
    def log_domain(self) -> int:
        """log2 of the largest LDE domain; a query is an index below 2**log_domain."""
        return self.groups[0][0] + self.log_blowup


def fold_schedule(log_heights: tuple[int, ...], log_arity: int, log_final: int) -> tuple[int, ...]:
    """Steps from the tallest of ``log_heights`` (distinct, falling) down to ``log_final``, through each of them."""
    steps: list[int] = []
    current = log_heights[0]
    for stop in [*(height for height in log_heights[1:] if height > log_final), log_final]:
        while current > stop:
            step = min(log_arity, current - stop)
            steps.append(step)
            current -= step
    return tuple(steps)


def make_shape(layout: Layout, log_heights: tuple[int, ...], parameters: Parameters) -> Shape:
    """The shape of a proof for tables of these heights (log2 rows, statement order)."""
    heights = tuple(sorted(set(log_heights), reverse=True))
    groups = tuple((height, tuple(i for i, own in enumerate(log_heights) if own == height)) for height in heights)
    log_final = min(parameters.log_final, heights[-1])
    schedule = fold_schedule(heights, parameters.log_arity, log_final)
    return Shape(log_heights, groups, schedule, log_final, parameters.log_blowup)


@dataclass(frozen=True, slots=True)
class TreeShape:
    """A phase's tree: (log2 of rows, base elements per row) of each matrix, tallest first; empty widths left out."""

    matrices: tuple[tuple[int, int], ...]

    @property
    def depth(self) -> int:
        """log2 of the number of leaves."""
        return self.matrices[0][0] if self.matrices else 0

    @property
    def row_elements(self) -> int:
        """Base elements of one opened row, over all matrices."""
        return sum(width for _, width in self.matrices)


@dataclass(frozen=True, slots=True)
class TreeOpenings:
    """One tree, all queries: ``rows`` (queries, width) per matrix, ``paths`` (queries, depth, 32)."""

    rows: tuple[NDArray[np.uint32], ...]
    paths: NDArray[np.uint8]


def phase_widths(layout: Layout) -> tuple[tuple[int, ...], ...]:
    """Base columns of each table in the main, auxiliary and quotient phase."""
    return (
        tuple(table.width for table in layout.tables),
        tuple(EXTENSION * table.auxiliary for table in layout.tables),
        tuple(EXTENSION * QUOTIENT_CHUNKS for _ in layout.tables),
    )


def phase_trees(layout: Layout, shape: Shape) -> tuple[TreeShape, TreeShape, TreeShape]:
    """Trees of the main, auxiliary and quotient phase."""
    trees = []
    for widths in phase_widths(layout):
        rows = [(height + shape.log_blowup, sum(widths[i] for i in group)) for height, group in shape.groups]
        trees.append(TreeShape(tuple((height, width) for height, width in rows if width)))
    return trees[0], trees[1], trees[2]
