"""The matching kernel's data structure: what it takes to put one order on the book and to take one off.

All state lives in one flat int64 array, here the pointer ``m`` to its first word (layout.py, machine.py). Index 0 of
the order, level and node pools is never handed out and means "none", so unlinking may write to it freely.

* orders: one 64-byte row per resting order: doubly linked inside its level (time priority) and its account's list.
* levels: one row per non-empty price, doubly linked from the best price outwards.
* bits, child: a 64-way trie of six layers over price keys, a root per side (nodes 1 and 2). A key grows away from the
  market on both sides, so "better" always means "smaller key". Nodes that become empty are freed.
* table: order id -> slot, open addressing, linear probing, backward-shift deletion, at most half full.
* accounts: first and last order of each account.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.book.layout import (
    H_ACCOUNTS,
    H_BEST,
    H_BITS,
    H_CHILD,
    H_COUNT,
    H_FREE_LEVEL,
    H_FREE_NODE,
    H_FREE_ORDER,
    H_LEVEL_COUNT,
    H_LEVELS,
    H_MASK,
    H_NODE_COUNT,
    H_ORDERS,
    H_TABLE,
    HASH,
    KEY_MAX,
    L_BETTER,
    L_COUNT,
    L_HEAD,
    L_LOTS,
    L_PRICE,
    L_SIDE,
    L_TAIL,
    L_WORSE,
    O_ACCOUNT,
    O_ANEXT,
    O_APREV,
    O_ID,
    O_LEVEL,
    O_LOTS,
    O_NEXT,
    O_PREV,
    ROW,
    SELL,
    TOP_SHIFT,
)
from engine.book.machine import Words, leading_zeros, words


@njit(nogil=True, cache=True, forceinline=True)
def order_row(m: Words, slot: int) -> int:
    """Where an order's row begins."""
    return m[H_ORDERS] + slot * ROW


@njit(nogil=True, cache=True, forceinline=True)
def level_row(m: Words, level: int) -> int:
    """Where a level's row begins."""
    return m[H_LEVELS] + level * ROW


@njit(nogil=True, cache=True, forceinline=True)
def _home(order_id: int, mask: int) -> int:
    """The cell where the search for an id begins."""
    return ((order_id * HASH) >> 32) & mask


@njit(nogil=True, cache=True, forceinline=True)
def home_cell(m: Words, order_id: int) -> int:
    """Where that cell's two words, id and slot, begin; most ids are in it."""
    return m[H_TABLE] + 2 * _home(order_id, m[H_MASK])


@njit(nogil=True, cache=True, forceinline=True)
def find_slot(m: Words, order_id: int) -> int:
    """Slot of a resting order, 0 when it does not rest."""
    table, mask = m[H_TABLE], m[H_MASK]
    cell = _home(order_id, mask)
    while m[table + 2 * cell] != 0:
        if m[table + 2 * cell] == order_id:
            return m[table + 2 * cell + 1]
        cell = (cell + 1) & mask
    return 0


@njit(nogil=True, cache=True, forceinline=True)
def _table_insert(m: Words, order_id: int, slot: int) -> None:
    """Enter an id that is not in the table."""
    table, mask = m[H_TABLE], m[H_MASK]
    cell = _home(order_id, mask)
    while m[table + 2 * cell] != 0:
        cell = (cell + 1) & mask
    m[table + 2 * cell] = order_id
    m[table + 2 * cell + 1] = slot


@njit(nogil=True, cache=True, forceinline=True)
def _table_remove(m: Words, order_id: int) -> None:
    """Remove an id that is in the table; later cells of the run move back so that no tombstones are needed."""
    table, mask = m[H_TABLE], m[H_MASK]
    hole = _home(order_id, mask)
    while m[table + 2 * hole] != order_id:
        hole = (hole + 1) & mask
    cell = hole
    while True:
        cell = (cell + 1) & mask
        key = m[table + 2 * cell]
        if key == 0:
            break
        home = _home(key, mask)
        if ((cell - home) & mask) >= ((cell - hole) & mask):
            m[table + 2 * hole] = key
            m[table + 2 * hole + 1] = m[table + 2 * cell + 1]
            hole = cell
    m[table + 2 * hole] = 0


@njit(nogil=True, cache=True)
def rebuild_table(arena: np.ndarray) -> None:
    """Fill the all-zero table from the order pool (after it grew)."""
    m = words(arena)
    for slot in range(1, (m[H_LEVELS] - m[H_ORDERS]) // ROW):
        if m[order_row(m, slot) + O_ID] != 0:
            _table_insert(m, m[order_row(m, slot) + O_ID], slot)


@njit(nogil=True, cache=True, forceinline=True)
def _new_node(m: Words) -> int:
    """An empty trie node from the free list."""
    node = m[H_FREE_NODE]
    m[H_FREE_NODE] = m[m[H_CHILD] + node * 64]
    m[H_NODE_COUNT] += 1
    m[m[H_BITS] + node] = 0
    return node


@njit(nogil=True, cache=True, forceinline=True)
def _new_level(m: Words, side: int, price: int, better: int) -> int:
    """An empty level, linked behind ``better`` (0: in front of all)."""
    level = m[H_FREE_LEVEL]
    row = level_row(m, level)
    m[H_FREE_LEVEL] = m[row + L_WORSE]
    m[H_LEVEL_COUNT] += 1
    worse = m[level_row(m, better) + L_WORSE] if better != 0 else m[H_BEST + side]
    m[row + L_PRICE] = price
    m[row + L_SIDE] = side
    m[row + L_HEAD] = 0
    m[row + L_TAIL] = 0
    m[row + L_LOTS] = 0
    m[row + L_COUNT] = 0
    m[row + L_BETTER] = better
    m[row + L_WORSE] = worse
    m[level_row(m, worse) + L_BETTER] = level
    if better != 0:
        m[level_row(m, better) + L_WORSE] = level
    else:
        m[H_BEST + side] = level
    return level


@njit(nogil=True, cache=True, forceinline=True)
def _level_of(m: Words, side: int, price: int) -> int:
    """The level at this price, made and linked when it does not exist yet."""
    bits, child = m[H_BITS], m[H_CHILD]
    key = price if side == SELL else KEY_MAX - price
    node = 1 + side
    fork, fork_bits, fork_shift = 0, 0, 0  # the deepest node on the path with a smaller key beside it
    shift = TOP_SHIFT
    while True:
        digit = (key >> shift) & 63
        word = m[bits + node]
        smaller = word & ((1 << digit) - 1)
        if smaller != 0:
            fork, fork_bits, fork_shift = node, smaller, shift
        present = (word >> digit) & 1
        if shift == 0:
            break
        if present == 0:
            m[bits + node] = word | (1 << digit)
            m[child + node * 64 + digit] = _new_node(m)
        node = m[child + node * 64 + digit]
        shift -= 6
    if present != 0:
        return m[child + node * 64 + digit]
    better = 0
    if fork != 0:
        better = m[child + fork * 64 + 63 - leading_zeros(fork_bits)]
        while fork_shift > 0:
            better = m[child + better * 64 + 63 - leading_zeros(m[bits + better])]
            fork_shift -= 6
    level = _new_level(m, side, price, better)
    m[bits + node] |= 1 << digit
    m[child + node * 64 + digit] = level
    return level


@njit(nogil=True, cache=True)
def _drop_level(m: Words, level: int) -> None:
    """Unlink and free an empty level and the trie nodes only it needed."""
    row = level_row(m, level)
    side, price = m[row + L_SIDE], m[row + L_PRICE]
    better, worse = m[row + L_BETTER], m[row + L_WORSE]
    m[level_row(m, worse) + L_BETTER] = better
    if better != 0:
        m[level_row(m, better) + L_WORSE] = worse
    else:
        m[H_BEST + side] = worse
    m[row + L_WORSE] = m[H_FREE_LEVEL]
    m[H_FREE_LEVEL] = level
    m[H_LEVEL_COUNT] -= 1
    _forget_key(m, 1 + side, price if side == SELL else KEY_MAX - price)


@njit(nogil=True, cache=True, forceinline=True)
def _forget_key(m: Words, root: int, key: int) -> None:
    """Take a key out of the trie and free the nodes that only led to it."""
    bits, child = m[H_BITS], m[H_CHILD]
    node, shift = root, TOP_SHIFT
    keep, keep_shift = root, TOP_SHIFT  # the deepest node that stays: the root, or one with another child
    while shift > 0:
        node = m[child + node * 64 + ((key >> shift) & 63)]
        shift -= 6
        word = m[bits + node]
        if word & (word - 1) != 0:
            keep, keep_shift = node, shift
    digit = (key >> keep_shift) & 63
    m[bits + keep] &= ~(1 << digit)
    node = m[child + keep * 64 + digit]
    while keep_shift > 0:
        keep_shift -= 6
        below = m[child + node * 64 + ((key >> keep_shift) & 63)]
        m[child + node * 64] = m[H_FREE_NODE]
        m[H_FREE_NODE] = node
        m[H_NODE_COUNT] -= 1
        node = below


@njit(nogil=True, cache=True, forceinline=True)
def rest(m: Words, order_id: int, account: int, side: int, lots: int, price: int) -> None:
    """Append an order to its price level and its account's list. Pools must have room."""
    level = _level_of(m, side, price)
    slot = m[H_FREE_ORDER]
    row, level_at, account_at = order_row(m, slot), level_row(m, level), m[H_ACCOUNTS] + 2 * account
    m[H_FREE_ORDER] = m[row + O_NEXT]
    m[H_COUNT] += 1
    tail, last = m[level_at + L_TAIL], m[account_at + 1]
    m[row + O_ID] = order_id
    m[row + O_ACCOUNT] = account
    m[row + O_LOTS] = lots
    m[row + O_LEVEL] = level
    m[row + O_PREV] = tail
    m[row + O_NEXT] = 0
    m[row + O_APREV] = last
    m[row + O_ANEXT] = 0
    m[order_row(m, tail) + O_NEXT if tail != 0 else level_at + L_HEAD] = slot
    m[level_at + L_TAIL] = slot
    m[level_at + L_LOTS] += lots
    m[level_at + L_COUNT] += 1
    m[order_row(m, last) + O_ANEXT if last != 0 else account_at] = slot
    m[account_at + 1] = slot
    _table_insert(m, order_id, slot)


@njit(nogil=True, cache=True, forceinline=True)
def remove(m: Words, slot: int) -> None:
    """Take an order with ``O_LOTS`` left off the book."""
    row = order_row(m, slot)
    level = m[row + O_LEVEL]
    level_at, account_at = level_row(m, level), m[H_ACCOUNTS] + 2 * m[row + O_ACCOUNT]
    before, after = m[row + O_PREV], m[row + O_NEXT]
    m[order_row(m, before) + O_NEXT if before != 0 else level_at + L_HEAD] = after
    m[order_row(m, after) + O_PREV if after != 0 else level_at + L_TAIL] = before
    before, after = m[row + O_APREV], m[row + O_ANEXT]
    m[order_row(m, before) + O_ANEXT if before != 0 else account_at] = after
    m[order_row(m, after) + O_APREV if after != 0 else account_at + 1] = before
    _table_remove(m, m[row + O_ID])
    m[level_at + L_LOTS] -= m[row + O_LOTS]
    m[level_at + L_COUNT] -= 1
    m[row + O_ID] = 0
    m[row + O_NEXT] = m[H_FREE_ORDER]
    m[H_FREE_ORDER] = slot
    m[H_COUNT] -= 1
    if m[level_at + L_COUNT] == 0:
        _drop_level(m, level)
