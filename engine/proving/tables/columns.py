"""Named columns while a table is written down."""

from __future__ import annotations

from collections.abc import Sequence

from engine.stark.air.expression import Column, Constant, Expression


class ColumnList:
    """Hands out columns in order and remembers their names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def one(self, name: str) -> Column:
        """The next column."""
        self.names.append(name)
        return Column(len(self.names) - 1)

    def many(self, name: str, count: int) -> tuple[Column, ...]:
        """``count`` columns name_0, name_1, ..."""
        return tuple(self.one(f"{name}_{i}") for i in range(count))


def boolean(value: Expression) -> Expression:
    """Zero exactly when ``value`` is 0 or 1."""
    return value * (value - 1)


def when(selector: Expression, zero: Expression) -> Expression:
    """Zero where ``selector`` is 0; where it is 1, exactly when ``zero`` is. The degree is the sum of both."""
    return selector * zero


def unless(selector: Expression, zero: Expression) -> Expression:
    """Zero where ``selector`` is 1; where it is 0, exactly when ``zero`` is."""
    return (1 - selector) * zero


def total(terms: Sequence[Expression]) -> Expression:
    """Sum; the constant 0 of no terms."""
    result: Expression = terms[0] if terms else Constant(0)
    for term in terms[1:]:
        result = result + term
    return result
