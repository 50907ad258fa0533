"""One forged permutation per constraint of the Poseidon table, and the range table's two.

A permutation is wrong in one word and right from there on, everything above it (capacities, digests, paths, roots) is
computed from the wrong output, and the verifier is told the root that this leads to: a root that no honest batch has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from unittest import mock

import numpy as np

from engine.exchange.leaf import BLOCK
from engine.field.koalabear import P
from engine.hashing.poseidon import CUBES_COLUMN, WITNESS_COLUMNS, apply_matrix
from engine.hashing.poseidon_constants import HALF_FULL_ROUNDS, PARTIAL_ROUNDS, ROUND_CONSTANTS, ROUNDS, WIDTH
from engine.proving import traces
from engine.proving.tables.poseidon import CAPACITY_HALF, RATE_HALF
from engine.proving.witness import PermutationLog
from engine.sequencer.batch import Batch
from tests.support.soundness.attacks_leaves import new_leaf
from tests.support.soundness.attacks_paths import limbs_that_jump
from tests.support.soundness.forgery import SMALL, Forgery, close_batch, forge, opened_tree, trader
from tests.support.soundness.mutation import Adversary


@dataclass(frozen=True)
class Fault:
    """Where a permutation is wrong: a round, a word of the state after it (a partial round: 0, its cube)."""

    round: int
    word: int

    @property
    def partial(self) -> bool:
        return HALF_FULL_ROUNDS <= self.round < HALF_FULL_ROUNDS + PARTIAL_ROUNDS

    @property
    def name(self) -> str:
        if self.partial:
            return f"poseidon: partial round {self.round - HALF_FULL_ROUNDS}"
        if self.round < HALF_FULL_ROUNDS:
            return f"poseidon: first round {self.round} word {self.word}"
        return f"poseidon: last round {self.round - HALF_FULL_ROUNDS - PARTIAL_ROUNDS} word {self.word}"


def faulty_row(inputs: Sequence[int], fault: Fault) -> list[int]:
    """A row of the Poseidon table, computed from its inputs but for one word that is too large by one."""
    words, row = list(inputs), list(inputs)
    for number in range(ROUNDS):
        words = [(x + c) % P for x, c in zip(words, ROUND_CONSTANTS[number], strict=True)]
        wrong = number == fault.round
        if HALF_FULL_ROUNDS <= number < HALF_FULL_ROUNDS + PARTIAL_ROUNDS:
            words[0] = (pow(words[0], 3, P) + wrong) % P
            row.append(words[0])
            words = apply_matrix(words)
        else:
            words = apply_matrix([pow(x, 3, P) for x in words])
            words[fault.word] = (words[fault.word] + wrong) % P
            row.extend(words)
    assert len(row) == WITNESS_COLUMNS
    assert row[CUBES_COLUMN] < P
    return row


class FaultyLog(PermutationLog):
    """Runs one permutation wrongly: that of the last input of the call for ``half`` that follows ``skip`` others."""

    def __init__(self, half: int, wrong: Callable[[list[int]], list[int]], skip: int = 0) -> None:
        super().__init__()
        self.wanted, self.wrong, self.skip = half, wrong, skip
        self.target: list[int] | None = None

    def half(self, inputs: np.ndarray, half: int) -> np.ndarray:
        outputs = super().half(inputs, half)
        if half == self.wanted and len(inputs):
            if self.skip:
                self.skip -= 1
            elif self.target is None:
                self.target = inputs[-1].tolist()
        if self.target is not None:
            for row in np.flatnonzero((inputs == np.array(self.target)).all(axis=1)):
                outputs[row] = self.wrong(self.target)[-WIDTH:][BLOCK * half : BLOCK * (half + 1)]
        return outputs

    def trace(self, least_rows: int = 8) -> np.ndarray:
        table = super().trace(least_rows)
        row = int(np.flatnonzero((np.array(self.target) == table[:WIDTH].T).all(axis=1))[0])
        table[:WITNESS_COLUMNS, row] = self.wrong(self.target or [])
        return table


def with_faulty_permutation(batch: Batch, half: int, wrong: Callable[[list[int]], list[int]], skip: int = 0) -> Forgery:
    """A forgery of ``batch`` in which the permutation of the ``skip``-th call for ``half`` is wrong."""
    log = FaultyLog(half, wrong, skip)
    with mock.patch.object(traces, "PermutationLog", return_value=log):
        return forge(batch)


def new_account() -> Batch:
    """An account opened with 7 quanta: its leaf's blocks occur nowhere else."""
    return close_batch(opened_tree(), {12: trader(4, 7)}, deposits={12: 7})


def faults() -> Iterator[Fault]:
    for number in range(ROUNDS):
        partial = HALF_FULL_ROUNDS <= number < HALF_FULL_ROUNDS + PARTIAL_ROUNDS
        yield from (Fault(number, word) for word in range(1 if partial else WIDTH))


def forged_permutation(fault: Fault) -> Forgery:
    """The new leaf's last block (rate taken) or its first (capacity taken), whichever half the fault reaches."""
    capacity_only = fault.round == ROUNDS - 1 and fault.word >= BLOCK
    if capacity_only:
        skip = SMALL.blocks - 1  # calls for the old leaf come first
        return with_faulty_permutation(new_account(), CAPACITY_HALF, lambda x: faulty_row(x, fault), skip)
    return with_faulty_permutation(new_account(), RATE_HALF, lambda x: faulty_row(x, fault), 1)


def limbs_from_minus_one() -> Forgery:
    """The range table runs from -1 to 254, and a limb of -1 passes."""
    forgery = new_leaf({20: P - 1})
    table = forgery.traces["range"]
    assert table[1, -1] == 0, "255 is looked up"
    table[0] = (table[0].astype(np.int64) - 1) % P
    table[1] = np.roll(table[1], 1)
    return forgery.set("range", "multiplicity", 0, 1)


HASH_ADVERSARIES = {
    fault.name: Adversary(lambda fault=fault: forged_permutation(fault), frozenset({fault.name})) for fault in faults()
}
RANGE_ADVERSARIES = {
    name: Adversary(make, frozenset({name}))
    for name, make in (
        ("range: counter starts at 0", limbs_from_minus_one),
        ("range: counter counts", limbs_that_jump),
    )
}
