"""mypy tells kinds of integers apart: what would be a silent swap is an error before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

PREAMBLE = """
from engine.book.book import OrderBook
from engine.exchange.accounts import Account
from engine.sequencer.inputs import CancelAll, CancelOrder, PlaceOrder, RequestWithdrawal
from engine.units import AccountId, Lots, MarketId, MarketIndex, OrderId, Quanta, Ticks

account, market, index, order = AccountId(16), MarketId(1), MarketIndex(0), OrderId(7)
leaf, book = Account(), OrderBook()
lots, price, amount = Lots(3), Ticks(600_000), Quanta(5)
"""
RIGHT = """
CancelOrder(account=account, order_id=order)
CancelAll(account=account, market=market)
leaf.size(market)
book.cancel(order)
PlaceOrder(account=account, market=market, side="buy", type="limit", lots=lots, price=price)
RequestWithdrawal(account=account, amount=amount)
"""
SWAPPED = {
    "CancelOrder(account=order, order_id=account)": 2,
    "CancelAll(account=market, market=account)": 2,
    "CancelAll(account=account, market=index)": 1,
    "leaf.size(index)": 1,
    "book.cancel(account)": 1,
    "CancelOrder(account=16, order_id=order)": 1,
    'PlaceOrder(account=account, market=market, side="buy", type="limit", lots=price, price=lots)': 2,
    "RequestWithdrawal(account=account, amount=lots)": 1,
}


@pytest.mark.timeout(120)
def test_swapped_integers_are_errors_and_the_right_ones_are_not(tmp_path: Path) -> None:
    from mypy import api

    program = tmp_path / "swaps.py"
    program.write_text(PREAMBLE + RIGHT + "\n".join(SWAPPED) + "\n")
    first = len((PREAMBLE + RIGHT).splitlines()) + 1
    output, _, status = api.run([str(program), "--cache-dir", str(tmp_path), "--follow-imports", "silent"])
    lines = [int(line.split(":")[1]) for line in output.splitlines() if ": error: " in line]
    assert status == 1
    assert [lines.count(first + place) for place in range(len(SWAPPED))] == list(SWAPPED.values()), output
    assert len(lines) == sum(SWAPPED.values())
