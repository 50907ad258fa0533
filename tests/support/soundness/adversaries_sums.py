"""An adversary for each constraint of the update table on flows and on the conservation of collateral."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.proving.shape import BUS_EXTERNAL
from engine.proving.tables.update import DEPOSIT, WITHDRAWAL
from engine.stark.air.table import PublicTerm
from tests.support.soundness import attacks_money as money
from tests.support.soundness.attacks_money import richer
from tests.support.soundness.forgery import Forgery, forge, one_update

PADDING = 6
KINDS = {"deposit": DEPOSIT, "withdrawal": WITHDRAWAL}
SIGNS = {"deposit": 1, "withdrawal": -1}


def told(kind: str, account: int, address: list[int], amount: list[int]) -> PublicTerm:
    """The verifier's term of a flow."""
    return PublicTerm(BUS_EXTERNAL, -1, (KINDS[kind], account, *address, *amount))


def flow_of_nothing_twice(kind: str) -> Forgery:
    """A flag of 2 answers two listed flows of 0."""
    forgery = forge(richer(0)).set("update", f"{kind}_flag", 0, 2)
    address = [forgery.get("update", f"address_{i}", 0) for i in range(10)]
    return replace(forgery, terms=(told(kind, 9, address, [0] * 4),) * 2)


def flow_on_a_padding_row(kind: str) -> Forgery:
    """Somebody's balance pays for a flow of no account, to an address in no leaf."""
    forgery = forge(richer(7 * SIGNS[kind]))
    forgery.set("update", f"{kind}_flag", PADDING, 1).set("update", f"{kind}_0", PADDING, 7)
    return replace(forgery.settle(), terms=(told(kind, 0, [0] * 10, [7, 0, 0, 0]),))


def flow_without_flag(kind: str, limb: int) -> Forgery:
    """Money that the trace takes for a flow, which no list mentions."""
    change = SIGNS[kind] * (5 << (8 * limb))
    return forge(richer(change)).set("update", f"{kind}_{limb}", 0, 5).settle()


def hidden_in_an_absent_leaf(side: str, limb: int) -> Forgery:
    """What balances the books is the collateral of a padding row."""
    change = (5 << (8 * limb)) * (1 if side == "old" else -1)
    return forge(richer(change)).set("update", f"{side}_collateral_{limb}", PADDING, 5).settle()


def minted(limb: int) -> Forgery:
    """One unit of a limb from nothing: just this limb's sum is 1."""
    return forge(one_update(lambda a: replace(a, collateral=a.collateral + (1 << (8 * limb))), account=2))


def sum_from_zero(limb: int) -> Forgery:
    return minted(limb).set("update", f"sum_{limb}", slice(None), 0)


def sum_forgets(limb: int) -> Forgery:
    return minted(limb).set("update", f"sum_{limb}", slice(1, None), 0)


SUMS: dict[str, Callable[[], Forgery]] = {
    **{f"{kind} flag is boolean": lambda kind=kind: flow_of_nothing_twice(kind) for kind in KINDS},
    **{f"{kind} only on real rows": lambda kind=kind: flow_on_a_padding_row(kind) for kind in KINDS},
    **{
        f"{kind} limb {i} is zero without flag": lambda kind=kind, i=i: flow_without_flag(kind, i)
        for kind in KINDS
        for i in range(4)
    },
    **{
        f"{side} collateral {i} of an absent leaf is zero": lambda side=side, i=i: hidden_in_an_absent_leaf(side, i)
        for side in ("old", "new")
        for i in range(4)
    },
    "old collateral sign is boolean": money.money_minted_by_a_fractional_old_sign,
    "new collateral sign is boolean": money.money_burned_by_a_fractional_new_sign,
    **{f"sum {i} starts": lambda i=i: sum_from_zero(i) for i in range(4)},
    **{f"sum {i} goes on": lambda i=i: sum_forgets(i) for i in range(4)},
    **{f"limb {i} closes": lambda i=i: minted(i) for i in range(4)},
    "sign sum starts": money.signs_started_elsewhere,
    "sign sum goes on": money.signs_that_forget,
}
"""Constraint -> a forgery that breaks it alone."""
