"""What a statement is to the proof system: tables, constraints, bus interactions, public inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.stark.air.expression import Expression

MAX_DEGREE = 3
"""Highest total degree of a constraint (2 for first/last rows): the quotient then has degree below 2N."""

Rows = Literal["every", "transition", "first", "last"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """``expression`` is zero on every row, on every row but the last (``transition``), on the first or the last row."""

    name: str
    expression: Expression
    rows: Rows = "every"


@dataclass(frozen=True, slots=True)
class Interaction:
    """One LogUp term per row: the tuple ``values`` enters bus ``bus`` with ``multiplicity``.

    A bus balances when the multiplicities of every tuple sum to zero over all tables and public terms: users send with
    +1, tables that provide an entry receive with -multiplicity. ``multiplicity`` and ``values`` have degree <= 2;
    with a value of degree 2 the multiplicity has degree <= 2 too.
    """

    bus: int
    multiplicity: Expression
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the trace: its column names, what holds in it, and the heights (log2 rows) it may have."""

    name: str
    columns: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    interactions: tuple[Interaction, ...]
    min_log_height: int = 3
    max_log_height: int = 22

    def column(self, name: str) -> int:
        """Index of a named column."""
        return self.columns.index(name)


@dataclass(frozen=True, slots=True)
class PublicTerm:
    """A tuple that the verifier itself adds to a bus."""

    bus: int
    multiplicity: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A named family of claims. ``identity`` is absorbed first; ``buses`` maps ids (>= 1) to names."""

    identity: bytes
    tables: tuple[Table, ...]
    buses: dict[int, str]
    public_count: int
