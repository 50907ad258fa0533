"""Attacks on amounts: money from nothing, integers that wrap, flows that the verifier was not told."""

from __future__ import annotations

from dataclasses import replace

from engine.exchange.tree import AccountTree
from engine.field.koalabear import P
from engine.proving.shape import StatementShape
from engine.sequencer.batch import Batch, ExternalFlow
from engine.stark.air.table import PublicTerm
from tests.support.soundness.forgery import (
    SMALL,
    Forgery,
    close_batch,
    forge,
    honest,
    one_update,
    opened_tree,
    trader,
    words_of,
)


def richer(amount: int, **flows: dict[int, int]) -> Batch:
    """Account 9 gains an amount."""
    return one_update(lambda a: replace(a, collateral=a.collateral + amount), **flows)


def invented_money() -> Forgery:
    return forge(richer(5)).settle()


def burned_money() -> Forgery:
    return forge(richer(-5)).settle()


def invented_money_with_fractional_carries() -> Forgery:
    """Carries that solve the limb equations mod p: 5 / 256, and so on."""
    forgery = forge(richer(5))
    inverse, carry = pow(256, -1, P), 0
    for i in range(3):
        carry = (forgery.get("update", f"sum_{i}", -1) + carry) * inverse % P
        forgery.set("update", f"carry_{i}", -1, carry)
    return forgery.count()


def invented_p_quanta() -> Forgery:
    """Exactly p quanta from nothing: every equation holds mod p, only the carries are no small integers."""
    tree = opened_tree()
    rich = replace(tree.get(9), collateral=tree.get(9).collateral + P - 1000)
    forgery = forge(close_batch(tree, {9: replace(rich, collateral=255 + P)}))
    inverse, carry = pow(256, -1, P), 0
    for i in range(3):
        carry = (forgery.get("update", f"sum_{i}", -1) + carry) * inverse % P
        forgery.set("update", f"carry_{i}", -1, carry)
    return forgery.count()


def balances_wrapped_around(new_sign: int = 1, old_sign: int = 0, shape: StatementShape = SMALL) -> Forgery:
    """The largest balance plus a deposit of 1 becomes the most negative one."""
    tree = AccountTree(shape.tree_height, shape.max_positions, shape.limb_bits)
    tree.update(3, trader(3, (1 << 31) - 1))
    batch = close_batch(tree, {3: trader(3, -(1 << 31))}, deposits={3: 1})
    forgery = forge(batch, shape=shape)
    forgery.set("update", "new_collateral_sign", 0, new_sign).set("update", "old_collateral_sign", 0, old_sign)
    return forgery.settle()


def wrapped_with_new_sign_denied() -> Forgery:
    return balances_wrapped_around(new_sign=0)


def wrapped_with_old_sign_claimed() -> Forgery:
    return balances_wrapped_around(new_sign=1, old_sign=1)


def fractional_sign(side: str, change: int, sign: int) -> Forgery:
    """A 'sign' that is no bit but passes its limb check moves what the balance counts for by 2 * 2^24 quanta."""
    return forge(richer(change)).set("update", f"{side}_collateral_sign", 0, sign).settle_signs()


def money_minted_by_a_fractional_old_sign() -> Forgery:
    """-1/128: twice (0 + 1) is a limb."""
    return fractional_sign("old", 1 << 25, -pow(128, -1, P))


def money_burned_by_a_fractional_new_sign() -> Forgery:
    """127/128: twice (254 - 127) is a limb."""
    return fractional_sign("new", -(1 << 25), 127 * pow(128, -1, P))


def limb_too_large(name: str = "new") -> Forgery:
    """The same integer with a limb of 2^8 + something: a second encoding of one balance."""
    tree = opened_tree()
    batch = one_update(lambda a: a, account=2)
    words = words_of(tree.get(2))
    words[24], words[25] = words[24] + 256, words[25] - 1
    return forge(batch, **{f"{name}_words": {0: words}}).settle()


def old_limb_too_large() -> Forgery:
    return limb_too_large("old")


def deposit_nobody_made() -> Forgery:
    """The trace takes a deposit that the verifier was not told about."""
    batch = richer(5, deposits={9: 5})
    return forge(batch, told=replace(batch, deposits=()))


def deposit_kept_by_the_operator() -> Forgery:
    batch = richer(0)
    return forge(batch, told=replace(batch, deposits=(ExternalFlow(9, batch.updates[0].new.l1_address, 5),)))


def withdrawal_nobody_sees() -> Forgery:
    batch = richer(-5, withdrawals={9: 5})
    return forge(batch, told=replace(batch, withdrawals=()))


def told_withdrawal(**change: object) -> Forgery:
    batch = richer(-5, withdrawals={9: 5})
    return forge(batch, told=replace(batch, withdrawals=(replace(batch.withdrawals[0], **change),)))


def withdrawal_to_another_owner() -> Forgery:
    return told_withdrawal(owner=bytes(20))


def withdrawal_of_another_account() -> Forgery:
    return told_withdrawal(account=8)


def withdrawal_of_more() -> Forgery:
    return told_withdrawal(amount=6)


def withdrawal_told_as_deposit() -> Forgery:
    batch = richer(-5, withdrawals={9: 5})
    return forge(batch, told=replace(batch, deposits=batch.withdrawals, withdrawals=()))


def amount_without_flag() -> Forgery:
    return forge(richer(5)).set("update", "deposit_0", 0, 5).settle()


def withdrawal_without_flag() -> Forgery:
    return forge(richer(-5)).set("update", "withdrawal_0", 0, 5).settle()


def deposit_listed_twice_taken_once() -> Forgery:
    """Two equal public terms answered by one row with flag 2."""
    forgery = forge(richer(5, deposits={9: 5})).set("update", "deposit_flag", 0, 2)
    return replace(forgery, terms=forgery.terms * 2)


def withdrawal_listed_twice() -> Forgery:
    forgery = forge(richer(-5, withdrawals={9: 5})).set("update", "withdrawal_flag", 0, 2)
    return replace(forgery, terms=forgery.terms * 2)


def flows_on_a_padding_row() -> Forgery:
    """Padding takes a deposit and pays it out again to an address in no leaf."""
    forgery = honest()
    for name in ("deposit", "withdrawal"):
        forgery.set("update", f"{name}_flag", 6, 1).set("update", f"{name}_1", 6, 7)
    extra = tuple(PublicTerm(5, -1, (kind, 0, *([0] * 10), 0, 7, 0, 0)) for kind in (0, 1))
    return replace(forgery.settle(), terms=forgery.terms + extra)


def money_hidden_in_padding() -> Forgery:
    """The missing 5 quanta sit in the 'new collateral' of a padding row."""
    return forge(richer(-5)).set("update", "new_collateral_0", 5, 5).settle()


def debt_hidden_in_an_absent_old_leaf() -> Forgery:
    return forge(richer(5)).set("update", "old_collateral_0", 5, 5).settle()


def sums_started_elsewhere() -> Forgery:
    """5 quanta more: the limbs change by -251 and 1; a first sum of -256 makes it 0."""
    return forge(richer(5)).set("update", "sum_0", slice(None), -256)


def sums_that_forget() -> Forgery:
    return forge(richer(5)).set("update", "sum_0", slice(1, None), -256)


def two_debts_forgiven() -> Forgery:
    """Two debts of 2^31 vanish: limbs change by -256 at the top, signs by -2, which is 2^32 quanta from nothing."""
    shape = StatementShape(4, 0, 8)
    tree = AccountTree(4, 0, 8)
    tree.apply_batch({i: trader(i, -(1 << 31)) for i in (1, 2)})
    return forge(close_batch(tree, {i: trader(i, 0) for i in (1, 2)}), shape=shape)


def signs_started_elsewhere() -> Forgery:
    return two_debts_forgiven().set("update", "sign_sum", 0, 0).set("update", "sign_sum", slice(1, None), -1)


def signs_that_forget() -> Forgery:
    return two_debts_forgiven().set("update", "sign_sum", slice(1, None), -1)


MONEY = {
    invented_money: {"update: limb closes"},
    burned_money: {"update: limb closes"},
    invented_money_with_fractional_carries: {"update: limb closes", "bus range"},
    invented_p_quanta: {"bus range"},
    balances_wrapped_around: {"update: limb closes"},
    wrapped_with_new_sign_denied: {"bus range"},
    wrapped_with_old_sign_claimed: {"bus range"},
    limb_too_large: {"bus range"},
    old_limb_too_large: {"bus range"},
    deposit_nobody_made: {"bus external"},
    deposit_kept_by_the_operator: {"bus external"},
    withdrawal_nobody_sees: {"bus external"},
    withdrawal_to_another_owner: {"bus external"},
    withdrawal_of_another_account: {"bus external"},
    withdrawal_of_more: {"bus external"},
    withdrawal_told_as_deposit: {"bus external"},
    amount_without_flag: {"update: deposit limb is zero without flag"},
    withdrawal_without_flag: {"update: withdrawal limb is zero without flag"},
    deposit_listed_twice_taken_once: {"update: deposit flag is boolean", "update: deposit limb is zero without flag"},
    withdrawal_listed_twice: {"update: withdrawal flag is boolean", "update: withdrawal limb is zero without flag"},
    flows_on_a_padding_row: {"update: deposit only on real rows", "update: withdrawal only on real rows"},
    money_hidden_in_padding: {"update: new collateral of an absent leaf is zero"},
    debt_hidden_in_an_absent_old_leaf: {"update: old collateral of an absent leaf is zero"},
    sums_started_elsewhere: {"update: sum starts"},
    sums_that_forget: {"update: sum goes on"},
    two_debts_forgiven: {"update: limb closes"},
    signs_started_elsewhere: {"update: sign sum starts"},
    signs_that_forget: {"update: sign sum goes on"},
    money_minted_by_a_fractional_old_sign: {"update: old collateral sign is boolean"},
    money_burned_by_a_fractional_new_sign: {"update: new collateral sign is boolean"},
}
"""Each attack with exactly what it breaks (numbers of limbs and words left out)."""
