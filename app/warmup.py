"""First launch: compile every kernel once, with progress. Later launches find them in numba's cache.

The desk compiles what trading needs before it opens and the prover's kernels in the background, on the prover's thread.
"""

from __future__ import annotations

from collections.abc import Callable

from app import jit_cache
from engine.book.book import OrderBook
from engine.exchange.accounts import Account
from engine.exchange.config import DEFAULT_CONFIG
from engine.exchange.tree import AccountTree
from engine.sequencer.batch import Batch, ExternalFlow

Progress = Callable[[str, float], None]
OWNER = bytes(range(1, 21))


def warm_up(progress: Progress) -> None:
    """Everything, for commands that prove at once. Does nothing when an earlier launch of this build completed it."""
    if not jit_cache.is_warm():
        warm_up_trading(progress)
        warm_up_prover(progress)


def warm_up_trading(progress: Progress) -> None:
    """What the book and the accounts tree need: a user can trade after this."""
    if jit_cache.is_warm():
        return
    progress("compiling the order book", 0.2)
    _book()
    progress("compiling the accounts tree", 0.7)
    _batch()


def warm_up_prover(progress: Progress) -> None:
    """Prove and verify the smallest batch; then this build's cache is complete."""
    progress("compiling the prover", 0.0)
    from engine.proving.prover import prove_batch, verify_file

    proved = prove_batch(
        _batch(),
        DEFAULT_CONFIG,
        progress=lambda stage, fraction: progress(f"compiling the prover: {stage}", 0.9 * fraction),
    )
    progress("compiling the verifier", 0.95)
    verify_file(proved.file)
    jit_cache.mark_warm()


def _book() -> None:
    book = OrderBook()
    book.place(1, 1, "sell", 5, 100)
    book.place(2, 2, "buy", 2, 100)
    book.walk("buy", 1)
    book.depth(5)
    book.lots_ahead(1)
    book.cancel(1)
    book.cancel_account(2)
    OrderBook.load(book.dump())


def _batch() -> Batch:
    """One deposit into an empty tree: the smallest batch that is true."""
    config = DEFAULT_CONFIG
    tree = AccountTree(config.tree_height, len(config.markets))
    old_root = tree.root
    account = config.first_user_account
    updates, new_root = tree.apply_batch({account: Account(version=1, l1_address=OWNER, collateral=1)})
    return Batch(
        number=1,
        old_root=old_root,
        new_root=new_root,
        updates=updates,
        deposits=(ExternalFlow(account, OWNER, 1),),
        withdrawals=(),
        transactions=1,
        first_sequence=1,
        last_sequence=1,
        opened_at=0,
        closed_at=1,
    )
