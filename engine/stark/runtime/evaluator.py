"""The compiled prover arithmetic: LogUp columns and quotients by lowered programs, sixteen rows at a time.

Same values as ``stark.protocol.reference``, which is the definition; kernels take at most some milliseconds each.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.extension_kernels import extension_batch_inverse, extension_powers
from engine.field.kernels import batch_inverse, from_montgomery_array, to_montgomery_array
from engine.field.koalabear import P, two_adic_generator
from engine.field.lanes import aligned_empty
from engine.stark.air.constraints import KINDS
from engine.stark.air.layout import Layout, TableLayout
from engine.stark.air.lookup import LookupChallenges, step_of
from engine.stark.air.lowering import Linear, LoadKind, Lowered, Product, lower
from engine.stark.domain import domain_points, next_index
from engine.stark.runtime.evaluator_kernels import fractions_kernel, multiply_kernel, quotient_kernel
from engine.stark.runtime.workers import ALONE, Workers

Words = NDArray[np.uint32]
Index = NDArray[np.uint64]
Sums = tuple[Index, Words, Index]
Terms = tuple[Index, NDArray[np.intp], NDArray[np.int64], Index]
"""Distinct slots; and for each term its slot's place among them, its constraint, its coefficient (canonical)."""
Pause = Callable[[], None]
_P = np.uint64(P)
BLOCK = 128
"""Rows per block: slots * BLOCK words should fit the second-level cache."""
_WORK = 1 << 22
"""Slots times rows in one kernel call: some milliseconds."""
_CALL = 1 << 17


def montgomery(values: Iterable[int]) -> Words:
    """Canonical integers as Montgomery words."""
    return to_montgomery_array(np.array(list(values), dtype=np.uint32))


def _flatten(forms: Sequence[Sequence[tuple[int, int]]]) -> tuple[Index, list[int], Index]:
    """Slots, coefficients and ends (starting with 0) of a list of forms."""
    slots = np.array([slot for form in forms for slot, _ in form], dtype=np.uint64)
    ends = np.cumsum([0, *(len(form) for form in forms)]).astype(np.uint64)
    return slots, [coefficient for form in forms for _, coefficient in form], ends


def multiply_arrays(a: Words, b: Words) -> Words:
    """Elementwise product of flat Montgomery extension arrays of equally many elements."""
    elements = a.size // DEGREE
    if elements % 16:
        pad = -elements % 16
        a, b = (np.pad(x.reshape(DEGREE, -1), ((0, 0), (0, pad))).reshape(-1) for x in (a, b))
        return np.ascontiguousarray(multiply_arrays(a, b).reshape(DEGREE, -1)[:, :elements]).reshape(-1)
    out = aligned_empty(a.size)
    for start in range(0, elements, _CALL):
        stop = np.uint64(min(start + _CALL, elements))
        multiply_kernel(a, b, out, np.uint64(elements), np.uint64(start), stop)
    return out


@dataclass(frozen=True, slots=True)
class Machine:
    """A lowered program as the kernels take it; ``lookup_arrays`` leave out what only constraints need.

    ``terms``: the constraints' linear forms by kind of rows.
    """

    table: TableLayout
    program: Lowered
    arrays: tuple[np.ndarray, ...]
    lookup_arrays: tuple[np.ndarray, ...]
    groups: Index
    terms: tuple[Terms, ...]

    def scratch(self, width: int, public_inputs: Sequence[int]) -> Words:
        """Slots of one block, constants and publics filled in."""
        words = aligned_empty(self.program.slots * width)
        for slot, load in enumerate(self.program.loads):
            if load.kind in (LoadKind.ONE, LoadKind.PUBLIC):
                value = 1 if load.kind is LoadKind.ONE else public_inputs[load.a]
                words[slot * width : (slot + 1) * width] = montgomery([value])[0]
        return words


def _operation_kind(operation: Linear | Product) -> int:
    """As the kernels number them: 0 a linear form, 1 a product, 2 a slot plus a constant."""
    if isinstance(operation, Product):
        return 1
    return 2 if _is_shift(operation.terms) else 0


def _is_shift(terms: Sequence[tuple[int, int]]) -> bool:
    """Whether a form is constant + slot: slot 0, which holds 1, comes first in the order of slots."""
    return len(terms) == 2 and terms[0][0] == 0 and terms[1][1] == 1


def _terms(operation: Linear) -> tuple[tuple[int, int], ...]:
    """Terms in the order that the kernels want: a constant to be added comes after its slot."""
    return operation.terms[::-1] if _is_shift(operation.terms) else operation.terms


def make_machine(table: TableLayout, program: Lowered | None = None) -> Machine:
    """Arrays for the kernels; the program is lowered here unless it is given."""
    program = lower(table) if program is None else program
    kinds = [load.kind for load in program.loads]
    terms = [_terms(operation) for operation in program.operations if isinstance(operation, Linear)]
    slots, coefficients, ends = _flatten(terms)
    bounds = iter(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    pairs = [(op.a, op.b) if isinstance(op, Product) else next(bounds) for op in program.operations]
    operands = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    arrays = (
        np.array(kinds, dtype=np.uint8),
        np.array([load.a for load in program.loads], dtype=np.uint64),
        np.array([_operation_kind(op) for op in program.operations], dtype=np.uint8),
        np.ascontiguousarray(operands[:, 0]),
        np.ascontiguousarray(operands[:, 1]),
        slots,
        montgomery(coefficients),
    )
    groups = np.cumsum([0, *(len(group) for group in table.groups)]).astype(np.uint64)
    return Machine(table, program, arrays, _lookup_arrays(program, arrays), groups, _constraint_terms(table, program))


def _lookup_arrays(program: Lowered, arrays: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The arrays with fewer loads and operations: those that the lookups depend on."""
    kinds, columns, op_kind, op_a, op_b, slots, weights = arrays
    needed = {slot for form in program.lookups for slot, _ in form}
    for operation in program.operations[: program.lookup_operations]:
        needed |= {slot for slot, _ in operation.terms} if isinstance(operation, Linear) else {operation.a, operation.b}
    keep = np.array([slot in needed for slot in range(len(kinds))])
    count = program.lookup_operations
    return (
        np.where(keep, kinds, 0).astype(np.uint8),
        columns,
        op_kind[:count],
        op_a[:count],
        op_b[:count],
        slots,
        weights,
    )


_MACHINES: OrderedDict[bytes, tuple[Machine, ...]] = OrderedDict()
_MACHINES_LOCK = threading.Lock()


def machines_of(layout: Layout) -> tuple[Machine, ...]:
    """Machines of a statement's tables, kept for the statements used last."""
    with _MACHINES_LOCK:
        known = _MACHINES.get(layout.digest)
        if known is None:
            known = _MACHINES[layout.digest] = tuple(make_machine(table) for table in layout.tables)
            while len(_MACHINES) > 16:
                _MACHINES.popitem(last=False)
        return known


def _sum_forms(forms: Sequence[Sequence[tuple[int, int]]], weights: Sequence[Extension]) -> dict[int, Extension]:
    """sum of weight * form: an extension coefficient per slot."""
    total: dict[int, Extension] = {}
    for form, weight in zip(forms, weights, strict=True):
        for slot, coefficient in form:
            part = extension.scale(weight, coefficient)
            known = total.get(slot)
            total[slot] = part if known is None else extension.add(known, part)
    return total


def _pack(sums: Sequence[dict[int, Extension]]) -> Sums:
    slots = np.array([slot for total in sums for slot in total], dtype=np.uint64)
    weights = montgomery(word for total in sums for value in total.values() for word in value)
    return slots, weights, np.cumsum([0, *(len(total) for total in sums)]).astype(np.uint64)


def _lookup_sums(machine: Machine, challenges: LookupChallenges) -> tuple[Sums, Sums]:
    """Fingerprints and multiplicities of all interactions as weighted sums over slots."""
    fingerprints, multiplicities, at = [], [], 0
    for item in machine.table.table.interactions:
        count = len(item.values)
        forms = machine.program.lookups[at : at + 1 + count]
        at += 1 + count
        start = extension.add(challenges.denominator, extension.embed(item.bus))
        fingerprints.append(_sum_forms([[(0, 1)], *forms[1:]], [start, *challenges.tuple_powers[:count]]))
        multiplicities.append(forms[0])
    slots, coefficients, ends = _flatten(multiplicities)
    return _pack(fingerprints), (slots, montgomery(coefficients), ends)


def _steps(machine: Machine, first: int, last: int, width: int) -> Iterable[tuple[np.uint64, np.uint64]]:
    size = max(width, _WORK // max(machine.program.slots, 1) // width * width)
    for start in range(first, last, size):
        yield np.uint64(start), np.uint64(min(start + size, last))


def auxiliary_columns(
    machine: Machine,
    trace: Words,
    log_height: int,
    public_inputs: Sequence[int],
    challenges: LookupChallenges,
    pause: Pause,
) -> tuple[Words, Extension]:
    """Helper columns and running sum on H (auxiliary * 5 * N, flat Montgomery), and the table's total (canonical).

    ``trace``: main columns on H, flat Montgomery, at least 16 rows.
    """
    rows, count = 1 << log_height, machine.table.auxiliary
    width = min(BLOCK, rows)
    tops, bottoms = aligned_empty(DEGREE * count * rows), aligned_empty(DEGREE * count * rows)
    following = ((np.arange(rows) + 1) % rows).astype(np.uint64)
    sums, scratch = _lookup_sums(machine, challenges), machine.scratch(width, public_inputs)
    for start, stop in _steps(machine, 0, rows, width):
        fractions_kernel(
            machine.lookup_arrays, *sums, machine.groups, (trace, np.uint64(rows), following), start, stop,
            np.uint64(width), scratch, tops, bottoms,
        )  # fmt: skip
        pause()
    quotients = multiply_arrays(tops, extension_batch_inverse(bottoms))
    return _running_sum(quotients.reshape(DEGREE, count, rows), log_height)


def _running_sum(by_group: NDArray[np.uint32], log_height: int) -> tuple[Words, Extension]:
    """Auxiliary columns from the groups' quotients (5, groups, rows)."""
    rows = 1 << log_height
    per_row = by_group.sum(axis=1, dtype=np.uint64) % _P
    totals = (per_row.sum(axis=1) % _P).astype(np.uint32)
    total: Extension = tuple(from_montgomery_array(totals).tolist())
    step = montgomery(step_of(total, log_height)).astype(np.uint64)
    change = per_row + (_P - step)[:, None]
    out = aligned_empty(by_group.size).reshape(by_group.shape[1], DEGREE, rows)
    out[:-1] = by_group[:, :-1].transpose(1, 0, 2)
    out[-1, :, 0] = 0
    out[-1, :, 1:] = np.cumsum(change[:, :-1], axis=1) % _P
    return out.reshape(-1), total


@lru_cache(maxsize=32)
def _selectors(log_height: int, log_domain: int, log_largest: int) -> tuple[Words, Words, Words, Words]:
    """x - 1/w, 1/(x - 1), 1/(x - 1/w), 1/(x^N - 1) on the first 2N points of the domain, Montgomery."""
    size = 2 << log_height
    points = domain_points(log_domain, log_largest, size)
    last = np.uint64(pow(two_adic_generator(log_height), -1, P))
    from_last = to_montgomery_array(((points + _P - last) % _P).astype(np.uint32))
    from_first = to_montgomery_array(((points + _P - np.uint64(1)) % _P).astype(np.uint32))
    halves = [pow(int(points[at]), 1 << log_height, P) - 1 for at in (0, size // 2)]
    vanishing = np.repeat(montgomery(pow(half, -1, P) for half in halves), size // 2)
    return from_last, batch_inverse(from_first), batch_inverse(from_last), vanishing


@lru_cache(maxsize=32)
def _following(log_height: int) -> Index:
    return next_index(log_height, log_height + 1).astype(np.uint64)


def _constraint_terms(table: TableLayout, program: Lowered) -> tuple[Terms, ...]:
    """The terms of all constraints, for each kind of rows."""
    out, own = [], [constraint.rows for constraint in table.table.constraints]
    for kind in KINDS:
        numbered = enumerate(zip(own, program.constraints, strict=True))
        chosen = [(number, form) for number, (rows, form) in numbered if rows == kind]
        terms = [(slot, number, coefficient) for number, form in chosen for slot, coefficient in form]
        columns = np.array(terms, dtype=np.uint64).reshape(-1, 3)
        slots, place = np.unique(columns[:, 0], return_inverse=True)
        out.append((slots, place, columns[:, 1].astype(np.int64), columns[:, 2]))
    return tuple(out)


def _combination(machine: Machine, constraint_challenge: Extension) -> tuple[Sums, Words]:
    """Constraint sums by kind of rows, and the powers of the challenge that belong to LogUp's constraints."""
    table = machine.table
    count = table.constraint_count
    powers = (
        from_montgomery_array(extension_powers(constraint_challenge, count)).reshape(DEGREE, count).T.astype(np.uint64)
    )
    sums = []
    for slots, place, number, coefficient in machine.terms:
        total = np.zeros((len(slots), DEGREE), dtype=np.uint64)
        np.add.at(total, place, powers[number] * coefficient[:, None] % _P)
        sums.append(total % _P)
    weights = to_montgomery_array(np.concatenate(sums).astype(np.uint32).reshape(-1))
    slots = np.concatenate([slots for slots, _, _, _ in machine.terms])
    ends = np.cumsum([0, *(len(slots) for slots, _, _, _ in machine.terms)]).astype(np.uint64)
    rest = powers[len(table.table.constraints) :].astype(np.uint32).reshape(-1)
    return (slots, weights, ends), to_montgomery_array(rest)


def quotient_values(
    machine: Machine,
    logs: tuple[int, int, int],
    matrices: tuple[Words, Words],
    public_inputs: Sequence[int],
    challenges: LookupChallenges | None,
    constraint_challenge: Extension,
    total: Extension,
    pause: Pause,
    workers: Workers = ALONE,
) -> Words:
    """Q on the first 2N points of the table's domain in memory order: uint32[5 * 2N], flat Montgomery.

    ``logs``: log2 of N, of the table's domain, of the largest domain. ``matrices``: main and auxiliary extension, flat
    Montgomery. ``total``: LogUp's C, canonical.
    """
    log_height, log_domain, _ = logs
    size, rows = 2 << log_height, np.uint64(1 << log_domain)
    width = min(BLOCK, size)
    combination, powers = _combination(machine, constraint_challenge)
    nothing: Sums = (np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(1, np.uint64))
    sums = _lookup_sums(machine, challenges) if challenges is not None and machine.table.groups else (nothing, nothing)
    lookups = (*sums, machine.groups, powers, montgomery(step_of(total, log_height)), matrices[1])
    domain = (matrices[0], rows, _following(log_height), np.uint64(size))
    out, selectors = aligned_empty(DEGREE * size), _selectors(*logs)

    def part(first: int, last: int) -> None:
        scratch, near = machine.scratch(width, public_inputs), aligned_empty(80)
        for start, stop in _steps(machine, first, last, width):
            quotient_kernel(
                machine.arrays, combination, lookups, domain, selectors, start, stop, np.uint64(width), scratch, near,
                out,
            )  # fmt: skip
            pause()

    workers.spread(size, part, width)
    return out
