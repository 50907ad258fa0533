"""LogUp: lookups and permutations between tables as sums of fractions (eprint 2022/1530; several columns, 2023/1284).

With the denominator challenge d and the tuple challenge t, a tuple (bus, v_0, v_1, ...) has the fingerprint
f = d + bus + t v_0 + t^2 v_1 + ...; a bus balances when the sum of multiplicity / f over all tables and public terms is
zero. d and t are drawn after all main traces are committed. Interactions of a row are grouped as far as the degree
allows; a group with interactions j has

    fraction = numerator / denominator = (sum_j m_j prod_{i != j} f_i) / prod_j f_j.

Each group but the last has a helper column h with h * denominator = numerator. The last lives in the running sum S:

    (S(w x) - S(x) - sum of h(x) + C / N) * denominator = numerator      on every row, cyclically,

so that summing over the rows gives C = the table's total, whatever S starts from. The proof carries C.

That the sum vanishes for random d, t means that the multiplicities of each tuple sum to zero *mod p*. A lookup
sends with multiplicity 1, so with fewer than p lookups per bus a tuple cannot be sent p times to cancel nothing:
:func:`check_counts`. Soundness error: see ``lookup`` in ``engine.stark.protocol.security``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.field import extension
from engine.field.extension import Extension
from engine.field.koalabear import P
from engine.stark.air.layout import Layout, TableLayout
from engine.stark.air.rings import Ring
from engine.stark.air.table import PublicTerm

B = TypeVar("B")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class LookupChallenges:
    """``denominator``: d. ``tuple_powers``: t, t^2, ... for the values of a tuple."""

    denominator: Extension
    tuple_powers: tuple[Extension, ...]


def make_challenges(layout: Layout, denominator: Extension, tuple_challenge: Extension) -> LookupChallenges:
    """Both challenges, with powers of the second for the longest tuple of any bus."""
    powers = [tuple_challenge]
    for _ in range(max(layout.bus_arity.values(), default=1) - 1):
        powers.append(extension.mul(powers[-1], tuple_challenge))
    return LookupChallenges(denominator, tuple(powers))


def fingerprint(ring: Ring[B, E], challenges: LookupChallenges, bus: int, values: Sequence[B]) -> E:
    """d + bus + sum of t^(i+1) * value_i."""
    total = ring.embed(extension.add(challenges.denominator, extension.embed(bus)))
    for power, value in zip(challenges.tuple_powers[: len(values)], values, strict=True):
        total = ring.add(total, ring.mul(ring.embed(power), ring.lift(value)))
    return total


def fractions(
    ring: Ring[B, E], table: TableLayout, lookups: Sequence[B], challenges: LookupChallenges
) -> list[tuple[E, E]]:
    """(numerator, denominator) of each group; ``lookups`` are the values of ``table.lookups``."""
    terms: list[tuple[E, E]] = []
    at = 0
    for item in table.table.interactions:
        values = lookups[at + 1 : at + 1 + len(item.values)]
        terms.append((ring.lift(lookups[at]), fingerprint(ring, challenges, item.bus, values)))
        at += 1 + len(item.values)
    sums = []
    for group in table.groups:
        numerator, denominator = terms[group[0]]
        for index in group[1:]:
            multiplicity, value = terms[index]
            numerator = ring.add(ring.mul(numerator, value), ring.mul(multiplicity, denominator))
            denominator = ring.mul(denominator, value)
        sums.append((numerator, denominator))
    return sums


def lookup_constraints(
    ring: Ring[B, E], groups: Sequence[tuple[E, E]], auxiliary: Sequence[E], sum_next: E, step: Extension
) -> list[E]:
    """Values of the LogUp constraints: one per helper, then the running sum's. ``step`` is C / N."""
    *helpers, running = auxiliary
    values = [
        ring.sub(ring.mul(helper, denominator), numerator)
        for helper, (numerator, denominator) in zip(helpers, groups[:-1], strict=True)
    ]
    change = ring.add(ring.sub(sum_next, running), ring.embed(step))
    for helper in helpers:
        change = ring.sub(change, helper)
    numerator, denominator = groups[-1]
    return [*values, ring.sub(ring.mul(change, denominator), numerator)]


def step_of(total: Extension, log_height: int) -> Extension:
    """C / N."""
    return extension.scale(total, pow(1 << log_height, -1, P))


def public_sum(public_terms: Sequence[PublicTerm], challenges: LookupChallenges) -> Extension:
    """Sum of multiplicity / fingerprint over the verifier's own terms, as one fraction with one inversion."""
    numerator, denominator = extension.ZERO, extension.ONE
    for term in public_terms:
        value = extension.add(challenges.denominator, extension.embed(term.bus))
        for power, word in zip(challenges.tuple_powers[: len(term.values)], term.values, strict=True):
            value = extension.add(value, extension.scale(power, word))
        top = extension.scale(denominator, term.multiplicity % P)
        numerator = extension.add(extension.mul(numerator, value), top)
        denominator = extension.mul(denominator, value)
    return extension.mul(numerator, extension.inverse(denominator))


def check_counts(layout: Layout, log_heights: Sequence[int], public_terms: Sequence[PublicTerm]) -> int | None:
    """The first bus with p or more fractions, which could wrap around, or None."""
    counts = dict.fromkeys(layout.statement.buses, 0)
    for table, height in zip(layout.tables, log_heights, strict=True):
        for item in table.table.interactions:
            counts[item.bus] += 1 << height
    for term in public_terms:
        counts[term.bus] += abs(term.multiplicity)
    return next((bus for bus, count in counts.items() if count >= P), None)
