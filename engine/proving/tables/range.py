"""The range table: every limb value once, with how often it was looked up.

row                 value   multiplicity
0                     0     lookups of 0          <- bus "range": -multiplicity times (value)
1                     1     lookups of 1
...
limb_size - 1   limb_size - 1    ...              the last row: the height is fixed
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.proving.shape import BUS_RANGE, StatementShape
from engine.proving.tables.columns import ColumnList
from engine.stark.air.expression import Column
from engine.stark.air.table import Constraint, Interaction, Table


@dataclass(frozen=True, slots=True)
class RangeColumns:
    """``value`` is the row's number; ``multiplicity`` how many lookups of it all tables make, mod p (any number)."""

    value: Column
    multiplicity: Column
    names: tuple[str, ...]


def range_columns() -> RangeColumns:
    """Layout of the table."""
    columns = ColumnList()
    value, multiplicity = columns.one("value"), columns.one("multiplicity")
    return RangeColumns(value, multiplicity, tuple(columns.names))


def range_table(shape: StatementShape) -> Table:
    """Rows 0, 1, ..., limb_size - 1 by a counter; the height admits nothing else."""
    c = range_columns()
    return Table(
        name="range",
        columns=c.names,
        constraints=(
            Constraint("counter starts at 0", c.value, "first"),
            Constraint("counter counts", c.value.next - c.value - 1, "transition"),
        ),
        interactions=(Interaction(BUS_RANGE, -c.multiplicity, (c.value,)),),
        min_log_height=shape.limb_bits,
        max_log_height=shape.limb_bits,
    )
