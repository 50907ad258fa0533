"""Small statements with honest witnesses, for tests of the proof system."""

from __future__ import annotations

import numpy as np

from engine.field.koalabear import P
from engine.stark.air.expression import Column, Constant, Public
from engine.stark.air.table import Constraint, Interaction, PublicTerm, Statement, Table
from engine.stark.parameters import Parameters

FAST = Parameters(queries=6, query_grinding=3, log_final=2, target_bits=0, lookup_grinding=1, deep_grinding=1,
                  batching_grinding=2, folding_grinding=1)  # fmt: skip
"""Parameters that are quick and insecure."""


def fibonacci() -> Statement:
    """a, b with (a, b) -> (b, a + b); public: the first a, the first b, the last b."""
    a, b = Column(0), Column(1)
    table = Table(
        "fibonacci",
        ("a", "b"),
        (
            Constraint("shift", a.next - b, "transition"),
            Constraint("sum", b.next - (a + b), "transition"),
            Constraint("first a", a - Public(0), "first"),
            Constraint("first b", b - Public(1), "first"),
            Constraint("last b", b - Public(2), "last"),
        ),
        (),
    )
    return Statement(b"test fibonacci", (table,), {}, 3)


def fibonacci_witness(log_height: int) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    rows = [(1, 2)]
    for _ in range((1 << log_height) - 1):
        a, b = rows[-1]
        rows.append((b, (a + b) % P))
    trace = np.array(rows, dtype=np.uint32).T.copy()
    return {"fibonacci": trace}, (1, 2, rows[-1][1])


CUBES, RANGE = 1, 2


def cubes() -> Statement:
    """A caller looks cubes up in a table of cubes, and ranges of their inputs in a range table; results are public.

    caller: x, y, flag. (x, y) goes to CUBES while flag is 1, x to RANGE always, (row counter aside) the public term
    takes the first y. cuber: x, x^3, multiplicity. range: value, multiplicity.
    """
    x, y, flag, total = (Column(i) for i in range(4))
    caller = Table(
        "caller",
        ("x", "y", "flag", "total"),
        (
            Constraint("flag is boolean", flag * (flag - 1)),
            Constraint("total starts", total - flag * y, "first"),
            Constraint("total adds", total.next - total - flag.next * y.next, "transition"),
            Constraint("total ends", total - Public(0), "last"),
        ),
        (
            Interaction(CUBES, flag, (x, y)),
            Interaction(RANGE, Constant(1), (x,)),
            Interaction(RANGE, flag, (x * flag,)),
        ),
    )
    value, cube, count = Column(0), Column(1), Column(2)
    cuber = Table(
        "cuber",
        ("value", "cube", "count"),
        (Constraint("cube", cube - value * value * value),),
        (Interaction(CUBES, -count, (value, cube)),),
    )
    ranges = Table(
        "range",
        ("value", "count"),
        (
            Constraint("starts at zero", Column(0), "first"),
            Constraint("counts", Column(0).next - Column(0) - 1, "transition"),
        ),
        (Interaction(RANGE, -Column(1), (Column(0),)),),
    )
    return Statement(b"test cubes", (caller, cuber, ranges), {CUBES: "cubes", RANGE: "range"}, 1)


def cubes_witness(
    log_caller: int = 4, log_cuber: int = 3, log_range: int = 5, seed: int = 1
) -> tuple[dict[str, np.ndarray], tuple[int, ...], tuple[PublicTerm, ...]]:
    """Traces, public inputs and public terms; one of the cubes is looked up by a public term."""
    random = np.random.default_rng(seed)
    rows, keys = 1 << log_caller, 1 << log_cuber
    limit = 1 << log_range
    table_x = random.permutation(limit)[:keys] if keys <= limit else np.arange(keys) % limit
    x = random.choice(table_x, rows)
    flag = random.integers(0, 2, rows)
    y = np.array([pow(int(v), 3, P) for v in x])
    y = np.where(flag == 1, y, random.integers(0, P, rows))
    total = np.cumsum(flag * y) % P
    counts = np.array([int(((x == v) & (flag == 1)).sum()) for v in table_x])
    seen: set[int] = set()
    for i, v in enumerate(table_x):
        if int(v) in seen:
            counts[i] = 0
        seen.add(int(v))
    public = int(table_x[0])
    counts[0] += 1
    uses = np.bincount(x, minlength=limit) + np.bincount(x * flag, weights=flag, minlength=limit).astype(np.int64)
    traces = {
        "caller": np.array([x, y, flag, total], dtype=np.uint32),
        "cuber": np.array([table_x, [pow(int(v), 3, P) for v in table_x], counts], dtype=np.uint32),
        "range": np.array([np.arange(limit), uses], dtype=np.uint32),
    }
    terms = (PublicTerm(CUBES, 1, (public, pow(public, 3, P))),)
    return traces, (int(total[-1]),), terms
