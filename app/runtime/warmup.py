"""First launch: compile every kernel once, with progress. Later launches find them in numba's cache.

The desk compiles what trading needs before it opens and the prover's kernels in the background, on the prover's thread.
The engine is imported inside the functions: some of its kernels are compiled when their module is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from numba.core import event

from app.runtime import jit_cache
from engine.units import AccountId, OrderId

if TYPE_CHECKING:
    from engine.sequencer.batch import Batch

Progress = Callable[[str, float], None]
TRADING_KERNELS, PROVER_KERNELS = 37, 37
"""About how many functions numba compiles for each: only how far the bar is depends on them."""
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
    with told("the order book and the accounts tree", TRADING_KERNELS, progress):
        _book()
        _batch()


def warm_up_prover(progress: Progress) -> None:
    """Prove and verify the smallest batch; then this build's cache is complete."""
    with told("the prover", PROVER_KERNELS, progress):
        from engine.exchange.config import DEFAULT_CONFIG
        from engine.proving.prover import prove_batch, verify_file

        verify_file(prove_batch(_batch(), DEFAULT_CONFIG).file)
    jit_cache.mark_warm()


@contextmanager
def told(what: str, expected: int, progress: Progress) -> Iterator[None]:
    """Tell each function that numba compiles meanwhile: its number, of about how many, and how far that is.

    What ``progress`` raises ends the compilation.
    """
    stage = f"first launch, compiling {what}"
    progress(stage, 0.0)
    listener = _Compilations(
        lambda count: progress(f"{stage}: {count} of about {max(expected, count)} kernels", min(0.99, count / expected))
    )
    with event.install_listener("numba:compile", listener):
        yield


class _Compilations(event.Listener):
    """Counts functions whose compilation begins; those found in the cache are none."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._count = 0

    def on_start(self, event: Any) -> None:
        self._count += 1
        self._tell(self._count)

    def on_end(self, event: Any) -> None:
        """Nothing: the next one's beginning tells."""


def _book() -> None:
    from engine.book.book import OrderBook

    book = OrderBook()
    book.place(OrderId(1), AccountId(1), "sell", 5, 100)
    book.place(OrderId(2), AccountId(2), "buy", 2, 100)
    book.walk("buy", 1)
    book.depth(5)
    book.lots_ahead(OrderId(1))
    book.cancel(OrderId(1))
    book.cancel_account(AccountId(2))
    OrderBook.load(book.dump())


def _batch() -> Batch:
    """One deposit into an empty tree: the smallest batch that is true."""
    from engine.exchange.accounts import Account
    from engine.exchange.config import DEFAULT_CONFIG
    from engine.exchange.tree import AccountTree
    from engine.sequencer.batch import Batch, ExternalFlow

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
