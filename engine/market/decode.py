"""Recorded Binance USD-M websocket files: one line per message, local receipt time in ns, a space, the JSON message.

Streams: ``@depth@0ms`` (book differences, chained by ``pu`` = the last ``u``), ``@bookTicker`` (best quotes),
``@trade`` (``m`` true: the buyer was the maker, so the taker sold), and one REST book snapshot without a stream.
"""

from __future__ import annotations

import gzip
import zlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from engine.errors import UNDECODABLE, CorruptData

MAX_BYTES = 1 << 28  # unpacked size of a file: 256 MiB
MAX_UNITS = 1 << 40  # ticks or lots of any number in a file


class _Data(msgspec.Struct, tag_field="e"):
    """Messages of a stream, told apart by their event name."""


class _Depth(_Data, tag="depthUpdate"):
    U: int
    u: int
    pu: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Ticker(_Data, tag="bookTicker"):
    b: str
    B: str
    a: str
    A: str


class _Trade(_Data, tag="trade"):
    p: str
    q: str
    m: bool


class _Message(msgspec.Struct):
    """A stream message, or (no stream) a book snapshot."""

    stream: str = ""
    data: _Depth | _Ticker | _Trade | None = None
    lastUpdateId: int = 0
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []


@dataclass
class _Numbers:
    """Decimal texts of one column pair and the line each came from."""

    prices: list[str] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)
    lines: array[int] = field(default_factory=lambda: array("q"))

    def add(self, price: str, size: str, line: int) -> None:
        self.prices.append(price)
        self.sizes.append(size)
        self.lines.append(line)

    def extend(self, levels: list[tuple[str, str]], line: int) -> int:
        """Add book levels; how many."""
        for price, size in levels:
            self.prices.append(price)
            self.sizes.append(size)
        self.lines.extend([line] * len(levels))
        return len(levels)


@dataclass(frozen=True)
class Updates:
    """Book updates of one side: prices (ticks) and sizes (lots, 0 removes), update i at ``ends[i-1]:ends[i]``."""

    prices: np.ndarray
    sizes: np.ndarray
    ends: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A decoded file, all int64. Update 0 is the snapshot, later ones the differences to apply after it.

    ``start``: local time of the snapshot, ns. ``update_line``: where an update came from.
    ``update_time``, ``quote_time``, ``trade_time``: ns since ``start``.
    ``quotes`` (n, 4): bid, bid lots, ask, ask lots. ``trades`` (n, 3): price, lots, taker side (0 buy, 1 sell).
    """

    symbol: str
    start: int
    update_time: np.ndarray
    update_line: np.ndarray
    bids: Updates
    asks: Updates
    quote_time: np.ndarray
    quotes: np.ndarray
    trade_time: np.ndarray
    trades: np.ndarray


def corrupt(path: Path, line: int, what: str) -> CorruptData:
    """The error for a bad line (1-based)."""
    return CorruptData(f"{path.name}, line {line}: {what}", field="line", value=line)


def read_lines(path: Path) -> list[bytes]:
    """Lines of a gzip file; :class:`CorruptData` when it does not unpack or is too large, OSError when not readable."""
    try:
        with gzip.open(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CorruptData(f"{path.name} does not unpack: {error}", field="file", value=path.name) from error
    if len(data) > MAX_BYTES:
        raise CorruptData(f"{path.name} is too large", field="file", value=path.name, limit=MAX_BYTES)
    return data.splitlines()


def _to_units(path: Path, texts: list[str], lines: array[int], decimals: int, whole: bool) -> np.ndarray:
    """Decimal texts in units of 10^-decimals, int64: whole and positive, or rounded to the nearest and not negative.

    Through float64, which holds units up to 2^40 exactly.
    """
    try:
        values = np.array(texts, dtype="S").astype(np.float64) if texts else np.zeros(0)
    except ValueError:
        values = np.array([_number_or_nan(text) for text in texts])
    scaled = values * 10.0**decimals
    units = np.rint(scaled)
    good = (units >= whole) & (units <= MAX_UNITS)
    if whole:  # merging finer prices would need their sizes summed, which differences do not allow
        good[good] = np.abs(scaled[good] - units[good]) < 1e-3
    bad = np.flatnonzero(~good)
    if len(bad):
        kind = f"a multiple of 10^-{decimals}" if whole else "a number"
        raise corrupt(path, lines[bad[0]], f"{texts[bad[0]]!r} is not {kind} in [{int(whole)}, 2^40] units")
    return units.astype(np.int64)


def _number_or_nan(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


class _Decoder:
    """Collects the lines of one file."""

    def __init__(self, path: Path, price_decimals: int, size_decimals: int) -> None:
        self.path = path
        self.price_decimals, self.size_decimals = price_decimals, size_decimals
        self.symbol = ""
        self.start = -1
        self.snapshot_id = -1
        self.last_update = -1
        self.update_time: list[int] = []
        self.update_line: list[int] = []
        self.ends: dict[str, list[int]] = {"bids": [], "asks": []}
        self.levels = {"bids": _Numbers(), "asks": _Numbers()}
        self.pending: list[tuple[int, int, _Depth]] = []
        self.quote_time: list[int] = []
        self.quotes = {"bid": _Numbers(), "ask": _Numbers()}
        self.trade_time: list[int] = []
        self.trades = _Numbers()
        self.trade_side: list[int] = []

    def line(self, number: int, time: int, message: _Message) -> None:
        """Take one message."""
        if not message.stream:
            self._snapshot(number, time, message)
            return
        symbol = message.stream.split("@", 1)[0]
        self.symbol = self.symbol or symbol
        if symbol != self.symbol or message.data is None:
            raise corrupt(self.path, number, f"a message of {message.stream!r} in a recording of {self.symbol!r}")
        data = message.data
        if isinstance(data, _Ticker):
            self.quote_time.append(time)
            self.quotes["bid"].add(data.b, data.B, number)
            self.quotes["ask"].add(data.a, data.A, number)
        elif isinstance(data, _Trade):
            self.trade_time.append(time)
            self.trades.add(data.p, data.q, number)
            self.trade_side.append(1 if data.m else 0)
        else:
            self._difference(number, time, data)

    def _snapshot(self, number: int, time: int, message: _Message) -> None:
        if self.start >= 0 or not message.bids or not message.asks:
            raise corrupt(self.path, number, "neither a stream message nor the one book snapshot")
        self.start, self.snapshot_id = time, message.lastUpdateId
        self._update(number, time, message.bids, message.asks)
        for earlier_number, _, data in self.pending:  # they take effect with the snapshot
            self._apply(earlier_number, time, data)
        self.pending.clear()

    def _difference(self, number: int, time: int, data: _Depth) -> None:
        """Check the chain of update ids; differences before the snapshot wait for it."""
        if self.last_update not in (-1, data.pu):
            raise corrupt(self.path, number, f"sequence gap: previous id {data.pu}, expected {self.last_update}")
        self.last_update = data.u
        if self.start < 0:
            self.pending.append((number, time, data))
        else:
            self._apply(number, time, data)

    def _apply(self, number: int, time: int, data: _Depth) -> None:
        """Differences that the snapshot already contains are dropped; the first kept one must overlap it."""
        if data.u < self.snapshot_id:
            return
        if len(self.update_time) == 1 and self.snapshot_id < data.U:
            raise corrupt(self.path, number, f"update {data.U} does not join the snapshot {self.snapshot_id}")
        self._update(number, time, data.b, data.a)

    def _update(self, number: int, time: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        self.update_time.append(time)
        self.update_line.append(number)
        for side, levels in (("bids", bids), ("asks", asks)):
            self.levels[side].extend(levels, number)
            self.ends[side].append(len(self.levels[side].prices))

    def _columns(self, numbers: _Numbers) -> tuple[np.ndarray, np.ndarray]:
        prices = _to_units(self.path, numbers.prices, numbers.lines, self.price_decimals, whole=True)
        return prices, _to_units(self.path, numbers.sizes, numbers.lines, self.size_decimals, whole=False)

    def _updates(self, side: str) -> Updates:
        prices, sizes = self._columns(self.levels[side])
        return Updates(prices, sizes, np.array(self.ends[side], np.int64))

    def _since_start(self, times: list[int]) -> np.ndarray:
        return np.array(times, np.int64) - self.start

    def finish(self) -> Recording:
        """Everything as arrays."""
        if self.start < 0 or not self.quote_time:
            raise CorruptData(f"{self.path.name} has no book snapshot or no quotes", field="file", value=self.path.name)
        bid, bid_lots = self._columns(self.quotes["bid"])
        ask, ask_lots = self._columns(self.quotes["ask"])
        crossed = np.flatnonzero(bid >= ask)
        if len(crossed):
            raise corrupt(self.path, self.quotes["bid"].lines[crossed[0]], "best bid is not below best ask")
        price, lots = self._columns(self.trades)
        return Recording(
            symbol=self.symbol,
            start=self.start,
            update_time=self._since_start(self.update_time),
            update_line=np.array(self.update_line, np.int64),
            bids=self._updates("bids"),
            asks=self._updates("asks"),
            quote_time=self._since_start(self.quote_time),
            quotes=np.stack([bid, bid_lots, ask, ask_lots], axis=1),
            trade_time=self._since_start(self.trade_time),
            trades=np.stack([price, lots, np.array(self.trade_side, np.int64)], axis=1),
        )


def decode_recording(path: Path, price_decimals: int, size_decimals: int) -> Recording:
    """Decode a recording into ticks of 10^-price_decimals and lots of 10^-size_decimals.

    Sizes are rounded to the nearest lot; prices must be whole ticks. Raises :class:`CorruptData` naming the line: no
    number, a price between ticks, time going back, a gap in the update ids, crossed quotes.
    """
    decoder = _Decoder(path, price_decimals, size_decimals)
    messages = msgspec.json.Decoder(_Message)
    previous = 0
    for number, line in enumerate(read_lines(path), 1):
        stamp, _, body = line.partition(b" ")
        if not stamp.isdigit() or len(stamp) > 19:
            raise corrupt(path, number, "does not start with a time in nanoseconds")
        time = int(stamp)
        if time < previous:
            raise corrupt(path, number, "time goes back")
        previous = time
        try:
            message = messages.decode(body)
        except UNDECODABLE as error:
            raise corrupt(path, number, str(error)) from error
        decoder.line(number, time, message)
    return decoder.finish()
