"""Read-only kernels over the book's arena (layout.py): nothing here changes the book."""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.book.kernel import beyond
from engine.book.layout import (
    H_ACCOUNTS,
    H_BEST,
    L_COUNT,
    L_HEAD,
    L_LOTS,
    L_PRICE,
    L_SIDE,
    L_WORSE,
    O_ACCOUNT,
    O_ANEXT,
    O_ID,
    O_LEVEL,
    O_LOTS,
    O_NEXT,
    O_PREV,
)
from engine.book.machine import words
from engine.book.pools import find_slot, level_row, order_row


@njit(nogil=True, cache=True)
def walk(
    arena: np.ndarray, side: int, lots: int, limit_price: int, account: int, out: np.ndarray, totals: np.ndarray
) -> int:
    """Makers a taker would match, in order, changing nothing; orders of ``account`` itself are passed over.

    Writes fill-like rows (id, account, price, lots) to ``out`` while it has room (it may be empty, then only totals
    count). Returns the number of rows; ``totals`` (3) gets filled lots, cost in ticks x lots, worst price.
    """
    m = words(arena)
    level = m[H_BEST + 1 - side]
    rows, left, cost, worst = 0, lots, 0, 0
    room = len(out) // 4
    while level != 0 and left > 0 and not beyond(m[level_row(m, level) + L_PRICE], side, limit_price):
        price = m[level_row(m, level) + L_PRICE]
        slot = m[level_row(m, level) + L_HEAD]
        while slot != 0 and left > 0:
            if m[order_row(m, slot) + O_ACCOUNT] != account:
                traded = min(left, m[order_row(m, slot) + O_LOTS])
                left -= traded
                cost += traded * price
                worst = price
                if rows < room:
                    out[4 * rows] = m[order_row(m, slot) + O_ID]
                    out[4 * rows + 1] = m[order_row(m, slot) + O_ACCOUNT]
                    out[4 * rows + 2] = price
                    out[4 * rows + 3] = traded
                    rows += 1
            slot = m[order_row(m, slot) + O_NEXT]
        level = m[level_row(m, level) + L_WORSE]
    totals[0], totals[1], totals[2] = lots - left, cost, worst
    return rows


@njit(nogil=True, cache=True)
def makers_behind(
    arena: np.ndarray, side: int, lots: int, limit_price: int, account: int, behind: int, out: np.ndarray
) -> int:
    """Makers that a taker reaches, in order, from the one after order ``behind`` on (0: from the best).

    Writes rows (id, account, price, lots that rest) until they hold ``lots`` or ``out`` is full; returns their number,
    -1 when ``behind`` does not rest. Orders of ``account`` itself are passed over.
    """
    m = words(arena)
    level = m[H_BEST + 1 - side]
    slot = 0 if level == 0 else m[level_row(m, level) + L_HEAD]
    if behind != 0:
        slot = find_slot(m, behind)
        if slot == 0:
            return -1
        level = m[order_row(m, slot) + O_LEVEL]
        slot = m[order_row(m, slot) + O_NEXT]
    rows, left, room = 0, lots, len(out) // 4
    while level != 0 and left > 0 and rows < room and not beyond(m[level_row(m, level) + L_PRICE], side, limit_price):
        if slot == 0:
            level = m[level_row(m, level) + L_WORSE]
            slot = 0 if level == 0 else m[level_row(m, level) + L_HEAD]
            continue
        if m[order_row(m, slot) + O_ACCOUNT] != account:
            out[4 * rows] = m[order_row(m, slot) + O_ID]
            out[4 * rows + 1] = m[order_row(m, slot) + O_ACCOUNT]
            out[4 * rows + 2] = m[level_row(m, level) + L_PRICE]
            out[4 * rows + 3] = m[order_row(m, slot) + O_LOTS]
            left -= out[4 * rows + 3]
            rows += 1
        slot = m[order_row(m, slot) + O_NEXT]
    return rows


@njit(nogil=True, cache=True)
def depth(arena: np.ndarray, side: int, out: np.ndarray) -> int:
    """Best levels of a side as flat rows (price, lots, orders) until ``out`` is full; returns the row count."""
    m = words(arena)
    level = m[H_BEST + side]
    rows = 0
    while level != 0 and 3 * rows < len(out):
        out[3 * rows] = m[level_row(m, level) + L_PRICE]
        out[3 * rows + 1] = m[level_row(m, level) + L_LOTS]
        out[3 * rows + 2] = m[level_row(m, level) + L_COUNT]
        rows += 1
        level = m[level_row(m, level) + L_WORSE]
    return rows


@njit(nogil=True, cache=True)
def lots_ahead(arena: np.ndarray, order_id: int) -> int:
    """Lots resting before this order at its own price; -1 when it does not rest."""
    m = words(arena)
    slot = find_slot(m, order_id)
    if slot == 0:
        return -1
    total = 0
    slot = m[order_row(m, slot) + O_PREV]
    while slot != 0:
        total += m[order_row(m, slot) + O_LOTS]
        slot = m[order_row(m, slot) + O_PREV]
    return total


@njit(nogil=True, cache=True)
def orders_of(arena: np.ndarray, account: int, out: np.ndarray) -> int:
    """An account's orders, oldest first, as flat rows (id, side, price, lots) until ``out`` is full; row count."""
    m = words(arena)
    slot = m[m[H_ACCOUNTS] + 2 * account]
    rows = 0
    while slot != 0 and 4 * rows < len(out):
        level = level_row(m, m[order_row(m, slot) + O_LEVEL])
        out[4 * rows] = m[order_row(m, slot) + O_ID]
        out[4 * rows + 1] = m[level + L_SIDE]
        out[4 * rows + 2] = m[level + L_PRICE]
        out[4 * rows + 3] = m[order_row(m, slot) + O_LOTS]
        rows += 1
        slot = m[order_row(m, slot) + O_ANEXT]
    return rows


@njit(nogil=True, cache=True)
def find(arena: np.ndarray, order_id: int, out: np.ndarray) -> bool:
    """One resting order as (account, side, price, lots) in ``out``; False when it does not rest."""
    m = words(arena)
    slot = find_slot(m, order_id)
    if slot == 0:
        return False
    level = level_row(m, m[order_row(m, slot) + O_LEVEL])
    out[0] = m[order_row(m, slot) + O_ACCOUNT]
    out[1] = m[level + L_SIDE]
    out[2] = m[level + L_PRICE]
    out[3] = m[order_row(m, slot) + O_LOTS]
    return True
