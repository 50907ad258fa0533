"""An adversary for each LogUp constraint: helper columns and running sums, which no table writes down.

The trace looks up one limb more than the range table counts. The prover hides what is missing in one helper column and
goes along with the running sum and the total, so that all totals cancel and only that helper's constraint can tell; or
it hides it in the total alone, against the running sum's constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from engine.field import extension
from engine.field.extension import DEGREE, Extension
from engine.field.kernels import to_montgomery_array
from engine.field.koalabear import P
from engine.proving.statement import build_statement
from engine.stark.air import constraints
from engine.stark.air.layout import TableLayout, layout_of
from engine.stark.air.lookup import LookupChallenges, public_sum, step_of
from engine.stark.protocol import reference, verifier
from engine.stark.protocol.prover import Prover
from tests.support.soundness.attacks_paths import limb_counted_less
from tests.support.soundness.forgery import SMALL, Forgery

Target = tuple[str, int]
"""Table, and which of its LogUp constraints: the helpers in order, then the running sum's."""


def targets() -> list[Target]:
    """All LogUp constraints of the statement."""
    tables = layout_of(build_statement(SMALL)).tables
    return [(table.table.name, number) for table in tables for number in range(len(table.groups))]


def unbalanced() -> Forgery:
    """All constraints hold, the range bus does not balance."""
    return limb_counted_less()


def hider(target: Target) -> type[Prover]:
    """A prover that hides the imbalance where only one LogUp constraint looks."""
    name, number = target

    class Hider(Prover):
        def auxiliary(self, index: int, challenges: LookupChallenges) -> tuple[np.ndarray, Extension]:
            columns, total = super().auxiliary(index, challenges)
            table = self.layout.tables[index]
            if table.table.name != name:
                return columns, total
            missing = self.imbalance(challenges)
            if number < table.helpers:
                columns = shifted(columns, table, number, missing)
            return columns, extension.add(total, missing)

        def imbalance(self, challenges: LookupChallenges) -> Extension:
            """What all honest totals and public terms lack to zero."""
            lacking = public_sum(self.public_terms, challenges)
            for index, table in enumerate(self.layout.tables):
                if table.groups:
                    lacking = extension.add(lacking, super().auxiliary(index, challenges)[1])
            return extension.sub(extension.ZERO, lacking)

        def quotient(
            self, index: int, challenges: LookupChallenges | None, constraint_challenge: Extension
        ) -> np.ndarray:
            self.plain = self.layout.tables[index].table.name == name  # the one that a mutant may change
            return super().quotient(index, challenges, constraint_challenge)

    return Hider


def shifted(columns: np.ndarray, table: TableLayout, helper: int, amount: Extension) -> np.ndarray:
    """Auxiliary columns with ``amount`` added to a helper on row 0, and to the running sum from row 1 on."""
    rows = columns.size // (DEGREE * table.auxiliary)
    changed = columns.reshape(table.auxiliary, DEGREE, rows).astype(np.uint64)
    step = step_of(amount, rows.bit_length() - 1)
    for k in range(DEGREE):
        change = [(amount[k] * (row > 0) - row * step[k]) % P for row in range(rows)]
        words = to_montgomery_array(np.array([amount[k], *change], dtype=np.uint32))
        changed[helper, k, 0] += words[0]
        changed[-1, k] += words[1:]
    return (changed % np.uint64(P)).astype(np.uint32).reshape(-1)


@contextmanager
def without_logup_constraint(target: Target) -> Iterator[None]:
    """Prover and verifier leave one LogUp constraint out."""
    name, number = target
    honest = constraints.constraint_values

    def mutant(ring: Any, table: TableLayout, *rest: Any) -> Sequence[Any]:
        values = honest(ring, table, *rest)
        if table.table.name == name:
            values[len(table.table.constraints) + number] = ring.embed(extension.ZERO)
        return values

    with (
        mock.patch.object(verifier, "constraint_values", mutant),
        mock.patch.object(reference, "constraint_values", mutant),
    ):
        yield
