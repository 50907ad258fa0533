"""The book's memory: one flat int64 array ("arena"), its regions and field numbers, its allocation and growth.

One array, so that the kernels need one pointer (machine.py). Regions, in order: header, orders, levels, bits, child,
table, accounts; the header says where they are.

Every @njit function of this room freezes the numbers below when it is compiled, while numba's cache watches only the
function's own file: programs and tests therefore key their cache folder by the content of all kernel sources.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# header: counters and list heads
H_COUNT, H_LEVEL_COUNT, H_FREE_ORDER, H_FREE_LEVEL, H_FREE_NODE, H_NODE_COUNT, H_LAST_ID, H_STOP, H_LIMIT = range(9)
H_BEST = 10  # H_BEST + side: level id of the best price, 0 when the side is empty
H_COUNTERS = 12  # header words below this survive growth
# header: first word of each region, then capacities
H_ORDERS, H_LEVELS, H_BITS, H_CHILD, H_TABLE, H_ACCOUNTS, H_END = range(12, 19)
H_NODE_ROOM, H_ACCOUNT_ROOM, H_MASK = range(20, 23)
HEADER_SIZE = 24
ROW = 8  # every pool row and every record has eight int64 fields
# order row
O_ID, O_ACCOUNT, O_LOTS, O_LEVEL, O_PREV, O_NEXT, O_APREV, O_ANEXT = range(8)
# level row
L_PRICE, L_SIDE, L_HEAD, L_TAIL, L_LOTS, L_COUNT, L_BETTER, L_WORSE = range(8)
# operation row
P_KIND, P_ID, P_ACCOUNT, P_SIDE, P_LOTS, P_PRICE, P_FLAGS, P_LIMIT = range(8)
PLACE, CANCEL, CANCEL_ACCOUNT = range(3)
FLAG_MARKET, FLAG_IOC, FLAG_POST_ONLY = 1, 2, 4
# result row
R_REASON, R_FILLED, R_RESTED, R_CANCELLED, R_FILL_FIRST, R_FILL_COUNT, R_GONE_FIRST, R_GONE_COUNT = range(8)
NONE, IOC, POST_ONLY, LIMIT, UNKNOWN, STALE_ID = range(6)
# fill row
F_MAKER, F_MAKER_ACCOUNT, F_PRICE, F_LOTS, F_TAKER, F_TAKER_ACCOUNT, F_SIDE, F_MAKER_LEFT = range(8)
# removed-order row; G_AFTER: how many fills of the same operation came before the removal
G_ID, G_ACCOUNT, G_SIDE, G_PRICE, G_LOTS, G_REASON, G_AFTER, G_CAUSE = range(8)
GONE_SELF_TRADE, GONE_CANCELLED = 1, 2
# why execute() returned early: nothing, a pool, the output buffers, an account beyond the table
STOP_NONE, STOP_ORDERS, STOP_NODES, STOP_OUTPUT, STOP_ACCOUNTS = range(5)

BUY, SELL = 0, 1
TOP_SHIFT = 30
KEY_MAX = (1 << 36) - 1
NODES_PER_LEVEL = 5  # nodes below the root that one new price can need
HASH = -7046029254386353131  # 2^64 / golden ratio, odd, as int64

MAX_PRICE = 1 << 32  # ticks
MAX_LOTS = 1 << 30  # per order and per preview, so that price x lots stays below 2^62
MAX_ID = 1 << 62
MAX_ACCOUNT = (1 << 20) - 1
MAX_ORDERS = 1 << 20  # default capacity limit of one book
FIRST_NODES = 3  # node 0 means none; 1 and 2 are the roots


class Regions(NamedTuple):
    """Views of an arena's regions."""

    orders: np.ndarray
    levels: np.ndarray
    bits: np.ndarray
    child: np.ndarray
    table: np.ndarray
    accounts: np.ndarray


def regions(arena: np.ndarray) -> Regions:
    """The regions of an arena, as views of it."""
    bounds = arena[H_ORDERS : H_END + 1].tolist()
    return Regions(*(arena[low:high] for low, high in zip(bounds[:-1], bounds[1:], strict=True)))


def _blank(orders: int, nodes: int, accounts: int) -> np.ndarray:
    """An all-zero arena of these capacities with its region bounds set."""
    sizes = ((orders + 1) * ROW, (orders + 1) * ROW, nodes, nodes * 64, 4 * orders, 2 * accounts)
    arena = np.zeros(HEADER_SIZE + sum(sizes), np.int64)
    arena[H_ORDERS : H_END + 1] = HEADER_SIZE + np.cumsum((0, *sizes))
    arena[H_NODE_ROOM], arena[H_ACCOUNT_ROOM], arena[H_MASK] = nodes, accounts, 2 * orders - 1
    return arena


def _link_free(pool: np.ndarray, stride: int, link: int, first: int, tail: int) -> int:
    """Chain rows ``first ..`` of a pool through field ``link`` and end at ``tail``; returns the first free row."""
    rows = len(pool) // stride
    if rows == first:
        return tail
    pool[first * stride + link :: stride] = np.append(np.arange(first + 1, rows, dtype=np.int64), tail)
    return first


def _link_new(arena: np.ndarray, first_order: int, first_node: int) -> None:
    """Put all rows from these on into the free lists."""
    view = regions(arena)
    arena[H_FREE_ORDER] = _link_free(view.orders, ROW, O_NEXT, first_order, int(arena[H_FREE_ORDER]))
    arena[H_FREE_LEVEL] = _link_free(view.levels, ROW, L_WORSE, first_order, int(arena[H_FREE_LEVEL]))
    arena[H_FREE_NODE] = _link_free(view.child, 64, 0, first_node, int(arena[H_FREE_NODE]))


def allocate(limit: int, orders: int = 1024, nodes: int = 256, accounts: int = 64) -> np.ndarray:
    """An empty book with room for ``orders`` orders (a power of two) and as many prices; it may grow to ``limit``."""
    arena = _blank(orders, nodes, accounts)
    arena[H_LIMIT], arena[H_NODE_COUNT] = limit, FIRST_NODES
    _link_new(arena, 1, FIRST_NODES)
    return arena


def enlarged(arena: np.ndarray, *, orders: bool = False, nodes: bool = False, account: int = 0) -> np.ndarray:
    """A copy with twice the orders or nodes, or with room for an account id.

    With ``orders`` the id table is left empty and must be filled again (pools.rebuild_table).
    """
    old = regions(arena)
    order_room, node_room = len(old.orders) // ROW - 1, len(old.bits)
    account_room = max(len(old.accounts) // 2, 1 << int(account).bit_length())
    grown = _blank(order_room << orders, node_room << nodes, account_room)
    grown[:H_COUNTERS] = arena[:H_COUNTERS]
    for name, target in regions(grown)._asdict().items():
        if name != "table" or not orders:
            source = getattr(old, name)
            target[: len(source)] = source
    _link_new(grown, order_room + 1, node_room)
    return grown
