"""The benchmark's operations give the same fills and the same book in the kernel and in the slow reference."""

from __future__ import annotations

import pytest

from engine.book import layout
from engine.book.book import REASONS, SIDES, OrderBook
from engine.book.layout import ROW
from engine.book.reference import ReferenceBook
from engine.book.workload import Block, drive, run_matching_benchmark
from engine.errors import OutOfRange

OPERATIONS = 100_000
DEPTH = 3_000


def check_block(block: Block, reference: ReferenceBook) -> int:
    """Replay a block in the reference and compare every result, fill and removed order; the number of fills."""
    operations = block.operations.reshape(-1, ROW).tolist()
    results = block.results.reshape(-1, ROW).tolist()
    last = results[-1] if results else [0] * ROW
    fills = block.fills.reshape(-1, ROW)[: last[layout.R_FILL_FIRST] + last[layout.R_FILL_COUNT]].tolist()
    gone = block.gone.reshape(-1, ROW)[: last[layout.R_GONE_FIRST] + last[layout.R_GONE_COUNT]].tolist()
    for operation, result in zip(operations, results, strict=True):
        kind, order_id, account, side, lots, price, flags, limit = operation
        reason, filled, rested, cancelled, fill_at, fill_count, gone_at, gone_count = result
        my_fills, my_gone = fills[fill_at : fill_at + fill_count], gone[gone_at : gone_at + gone_count]
        if kind == layout.PLACE:
            expected = reference.place(
                order_id, account, SIDES[side], lots, price, limit_lots=limit,
                market=bool(flags & layout.FLAG_MARKET), ioc=bool(flags & layout.FLAG_IOC),
                post_only=bool(flags & layout.FLAG_POST_ONLY),
            )  # fmt: skip
            outcome = (expected.filled_lots, expected.rested_lots, expected.cancelled_lots, expected.reason)
            assert (filled, rested, cancelled, REASONS[reason]) == outcome
            assert my_fills == [[*f[:4], order_id, account, side, f.maker_left] for f in expected.fills]
            assert [row[0] for row in my_gone] == [order.order_id for order in expected.removed]
        elif kind == layout.CANCEL:
            assert (cancelled or None) == reference.cancel(order_id)
        else:
            assert tuple(row[0] for row in my_gone) == reference.cancel_account(account)
    return len(fills)


def test_fills_and_book_equal_the_reference_over_the_first_operations() -> None:
    book, reference = OrderBook(), ReferenceBook()
    fills = sum(check_block(block, reference) for block in drive(book, OPERATIONS, seed=1, depth=DEPTH))
    assert fills > OPERATIONS // 20
    assert [side.tolist() for side in book.depth(1 << 20)] == list(reference.depth(1 << 20))
    mine = {order_id: book.find(order_id) for order_id in reference.orders}
    assert book.count == len(reference.orders)
    for order in reference.orders.values():
        assert mine[order.order_id] == (order.account, (order.order_id, order.side, order.price, order.lots))


def test_the_report_is_reproducible_and_adds_up() -> None:
    first, second = (run_matching_benchmark(20_000, seed=7, depth=1_000) for _ in range(2))
    assert first["fills"] == second["fills"]
    assert first["fills"] != run_matching_benchmark(20_000, seed=8, depth=1_000)["fills"]
    assert sum(first["shares"].values()) == pytest.approx(1)
    assert min(first["shares"]["add"], first["shares"]["cancel"]) > 0.3
    assert first["shares"]["trade"] > 0.05
    assert first["depth"]["orders_min"] > 500
    assert first["fills"]["self_trade_cancels"] > 0


def test_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(OutOfRange):
        run_matching_benchmark(0)
