"""The update table: one row per account update, chained from the batch's old root to its new root.

What a row says, for update ``index`` (0, 1, ...):

- the old leaf is empty or has this row's owner (key and L1 address); the new leaf is present and has this owner;
- a new account has the owner of its own deposit in this row, or no owner (address zero); so its address limbs are the
  verifier's canonical ones and need no range check, then or later;
- both leaves hash to their digests, and the path table takes these to the old and the new root at this account;
- the new root is the next row's old root; accounts ascend strictly, so no leaf is updated twice;
- a deposit or a withdrawal of this row is in the verifier's list, with this account, this owner and this amount. The
  list is made of canonical limbs by the verifier itself, so amounts need no range check of their own.

Collateral is conserved over the integers. For each limb a running sum of (new - old - deposit + withdrawal), and one of
the sign bits; on the last row sum_0 + 2^B sum_1 + 2^2B sum_2 + 2^3B sum_3 - 2^4B sum_sign = 0 is checked limb by limb
with range-checked carries. :attr:`StatementShape.max_log_updates` bounds all of it below p / 2.

Padding rows come after the real rows, leave the root and every sum alone and look nothing up on the other buses.

    real index account | owner   | old leaf       new leaf      | old_root new_root | deposit, withdrawal | sums
     1     0      3    | key, L1 | words, digest  words, digest |    R0       R1    | flag, 4 limbs each  | S0
     1     1      7    | address | (owner aside)                |    R1       R2    |                     | S0 + ...
     ...               |         |                              |                   |                     |
     0     2      .    |         | absent         absent        |    R2       R2    | none                | closed

A row looks up its leaves' hashes ("poseidon"), hands its digests to a path ("path start") and takes roots and account
back from it ("path end"), sends flows to the verifier's list ("external") and limbs to the range table ("range").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.exchange.leaf import ADDRESS_LIMBS, BLOCK, KEY_WORDS, LIMBS
from engine.proving.shape import BUS_EXTERNAL, BUS_PATH_END, BUS_PATH_START, StatementShape
from engine.proving.tables.columns import ColumnList, boolean, total, unless, when
from engine.proving.tables.leaf_columns import (
    LeafColumns,
    collateral_checks,
    leaf_columns,
    leaf_constraints,
    leaf_expressions,
    limb_check,
    slot_checks,
    sponge_interactions,
)
from engine.stark.air.expression import Column, Expression, Public, as_expression
from engine.stark.air.table import Constraint, Interaction, Table

DEPOSIT = 0
WITHDRAWAL = 1
CARRIES = LIMBS - 1


@dataclass(frozen=True, slots=True)
class FlowColumns:
    """A deposit or withdrawal of the row: ``flag`` 1 if there is one; ``amount`` its 4 limbs, zero if there is none."""

    flag: Column
    amount: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class UpdateColumns:
    """One update; old and new leaf share the owner's columns.

    ``real``         1 on rows of updates, 0 on padding
    ``index``        0, 1, 2, ... on every row; names the update on the path buses
    ``account``      the leaf's place in the tree
    ``gap``          account - the account of the row before - 1, a limb: accounts ascend
    ``old_present``  1 if there was a leaf, 0 if the account is opened here
    ``key``          8 words: the owner's key digest
    ``address``      10 limbs: the owner's L1 address
    ``old``          the leaf before, all but its owner
    ``new``          the leaf after
    ``inverses``     per position slot 1 / (sum of the new size's limbs), 0 if unused: used sizes are not zero
    ``old_root``     8 words: the tree's root before this update
    ``new_root``     8 words: and after it
    ``deposit``      what was paid in to this account
    ``withdrawal``   what was paid out
    ``sums``         per limb: new - old - deposit + withdrawal collateral, summed over the rows so far
    ``sign_sum``     new - old sign bits, likewise
    ``carries``      3, from each limb's sum to the next where the sums are closed on the last row
    ``names``        of all columns, in order
    """

    real: Column
    index: Column
    account: Column
    gap: Column
    old_present: Column
    key: tuple[Column, ...]
    address: tuple[Column, ...]
    old: LeafColumns
    new: LeafColumns
    inverses: tuple[Column, ...]
    old_root: tuple[Column, ...]
    new_root: tuple[Column, ...]
    deposit: FlowColumns
    withdrawal: FlowColumns
    sums: tuple[Column, ...]
    sign_sum: Column
    carries: tuple[Column, ...]
    names: tuple[str, ...]


def update_columns(shape: StatementShape) -> UpdateColumns:
    """Layout of the table."""
    c = ColumnList()
    return UpdateColumns(
        real=c.one("real"),
        index=c.one("index"),
        account=c.one("account"),
        gap=c.one("gap"),
        old_present=c.one("old_present"),
        key=c.many("key", KEY_WORDS),
        address=c.many("address", ADDRESS_LIMBS),
        old=leaf_columns(c, "old", shape),
        new=leaf_columns(c, "new", shape),
        inverses=c.many("size_inverse", shape.max_positions),
        old_root=c.many("old_root", BLOCK),
        new_root=c.many("new_root", BLOCK),
        deposit=FlowColumns(c.one("deposit_flag"), c.many("deposit", LIMBS)),
        withdrawal=FlowColumns(c.one("withdrawal_flag"), c.many("withdrawal", LIMBS)),
        sums=c.many("sum", LIMBS),
        sign_sum=c.one("sign_sum"),
        carries=c.many("carry", CARRIES),
        names=tuple(c.names),
    )


def update_table(shape: StatementShape) -> Table:
    """Public inputs 0..7 are the batch's old root, 8..15 its new root."""
    c = update_columns(shape)
    return Table(
        name="update",
        columns=c.names,
        constraints=(
            *_row_constraints(c),
            *_owner_constraints(c),
            *leaf_constraints(c.old, "old", c.old_present),
            *leaf_constraints(c.new, "new", c.real),
            *_size_constraints(c),
            *_chain_constraints(c),
            *_sum_constraints(c, shape),
        ),
        interactions=(*_lookups(c, shape), *_range_checks(c, shape)),
        max_log_height=shape.max_log_updates,
    )


def _row_constraints(c: UpdateColumns) -> list[Constraint]:
    flows = (("deposit", c.deposit), ("withdrawal", c.withdrawal))
    return [
        Constraint("real is boolean", boolean(c.real)),
        Constraint("old present is boolean", boolean(c.old_present)),
        Constraint("old leaf only on real rows", when(c.old_present, 1 - c.real)),
        *(Constraint(f"{name} flag is boolean", boolean(flow.flag)) for name, flow in flows),
        *(Constraint(f"{name} only on real rows", when(flow.flag, 1 - c.real)) for name, flow in flows),
        *(
            Constraint(f"{name} limb {i} is zero without flag", unless(flow.flag, limb))
            for name, flow in flows
            for i, limb in enumerate(flow.amount)
        ),
    ]


def _owner_constraints(c: UpdateColumns) -> list[Constraint]:
    """Where an old leaf is, its owner stays; where none is, the owner is the deposit's or zero."""
    opened_without_deposit = (c.real - c.old_present) * (1 - c.deposit.flag)
    return [
        Constraint(f"address limb {i} of a new account is its deposit's", when(opened_without_deposit, limb))
        for i, limb in enumerate(c.address)
    ]


def _size_constraints(c: UpdateColumns) -> list[Constraint]:
    """A used slot has a size other than 0: its limbs, small and not negative, have an invertible sum."""
    return [
        Constraint(f"size {k} is not zero", total(slot.size) * inverse - slot.used)
        for k, (slot, inverse) in enumerate(zip(c.new.slots, c.inverses, strict=True))
    ]


def _chain_constraints(c: UpdateColumns) -> list[Constraint]:
    roots = list(zip(c.old_root, c.new_root, strict=True))
    ascending = when(c.real.next, c.account.next - c.account - 1 - c.gap.next)
    return [
        Constraint("real rows come first", unless(c.real, c.real.next), "transition"),
        Constraint("index starts at 0", c.index, "first"),
        Constraint("index counts", c.index.next - c.index - 1, "transition"),
        Constraint("accounts ascend", ascending, "transition"),
        *(Constraint(f"padding keeps root {i}", unless(c.real, new - old)) for i, (old, new) in enumerate(roots)),
        *(Constraint(f"root {i} is chained", old.next - new, "transition") for i, (old, new) in enumerate(roots)),
        *(Constraint(f"first root {i} is the old root", old - Public(i), "first") for i, (old, _) in enumerate(roots)),
        *(
            Constraint(f"last root {i} is the new root", new - Public(BLOCK + i), "last")
            for i, (_, new) in enumerate(roots)
        ),
    ]


def _next(expression: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(column.next for column in expression)


def _limb_changes(
    new: Sequence[Expression], old: Sequence[Expression], paid_in: Sequence[Expression], paid_out: Sequence[Expression]
) -> list[Expression]:
    """Per limb: new - old - deposit + withdrawal."""
    return [n - o - d + w for n, o, d, w in zip(new, old, paid_in, paid_out, strict=True)]


def _sum_constraints(c: UpdateColumns, shape: StatementShape) -> list[Constraint]:
    """Running sums over the rows, closed to zero over the integers on the last row."""
    operands = (c.new.collateral, c.old.collateral, c.deposit.amount, c.withdrawal.amount)
    here = [*_limb_changes(*operands), c.new.sign - c.old.sign]
    there = [*_limb_changes(*map(_next, operands)), c.new.sign.next - c.old.sign.next]
    sums = [*c.sums, c.sign_sum]
    names = [*(f"sum {i}" for i in range(LIMBS)), "sign sum"]
    carry_in: list[Expression] = [as_expression(0), *c.carries]
    carry_out: list[Expression] = [*c.carries, c.sign_sum]
    return [
        *(Constraint(f"{n} starts", s - d, "first") for n, s, d in zip(names, sums, here, strict=True)),
        *(Constraint(f"{n} goes on", s.next - s - d, "transition") for n, s, d in zip(names, sums, there, strict=True)),
        *(
            Constraint(f"limb {i} closes", s + low - high * shape.limb_size, "last")
            for i, (s, low, high) in enumerate(zip(c.sums, carry_in, carry_out, strict=True))
        ),
    ]


def _lookups(c: UpdateColumns, shape: StatementShape) -> list[Interaction]:
    owner = [*c.key, *c.address]
    old_words = leaf_expressions(c.old, c.old_present, [c.old_present * word for word in owner], shape)
    new_words = leaf_expressions(c.new, c.real, owner, shape)
    flows = ((DEPOSIT, c.deposit), (WITHDRAWAL, c.withdrawal))
    return [
        *sponge_interactions(c.old, c.real, old_words),
        *sponge_interactions(c.new, c.real, new_words),
        Interaction(BUS_PATH_START, c.real, (c.index, *c.old.digest, *c.new.digest)),
        Interaction(BUS_PATH_END, c.real, (c.index, c.account, *c.old_root, *c.new_root)),
        *(
            Interaction(BUS_EXTERNAL, flow.flag, (as_expression(kind), c.account, *c.address, *flow.amount))
            for kind, flow in flows
        ),
    ]


def _range_checks(c: UpdateColumns, shape: StatementShape) -> list[Interaction]:
    """Carries lie in [-limb_size/4, limb_size/4): carry + limb_size/4 is a limb, and so is its double."""
    shifted = [carry + shape.limb_size // 4 for carry in c.carries]
    return [
        limb_check(c.gap),
        *collateral_checks(c.old, shape),
        *collateral_checks(c.new, shape),
        *(limb_check(limb) for limb in c.new.signature_index),
        *slot_checks(c.new),
        *(limb_check(value) for value in shifted),
        *(limb_check(value * 2) for value in shifted),
    ]
