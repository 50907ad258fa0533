"""A table's lowered program in words, for review: what changed when a constraint did, and how much it costs.

``summary`` is committed beside a statement's tables: digests, counts, and each constraint as the lowering left it.
``operations`` lists the whole program, a line per slot, with the operands' names.

Columns stand by name, ``'`` marks the next row, ``public 3`` is a public input, ``s17`` a slot whose formula is long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.field.koalabear import P
from engine.hashing.keccak import keccak256
from engine.stark.air.layout import TableLayout, encode_table
from engine.stark.air.lowering import Linear, LoadKind, Lowered, Product, lower

LONGEST_NAME = 64
"""Characters of a formula that still stands in the place of its slot."""
LONGEST_LINE = 110
Terms = Sequence[tuple[int, int]]


def table_digest(table: TableLayout) -> str:
    """Hex digest of a table's whole definition."""
    return keccak256(encode_table(table)).hex()


def program_digest(program: Lowered) -> str:
    """Hex digest of a lowered program: what the prover computes, in which order."""
    words = [len(program.loads), len(program.operations), program.lookup_operations]
    for load in program.loads:
        words += [load.kind, load.a]
    for operation in program.operations:
        if isinstance(operation, Product):
            words += [1, operation.a, operation.b]
        else:
            words += [0, *_flat(operation.terms)]
    for form in (*program.constraints, *program.lookups):
        words += _flat(form)
    return keccak256(b"".join(word.to_bytes(4, "little") for word in words)).hex()


def _flat(terms: Terms) -> list[int]:
    return [len(terms), *(word for term in terms for word in term)]


def _load_name(kind: LoadKind, index: int, columns: Sequence[str]) -> str:
    if kind is LoadKind.ONE:
        return "1"
    if kind is LoadKind.PUBLIC:
        return f"public {index}"
    return columns[index] + ("'" if kind is LoadKind.NEXT else "")


def _signed(coefficient: int) -> int:
    """The representative nearest to zero: p - 1 is -1."""
    return coefficient if coefficient <= P // 2 else coefficient - P


def _sum(terms: Terms, names: Sequence[str]) -> str:
    """A linear form, e.g. ``1 - real + 4 old_0``; slot 0 holds 1."""
    pieces: list[str] = []
    for slot, coefficient in terms:
        value = _signed(coefficient)
        size = abs(value)
        text = str(size) if slot == 0 else names[slot] if size == 1 else f"{size} {names[slot]}"
        sign = "-" if value < 0 else "+" if pieces else ""
        pieces.append(f"{sign} {text}" if pieces else f"{sign}{text}")
    return " ".join(pieces) if pieces else "0"


def _formula(operation: Linear | Product, names: Sequence[str]) -> str:
    if isinstance(operation, Product):
        return f"{names[operation.a]} * {names[operation.b]}"
    return _sum(operation.terms, names)


def slot_names(table: TableLayout, program: Lowered) -> tuple[list[str], list[str]]:
    """Each slot's name, and each operation's formula. A short formula is its slot's name, sums in brackets."""
    names = [_load_name(load.kind, load.a, table.table.columns) for load in program.loads]
    formulas = []
    for slot, operation in enumerate(program.operations, start=len(names)):
        formula = _formula(operation, names)
        formulas.append(formula)
        short = formula if isinstance(operation, Product) else f"({formula})"
        names.append(short if len(short) <= LONGEST_NAME else f"s{slot}")
    return names, formulas


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 4]} ..."


def operations(table: TableLayout) -> Iterator[str]:
    """Every operation of a table's program, e.g. ``s325 = old_limb_0 * (1 - present)``."""
    program = lower(table)
    _, formulas = slot_names(table, program)
    for slot, formula in enumerate(formulas, start=len(program.loads)):
        yield f"s{slot} = {formula}"


def _lookup_lines(table: TableLayout, program: Lowered, names: Sequence[str]) -> Iterator[str]:
    at = 0
    for item in table.table.interactions:
        multiplicity, *values = (_sum(form, names) for form in program.lookups[at : at + 1 + len(item.values)])
        at += 1 + len(item.values)
        yield _cut(f"  bus {item.bus}: {multiplicity} times ({', '.join(values)})")


def summary(table: TableLayout) -> list[str]:
    """A table in some lines: digests, counts, constraints and lookups. Long formulas are cut, not in the digests."""
    program, own = lower(table), table.table
    names, _ = slot_names(table, program)
    products = sum(isinstance(operation, Product) for operation in program.operations)
    lines = [
        f"table {own.name}",
        f"  definition {table_digest(table)}",
        f"  program    {program_digest(program)}",
        f"  {table.width} columns, {len(program.loads)} slots loaded, {products} products, "
        f"{len(program.operations) - products} sums, {program.lookup_operations} operations for lookups",
        f"  {len(own.constraints)} constraints, {len(own.interactions)} lookups in {table.auxiliary} auxiliary columns",
    ]
    for constraint, form in zip(own.constraints, program.constraints, strict=True):
        rows = "" if constraint.rows == "every" else f" [{constraint.rows}]"
        lines.append(_cut(f"  {constraint.name}{rows}: {_sum(form, names)}"))
    return [*lines, *_lookup_lines(table, program, names)]
