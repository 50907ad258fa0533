"""An adversary for each lookup of the update and the path table, and for each bus.

Deleting a lookup leaves its value unchecked. Each forgery lies in just that value; counts and hashes are those that
the remaining lookups ask for, so that nothing but the missing lookup could have refused it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.exchange.leaf import BLOCK, LEAF_DOMAIN, POSITION_WORDS
from engine.exchange.tree import AccountTree
from engine.field.koalabear import P
from engine.hashing.poseidon import sponge_hash
from engine.hashing.poseidon_constants import ROUNDS
from engine.proving.shape import (
    BUS_EXTERNAL,
    BUS_PATH_END,
    BUS_PATH_START,
    BUS_POSEIDON,
    BUS_RANGE,
    StatementShape,
)
from engine.proving.statement import build_statement
from engine.proving.tables.poseidon import CAPACITY_HALF, RATE_HALF
from engine.stark.air.table import Statement
from tests.support.soundness import attacks_leaves as leaves
from tests.support.soundness import attacks_money as money
from tests.support.soundness.adversaries_path import CHOSEN, TOP
from tests.support.soundness.adversaries_poseidon import Fault, faulty_row, new_account, with_faulty_permutation
from tests.support.soundness.attacks_leaves import MARKET, new_leaf
from tests.support.soundness.attacks_paths import quiet_update
from tests.support.soundness.forgery import SMALL, Forgery, close_batch, forge, one_update, trader, words_of
from tests.support.soundness.mutation import without_bus, without_lookups

WIDE = StatementShape(tree_height=4, max_positions=2, limb_bits=16)
"""Limbs as wide as the venue's: only there do carries need both of their checks."""
COLLATERAL = 24
HALF = pow(2, -1, P)


@dataclass(frozen=True)
class Missing:
    """A forgery that unbalances ``bus``, and passes once lookups of a table are deleted, or a whole bus."""

    make: Callable[[], Forgery]
    bus: str
    table: str = "update"
    lookups: tuple[int, ...] = ()
    removed_bus: int = 0
    shape: StatementShape = SMALL

    def mutant(self) -> Statement:
        statement = build_statement(self.shape)
        if self.removed_bus:
            return without_bus(statement, self.removed_bus)
        return without_lookups(statement, self.table, self.lookups)

    def forgery(self) -> Forgery:
        """With hashes and counts that the mutant asks for."""
        forgery, mutant = self.make(), self.mutant()
        return forgery.hash_again(mutant).count_again(mutant)


def update_lookups(shape: StatementShape) -> list[str]:
    """Names of the update table's lookups, in order."""
    sponges = [f"{side} block {b}" for side in ("old", "new") for b in range(shape.blocks)]
    names = [*sponges, "path start", "path end", "deposit", "withdrawal", "gap"]
    for side in ("old", "new"):
        names += [*(f"{side} collateral {i}" for i in range(4)), f"{side} collateral sign"]
    names += [f"signature index {i}" for i in range(4)]
    for k in range(shape.max_positions):
        names += [f"slot {k} word {i}" for i in range(POSITION_WORDS)]
        names += [f"slot {k} ascends"] if k else []
    return names + [f"carry {i}" for i in range(3)] + [f"carry {i} doubled" for i in range(3)]


def wrong_block(side: str, block: int) -> Forgery:
    """What the sponge puts out after this block is wrong by one."""
    last = block == SMALL.blocks - 1
    half, word = (RATE_HALF, 0) if last else (CAPACITY_HALF, BLOCK)
    calls = 1 if last else SMALL.blocks - 1
    fault, skip = Fault(ROUNDS - 1, word), (0 if side == "old" else calls) + (0 if last else block)
    return with_faulty_permutation(new_account(), half, lambda inputs: faulty_row(inputs, fault), skip)


def parent_chosen(side: str) -> Forgery:
    """The last row of the path does not hash."""
    forgery = quiet_update().limbs("path", f"{side}_parent", TOP, CHOSEN)
    if side == "new":
        return forgery.new_root(CHOSEN)
    return forgery.limbs("update", "old_root", 0, CHOSEN).claim_roots()


def limb_too_large(side: str, limb: int) -> Forgery:
    """The same integer with a limb of 257: a second encoding of one balance."""
    tree = AccountTree(SMALL.tree_height, SMALL.max_positions, SMALL.limb_bits)
    tree.update(2, trader(1, 0x01010101))
    words = words_of(tree.get(2))
    words[COLLATERAL + limb], words[COLLATERAL + limb + 1] = 257, 0
    batch = close_batch(tree, {2: tree.get(2)})
    forgery = forge(batch, old_words={0: words}) if side == "old" else forge(batch, new_words={0: words})
    return forgery.settle()


def top_limbs_of_halves(side: str) -> Forgery:
    """Top limbs of 1/2 and 127 1/2, each twice a limb: together they are 128, which two honest leaves hold too.

    The two are neighbours: the first path passes the second's old leaf, the second path the first's new one.
    """
    tree = AccountTree(SMALL.tree_height, SMALL.max_positions, SMALL.limb_bits)
    tree.apply_batch({i: trader(i, 64 << 24) for i in (0, 1)})
    batch = close_batch(tree, {i: tree.get(i) for i in (0, 1)})
    changed = {}
    for row, top in enumerate((HALF, HALF + 127)):
        changed[row] = words_of(tree.get(row))
        changed[row][COLLATERAL + 3] = top % P
    passing, passed = (0, 1) if side == "old" else (1, 0)
    updates = list(batch.updates)
    siblings = (sponge_hash(changed[passed], LEAF_DOMAIN), *updates[passing].siblings[1:])
    updates[passing] = replace(updates[passing], siblings=siblings)
    batch = replace(batch, updates=tuple(updates))
    forgery = forge(batch, old_words=changed) if side == "old" else forge(batch, new_words=changed)
    for row in changed:
        forgery.set("update", f"{side}_collateral_sign", row, 0)
    return forgery.settle()


def books_closed_by(carries: list[int], changes: list[int]) -> Forgery:
    """A balance changes by these limbs, which these carries close modulo p though not over the integers."""
    tree = AccountTree(WIDE.tree_height, WIDE.max_positions, WIDE.limb_bits)
    before = sum(limb << (16 * i) for i, limb in enumerate([32_600] * 4 if min(changes) < 0 else [100] * 4))
    after = before + sum(change << (16 * i) for i, change in enumerate(changes))
    tree.update(2, trader(1, before))
    forgery = forge(close_batch(tree, {2: trader(1, after)}), shape=WIDE)
    for i, carry in enumerate(carries):
        forgery.set("update", f"carry_{i}", -1, carry)
    return forgery


def padded(values: list[int], place: int, count: int) -> list[int]:
    """``values`` from ``place`` on, zeros elsewhere."""
    return ([0] * place + values + [0] * count)[:count]


def carry_too_large(i: int) -> Forgery:
    """32512 * 2^16 = p - 1: with a limb's range but not half of it, a carry of 32512 stands for -1."""
    return books_closed_by(padded([32_512], i, 3), padded([-1, -32_512], i, 4))


def carry_of_one_half(i: int) -> Forgery:
    """1/2 and -16256 * 2^16 are the same mod p; twice (1/2 + 2^14) is a limb."""
    return books_closed_by(padded([HALF, -16_256], i, 3), padded([32_768, 0, 16_256], i, 4))


def last_carry_free() -> Forgery:
    """p quanta or so from nothing: -32512 * 2^16 = 1."""
    return books_closed_by([0, 0, -32_512], [0, 0, 1, 32_512])


def other_leaf_than_the_paths() -> Forgery:
    """The path proves one new leaf, the update table shows another."""
    proved = quiet_update()
    shown = forge(one_update(lambda a: replace(a, next_signature_index=7))).traces["update"]
    for name in proved.table("update").columns:
        if name.startswith("new_") and not name.startswith("new_root"):
            column = proved.column("update", name)
            proved.traces["update"][column] = shown[column]
    return proved


def values() -> dict[str, Callable[[], Forgery]]:
    """Lookup of the update table -> a forgery that lies in just the value it looks up (limbs of 8 bits)."""
    makers: dict[str, Callable[[], Forgery]] = {
        f"{side} block {b}": lambda side=side, b=b: wrong_block(side, b)
        for side in ("old", "new")
        for b in range(SMALL.blocks)
    }
    makers |= {"deposit": money.deposit_nobody_made, "withdrawal": money.withdrawal_nobody_sees}
    makers |= {"gap": leaves.updated_twice, "slot 1 ascends": leaves.market_twice}
    for side in ("old", "new"):
        makers |= {f"{side} collateral {i}": lambda side=side, i=i: limb_too_large(side, i) for i in range(3)}
        makers[f"{side} collateral 3"] = lambda side=side: top_limbs_of_halves(side)
    makers["old collateral sign"] = money.wrapped_with_old_sign_claimed
    makers["new collateral sign"] = money.wrapped_with_new_sign_denied
    makers |= {f"signature index {i}": lambda i=i: new_leaf({20 + i: 256}) for i in range(4)}
    for k in range(2):
        for i in range(POSITION_WORDS):
            wrong = P - 1 if (k, i) == (0, 0) else 256
            makers[f"slot {k} word {i}"] = lambda k=k, i=i, wrong=wrong: new_leaf(
                {MARKET + POSITION_WORDS * k + i: wrong}
            )
    return makers


def _lookup_adversaries() -> dict[str, Missing]:
    names, buses = update_lookups(SMALL), {"deposit": "bus external", "withdrawal": "bus external"}
    found = {
        f"update: {name}": Missing(
            make,
            "bus poseidon" if " block " in name else buses.get(name, "bus range"),
            lookups=(names.index(name),),
        )
        for name, make in values().items()
    }
    for number, side in enumerate(("old", "new")):
        found[f"path: {side} parent"] = Missing(
            lambda side=side: parent_chosen(side), "bus poseidon", table="path", lookups=(number,)
        )
    single, double = ([names.index(f"carry {i}{kind}") for i in range(3)] for kind in ("", " doubled"))
    for i in range(3):
        make = lambda i=i: carry_too_large(i)  # noqa: E731
        found[f"update: carry {i} doubled"] = Missing(make, "bus range", lookups=(double[i],), shape=WIDE)
    for i in range(2):
        make = lambda i=i: carry_of_one_half(i)  # noqa: E731
        found[f"update: carry {i}"] = Missing(make, "bus range", lookups=(single[i],), shape=WIDE)
    found["update: carry 2"] = Missing(last_carry_free, "bus range", lookups=(single[2], double[2]), shape=WIDE)
    return found


LOOKUP_ADVERSARIES = _lookup_adversaries()
"""Lookup -> what passes without it. ``carry 2`` alone is implied by its double: both are deleted there."""

BUS_ADVERSARIES = {
    "poseidon": Missing(lambda: parent_chosen("new"), "bus poseidon", removed_bus=BUS_POSEIDON),
    "range": Missing(lambda: new_leaf({20: 256}), "bus range", removed_bus=BUS_RANGE),
    "path start": Missing(other_leaf_than_the_paths, "bus path start", removed_bus=BUS_PATH_START),
    "path end": Missing(lambda: quiet_update().new_root(CHOSEN), "bus path end", removed_bus=BUS_PATH_END),
    "external": Missing(money.deposit_nobody_made, "bus external", removed_bus=BUS_EXTERNAL),
}
"""Bus -> what passes without it."""
