"""Expressions flattened into straight-line programs.

A table's constraints and interactions share nodes. ``flatten`` walks the graph once, without recursion, folds
constants and gives equal nodes one number, so that every reader (the prover's reference evaluator, the verifier, the
lowering to compiled kernels, the digest of the statement) does the work of a node once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from engine.field.koalabear import P
from engine.stark.air.expression import Add, Binary, Column, Constant, Expression, Multiply, Public, Subtract
from engine.stark.errors import StatementError

T = TypeVar("T")


class Kind(IntEnum):
    """What a step does; the numbers are those of :func:`encode`, which digests of statements are made of."""

    CONSTANT = 0
    COLUMN = 1
    PUBLIC = 2
    ADD = 3
    SUBTRACT = 4
    MULTIPLY = 5

    @property
    def binary(self) -> bool:
        """Whether ``a`` and ``b`` are numbers of earlier steps."""
        return self >= Kind.ADD


@dataclass(frozen=True, slots=True)
class Node:
    """One step. ``a``, ``b``: value; column and offset; public index; or the numbers of two earlier nodes."""

    kind: Kind
    a: int
    b: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """Steps in an order in which each uses only earlier ones, and the step that holds each root's value."""

    nodes: tuple[Node, ...]
    roots: tuple[int, ...]

    def columns(self) -> set[tuple[int, int]]:
        """The (column, offset) pairs read."""
        return {(node.a, node.b) for node in self.nodes if node.kind is Kind.COLUMN}


_BINARY: dict[type[Expression], Kind] = {Add: Kind.ADD, Subtract: Kind.SUBTRACT, Multiply: Kind.MULTIPLY}


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.numbers: dict[Node, int] = {}

    def number(self, node: Node) -> int:
        known = self.numbers.get(node)
        if known is None:
            known = self.numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return known

    def leaf(self, expression: Expression) -> int:
        if isinstance(expression, Constant):
            return self.number(Node(Kind.CONSTANT, expression.value % P))
        if isinstance(expression, Column):
            return self.number(Node(Kind.COLUMN, expression.index, expression.offset))
        if isinstance(expression, Public):
            return self.number(Node(Kind.PUBLIC, expression.index))
        raise StatementError(f"unknown expression node {type(expression).__name__}", field="expression")

    def binary(self, kind: Kind, left: int, right: int) -> int:
        a, b = self.nodes[left], self.nodes[right]
        if a.kind == b.kind is Kind.CONSTANT:
            value = {Kind.ADD: a.a + b.a, Kind.SUBTRACT: a.a - b.a, Kind.MULTIPLY: a.a * b.a}[kind]
            return self.number(Node(Kind.CONSTANT, value % P))
        zero, one = Node(Kind.CONSTANT, 0), Node(Kind.CONSTANT, 1)
        if b == zero and kind is not Kind.MULTIPLY:
            return left
        if a == zero and kind is Kind.ADD:
            return right
        if kind is Kind.MULTIPLY and zero in (a, b):
            return self.number(zero)
        if kind is Kind.MULTIPLY and one in (a, b):
            return right if a == one else left
        if kind is not Kind.SUBTRACT and left > right:
            left, right = right, left
        return self.number(Node(kind, left, right))


def flatten(expressions: Iterable[Expression]) -> Program:
    """The program that computes ``expressions``; its roots are in their order."""
    builder, done, roots = _Builder(), {}, []
    keep = list(expressions)  # holds the nodes alive, so that id() stays unique
    for root in keep:
        stack = [root]
        while stack:
            top = stack[-1]
            if id(top) in done:
                stack.pop()
            elif not isinstance(top, Binary):
                done[id(top)] = builder.leaf(top)
            else:
                missing = [child for child in (top.left, top.right) if id(child) not in done]
                if missing:
                    stack.extend(missing)
                else:
                    done[id(top)] = builder.binary(_BINARY[type(top)], done[id(top.left)], done[id(top.right)])
        roots.append(done[id(root)])
    return Program(tuple(builder.nodes), tuple(roots))


def run(
    program: Program,
    constant: Callable[[int], T],
    column: Callable[[int, int], T],
    public: Callable[[int], T],
    operations: tuple[Callable[[T, T], T], Callable[[T, T], T], Callable[[T, T], T]],
) -> list[T]:
    """Values of the roots in any ring: ``operations`` are its sum, difference and product."""
    joins = dict(zip((Kind.ADD, Kind.SUBTRACT, Kind.MULTIPLY), operations, strict=True))
    leaves = {Kind.CONSTANT: lambda a, b: constant(a), Kind.COLUMN: column, Kind.PUBLIC: lambda a, b: public(a)}
    values: list[T] = []
    for node in program.nodes:
        join = joins.get(node.kind)
        value = leaves[node.kind](node.a, node.b) if join is None else join(values[node.a], values[node.b])
        values.append(value)
    return [values[root] for root in program.roots]


def encode(program: Program) -> bytes:
    """A canonical encoding, for the digest that binds a proof to the very constraints it was made for."""
    words: list[int] = [len(program.nodes), len(program.roots)]
    for node in program.nodes:
        words += [node.kind, node.a, node.b]
    return _words(words + list(program.roots))


def _words(values: Sequence[int]) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)
