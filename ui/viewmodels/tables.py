"""What every table is made of: columns, cells that sort by value, keyed rows, and the difference of two row lists."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ui.viewmodels.wording import Tone


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``{symbol}`` in the title stands for the collateral's.

    ``sample`` is the widest text it is expected to hold; ``rank`` says which columns go first when the table is too
    narrow (the highest, never 0); ``numeric`` columns are right aligned in tabular digits.
    """

    key: str
    title: str
    sample: str
    numeric: bool = True
    rank: int = 0
    tip: str = ""
    action: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, the value it sorts by, its tone, and more words for the pointer."""

    text: str
    sort: int | float | str = 0
    tone: Tone = "text"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``key`` stays the same for as long as the row is about the same thing."""

    key: Hashable
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table: its columns and what it says when it has no rows."""

    name: str
    columns: tuple[Column, ...]
    empty: str

    def index(self, key: str) -> int:
        """Position of a column; ``KeyError`` when there is none."""
        for position, column in enumerate(self.columns):
            if column.key == key:
                return position
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class RowChanges:
    """How to turn old rows into new ones: remove these old indices (descending runs), insert these new runs, then the
    rows at ``changed`` (new indices) differ in content. ``reset`` when the surviving rows changed their order."""

    reset: bool
    removed: tuple[tuple[int, int], ...] = ()
    inserted: tuple[tuple[int, int], ...] = ()
    changed: tuple[int, ...] = ()


def row_changes(old: Sequence[Row], new: Sequence[Row]) -> RowChanges:
    """The difference of two row lists; runs are inclusive (first, last)."""
    old_keys = {row.key: index for index, row in enumerate(old)}
    new_keys = {row.key: index for index, row in enumerate(new)}
    if len(old_keys) != len(old) or len(new_keys) != len(new):
        return RowChanges(reset=True)
    kept_old = [index for index, row in enumerate(old) if row.key in new_keys]
    kept_new = [index for index, row in enumerate(new) if row.key in old_keys]
    if [old[index].key for index in kept_old] != [new[index].key for index in kept_new]:
        return RowChanges(reset=True)
    removed = _runs([index for index, row in enumerate(old) if row.key not in new_keys])
    inserted = _runs([index for index, row in enumerate(new) if row.key not in old_keys])
    changed = tuple(b for a, b in zip(kept_old, kept_new, strict=True) if old[a] is not new[b] and old[a] != new[b])
    return RowChanges(False, tuple(reversed(removed)), tuple(inserted), changed)


def _runs(indices: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def visible_columns(widths: Sequence[int], columns: Sequence[Column], available: int) -> list[bool]:
    """Which columns fit into ``available`` pixels: the highest ranks are left out first, then the rightmost."""
    shown = [True] * len(columns)
    order = sorted(range(len(columns)), key=lambda i: (columns[i].rank, i), reverse=True)
    total = sum(widths)
    for index in order:
        if total <= available or columns[index].rank == 0:
            break
        shown[index] = False
        total -= widths[index]
    return shown
