"""True proofs of wrong statements: what today's statement does not cover, shown by doing it.

Each proof here is accepted. The day one is refused, this test fails: then it moves to the attacks that are refused, and
the words in ``engine/proving/coverage.py`` change with it. Until then the operator's gate on ``update_state`` and the
contract's queue stand before it (``test_exchange_queue``).
"""

from __future__ import annotations

from dataclasses import replace

from engine.exchange.accounts import Account
from engine.exchange.config import DEFAULT_CONFIG, config_hash
from engine.exchange.tree import AccountTree
from engine.proving.coverage import NOT_COVERED
from engine.proving.prover import prove_batch, verify_file
from engine.proving.statement import claim_of
from engine.sequencer.batch import Batch
from tests.support.proving_batches import close_batch

VICTIM, THIEF = 40, 50
STOLEN = 10**9


def trader(owner: int, collateral: int = 1000) -> Account:
    return Account(version=1, l1_address=bytes([owner]) * 20, collateral=collateral)


def batch_of(deposits: dict[int, int], withdrawals: dict[int, int]) -> Batch:
    """Both accounts only use up a signature index; the flows are what is claimed of it."""
    tree = AccountTree(DEFAULT_CONFIG.tree_height, len(DEFAULT_CONFIG.markets))
    before = {VICTIM: trader(0x11), THIEF: trader(0x22)}
    tree.apply_batch(before)
    changes = {account: replace(leaf, next_signature_index=1) for account, leaf in before.items()}
    return close_batch(tree, changes, deposits, withdrawals)


def test_equal_roots_prove_a_deposit_of_the_victim_that_is_paid_out_to_the_thief() -> None:
    honest, theft = batch_of({}, {}), batch_of({VICTIM: STOLEN}, {THIEF: STOLEN})
    assert (honest.old_root, honest.new_root) == (theft.old_root, theft.new_root)
    verified = verify_file(prove_batch(theft, DEFAULT_CONFIG).file)
    assert verified.claim == claim_of(theft, config_hash(DEFAULT_CONFIG))
    assert [(flow.account, flow.amount) for flow in verified.claim.withdrawals] == [(THIEF, STOLEN)]
    assert "A deposit is proved to enter the total, not to be credited to its account." in NOT_COVERED


def test_equal_roots_prove_a_deposit_that_is_credited_to_nobody() -> None:
    """The same in one account: taken from the queue and paid straight back, with no trace in the leaf."""
    batch = batch_of({VICTIM: 5}, {VICTIM: 5})
    assert batch.new_root == batch_of({}, {}).new_root
    assert verify_file(prove_batch(batch, DEFAULT_CONFIG).file).claim.deposits[0].amount == 5
