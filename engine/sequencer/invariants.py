"""What must hold after every input, checked from scratch. ``docs/invariants.md`` lists it with what would break it."""

from __future__ import annotations

from engine.errors import OutOfRange
from engine.exchange.admission import reducible
from engine.exchange.deleveraging import total_value
from engine.exchange.tree import AccountTree
from engine.sequencer.core import VenueCore
from engine.sequencer.prices import most_apart
from engine.sequencer.solvency import shortfall, withdrawable


def invariants(core: VenueCore) -> dict[str, bool | str]:
    """Each invariant's name: True, or the discrepancy in words."""
    return {
        "collateral_conserved": _collateral_conserved(core),
        "collateral_not_negative": _collateral_not_negative(core),
        "bankrupt_in_deleveraging": _bankrupt_in_deleveraging(core),
        "insurance_not_negative": _insurance_not_negative(core),
        "withdrawable_is_held": _withdrawable_is_held(core),
        "open_interest_balanced": _open_interest_balanced(core),
        "mark_within_bound": _mark_within_bound(core),
        "book_uncrossed": _book_uncrossed(core),
        "orders_match_books": _orders_match_books(core),
        "reduce_only_reduces": _reduce_only_reduces(core),
        "root_rebuilt": _root_rebuilt(core),
        "l1_agrees": core.l1_contradiction or True,
    }


def _collateral_conserved(core: VenueCore) -> bool | str:
    total, expected = sum(state.collateral for state in core.accounts.values()), core.counters.collateral
    return total == expected or f"leaves hold {total} quanta, deposits less withdrawals are {expected}"


def _collateral_not_negative(core: VenueCore) -> bool | str:
    left = core.counters.collateral
    return left >= 0 or f"{-left} quanta more were withdrawn than deposited"


def _bankrupt_in_deleveraging(core: VenueCore) -> bool | str:
    for account_id, state in core.accounts.items():
        value = total_value(state, core.terms)
        if value < 0 and account_id not in core.deleveraging:
            return f"account {account_id} is worth {value >> 32} quanta and is not in deleveraging"
    return True


def _insurance_not_negative(core: VenueCore) -> bool | str:
    left = core.balance(core.config.insurance_account)
    return left >= 0 or f"the insurance account holds {left} quanta"


def _withdrawable_is_held(core: VenueCore) -> bool | str:
    """What all accounts may take out together is there. An account whose margin leaves its format may take nothing."""
    total, found = 0, shortfall(core)
    for account_id, state in core.accounts.items():
        if not core.is_system(account_id):
            try:
                total += withdrawable(core, state, found)
            except OutOfRange:
                continue
    held = core.counters.collateral
    return total <= held or f"{total} quanta may be withdrawn, {held} are held"


def _open_interest_balanced(core: VenueCore) -> bool | str:
    for index, market_id in enumerate(core.market_ids):
        sizes = [state.positions[index].size for state in core.accounts.values()]
        if sum(sizes):
            return f"positions in market {market_id} add up to {sum(sizes)} lots, not 0"
        longs = sum(size for size in sizes if size > 0)
        if longs != core.prices[index].open_interest:
            return (
                f"open interest in market {market_id} is kept as {core.prices[index].open_interest}, longs are {longs}"
            )
    return True


def _mark_within_bound(core: VenueCore) -> bool | str:
    for market, prices in zip(core.markets, core.prices, strict=True):
        apart, most = abs(prices.mark_fixed - prices.index_fixed), most_apart(prices.index_fixed, market.mark_bound)
        if apart > most:
            return f"market {market.market_id}: mark and index are {apart} apart (32.32), {most} are allowed"
    return True


def _book_uncrossed(core: VenueCore) -> bool | str:
    for market_id, book in zip(core.market_ids, core.books, strict=True):
        if not book.uncrossed():
            return f"market {market_id}: bid {book.best_bid} reaches ask {book.best_ask}"
    return True


def _orders_match_books(core: VenueCore) -> bool | str:
    """Registry, books and the accounts' totals of resting lots and notional, without reduce-only, tell the same."""
    if len(core.orders) != sum(book.count for book in core.books):
        return f"{len(core.orders)} orders are registered, the books hold {sum(book.count for book in core.books)}"
    totals: dict[tuple[int, int], list[int]] = {}
    for order in core.orders:
        index = core.market_index(order.market)
        found = core.books[index].find(order.order_id)
        if found is None or found[0] != order.account or found[1][1:] != (order.side, order.price, order.lots):
            return f"order {order.order_id} is registered as {order}, the book has {found}"
        if order.reduce_only:
            continue
        sums = totals.setdefault((order.account, index), [0, 0, 0, 0])
        first = 0 if order.buy else 2
        sums[first] += order.lots
        sums[first + 1] += order.lots * order.price * core.terms[index].tick_value
    for account_id, state in core.accounts.items():
        for place, position in enumerate(state.positions):
            kept = [position.buy_lots, position.buy_notional, position.sell_lots, position.sell_notional]
            if kept != totals.get((account_id, place), [0, 0, 0, 0]):
                return (
                    f"account {account_id} keeps order totals {kept}, its orders give {totals.get((account_id, place))}"
                )
    return True


def _reduce_only_reduces(core: VenueCore) -> bool | str:
    """No resting reduce-only order is larger than the position that it may reduce."""
    for order in core.orders:
        size = core.accounts[order.account].positions[core.market_index(order.market)].size
        if order.reduce_only and order.lots > reducible(size, order.buy):
            return f"reduce-only order {order.order_id} rests with {order.lots} lots, the position is {size}"
    return True


def _root_rebuilt(core: VenueCore) -> bool | str:
    """A tree built from the leaves of the last closed batch has the committed root; untouched leaves are current."""
    committed = core.batches.tree
    tree = AccountTree(core.config.tree_height, len(core.markets))
    root = tree.apply_batch(dict(committed.accounts()))[1]
    if root != committed.root:
        return f"rebuilt root {root} is not the committed root {committed.root}"
    for account_id in core.accounts:
        if account_id not in core.batches.open.touched and core.leaf(account_id) != committed.get(account_id):
            return f"account {account_id} changed outside a batch"
    return True
