"""Security of a parameter set, term by term, in bits of classical random-oracle security.

Round-by-round soundness of each step (its "bits" are -log2 of its error, plus the grinding that guards it); after
Fiat-Shamir the level is that of the weakest step, which is the convention of ethereum/soundcalc. Errors of one step
over several tables are added. F is the size of the extension field, rho the rate, n = N / rho the domain of a table
of N rows, m the Johnson multiplicity that the analysis may choose freely (it is not part of the protocol).

=============  ========================================================================  ===========================
term           error                                                                     source
=============  ========================================================================  ===========================
list size      L = 1/(2 eta sqrt(rho)), eta = sqrt(rho)/(2m), theta = 1-sqrt(rho)-eta    Johnson bound
line           ((2(m+1/2)^5 + 3(m+1/2) theta rho) n/(3 rho^1.5) + (m+1/2)/sqrt(rho))/F   eprint 2025/2055, thm 4.2
line, 2026     8 n (m+1/2)^3 / (3 rho_minus) / F, rho_minus = (N-1)/n                    eprint 2026/2056, thm 5.12
lookup         L * 2 (fractions) * (tuple length) / F                                    eprint 2022/1530, 2023/1284
constraints    L * sum over tables of (constraints) / F                                  eprint 2022/1216, thm 8 (ALI)
deep           L * sum over tables of (3 (N+1) + N - 1) / (F - N - n)                    eprint 2022/1216, thm 8
batching       sum over heights of (2 K - 1) * line(N), K quotients of that height       eprint 2025/2055, powers
folding i      ((arity - 1) + [a table joins]) * line(N after folding)                   eprint 2025/2055, powers
query          (1 - theta)^queries                                                       FRI, eprint 2025/2055
hash           2^-128: collisions of Keccak-256
=============  ========================================================================  ===========================

Each height is tested for 2K functions rather than K because every DEEP quotient is also tested times X, which makes
the degree bound exact (see ``engine.stark.pcs.deep``), so rho is N/n and not (N+2)/n.

Lookup and constraint terms carry the list size L: in the list-decoding regime a committed oracle stands for up to L
traces, and each must fail. soundcalc leaves it out of its lookup term; ours is the more careful figure.

The *conjectured* figure assumes that no attack does better than random words up to the radius
1 - rho - 1/log2(n), the order at which counterexamples are known (arXiv 2604.09724; eprint 2025/2010 and 2025/2046
refute the older conjecture up to capacity). It is a figure to put beside the proven one, nothing relies on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from engine.field.extension import DEGREE
from engine.field.koalabear import P
from engine.stark.air.layout import Layout
from engine.stark.air.table import MAX_DEGREE
from engine.stark.errors import StatementError
from engine.stark.parameters import Parameters
from engine.stark.pcs.schedule import Shape, make_shape

LineBound = Literal["2025/2055", "2026/2056"]
FIELD_SIZE = float(P) ** DEGREE
HASH_BITS = 128.0
OPENING_POINTS = 2
MULTIPLICITIES = tuple(range(3, 400))


def bits(error: float) -> float:
    """-log2 of an error."""
    return -math.log2(error)


@dataclass(frozen=True, slots=True)
class Regime:
    """A proximity regime at rate ``rate``: Johnson with gap ``eta`` below 1 - sqrt(rate), or unique decoding (None)."""

    rate: float
    eta: float | None
    field: float = FIELD_SIZE
    bound: LineBound = "2025/2055"

    @property
    def multiplicity(self) -> int:
        """m of eprint 2025/2055, theorem 4.2 (with the authors' factor 2), at least 3."""
        if self.eta is None:
            raise StatementError("unique decoding has no multiplicity", field="regime")
        return max(math.ceil(math.sqrt(self.rate) / (2 * self.eta) - 1e-9), 3)

    @property
    def radius(self) -> float:
        """theta, the relative distance within which words count as close."""
        return (1 - self.rate) / 2 if self.eta is None else 1 - math.sqrt(self.rate) - self.eta

    @property
    def list_size(self) -> float:
        """How many codewords a word may be close to."""
        return 1.0 if self.eta is None else 1 / (2 * self.eta * math.sqrt(self.rate))

    def line(self, dimension: float) -> float:
        """Error of a random combination of two words: the chance that it hides a word far from the code."""
        size = dimension / self.rate
        if self.eta is None:
            return (self.radius * size + 1) / self.field
        m = self.multiplicity + 0.5
        if self.bound == "2026/2056" and dimension >= 2:  # says nothing of constants
            return 8 * size * m**3 / (3 * (dimension - 1) / size) / self.field
        root = math.sqrt(self.rate)
        first = (2 * m**5 + 3 * m * self.radius * self.rate) * size / (3 * self.rate * root)
        return (first + m / root) / self.field

    def powers(self, dimension: float, functions: int) -> float:
        """Error of combining ``functions`` words with the powers of one challenge."""
        return self.line(dimension) * (functions - 1)

    def query(self, queries: int) -> float:
        """Chance that no query hits where a far word differs."""
        return (1 - self.radius) ** queries


def johnson(rate: float, multiplicity: int, *, field: float = FIELD_SIZE, bound: LineBound = "2025/2055") -> Regime:
    """The Johnson regime at multiplicity m."""
    return Regime(rate, math.sqrt(rate) / (2 * multiplicity), field, bound)


def ali_error(list_size: float, constraints: int, field: float = FIELD_SIZE) -> float:
    """Chance that a random combination of unsatisfied constraints vanishes."""
    return list_size * constraints / field


def deep_error(
    list_size: float,
    dimension: float,
    rate: float,
    degree: int,
    field: float = FIELD_SIZE,
    opening_points: int = OPENING_POINTS,
) -> float:
    """Chance that a false constraint identity holds at the out-of-domain point."""
    identity = degree * (dimension + opening_points - 1) + dimension - 1
    return list_size * identity / (field - dimension - dimension / rate)


def lookup_error(list_size: float, fractions: int, tuple_length: int, field: float = FIELD_SIZE) -> float:
    """Chance that fractions with different tuples cancel: the numerator's degree in both challenges over F."""
    return list_size * fractions * tuple_length / field


@dataclass(frozen=True, slots=True)
class Term:
    """One step: ``bits`` include the ``grinding`` bits that guard it."""

    name: str
    bits: float
    grinding: int = 0


@dataclass(frozen=True, slots=True)
class SecurityReport:
    """Terms of the proven figure at the best multiplicity, and the levels that follow.

    ``proven_bits``: by eprint 2025/2055; ``proven_bits_2026``: by the line bound of eprint 2026/2056.
    """

    terms: tuple[Term, ...]
    multiplicity: int
    proven_bits: float
    proven_bits_2026: float
    conjectured_bits: float


def _folding_terms(shape: Shape, parameters: Parameters, regime: Regime) -> list[Term]:
    terms, log_size = [], shape.log_heights_present[0]
    for number, log_arity in enumerate(shape.schedule, start=1):
        log_size -= log_arity
        joins = 1 if log_size in shape.log_heights_present else 0
        error = regime.line(1 << log_size) * ((1 << log_arity) - 1 + joins)
        terms.append(Term(f"folding {number}", bits(error) + parameters.folding_grinding, parameters.folding_grinding))
    return terms


def terms_of(
    layout: Layout, log_heights: tuple[int, ...], parameters: Parameters, regime: Regime, public_terms: int = 0
) -> tuple[Term, ...]:
    """All terms at one regime for tables of these heights."""
    shape = make_shape(layout, log_heights, parameters)
    size, tables = regime.list_size, list(zip(layout.tables, log_heights, strict=True))
    terms = []
    fractions = public_terms + sum(len(t.table.interactions) << h for t, h in tables)
    if layout.bus_arity:
        # Twice: the numerator may vanish at the challenges, or a denominator.
        error = lookup_error(size, 2 * max(fractions, 1), max(*layout.bus_arity.values(), 1))
        terms.append(Term("lookup", bits(error) + parameters.lookup_grinding, parameters.lookup_grinding))
    constraints = sum(t.constraint_count for t, _ in tables)
    if constraints:
        terms.append(Term("constraints", bits(ali_error(size, constraints))))
    error = sum(deep_error(size, 1 << h, regime.rate, MAX_DEGREE) for h in log_heights)
    terms.append(Term("deep", bits(error) + parameters.deep_grinding, parameters.deep_grinding))
    counts: dict[int, int] = {}
    for table, height in tables:
        counts[height] = counts.get(height, 0) + table.opened
    error = sum(regime.powers(1 << height, 2 * count) for height, count in counts.items())
    terms.append(Term("batching", bits(error) + parameters.batching_grinding, parameters.batching_grinding))
    terms += _folding_terms(shape, parameters, regime)
    query = bits(regime.query(parameters.queries)) + parameters.query_grinding
    return (*terms, Term("query", query, parameters.query_grinding), Term("hash", HASH_BITS))


def _best(
    layout: Layout, log_heights: tuple[int, ...], parameters: Parameters, publics: int, bound: LineBound
) -> tuple[float, int, tuple[Term, ...]]:
    """Highest level over the multiplicities. Query bits rise and the others fall with m: a bisection finds the peak."""
    rate = 2.0**-parameters.log_blowup

    def at(multiplicity: int) -> tuple[float, float, tuple[Term, ...]]:
        regime = johnson(rate, multiplicity, bound=bound)
        terms = terms_of(layout, log_heights, parameters, regime, publics)
        return terms[-2].bits, min(term.bits for term in (*terms[:-2], terms[-1])), terms

    low, high = MULTIPLICITIES[0], MULTIPLICITIES[-1]
    while low < high:
        middle = (low + high) // 2
        query, others, _ = at(middle)
        low, high = (low, middle) if query >= others else (middle + 1, high)
    levels = [(min(at(m)[:2]), m, at(m)[2]) for m in {max(low - 1, MULTIPLICITIES[0]), low}]
    return max(levels, key=lambda level: level[0])


def conjectured_level(
    layout: Layout, log_heights: tuple[int, ...], parameters: Parameters, public_terms: int = 0
) -> float:
    """Level under the conjecture named in the module's text: terms as in unique decoding, queries at its radius."""
    rate = 2.0**-parameters.log_blowup
    terms = terms_of(layout, log_heights, parameters, Regime(rate, None), public_terms)
    close = rate + 1 / (max(log_heights) + parameters.log_blowup)
    query = -parameters.queries * math.log2(close) + parameters.query_grinding
    return min(query, *(term.bits for term in terms if term.name != "query"))


def assess(
    layout: Layout, log_heights: tuple[int, ...], parameters: Parameters, public_terms: int = 0
) -> SecurityReport:
    """Security of a proof with these table heights and ``public_terms`` terms added by the verifier."""
    level, multiplicity, terms = _best(layout, log_heights, parameters, public_terms, "2025/2055")
    newer = _best(layout, log_heights, parameters, public_terms, "2026/2056")[0]
    guess = conjectured_level(layout, log_heights, parameters, public_terms)
    return SecurityReport(terms, multiplicity, level, newer, guess)


COMMIT_GRINDING = 12
"""Most bits of work that :func:`choose_parameters` puts before any one challenge; about 4,000 hashes."""


def choose_parameters(
    layout: Layout,
    log_heights: tuple[int, ...],
    *,
    target_bits: int = 100,
    log_blowup: int = 2,
    query_grinding: int = 16,
    public_terms: int = 0,
) -> Parameters:
    """The fewest queries, then the least grinding, that prove ``target_bits`` up to these heights.

    Raises :class:`StatementError` when no multiplicity does with up to ``COMMIT_GRINDING`` bits per challenge.
    """
    names = ("lookup", "deep", "batching", "folding")
    full = {f"{name}_grinding": COMMIT_GRINDING for name in names}

    def reaches(queries: int, grinding: dict[str, int]) -> bool:
        candidate = _parameters(queries, grinding)
        return _best(layout, log_heights, candidate, public_terms, "2025/2055")[0] >= target_bits

    def _parameters(queries: int, grinding: dict[str, int]) -> Parameters:
        return Parameters(
            queries, log_blowup=log_blowup, query_grinding=query_grinding, target_bits=target_bits, **grinding
        )

    low, high = 1, 500
    if not reaches(high, full):
        raise StatementError("no parameters reach this target", field="target_bits", value=target_bits)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle, full) else (middle + 1, high)
    grinding = dict(full)
    for name in full:
        grinding[name] = next(bits for bits in range(COMMIT_GRINDING + 1) if reaches(low, {**grinding, name: bits}))
    return _parameters(low, grinding)
