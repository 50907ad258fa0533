"""DEEP: from values claimed out of domain to one low-degree claim per height.

With the out-of-domain point zeta, the DEEP challenge gamma, and all polynomials f_i of the tables of one height in the
order of ``Openings.flat``,

    g(x) = [sum_i gamma^i (f_i(x) - f_i(zeta))] / (x - zeta)
         + [sum_j gamma^j (f_j(x) - f_j(zeta w))] / (x - zeta w)
    G(x) = (1 + gamma^K x) g(x),   K = number of terms

where i runs over what is opened at zeta and j over what is opened at zeta*w. The claims hold exactly when g has degree
below N - 1. FRI tests degree below N, so G carries g once more, times x: both being below N pins g below N - 1 and the
committed f below N. Without the factor the f could have degree N and the rate would be (N + 2)/n, which costs a small
table much of its distance (the rho_plus of eprint 2022/1216).

Extension polynomials are committed as five base columns; f = sum_k X^k f_k enters as one term, so that its base column
k has the coefficient gamma^i X^k. Soundness: ``batching`` and ``deep`` of ``engine.stark.protocol.security``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.koalabear import P, two_adic_generator
from engine.stark.air.layout import QUOTIENT_CHUNKS, Layout
from engine.stark.air.rings import ArrayRing
from engine.stark.domain import point

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Openings:
    """Values of one table: ``main``, ``auxiliary``, ``quotient`` at zeta; ``next``, ``sum_next`` at zeta*w."""

    main: tuple[Extension, ...]
    auxiliary: tuple[Extension, ...]
    quotient: tuple[Extension, ...]
    next: tuple[Extension, ...]
    sum_next: tuple[Extension, ...]

    def flat(self) -> tuple[Extension, ...]:
        """All values in the order of the proof, which is also the order of the DEEP quotients."""
        return (*self.main, *self.auxiliary, *self.quotient, *self.next, *self.sum_next)


@dataclass(frozen=True, slots=True)
class Batch:
    """How one group's opened rows enter G: coefficients (columns, 5) of each phase's base columns, at zeta and zeta*w.

    ``claimed`` and ``claimed_next``: sum of gamma^i f_i(zeta) and of gamma^j f_j(zeta w). ``correction``: gamma^K.
    """

    at_point: tuple[Words, Words, Words]
    at_next: tuple[Words, Words, Words]
    claimed: Extension
    claimed_next: Extension
    correction: Extension


def _times_x(value: Extension) -> Extension:
    return extension.mul(value, (0, 1, 0, 0, 0))


class _Collector:
    """Base-column coefficients of one group, phase by phase."""

    def __init__(self, deep_challenge: Extension) -> None:
        self.challenge = deep_challenge
        self.power = extension.ONE
        self.claims = [extension.ZERO, extension.ZERO]
        self.columns: list[list[list[Extension]]] = [[[], [], []], [[], [], []]]

    def take(self, where: int, value: Extension) -> Extension:
        """The next power of the challenge, for a polynomial opened to ``value`` at zeta (0) or zeta*w (1)."""
        power = self.power
        self.claims[where] = extension.add(self.claims[where], extension.mul(power, value))
        self.power = extension.mul(power, self.challenge)
        return power

    def spread(self, power: Extension) -> list[Extension]:
        """Coefficients of the five base columns of an extension column."""
        out = [power]
        for _ in range(DEGREE - 1):
            out.append(_times_x(out[-1]))
        return out


def _collect_table(collector: _Collector, layout: Layout, index: int, opened: Openings) -> None:
    table = layout.tables[index]
    zero, (now, following) = extension.ZERO, collector.columns
    now[0] += [collector.take(0, value) for value in opened.main]
    for value in opened.auxiliary:
        now[1] += collector.spread(collector.take(0, value))
    for value in opened.quotient:
        now[2] += collector.spread(collector.take(0, value))
    following[2] += [zero] * (DEGREE * QUOTIENT_CHUNKS)
    read = dict(zip(table.next_columns, opened.next, strict=True))
    following[0] += [collector.take(1, read[c]) if c in read else zero for c in range(table.width)]
    following[1] += [zero] * (DEGREE * table.helpers)
    for value in opened.sum_next:
        following[1] += collector.spread(collector.take(1, value))


def _array(columns: list[Extension]) -> Words:
    return np.array(columns, dtype=np.uint64).reshape(len(columns), DEGREE)


def make_batch(layout: Layout, tables: Sequence[int], openings: Sequence[Openings], deep_challenge: Extension) -> Batch:
    """Coefficients and claims of one group; ``openings`` are those of all tables."""
    collector = _Collector(deep_challenge)
    for index in tables:
        _collect_table(collector, layout, index, openings[index])
    now, following = collector.columns
    return Batch(
        (_array(now[0]), _array(now[1]), _array(now[2])),
        (_array(following[0]), _array(following[1]), _array(following[2])),
        collector.claims[0],
        collector.claims[1],
        collector.power,
    )


def next_point(ood_point: Extension, log_height: int) -> Extension:
    """zeta * w: where a table's next row is claimed."""
    return extension.scale(ood_point, two_adic_generator(log_height))


def _dot(rows: Sequence[NDArray[np.uint32] | None], coefficients: Sequence[Words]) -> Words:
    """(5, queries): sum of row elements times coefficients."""
    total: Words | None = None
    for block, weights in zip(rows, coefficients, strict=True):
        if block is not None and weights.size:
            products = block.astype(np.uint64)[:, :, None] * weights[None] % np.uint64(P)
            part = products.sum(axis=1).T % np.uint64(P)
            total = part if total is None else (total + part) % np.uint64(P)
    assert total is not None, "a group has at least its quotient columns"
    return total


def evaluate_queries(
    batch: Batch,
    rows: tuple[NDArray[np.uint32], NDArray[np.uint32] | None, NDArray[np.uint32]],
    positions: NDArray[np.int64],
    ood_point: Extension,
    log_height: int,
    logs: tuple[int, int],
) -> Words:
    """G at the queried points, (5, queries), from the opened rows of the group.

    ``positions`` index the group's domain; ``logs``: log2 of that domain's size and of the largest one's.
    """
    ring = ArrayRing(len(positions))
    points = np.array([point(int(position), *logs) for position in positions], dtype=np.uint64)
    x = ring.lift(points)
    numerator = ring.sub(_dot(rows, batch.at_point), ring.embed(batch.claimed))
    following = ring.sub(_dot(rows, batch.at_next), ring.embed(batch.claimed_next))
    here = ring.sub(x, ring.embed(ood_point))
    there = ring.sub(x, ring.embed(next_point(ood_point, log_height)))
    inverse = ring.inverse(ring.mul(here, there))
    quotient = ring.mul(ring.add(ring.mul(numerator, there), ring.mul(following, here)), inverse)
    factor = ring.add(ring.embed(extension.ONE), ring.embed(batch.correction) * points % np.uint64(P))
    return ring.mul(quotient, factor)
