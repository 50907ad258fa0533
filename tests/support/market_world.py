"""Small recordings written by hand, and a bare venue (books and positions only) for participants."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from engine.book.book import OrderBook
from engine.exchange.config import MarketConfig
from engine.market.replay import RecordedMarket
from engine.sequencer.inputs import CancelOrder, PlaceOrder, Side
from engine.sequencer.participant import Command

MILLISECOND = 1_000_000
T0 = 1_000 * MILLISECOND  # local time of the hand-written snapshot
MARKET = MarketConfig(
    market_id=7,
    symbol="TST-USD",
    base="TST",
    feed="tst",
    price_decimals=1,
    size_decimals=3,
    tick_value=100,
    initial_margin=1 << 28,
    maintenance_margin=1 << 27,
    max_order_lots=1_000_000,
    impact_notional=10**10,
)


def line(milliseconds: int, body: dict) -> bytes:
    """A line at ``milliseconds`` after the snapshot."""
    return b"%d %s" % (T0 + milliseconds * MILLISECOND, json.dumps(body).encode())


def snapshot(milliseconds: int = 0, last_id: int = 100) -> bytes:
    bids = [["100.0", "1.000"], ["99.9", "2.000"], ["99.0", "3.000"]]
    asks = [["100.1", "1.500"], ["100.2", "2.500"], ["101.0", "4.000"]]
    return line(milliseconds, {"lastUpdateId": last_id, "E": 1, "T": 1, "bids": bids, "asks": asks})


def quote(milliseconds: int, bid: str, ask: str, bid_size: str = "1.000", ask_size: str = "1.500") -> bytes:
    data = {"e": "bookTicker", "u": 1, "s": "TST", "b": bid, "B": bid_size, "a": ask, "A": ask_size}
    return line(milliseconds, {"stream": "tst@bookTicker", "data": data})


def trade(milliseconds: int, price: str, size: str, taker_sells: bool) -> bytes:
    data = {"e": "trade", "t": 1, "p": price, "q": size, "m": taker_sells, "X": "MARKET"}
    return line(milliseconds, {"stream": "tst@trade", "data": data})


def difference(milliseconds: int, first: int, last: int, previous: int, bids: list, asks: list) -> bytes:
    data = {"e": "depthUpdate", "U": first, "u": last, "pu": previous, "b": bids, "a": asks}
    return line(milliseconds, {"stream": "tst@depth@0ms", "data": data})


def standard() -> list[bytes]:
    """A second of market: quotes rise from mid 100.05 to 100.15, a buy and two sells; line 4 is the snapshot."""
    return [
        difference(-30, 80, 90, 79, [["99.9", "9.000"]], []),
        difference(-20, 91, 105, 90, [["99.9", "2.000"]], [["100.3", "0.700"]]),
        quote(-10, "100.0", "100.1"),
        snapshot(),
        trade(100, "100.1", "0.500", taker_sells=False),
        difference(200, 106, 110, 105, [["100.0", "0.400"]], [["100.1", "0.000"]]),
        quote(300, "100.0", "100.2", "0.400", "2.500"),
        trade(400, "100.0", "0.300", taker_sells=True),
        trade(500, "100.0", "0.200", taker_sells=True),
        quote(900, "100.1", "100.2"),
        quote(1000, "100.0", "100.2"),
    ]


def write(path: Path, lines: list[bytes]) -> Path:
    """A gzip recording."""
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return path


class BareVenue:
    """Books and positions of the given markets; no margin, no fees. Implements MarketAccess."""

    def __init__(self, markets: dict[int, RecordedMarket]) -> None:
        self.markets = markets
        self.books = {market_id: OrderBook() for market_id in markets}
        self.positions: dict[tuple[int, int], int] = {}
        self.market_of: dict[int, int] = {}
        self.time = 0
        self.changes = 0
        self.taken = 0

    def best_bid(self, market: int) -> int | None:
        return self.books[market].best_bid

    def best_ask(self, market: int) -> int | None:
        return self.books[market].best_ask

    def orders_of(self, account: int, market: int) -> list[tuple[int, Side, int, int]]:
        return [tuple(order) for order in self.books[market].orders_of(account)]

    def position(self, account: int, market: int) -> int:
        return self.positions.get((account, market), 0)

    def index_fixed(self, market: int) -> int:
        return self.markets[market].index_at(self.time)

    def apply(self, command: Command) -> None:
        """Do a command; an unknown order is an error of the participant."""
        if isinstance(command, CancelOrder):
            assert self.books[self.market_of[command.order_id]].cancel(command.order_id) is not None
            self.changes += 1
            return
        assert isinstance(command, PlaceOrder)
        order_id = len(self.market_of) + 1
        self.market_of[order_id] = command.market
        result = self.books[command.market].place(
            order_id, command.account, command.side, command.lots, command.price, ioc=command.tif == "ioc"
        )
        sign = 1 if command.side == "buy" else -1
        for fill in result.fills:
            for account, lots in ((command.account, sign * fill.lots), (fill.maker_account, -sign * fill.lots)):
                key = (account, command.market)
                self.positions[key] = self.positions.get(key, 0) + lots
        self.taken += result.filled_lots
        self.changes += len(result.fills) + (result.rested_lots > 0)
