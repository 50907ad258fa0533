"""Constraints as symbolic expressions: one definition for prover, verifier and contract.

An expression is a polynomial over KoalaBear in the columns of one table (this row and the next) and in public inputs.

Expressions form a graph: a node may be used many times (a permutation state is, once per output word). So a node
knows its degree when it is built, compares by identity, and nothing here walks the graph recursively; to walk along
every path of a deep graph would take exponential time. ``engine.stark.air.program`` flattens a graph once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.field.koalabear import P


class Expression:
    """Base of the expression nodes; Python's operators build sums and products."""

    def __add__(self, other: Expression | int) -> Expression:
        return Add(self, as_expression(other))

    def __radd__(self, other: int) -> Expression:
        return Add(as_expression(other), self)

    def __sub__(self, other: Expression | int) -> Expression:
        return Subtract(self, as_expression(other))

    def __rsub__(self, other: int) -> Expression:
        return Subtract(as_expression(other), self)

    def __mul__(self, other: Expression | int) -> Expression:
        return Multiply(self, as_expression(other))

    def __rmul__(self, other: int) -> Expression:
        return Multiply(as_expression(other), self)

    def __neg__(self) -> Expression:
        return Subtract(Constant(0), self)

    @property
    def degree(self) -> int:
        """Total degree in the columns."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=True)
class Constant(Expression):
    """A canonical field element."""

    value: int

    @property
    def degree(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Column(Expression):
    """Main-trace column ``index``; ``offset`` 0 is this row, 1 the next row (cyclic)."""

    index: int
    offset: int = 0

    @property
    def degree(self) -> int:
        return 1

    @property
    def next(self) -> Column:
        """The same column on the next row."""
        return Column(self.index, 1)


@dataclass(frozen=True, slots=True)
class Public(Expression):
    """Public input ``index`` of the statement, the same on every row."""

    index: int

    @property
    def degree(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary(Expression):
    """Two nodes joined; the degree is reckoned once, when the node is built."""

    left: Expression
    right: Expression
    degree: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "degree", self.joined_degree(self.left.degree, self.right.degree))

    @staticmethod
    def joined_degree(left: int, right: int) -> int:
        """Degree from those of both sides."""
        return max(left, right)


class Add(Binary):
    """left + right."""

    __slots__ = ()


class Subtract(Binary):
    """left - right."""

    __slots__ = ()


class Multiply(Binary):
    """left * right."""

    __slots__ = ()

    @staticmethod
    def joined_degree(left: int, right: int) -> int:
        """Degrees of factors add up."""
        return left + right


def as_expression(value: Expression | int) -> Expression:
    """Integers become canonical constants."""
    return Constant(value % P) if isinstance(value, int) else value
