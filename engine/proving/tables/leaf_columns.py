"""The columns of one leaf inside a row of the update table, and what makes them a well-formed leaf.

The word count, the version and all padding are expressions, not columns: a leaf is present or not, a slot used or not,
and the words follow. So a word count outside {0, 27 + 9k}, a version other than 1 or a word in an unused slot cannot
even be written down, or breaks one constraint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.exchange.leaf import BLOCK, HEADER_WORDS, LEAF_DOMAIN, LIMBS, POSITION_WORDS
from engine.proving.shape import BUS_POSEIDON, BUS_RANGE, StatementShape
from engine.proving.tables.columns import ColumnList, boolean, total, unless, when
from engine.proving.tables.poseidon import CAPACITY_HALF, RATE_HALF, poseidon_tuple
from engine.stark.air.expression import Column, Constant, Expression
from engine.stark.air.table import Constraint, Interaction


@dataclass(frozen=True, slots=True)
class SlotColumns:
    """One position slot, nine words and whether they are one.

    ``used``     1 if the account has a position here, else 0 and all words are zero
    ``market``   the market's id, a limb; ascends over used slots
    ``size``     4 limbs, two's complement lots
    ``funding``  4 limbs, two's complement: the market's funding index when the position was settled last
    """

    used: Column
    market: Column
    size: tuple[Column, ...]
    funding: tuple[Column, ...]

    @property
    def words(self) -> tuple[Column, ...]:
        return (self.market, *self.size, *self.funding)


@dataclass(frozen=True, slots=True)
class LeafColumns:
    """A leaf without its owner.

    ``signature_index``  4 limbs, unsigned
    ``collateral``       4 limbs, two's complement quanta
    ``sign``             1 if the collateral is below zero: the top limb's highest bit
    ``slots``            the positions
    ``capacities``       per block but the first, 8 words: the sponge's capacity before it
    ``digest``           8 words: the leaf's hash
    """

    signature_index: tuple[Column, ...]
    collateral: tuple[Column, ...]
    sign: Column
    slots: tuple[SlotColumns, ...]
    capacities: tuple[tuple[Column, ...], ...]
    digest: tuple[Column, ...]


def leaf_columns(columns: ColumnList, side: str, shape: StatementShape) -> LeafColumns:
    """Allocate one leaf's columns; ``side`` ("old", "new") prefixes their names."""
    signature_index = columns.many(f"{side}_signature_index", LIMBS)
    collateral = columns.many(f"{side}_collateral", LIMBS)
    sign = columns.one(f"{side}_collateral_sign")
    slots = tuple(
        SlotColumns(
            columns.one(f"{side}_used_{k}"),
            columns.one(f"{side}_market_{k}"),
            columns.many(f"{side}_size_{k}", LIMBS),
            columns.many(f"{side}_funding_{k}", LIMBS),
        )
        for k in range(shape.max_positions)
    )
    capacities = tuple(columns.many(f"{side}_capacity_{b}", BLOCK) for b in range(1, shape.blocks))
    return LeafColumns(signature_index, collateral, sign, slots, capacities, columns.many(f"{side}_digest", BLOCK))


def leaf_expressions(
    leaf: LeafColumns, present: Expression, owner: Sequence[Expression], shape: StatementShape
) -> list[Expression]:
    """All words of the leaf in order, padding included; ``owner`` is its key (8 words) and L1 address (10)."""
    length = present * (HEADER_WORDS - 1) + total([slot.used * POSITION_WORDS for slot in leaf.slots])
    words: list[Expression] = [length, present, *owner, *leaf.signature_index, *leaf.collateral]
    for slot in leaf.slots:
        words += slot.words
    return words + [Constant(0)] * (shape.words - len(words))


def leaf_constraints(leaf: LeafColumns, side: str, present: Expression) -> list[Constraint]:
    """Absent leaves and unused slots are zero, slots fill from the left, the sign is a bit."""
    constraints = [Constraint(f"{side} collateral sign is boolean", boolean(leaf.sign))]
    constraints += [
        Constraint(f"{side} {name} {i} of an absent leaf is zero", unless(present, word))
        for name, words in (("signature index", leaf.signature_index), ("collateral", leaf.collateral))
        for i, word in enumerate(words)
    ]
    before = present
    for k, slot in enumerate(leaf.slots):
        constraints.append(Constraint(f"{side} slot {k} used is boolean", boolean(slot.used)))
        constraints.append(Constraint(f"{side} slot {k} fills from the left", when(slot.used, 1 - before)))
        constraints += [
            Constraint(f"{side} slot {k} word {i} is zero when unused", unless(slot.used, word))
            for i, word in enumerate(slot.words)
        ]
        before = slot.used
    return constraints


def sponge_interactions(leaf: LeafColumns, real: Expression, words: Sequence[Expression]) -> list[Interaction]:
    """The leaf's digest: one Poseidon lookup per block, the capacity carried on, the last rate taken."""
    zeros = [Constant(0)] * (BLOCK - 2)
    capacity: Sequence[Expression] = [Constant(LEAF_DOMAIN), Constant(len(words)), *zeros]
    interactions = []
    for block, after in enumerate([*leaf.capacities, leaf.digest]):
        half = CAPACITY_HALF if block < len(leaf.capacities) else RATE_HALF
        inputs = [*words[BLOCK * block : BLOCK * (block + 1)], *capacity]
        interactions.append(Interaction(BUS_POSEIDON, real, poseidon_tuple(half, inputs, after)))
        capacity = after
    return interactions


def limb_check(value: Expression, multiplicity: Expression | None = None) -> Interaction:
    """``value`` lies in [0, limb_size) on every row (or where ``multiplicity`` is not 0)."""
    return Interaction(BUS_RANGE, Constant(1) if multiplicity is None else multiplicity, (value,))


def collateral_checks(leaf: LeafColumns, shape: StatementShape) -> list[Interaction]:
    """Four limbs, and ``sign`` is the top limb's highest bit: 2 * (top - sign * 2^(B-1)) is a limb as well."""
    top = leaf.collateral[-1] - leaf.sign * (shape.limb_size // 2)
    return [*(limb_check(limb) for limb in leaf.collateral), limb_check(top * 2)]


def slot_checks(leaf: LeafColumns) -> list[Interaction]:
    """Limbs of every slot in range; markets ascend over used slots."""
    checks = []
    for k, slot in enumerate(leaf.slots):
        checks += [limb_check(word) for word in slot.words]
        if k:
            checks.append(limb_check(slot.market - leaf.slots[k - 1].market - 1, slot.used))
    return checks
