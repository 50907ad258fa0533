"""``bench matching``: a seeded mix of operations driven through the kernel that every :class:`OrderBook` uses.

The generator looks at the live book between calls (best prices, resting orders) and writes the next block of operation
rows: passive limit orders at a heavy-tailed distance from the best price, cancels of random resting orders, and takers
(half market orders, half limit orders through the best price, a part of them immediate-or-cancel). Prices far away,
post-only orders and whole-account cancels occur too. Cancels are steered to hold the number of resting orders near the
target depth. Only the kernel calls are timed; generation, memory growth and the running digest of fills are not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from time import perf_counter, thread_time
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from engine.book.book import OrderBook
from engine.book.layout import (
    BUY,
    CANCEL,
    CANCEL_ACCOUNT,
    FLAG_IOC,
    FLAG_MARKET,
    FLAG_POST_ONLY,
    G_REASON,
    GONE_SELF_TRADE,
    MAX_LOTS,
    MAX_ORDERS,
    O_ID,
    P_ACCOUNT,
    P_FLAGS,
    P_ID,
    P_KIND,
    P_LIMIT,
    P_LOTS,
    P_PRICE,
    P_SIDE,
    PLACE,
    R_FILL_COUNT,
    R_FILL_FIRST,
    R_FILLED,
    R_GONE_COUNT,
    R_GONE_FIRST,
    R_RESTED,
    ROW,
    SELL,
)
from engine.errors import check_range

BLOCK = 512  # operations a kernel call
START_PRICE = 618_000
ACCOUNTS = 1_000
DEPTH = 10_000
TAKER_PERCENT = 8
STATE_WORDS = 2  # random state, next order id


@njit(nogil=True, cache=True)
def _random(state: np.ndarray, bound: int) -> int:
    """Next number in [0, bound) of a 63-bit xorshift."""
    x = state[0]
    x ^= (x << 13) & 0x7FFFFFFFFFFFFFFF
    x ^= x >> 7
    x ^= (x << 17) & 0x7FFFFFFFFFFFFFFF
    state[0] = x
    return (x >> 12) % bound


@njit(nogil=True, cache=True)
def _distance(state: np.ndarray) -> int:
    """Ticks behind the best price: mostly few, sometimes inside the spread, rarely very far."""
    draw = _random(state, 1000)
    if draw < 80:
        return -1 - _random(state, 2)
    if draw < 995:
        scale = 1 << _random(state, 9)
        return _random(state, 2 * scale)
    return _random(state, 200_000)


@njit(nogil=True, cache=True)
def _write_order(op: np.ndarray, state: np.ndarray, bid: int, ask: int) -> None:
    """A passive order or a taker."""
    side = BUY if _random(state, 2) == 0 else SELL
    sign = -1 if side == BUY else 1
    op[P_KIND] = PLACE
    op[P_ID] = state[1]
    state[1] += 1
    op[P_ACCOUNT] = _random(state, ACCOUNTS)
    op[P_SIDE] = side
    op[P_LOTS] = 1 + _random(state, 1 << _random(state, 10))
    op[P_LIMIT] = MAX_LOTS
    op[P_FLAGS] = 0
    best = bid if side == BUY else ask
    op[P_PRICE] = max(1, best + sign * _distance(state))
    if _random(state, 100) < 10:
        op[P_FLAGS] = FLAG_POST_ONLY


@njit(nogil=True, cache=True)
def _make_taker(op: np.ndarray, state: np.ndarray, bid: int, ask: int) -> None:
    """Turn a passive order into a taker: market, or limit a little through the other side's best price."""
    op[P_FLAGS] = FLAG_MARKET
    if _random(state, 2) == 0:
        reach = _random(state, 3)
        op[P_PRICE] = ask + reach if op[P_SIDE] == BUY else bid - reach
        op[P_FLAGS] = FLAG_IOC if _random(state, 2) == 0 else 0


@njit(nogil=True, cache=True)
def generate(
    orders: np.ndarray, bid: int, ask: int, resting: int, depth: int, state: np.ndarray, out: np.ndarray
) -> None:
    """Fill the rows of ``out`` from the resting orders (the order pool) and the best prices."""
    slots = len(orders) // ROW
    fill = resting < depth * 9 // 10
    cancel_share = 44 + (6 if resting > depth else 0)
    for row in range(len(out) // ROW):
        op = out[row * ROW : row * ROW + ROW]
        op[:] = 0
        draw = _random(state, 100)
        if not fill and draw < cancel_share:
            op[P_KIND] = CANCEL
            op[P_ID] = max(1, state[1] - 1)
            for _ in range(64):
                slot = 1 + _random(state, slots - 1)
                if orders[slot * ROW + O_ID] != 0:
                    op[P_ID] = orders[slot * ROW + O_ID]
                    break
            if _random(state, 2000) == 0:
                op[P_KIND] = CANCEL_ACCOUNT
                op[P_ACCOUNT] = _random(state, ACCOUNTS)
        else:
            _write_order(op, state, bid, ask)
            if not fill and draw >= 100 - TAKER_PERCENT:
                _make_taker(op, state, bid, ask)


def seeded(seed: int) -> np.ndarray:
    """The generator's state before its first operation."""
    return np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % (1 << 62) + 1, 1], np.int64)


class Block(NamedTuple):
    """One kernel call: flat rows (layout.P_*, R_*, F_*, G_*) of its operations and outputs, its wall and CPU seconds.

    The arrays are overwritten by the next block.
    """

    operations: np.ndarray
    results: np.ndarray
    fills: np.ndarray
    gone: np.ndarray
    seconds: float
    cpu_seconds: float


def drive(book: OrderBook, operations: int, seed: int, depth: int = DEPTH) -> Iterator[Block]:
    """Run ``operations`` generated operations through a book, one block at a time."""
    state = seeded(seed)
    rows, results = np.zeros(BLOCK * ROW, np.int64), np.zeros(BLOCK * ROW, np.int64)
    remaining = operations
    while remaining:
        count = min(BLOCK, remaining)
        remaining -= count
        bid = book.best_bid or START_PRICE - 1
        ask = book.best_ask or START_PRICE + 1
        generate(book.order_pool, bid, ask, book.count, depth, state, rows[: count * ROW])
        done = 0
        while done < count:
            first, cpu_started, started = done, thread_time(), perf_counter()
            done = book.run(rows, results, first, count)
            seconds, cpu_seconds = perf_counter() - started, thread_time() - cpu_started
            block = slice(first * ROW, done * ROW)
            yield Block(rows[block], results[block], book.fills, book.gone, seconds, cpu_seconds)


class _Tally:
    """Counts over many blocks, and a running digest of every fill."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0
        self.counts = dict.fromkeys(
            ("operations", "add", "cancel", "trade", "refused", "fills", "self_trade_cancels", "lots"), 0
        )
        self.resting: list[int] = []
        self.fills = hashlib.sha256()

    def add(self, block: Block, resting: int) -> None:
        """Count one block."""
        operations, results = block.operations.reshape(-1, ROW), block.results.reshape(-1, ROW)
        if not len(operations):
            return
        self.seconds += block.seconds
        self.cpu_seconds += block.cpu_seconds
        place = operations[:, P_KIND] == PLACE
        trade = place & (results[:, R_FILL_COUNT] > 0)
        rested = place & ~trade & (results[:, R_RESTED] > 0)
        gone = int(results[-1, R_GONE_FIRST] + results[-1, R_GONE_COUNT])
        fills = int(results[-1, R_FILL_FIRST] + results[-1, R_FILL_COUNT])
        counts = self.counts
        counts["operations"] += len(operations)
        counts["add"] += int(rested.sum())
        counts["cancel"] += int((~place).sum())
        counts["trade"] += int(trade.sum())
        counts["refused"] += int((place & ~trade & ~rested).sum())
        counts["fills"] += fills
        counts["lots"] += int(results[:, R_FILLED].sum())
        counts["self_trade_cancels"] += int((block.gone.reshape(-1, ROW)[:gone, G_REASON] == GONE_SELF_TRADE).sum())
        self.resting.append(resting)
        self.fills.update(block.fills[: fills * ROW].tobytes())


def run_matching_benchmark(operations: int = 2_000_000, seed: int = 1, depth: int = DEPTH) -> dict[str, Any]:
    """Operations a second of the matching kernel, after the book has reached its depth.

    Returns ``value`` (operations/s of timed kernel calls on this thread), ``shares`` of the operations (add: rested
    without trading; trade: at least one fill; cancel; refused: post-only or nothing to trade with), ``depth`` (resting
    orders and prices), ``fills`` and ``parameters``. ``operations`` in [1, 10^9].
    """
    check_range("operations", operations, 1, 1_000_000_000)
    check_range("seed", seed, 0, 1 << 31)
    check_range("depth", depth, 100, MAX_ORDERS // 4)
    book = OrderBook()
    warm_up = 4 * depth
    tally = _Tally()
    for number, block in enumerate(drive(book, warm_up + operations, seed, depth)):
        if number * BLOCK >= warm_up:
            tally.add(block, book.count)
    counts = tally.counts
    bids, asks = book.depth(MAX_ORDERS)
    done = counts["operations"]
    return {
        "value": done / tally.seconds,
        "unit": "operations/s",
        "shares": {name: counts[name] / done for name in ("add", "cancel", "trade", "refused")},
        "depth": {
            "orders_min": min(tally.resting),
            "orders_max": max(tally.resting),
            "bid_prices": len(bids),
            "ask_prices": len(asks),
        },
        "fills": {
            "count": counts["fills"],
            "lots": counts["lots"],
            "self_trade_cancels": counts["self_trade_cancels"],
            "digest": tally.fills.hexdigest(),
            "book_digest": book.digest().hex(),
        },
        "parameters": {
            "operations": done,
            "warm_up_operations": warm_up,
            "seed": seed,
            "accounts": ACCOUNTS,
            "operations_per_call": BLOCK,
            "threads": 1,
            "seconds": tally.seconds,
            "cpu_seconds": tally.cpu_seconds,
        },
    }
