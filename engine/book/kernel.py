"""Price-time-priority matching: the one kernel behind :class:`engine.book.book.OrderBook` and ``bench matching``.

Order ids must grow strictly, so time priority is id order and a dump sorted by id rebuilds the same book.

Self-trade rule: *cancel resting*. A maker of the taker's own account is cancelled when the taker reaches it, and the
taker goes on. A post-only order is refused when it would reach any maker, its own account's included.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.book.layout import (
    BUY,
    CANCEL_ACCOUNT,
    F_LOTS,
    F_MAKER,
    F_MAKER_ACCOUNT,
    F_MAKER_LEFT,
    F_PRICE,
    F_SIDE,
    F_TAKER,
    F_TAKER_ACCOUNT,
    FLAG_IOC,
    FLAG_MARKET,
    FLAG_POST_ONLY,
    G_ACCOUNT,
    G_AFTER,
    G_CAUSE,
    G_ID,
    G_LOTS,
    G_PRICE,
    G_REASON,
    G_SIDE,
    GONE_CANCELLED,
    GONE_SELF_TRADE,
    H_ACCOUNT_ROOM,
    H_ACCOUNTS,
    H_BEST,
    H_COUNT,
    H_FREE_ORDER,
    H_LAST_ID,
    H_LIMIT,
    H_NODE_COUNT,
    H_NODE_ROOM,
    H_STOP,
    IOC,
    KEY_MAX,
    L_HEAD,
    L_LOTS,
    L_PRICE,
    L_SIDE,
    LIMIT,
    NODES_PER_LEVEL,
    NONE,
    O_ACCOUNT,
    O_ANEXT,
    O_ID,
    O_LEVEL,
    O_LOTS,
    P_ACCOUNT,
    P_FLAGS,
    P_ID,
    P_KIND,
    P_LIMIT,
    P_LOTS,
    P_PRICE,
    P_SIDE,
    PLACE,
    POST_ONLY,
    R_CANCELLED,
    R_FILL_COUNT,
    R_FILL_FIRST,
    R_FILLED,
    R_GONE_COUNT,
    R_GONE_FIRST,
    R_REASON,
    R_RESTED,
    ROW,
    STALE_ID,
    STOP_ACCOUNTS,
    STOP_NODES,
    STOP_NONE,
    STOP_ORDERS,
    STOP_OUTPUT,
    UNKNOWN,
)
from engine.book.machine import Words, prefetch, words
from engine.book.pools import find_slot, home_cell, level_row, order_row, remove, rest

FAR_AHEAD, NEAR_AHEAD = 8, 4  # operations; half and twice these measure within 3 %


@njit(nogil=True, cache=True, forceinline=True)
def _write_gone(m: Words, slot: int, out: Words, at: int, reason: int, after: int, cause: int) -> None:
    """Record an order that is about to be removed in row ``at``."""
    order = order_row(m, slot)
    level = level_row(m, m[order + O_LEVEL])
    row = at * ROW
    out[row + G_ID] = m[order + O_ID]
    out[row + G_ACCOUNT] = m[order + O_ACCOUNT]
    out[row + G_SIDE] = m[level + L_SIDE]
    out[row + G_PRICE] = m[level + L_PRICE]
    out[row + G_LOTS] = m[order + O_LOTS]
    out[row + G_REASON] = reason
    out[row + G_AFTER] = after
    out[row + G_CAUSE] = cause


@njit(nogil=True, cache=True, forceinline=True)
def beyond(price: int, side: int, limit_price: int) -> bool:
    """Whether a taker of ``side`` with this limit does not reach a maker's price."""
    return price > limit_price if side == BUY else price < limit_price


@njit(nogil=True, cache=True, forceinline=True)
def _match(
    m: Words,
    taker: int,
    account: int,
    side: int,
    lots: int,
    limit_price: int,
    fills: Words,
    fill_at: int,
    gone: Words,
    gone_at: int,
) -> tuple[int, int, int]:
    """Trade up to ``lots`` against the other side from ``limit_price`` or better.

    Returns the lots left over, the fills (written from row ``fill_at``) and the removed orders (from ``gone_at``).
    """
    other = H_BEST + 1 - side
    fill_count, gone_count = 0, 0
    while lots > 0:
        level = level_row(m, m[other])
        if m[other] == 0 or beyond(m[level + L_PRICE], side, limit_price):
            break
        slot = m[level + L_HEAD]
        maker = order_row(m, slot)
        if m[maker + O_ACCOUNT] == account:
            _write_gone(m, slot, gone, gone_at + gone_count, GONE_SELF_TRADE, fill_count, taker)
            gone_count += 1
            remove(m, slot)
            continue
        traded = min(lots, m[maker + O_LOTS])
        row = (fill_at + fill_count) * ROW
        fills[row + F_MAKER] = m[maker + O_ID]
        fills[row + F_MAKER_ACCOUNT] = m[maker + O_ACCOUNT]
        fills[row + F_PRICE] = m[level + L_PRICE]
        fills[row + F_LOTS] = traded
        fills[row + F_TAKER] = taker
        fills[row + F_TAKER_ACCOUNT] = account
        fills[row + F_SIDE] = side
        fills[row + F_MAKER_LEFT] = m[maker + O_LOTS] - traded
        fill_count += 1
        lots -= traded
        if traded == m[maker + O_LOTS]:
            remove(m, slot)
        else:
            m[maker + O_LOTS] -= traded
            m[level + L_LOTS] -= traded
    return lots, fill_count, gone_count


@njit(nogil=True, cache=True, forceinline=True)
def _place(
    m: Words,
    order_id: int,
    account: int,
    side: int,
    asked: int,
    price: int,
    flags: int,
    limit: int,
    fills: Words,
    fill_at: int,
    gone: Words,
    gone_at: int,
) -> tuple[int, int, int, int, int, int]:
    """One new order: match, then rest or cancel what is left.

    Returns the reason, the lots filled, rested and cancelled, the fills and the removed orders.
    """
    if order_id <= m[H_LAST_ID]:
        return STALE_ID, 0, 0, asked, 0, 0
    m[H_LAST_ID] = order_id
    if flags & FLAG_MARKET:
        price = KEY_MAX if side == BUY else 0
    best = m[H_BEST + 1 - side]
    if flags & FLAG_POST_ONLY and best != 0 and not beyond(m[level_row(m, best) + L_PRICE], side, price):
        return POST_ONLY, 0, 0, asked, 0, 0
    allowed = min(asked, limit)
    left, fill_count, gone_count = _match(m, order_id, account, side, allowed, price, fills, fill_at, gone, gone_at)
    rested = 0 if flags & (FLAG_MARKET | FLAG_IOC) else left
    if rested > 0:
        rest(m, order_id, account, side, left, price)
    cancelled = asked - allowed + left - rested
    reason = NONE
    if cancelled > 0:
        reason = LIMIT if left == rested else IOC
    return reason, allowed - left, rested, cancelled, fill_count, gone_count


@njit(nogil=True, cache=True, forceinline=True)
def _cancel(m: Words, slot: int, whole_account: bool, cause: int, gone: Words, gone_at: int) -> tuple[int, int]:
    """Cancel the order in ``slot`` (0: none), or with it all later ones of its account: their lots and number."""
    count, lots = 0, 0
    while slot != 0:
        row = order_row(m, slot)
        following = m[row + O_ANEXT] if whole_account else 0
        _write_gone(m, slot, gone, gone_at + count, GONE_CANCELLED, 0, cause)
        lots += m[row + O_LOTS]
        count += 1
        remove(m, slot)
        slot = following
    return lots, count


@njit(nogil=True, cache=True, forceinline=True)
def _shortage(m: Words, kind: int, flags: int, account: int, fill_room: int, gone_room: int) -> int:
    """What the next operation could run out of (STOP_*); no operation touches more orders than rest."""
    if kind == PLACE and not flags & (FLAG_MARKET | FLAG_IOC):
        if m[H_FREE_ORDER] == 0 or m[H_COUNT] >= m[H_LIMIT]:
            return STOP_ORDERS
        if m[H_NODE_COUNT] + NODES_PER_LEVEL > m[H_NODE_ROOM]:
            return STOP_NODES
    if min(fill_room, gone_room) < m[H_COUNT]:
        return STOP_OUTPUT
    return STOP_ACCOUNTS if account >= m[H_ACCOUNT_ROOM] else STOP_NONE


@njit(nogil=True, cache=True, forceinline=True)
def _prefetch_ahead(m: Words, ops: Words, index: int, last: int) -> None:
    """Fetch what the rows after ``index`` will need first: table cells, and nearer the orders that they point to.

    The cell is only looked at, not searched: the wrong order now and then costs nothing but the line.
    """
    far, near = min(index + FAR_AHEAD, last - 1) * ROW, min(index + NEAR_AHEAD, last - 1) * ROW
    prefetch(m, home_cell(m, ops[far + P_ID]))
    prefetch(m, order_row(m, m[home_cell(m, ops[near + P_ID]) + 1]))


@njit(nogil=True, cache=True)
def execute(
    arena: np.ndarray,
    operations: np.ndarray,
    first: int,
    last: int,
    fill_rows: np.ndarray,
    gone_rows: np.ndarray,
    results: np.ndarray,
) -> int:
    """Apply operation rows ``first .. last - 1`` in order; returns the index of the first row not applied.

    All arrays are flat int64, rows of eight. Fills and removed orders are appended from row 0; each result row says
    where its own begin. Stops early, before touching anything, when a pool or a buffer could overflow in the next
    operation; ``arena[H_STOP]`` says which.
    """
    m, ops, out, fills, gone = words(arena), words(operations), words(results), words(fill_rows), words(gone_rows)
    fill_room, gone_room = len(fill_rows) // ROW, len(gone_rows) // ROW
    fill_at, gone_at = 0, 0
    m[H_STOP] = STOP_NONE
    for index in range(first, last):
        op = index * ROW
        _prefetch_ahead(m, ops, index, last)
        stop = _shortage(
            m, ops[op + P_KIND], ops[op + P_FLAGS], ops[op + P_ACCOUNT], fill_room - fill_at, gone_room - gone_at
        )
        if stop != STOP_NONE:
            m[H_STOP] = stop
            return index
        if ops[op + P_KIND] == PLACE:
            reason, filled, rested, cancelled, fill_count, gone_count = _place(
                m, ops[op + P_ID], ops[op + P_ACCOUNT], ops[op + P_SIDE], ops[op + P_LOTS], ops[op + P_PRICE],
                ops[op + P_FLAGS], ops[op + P_LIMIT], fills, fill_at, gone, gone_at,
            )  # fmt: skip
        else:
            whole_account = ops[op + P_KIND] == CANCEL_ACCOUNT
            slot = m[m[H_ACCOUNTS] + 2 * ops[op + P_ACCOUNT]] if whole_account else find_slot(m, ops[op + P_ID])
            reason, filled, rested, fill_count = UNKNOWN if slot == 0 and not whole_account else NONE, 0, 0, 0
            cancelled, gone_count = _cancel(m, slot, whole_account, ops[op + P_ID], gone, gone_at)
        out[op + R_REASON] = reason
        out[op + R_FILLED] = filled
        out[op + R_RESTED] = rested
        out[op + R_CANCELLED] = cancelled
        out[op + R_FILL_FIRST] = fill_at
        out[op + R_FILL_COUNT] = fill_count
        out[op + R_GONE_FIRST] = gone_at
        out[op + R_GONE_COUNT] = gone_count
        fill_at += fill_count
        gone_at += gone_count
    return last


@njit(nogil=True, cache=True)
def place_one(
    arena: np.ndarray,
    outputs: np.ndarray,
    order_id: int,
    account: int,
    side: int,
    lots: int,
    price: int,
    flags: int,
    limit: int,
) -> tuple[int, int, int, int, int, int]:
    """Place one order given as plain numbers; reason, lots filled, rested and cancelled, fills, removed orders.

    Fills are written to the first half of ``outputs``, removed orders to the second. A negative reason -STOP_* says
    what ran short; then nothing has changed, as with STALE_ID.
    """
    m, out = words(arena), words(outputs)
    room = len(outputs) // (2 * ROW)
    if order_id > m[H_LAST_ID]:
        stop = _shortage(m, PLACE, flags, account, room, room)
        if stop != STOP_NONE:
            return -stop, 0, 0, 0, 0, 0
    return _place(m, order_id, account, side, lots, price, flags, limit, out, 0, out, room)


@njit(nogil=True, cache=True)
def cancel_one(arena: np.ndarray, order_id: int) -> int:
    """Take one order off the book; the lots it still had, 0 when it does not rest."""
    m = words(arena)
    slot = find_slot(m, order_id)
    if slot == 0:
        return 0
    lots = m[order_row(m, slot) + O_LOTS]
    remove(m, slot)
    return lots


@njit(nogil=True, cache=True)
def reduce_one(arena: np.ndarray, order_id: int, lots: int) -> int:
    """Cut one order to ``lots`` (>= 1) where it rests; the lots taken off, -1 when it does not rest."""
    m = words(arena)
    slot = find_slot(m, order_id)
    if slot == 0:
        return -1
    row = order_row(m, slot)
    taken = max(m[row + O_LOTS] - lots, 0)
    m[row + O_LOTS] -= taken
    m[level_row(m, m[row + O_LEVEL]) + L_LOTS] -= taken
    return taken
