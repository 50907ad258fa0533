"""What follows from a statement alone: shapes, LogUp groups, openings, and the digest that names all of it.

Order of a table's constraints, and so of the powers of the constraint challenge: its own, then one per LogUp helper
column, then the running sum's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from engine.hashing.keccak import keccak256
from engine.stark.air.program import Kind, Program, encode, flatten
from engine.stark.air.table import MAX_DEGREE, Interaction, Statement, Table
from engine.stark.errors import StatementError

MAX_TABLES = 64
MAX_COLUMNS = 4096
QUOTIENT_CHUNKS = 2
LIMIT_LOG_HEIGHT = 22
"""Two-adicity 24 less the usual blowup's two bits."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Shape of one table.

    ``constraints`` computes its constraints in order; ``lookups`` each interaction's multiplicity and values in turn.
    ``groups`` lists the interactions that share an auxiliary column; the last group lives in the running sum.
    ``next_columns`` are the main columns opened at zeta*w too. ``auxiliary`` counts extension columns.
    """

    table: Table
    constraints: Program
    lookups: Program
    groups: tuple[tuple[int, ...], ...]
    next_columns: tuple[int, ...]

    @property
    def width(self) -> int:
        return len(self.table.columns)

    @property
    def auxiliary(self) -> int:
        return len(self.groups)

    @property
    def helpers(self) -> int:
        return max(0, len(self.groups) - 1)

    @property
    def constraint_count(self) -> int:
        return len(self.table.constraints) + len(self.groups)

    @property
    def opened(self) -> int:
        """Extension values opened for this table, which is also the number of its DEEP quotients."""
        sums = 1 if self.groups else 0
        return self.width + self.auxiliary + QUOTIENT_CHUNKS + len(self.next_columns) + sums


@dataclass(frozen=True, slots=True)
class Layout:
    """Shape of a statement. ``digest`` binds its identity, tables, constraints, interactions and buses."""

    statement: Statement
    tables: tuple[TableLayout, ...]
    bus_arity: dict[int, int]
    digest: bytes

    def index(self, name: str) -> int:
        """Position of the table called ``name``."""
        return [layout.table.name for layout in self.tables].index(name)


def _require(condition: bool, message: str, field: str, value: object = None, limit: object = None) -> None:
    if not condition:
        raise StatementError(message, field=field, value=value, limit=limit)


def _fraction_degree(interactions: list[Interaction]) -> int:
    """Degree of ``h * prod(f_j) - sum(m_j * prod of the other f)`` with h of degree one."""
    denominators = [max((value.degree for value in item.values), default=0) for item in interactions]
    total = sum(denominators)
    return max(
        [1 + total, *(item.multiplicity.degree + total - d for item, d in zip(interactions, denominators, strict=True))]
    )


def group_interactions(interactions: tuple[Interaction, ...]) -> tuple[tuple[int, ...], ...]:
    """Greedy grouping: an interaction joins the open group while the group's constraint stays within MAX_DEGREE."""
    groups: list[list[int]] = []
    for index in range(len(interactions)):
        joined = [*groups[-1], index] if groups else [index]
        if groups and _fraction_degree([interactions[i] for i in joined]) <= MAX_DEGREE:
            groups[-1] = joined
        else:
            _require(
                _fraction_degree([interactions[index]]) <= MAX_DEGREE,
                f"interaction {index} exceeds degree {MAX_DEGREE}",
                "interaction",
                index,
                MAX_DEGREE,
            )
            groups.append([index])
    return tuple(tuple(group) for group in groups)


def _check_table(table: Table, statement: Statement) -> None:
    where = f"table {table.name}"
    _require(0 < len(table.columns) <= MAX_COLUMNS, f"{where}: bad column count", where, len(table.columns))
    _require(len(set(table.columns)) == len(table.columns), f"{where}: duplicate column names", where)
    bounds = (table.min_log_height, table.max_log_height)
    _require(3 <= bounds[0] <= bounds[1] <= LIMIT_LOG_HEIGHT, f"{where}: bad heights", where, bounds)
    for constraint in table.constraints:
        limit = MAX_DEGREE if constraint.rows in ("every", "transition") else MAX_DEGREE - 1
        degree = constraint.expression.degree
        _require(degree <= limit, f"{where}: {constraint.name} has degree {degree}", where, degree, limit)
    for item in table.interactions:
        _require(item.bus in statement.buses and item.bus >= 1, f"{where}: unknown bus {item.bus}", where, item.bus)


def _check_reads(table: Table, program: Program, publics: int) -> None:
    where = f"table {table.name}"
    for column, offset in program.columns():
        _require(0 <= column < len(table.columns), f"{where}: no column {column}", where, column)
        _require(offset in (0, 1), f"{where}: row offset {offset}", where, offset, (0, 1))
    for node in program.nodes:
        _require(
            node.kind is not Kind.PUBLIC or 0 <= node.a < publics, f"{where}: no public input {node.a}", where, node.a
        )


def _table_layout(table: Table, statement: Statement) -> TableLayout:
    _check_table(table, statement)
    constraints = flatten(constraint.expression for constraint in table.constraints)
    lookups = flatten(part for item in table.interactions for part in (item.multiplicity, *item.values))
    for program in (constraints, lookups):
        _check_reads(table, program, statement.public_count)
    reads = constraints.columns() | lookups.columns()
    next_columns = tuple(sorted(column for column, offset in reads if offset == 1))
    return TableLayout(table, constraints, lookups, group_interactions(table.interactions), next_columns)


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(4, "little") + data


def encode_table(layout: TableLayout) -> bytes:
    """A table's whole definition as bytes, for digests."""
    table = layout.table
    rows = ("every", "transition", "first", "last")
    parts = [_text(table.name), bytes([table.min_log_height, table.max_log_height])]
    parts += [len(table.columns).to_bytes(4, "little"), *(_text(name) for name in table.columns)]
    parts += [len(table.constraints).to_bytes(4, "little")]
    parts += [_text(item.name) + bytes([rows.index(item.rows)]) for item in table.constraints]
    parts += [encode(layout.constraints), len(table.interactions).to_bytes(4, "little")]
    for entry in table.interactions:
        parts += [entry.bus.to_bytes(4, "little"), len(entry.values).to_bytes(4, "little")]
    return b"".join([*parts, encode(layout.lookups)])


def _digest(statement: Statement, tables: tuple[TableLayout, ...]) -> bytes:
    identity = len(statement.identity).to_bytes(4, "little") + statement.identity
    buses = b"".join(key.to_bytes(4, "little") + _text(name) for key, name in sorted(statement.buses.items()))
    head = b"proofline-statement-1" + identity + statement.public_count.to_bytes(4, "little")
    body = b"".join(encode_table(table) for table in tables)
    return keccak256(head + len(statement.buses).to_bytes(4, "little") + buses + bytes([len(tables)]) + body)


def _bus_arity(statement: Statement) -> dict[int, int]:
    """Values per tuple of each bus; one length per bus, or tuples padded with zeros would collide."""
    arity: dict[int, int] = {}
    for table in statement.tables:
        for item in table.interactions:
            known = arity.setdefault(item.bus, len(item.values))
            _require(known == len(item.values), f"bus {item.bus} has tuples of two lengths", "bus", item.bus)
    return arity


def build_layout(statement: Statement) -> Layout:
    """Check a statement and derive its layout. Raises :class:`StatementError` naming what is wrong."""
    names = [table.name for table in statement.tables]
    _require(0 < len(names) <= MAX_TABLES, "bad number of tables", "tables", len(names), MAX_TABLES)
    _require(len(set(names)) == len(names), "duplicate table names", "tables", names)
    tables = tuple(_table_layout(table, statement) for table in statement.tables)
    return Layout(statement, tables, _bus_arity(statement), _digest(statement, tables))


_CACHE: OrderedDict[int, Layout] = OrderedDict()
_CACHE_LOCK = threading.Lock()


def layout_of(statement: Statement) -> Layout:
    """Cached :func:`build_layout`; an entry keeps its statement alive, so the identity stays its own."""
    with _CACHE_LOCK:
        known = _CACHE.get(id(statement))
        if known is None or known.statement is not statement:
            known = _CACHE[id(statement)] = build_layout(statement)
            while len(_CACHE) > 16:
                _CACHE.popitem(last=False)
        return known
