"""From expressions to the program that the compiled evaluator runs.

Constraints are wanted only in one random combination, sum_i alpha^i c_i. So each c_i is brought to a *linear form over
slots*, a slot being a column, a public input or a product of two linear forms; the combination of forms is then one
dot product whose coefficients are computed once per proof, and all linear work inside the constraints (the matrix of
every full Poseidon round, say) costs nothing per row. What is left per row: loads, the linear forms that are factors,
products, and the dot product. LogUp fingerprints are linear forms with extension coefficients, so they go the same way.

The result is data for one kernel (``stark.runtime.evaluator_kernels``) that works on blocks of rows, an operation at a
time, rather than generated code: compiling a straight line of thousands of operations would take each user's machine
tens of seconds, and dispatch per block of rows costs a few per cent. ``engine.stark.air.listing`` says
programs in words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from engine.field.koalabear import P
from engine.stark.air.layout import TableLayout
from engine.stark.air.program import Kind, Node, Program

Form = dict[int, int]
"""Slot -> coefficient (canonical, never zero)."""


class LoadKind(IntEnum):
    """What fills a slot; the numbers are those of ``stark.runtime.evaluator_kernels``."""

    ONE = 0
    COLUMN = 1
    NEXT = 2
    PUBLIC = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What fills a slot before the operations run: 1; column ``a``, on this row or the next; public input ``a``."""

    kind: LoadKind
    a: int = 0


def load_of(node: Node) -> Load:
    """The load of a leaf that is no constant."""
    if node.kind is Kind.PUBLIC:
        return Load(LoadKind.PUBLIC, node.a)
    return Load(LoadKind.NEXT if node.b else LoadKind.COLUMN, node.a)


@dataclass(frozen=True, slots=True)
class Linear:
    """Slot = sum of coefficient * slot."""

    terms: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Slot = slot a * slot b."""

    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Lowered:
    """Slots 0.. are the ``loads``, then one per operation. Outputs are linear forms over slots.

    ``constraints``: one form per constraint. ``lookups``: one per multiplicity and value, as ``TableLayout.lookups``;
    they need the first ``lookup_operations`` operations only.
    """

    loads: tuple[Load, ...]
    operations: tuple[Linear | Product, ...]
    constraints: tuple[tuple[tuple[int, int], ...], ...]
    lookups: tuple[tuple[tuple[int, int], ...], ...]
    lookup_operations: int

    @property
    def slots(self) -> int:
        return len(self.loads) + len(self.operations)


class _Lowering:
    def __init__(self, programs: Iterable[Program]) -> None:
        self.loads: list[Load] = [Load(LoadKind.ONE)]
        for program in programs:
            for node in program.nodes:
                if node.kind in (Kind.COLUMN, Kind.PUBLIC):
                    load = load_of(node)
                    if load not in self.loads:
                        self.loads.append(load)
        self.loads[1:] = sorted(self.loads[1:], key=lambda load: (load.kind, load.a))
        self.slot_of_load = {load: slot for slot, load in enumerate(self.loads)}
        self.operations: list[Linear | Product] = []
        self.known: dict[Linear | Product, int] = {}

    def emit(self, operation: Linear | Product) -> int:
        slot = self.known.get(operation)
        if slot is None:
            slot = self.known[operation] = len(self.loads) + len(self.operations)
            self.operations.append(operation)
        return slot

    def factor(self, form: Form) -> tuple[int, int]:
        """A form as coefficient * slot."""
        if len(form) == 1:
            ((slot, coefficient),) = form.items()
            return slot, coefficient
        return self.emit(Linear(tuple(sorted(form.items())))), 1

    def multiply(self, left: Form, right: Form) -> Form:
        if not left or not right:
            return {}
        (a, scale_a), (b, scale_b) = self.factor(left), self.factor(right)
        if a == 0 or b == 0:  # slot 0 holds 1
            other, scale = (right, scale_a) if a == 0 else (left, scale_b)
            return {slot: coefficient * scale % P for slot, coefficient in other.items()}
        return {self.emit(Product(min(a, b), max(a, b))): scale_a * scale_b % P}

    def run(self, program: Program) -> tuple[tuple[tuple[int, int], ...], ...]:
        forms: list[Form] = []
        for node in program.nodes:
            if node.kind is Kind.CONSTANT:
                forms.append({0: node.a} if node.a else {})
            elif not node.kind.binary:
                forms.append({self.slot_of_load[load_of(node)]: 1})
            elif node.kind is Kind.MULTIPLY:
                forms.append(self.multiply(forms[node.a], forms[node.b]))
            else:
                forms.append(_merge(forms[node.a], forms[node.b], 1 if node.kind is Kind.ADD else P - 1))
        return tuple(tuple(sorted(forms[root].items())) for root in program.roots)


def _merge(left: Form, right: Form, scale: int) -> Form:
    out = dict(left)
    for slot, coefficient in right.items():
        value = (out.get(slot, 0) + scale * coefficient) % P
        if value:
            out[slot] = value
        else:
            del out[slot]
    return out


def lower(table: TableLayout) -> Lowered:
    """The program of a table's constraints and lookups."""
    lowering = _Lowering((table.constraints, table.lookups))
    lookups = lowering.run(table.lookups)
    lookup_operations = len(lowering.operations)
    constraints = lowering.run(table.constraints)
    return Lowered(tuple(lowering.loads), tuple(lowering.operations), constraints, lookups, lookup_operations)
