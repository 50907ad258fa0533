"""Constraints lowered to the programs that the constraint contracts run, from the same symbolic expressions.

A program evaluates, at the out-of-domain point, a range of the constraints of some tables, LogUp's included, and sums
them with powers of the constraint challenge, kind of rows by kind of rows (``stark.air.constraints``). What does not
fit one contract's code is split into several programs, whose sums add up.

It works on registers, one extension element each; every instruction writes the next free one. At the start they hold
``[1, d, t, ..., t^K, 1, alpha, ..., alpha^(Z-1), public inputs, per table of the statement: C / N and the opened values
in the order of the proof]``, with the lookup challenges d and t and the constraint challenge alpha. The last
``4 * tables`` registers are the result: per table the sums over "every", "transition", "first" and "last" rows.

Words of the program, low bits first: operation (2 bits), end (1), 0 (1), count (4), then ``count`` terms.

=========  ==============  ====================================================================================
operation  term (bits)     meaning
=========  ==============  ====================================================================================
MUL        a, b (12, 12)   each term writes a register: a * b
DOT        a, b (12, 12)   adds a * b to the sum; the word marked ``end`` writes it
SUM        a, k (12, 12)   adds (k - 2^11) * a
SCALE      a, k (12, 31)   adds k * a for any canonical k; one term or five, unused ones zero
=========  ==============  ====================================================================================

SUM and SCALE words share one sum. Limits that keep the contract's 51-bit lanes from overflowing are checked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.field.koalabear import P
from engine.stark.air.constraints import KINDS, kinds_of
from engine.stark.air.layout import QUOTIENT_CHUNKS, Layout, TableLayout
from engine.stark.air.program import Kind, Node
from engine.stark.air.program import Program as Expressions
from engine.stark.errors import StatementError

MUL, DOT, SUM, SCALE = range(4)
REGISTER_BITS = 12
SMALL = 1 << 11
TERMS = {MUL: 10, DOT: 10, SUM: 10, SCALE: 5}
FILLED = (7, 10)
"""Sums of four terms and more are filled up to one of these lengths: the contract adds so many at once."""
DOT_TERMS = 40
"""Most products in one sum: 40 * 6 * 2^(31 + 11) stays below the lane's offset of about 2^50."""
SMALL_SUM = 1 << 18
SCALE_TERMS = 64

Form = dict[int, int]
"""Register -> coefficient; the constant is the coefficient of register 0, which holds 1."""


@dataclass(frozen=True, slots=True)
class ConstraintProgram:
    """``words``: the program; ``ranges``: which constraints of which tables; ``registers``: how many it uses."""

    words: tuple[int, ...]
    ranges: Mapping[int, range]
    registers: int


@dataclass(slots=True)
class _Builder:
    """Emits instructions and numbers registers; equal products and sums are computed once."""

    next: int
    words: list[int] = field(default_factory=list)
    products: dict[tuple[int, int], int] = field(default_factory=dict)
    sums: dict[tuple[tuple[int, int], ...], int] = field(default_factory=dict)
    pending: list[tuple[int, int]] = field(default_factory=list)

    def _register(self) -> int:
        self.next += 1
        if self.next > 1 << REGISTER_BITS:
            raise StatementError("the constraint program needs too many registers", field="program", value=self.next)
        return self.next - 1

    def flush(self) -> None:
        """Write out the products that wait to share a word."""
        if self.pending:
            self.words.append(_word(MUL, self.pending, end=True))
            self.pending = []

    def product(self, a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in self.products:
            self.pending.append(key)
            self.products[key] = self._register()
            if len(self.pending) == TERMS[MUL]:
                self.flush()
        return self.products[key]

    def dot(self, pairs: Sequence[tuple[int, int]]) -> int:
        """Sum of products; long ones in parts."""
        if len(pairs) > DOT_TERMS:
            parts = [self.dot(pairs[at : at + DOT_TERMS]) for at in range(0, len(pairs), DOT_TERMS)]
            return self.linear(dict.fromkeys(parts, 1))
        self.flush()
        self.words += _sequence([(DOT, list(pairs))])
        return self._register()

    def linear(self, form: Form) -> int:
        """The register that holds a linear form."""
        items = tuple(sorted((register, value) for register, value in form.items() if value))
        if len(items) == 1 and items[0][1] == 1:
            return items[0][0]
        if items not in self.sums:
            self.flush()
            self.words += _sequence(_linear_terms(items))
            self.sums[items] = self._register()
        return self.sums[items]


def _linear_terms(items: Sequence[tuple[int, int]]) -> list[tuple[int, list[tuple[int, int]]]]:
    signed = [(register, value if value < P // 2 else value - P) for register, value in items]
    small = [(register, value) for register, value in signed if -SMALL <= value < SMALL]
    large = [(register, value % P) for register, value in signed if not -SMALL <= value < SMALL]
    if sum(abs(value) for _, value in small) >= SMALL_SUM or len(large) > SCALE_TERMS:
        raise StatementError("a constraint has a sum too long for the contract", field="program", value=len(items))
    return [(SUM, [(register, value + SMALL) for register, value in small]), (SCALE, large)]


def _sequence(parts: Sequence[tuple[int, list[tuple[int, int]]]]) -> Iterator[int]:
    """Words of one sum, the last one marked."""
    chunks = [
        (operation, terms[at : at + TERMS[operation]])
        for operation, terms in parts
        for at in range(0, len(terms), TERMS[operation])
    ] or [(SUM, [])]
    for number, (operation, terms) in enumerate(chunks, start=1):
        yield _word(operation, terms, end=number == len(chunks))


def _word(operation: int, terms: Sequence[tuple[int, int]], end: bool) -> int:
    if operation == SUM and len(terms) >= 4:
        length = next(size for size in FILLED if size >= len(terms))
        terms = [*terms, *[(0, SMALL)] * (length - len(terms))]  # zero times 1
    word, at = operation | end << 2 | len(terms) << 4, 8
    size = 43 if operation == SCALE else 24
    for first, second in terms:
        word |= (first | second << REGISTER_BITS) << at
        at += size
    return word


class _Lowering:
    """One table's expressions as linear forms over registers."""

    def __init__(self, builder: _Builder, columns: dict[tuple[int, int], int], publics: range) -> None:
        self.builder = builder
        self.columns = columns
        self.publics = publics

    def forms(self, program: Expressions) -> list[Form]:
        """Forms of the program's roots."""
        values: list[Form] = []
        for node in program.nodes:
            if node.kind is Kind.CONSTANT:
                values.append({0: node.a})
            elif node.kind is Kind.COLUMN:
                values.append({self.columns[node.a, node.b]: 1})
            elif node.kind is Kind.PUBLIC:
                values.append({self._public(node.a): 1})
            elif node.kind is Kind.MULTIPLY:
                values.append(self._multiply(values[node.a], values[node.b]))
            else:
                sign = 1 if node.kind is Kind.ADD else P - 1
                values.append(combined(values[node.a], values[node.b], sign))
        return [values[root] for root in program.roots]

    def _public(self, index: int) -> int:
        if index >= len(self.publics):  # the next register is another thing's
            reason = "a constraint reads a public input that the contracts are not given"
            raise StatementError(reason, field="public input", value=index, limit=len(self.publics) - 1)
        return self.publics[index]

    def _multiply(self, a: Form, b: Form) -> Form:
        for form, other in ((a, b), (b, a)):
            if set(form) <= {0}:
                return scaled(other, form.get(0, 0))
        (left, one), (right, two) = self._factor(a), self._factor(b)
        return {self.builder.product(left, right): one * two % P}

    def _factor(self, form: Form) -> tuple[int, int]:
        """Register and scalar of a factor: a single scaled register needs no sum of its own."""
        if len(form) == 1:
            ((register, value),) = form.items()
            return register, value
        return self.builder.linear(form), 1


def scaled(form: Form, factor: int) -> Form:
    """factor * form."""
    return {register: value * factor % P for register, value in form.items() if value * factor % P}


def combined(a: Form, b: Form, factor: int) -> Form:
    """a + factor * b."""
    out = dict(a)
    for register, value in b.items():
        out[register] = (out.get(register, 0) + factor * value) % P
    return {register: value for register, value in out.items() if value}


def _fingerprint(builder: _Builder, bus: int, values: Sequence[Form]) -> int:
    """d + bus + sum of t^(i+1) value_i; d is register 1, t^(i+1) register 2 + i."""
    plain: Form = {1: 1, 0: bus}
    pairs = []
    for index, form in enumerate(values):
        power = 2 + index
        if set(form) <= {0}:
            plain = combined(plain, {power: form.get(0, 0)}, 1)
        else:
            pairs.append((power, builder.linear(form)))
    return builder.dot([*pairs, (0, builder.linear(plain))])


def _lookup_values(
    builder: _Builder, table: TableLayout, lookups: Sequence[Form], where: _Place, wanted: range
) -> dict[int, int]:
    """Registers of the LogUp constraints that are wanted, by number."""
    out, starts, at = {}, [], 0
    for item in table.table.interactions:
        starts.append(at)
        at += 1 + len(item.values)

    def term(index: int) -> tuple[int, int]:
        item, start = table.table.interactions[index], starts[index]
        values = lookups[start + 1 : start + 1 + len(item.values)]
        return builder.linear(lookups[start]), _fingerprint(builder, item.bus, values)

    for number, group in enumerate(table.groups):
        if number not in wanted:
            continue
        numerator, denominator = term(group[0])
        for index in group[1:]:
            multiplicity, value = term(index)
            numerator = builder.dot([(numerator, value), (multiplicity, denominator)])
            denominator = builder.product(denominator, value)
        factor = where.auxiliary[number]
        if number == len(table.groups) - 1:
            factor = builder.linear({where.sum_next: 1, where.step: 1} | dict.fromkeys(where.auxiliary, P - 1))
        out[number] = builder.linear({builder.product(factor, denominator): 1, numerator: P - 1})
    return out


@dataclass(frozen=True, slots=True)
class _Place:
    """Registers of one table's inputs: C / N, auxiliary columns, the running sum's next value, main columns."""

    step: int
    auxiliary: tuple[int, ...]
    sum_next: int
    columns: dict[tuple[int, int], int]


def _place(table: TableLayout, base: int) -> _Place:
    main = base + 1
    auxiliary = main + table.width
    following = auxiliary + table.auxiliary + QUOTIENT_CHUNKS
    columns = {(index, 0): main + index for index in range(table.width)}
    columns |= {(index, 1): following + at for at, index in enumerate(table.next_columns)}
    return _Place(
        base, tuple(range(auxiliary, auxiliary + table.auxiliary)), following + len(table.next_columns), columns
    )


def _subset(program: Expressions, roots: Sequence[int]) -> Expressions:
    """The part of a program that some of its roots need."""
    needed = set(roots)
    for number in range(len(program.nodes) - 1, -1, -1):
        node = program.nodes[number]
        if number in needed and node.kind.binary:
            needed |= {node.a, node.b}
    order = sorted(needed)
    numbers = {old: new for new, old in enumerate(order)}
    nodes = []
    for old in order:
        node = program.nodes[old]
        nodes.append(Node(node.kind, numbers[node.a], numbers[node.b]) if node.kind.binary else node)
    return Expressions(tuple(nodes), tuple(numbers[root] for root in roots))


def _lower_table(builder: _Builder, table: TableLayout, first: tuple[int, range, int], wanted: range) -> list[int]:
    """Registers of the sums of alpha^i c_i over the wanted constraints, by kind of rows; 0 where there are none.

    ``first``: registers of alpha^0, of the public inputs and of C / N; the openings follow the latter.
    """
    challenge_powers, publics, base = first
    where = _place(table, base)
    lowering = _Lowering(builder, where.columns, publics)
    own = [index for index in wanted if index < len(table.constraints.roots)]
    chosen = _subset(table.constraints, [table.constraints.roots[index] for index in own])
    values = {index: builder.linear(form) for index, form in zip(own, lowering.forms(chosen), strict=True)}
    shift = len(table.constraints.roots)
    groups = range(max(wanted.start - shift, 0), max(wanted.stop - shift, 0))
    if groups:
        found = _lookup_values(builder, table, lowering.forms(table.lookups), where, groups)
        values |= {shift + number: register for number, register in found.items()}
    pairs: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
    kinds = kinds_of(table)
    for index, value in values.items():
        pairs[kinds[index]].append((challenge_powers + index, value))
    return [builder.dot(pairs[kind]) if pairs[kind] else -1 for kind in KINDS]


def input_registers(layout: Layout, public_count: int) -> tuple[int, int, list[int], int]:
    """Registers of alpha^0, of the first public input, of each table's C / N, and the first free one."""
    challenge_powers = 2 + max(layout.bus_arity.values(), default=0)
    publics = challenge_powers + max(table.constraint_count for table in layout.tables)
    bases, base = [], publics + public_count
    for table in layout.tables:
        bases.append(base)
        base += 1 + table.opened
    return challenge_powers, publics, bases, base


def generate(layout: Layout, ranges: Mapping[int, range], public_count: int) -> ConstraintProgram:
    """The program for ranges of some tables' constraints. ``public_count``: public inputs that constraints may read."""
    challenge_powers, publics, bases, free = input_registers(layout, public_count)
    builder, sums, given = _Builder(free), [], range(publics, publics + public_count)
    for index, table in enumerate(layout.tables):
        wanted = ranges.get(index, range(0))
        sums += (
            _lower_table(builder, table, (challenge_powers, given, bases[index]), wanted)
            if wanted
            else [-1] * len(KINDS)
        )
    builder.flush()
    for register in sums:  # each to a register of its own, in order: the result
        builder.words += _sequence(_linear_terms([(register, 1)] if register >= 0 else []))
        builder.next += 1
    return ConstraintProgram(tuple(builder.words), dict(ranges), builder.next)


def split(layout: Layout, public_count: int, limit: int) -> tuple[ConstraintProgram, ...]:
    """Programs of at most ``limit`` words that together cover every constraint of every table once."""
    programs: list[ConstraintProgram] = []
    ranges: dict[int, range] = {}
    best = None
    for index, table in enumerate(layout.tables):
        start = 0
        while start < table.constraint_count:
            low, high = start, table.constraint_count
            while low < high:  # the longest range that still fits beside what is there
                middle = (low + high + 1) // 2
                program = generate(layout, {**ranges, index: range(start, middle)}, public_count)
                if len(program.words) <= limit:
                    low, best = middle, program
                else:
                    high = middle - 1
            if low > start:
                ranges[index] = range(start, low)
            if low < table.constraint_count:
                if best is None:
                    raise StatementError("one constraint does not fit a contract", field="program", limit=limit)
                programs.append(best)
                ranges, best = {}, None
            start = low
    return (*programs, best) if best is not None else tuple(programs)
