"""The recorded market as compact arrays: best quotes, trades, and the top of the external book after every update.

Decoding a recording takes about a second; the arrays are cached in one file (a checksum and an uncompressed .npz
archive) under the directory the caller names, keyed by the recording's SHA-256 and the units.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import CorruptData, check_range
from engine.market.decode import Recording, Updates, corrupt, decode_recording
from engine.units import PPM

TOP_LEVELS = 48
FAR_CELLS = 16
CELL_PPM = 200  # width of a far cell, about, in millionths of the price
_FORMAT = 3
_ARRAYS = (
    "quote_time",
    "quotes",
    "trade_time",
    "trades",
    "frame_time",
    "bids",
    "asks",
    "far_bids",
    "far_asks",
    "final_levels",
)


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One recorded market. Times: int64 ns since the book snapshot (first messages are before it, below 0).

    ``quotes`` (n, 4) int64: bid, bid lots, ask, ask lots. ``trades`` (n, 3) int64: price, lots, taker side (0 buy,
    1 sell). ``bids`` and ``asks`` (n, TOP_LEVELS, 2) int64: price, lots from the best price outwards after update n
    at ``frame_time[n]``; rows of zeros where the side has fewer levels. ``far_bids`` and ``far_asks`` (n, FAR_CELLS, 2)
    int64: the lots behind those levels, summed over price cells of fixed bounds, at the cell's far bound; zeros where a
    cell is empty. ``final_levels``: bids, asks left at the end.
    ``digest``: hex SHA-256 of the recording's file. Prices are ticks, sizes lots.
    """

    symbol: str
    digest: str
    start: int
    quote_time: np.ndarray
    quotes: np.ndarray
    trade_time: np.ndarray
    trades: np.ndarray
    frame_time: np.ndarray
    bids: np.ndarray
    asks: np.ndarray
    far_bids: np.ndarray
    far_asks: np.ndarray
    final_levels: np.ndarray


class _Side:
    """One side of the external book: sizes over all prices that ever occur, best price first."""

    def __init__(self, updates: Updates, sign: int, cell: int) -> None:
        self.updates, self.sign = updates, sign
        signed, index = np.unique(sign * updates.prices, return_inverse=True)
        self.prices = np.abs(signed)
        self.bounds = -(-signed // cell) * cell  # signed far bound of each price's cell
        self.cell = cell
        self.index = index.reshape(-1)
        self.sizes = np.zeros(len(self.prices), np.int64)
        self.filled = np.zeros(len(self.prices), np.bool_)  # sizes > 0; scanned ten times as fast as the sizes
        self.frames = np.zeros((len(updates.ends), TOP_LEVELS, 2), np.int64)
        self.far = np.zeros((len(updates.ends), FAR_CELLS, 2), np.int64)

    def apply(self, number: int) -> tuple[int, int]:
        """Apply an update, keep the top; (best price or 0, levels)."""
        low = int(self.updates.ends[number - 1]) if number else 0
        high = int(self.updates.ends[number])
        changed, sizes = self.index[low:high], self.updates.sizes[low:high]
        self.sizes[changed], self.filled[changed] = sizes, sizes > 0
        levels = np.flatnonzero(self.filled)
        top = levels[:TOP_LEVELS]
        self.frames[number, : len(top), 0] = self.prices[top]
        self.frames[number, : len(top), 1] = self.sizes[top]
        if len(levels) > TOP_LEVELS:
            self._add_far(number, levels[TOP_LEVELS:])
        return (int(self.prices[top[0]]) if len(top) else 0), len(levels)

    def _add_far(self, number: int, levels: np.ndarray) -> None:
        """Sum the levels behind the top over the next cells."""
        edges = self.bounds[levels[0]] + self.cell * np.arange(FAR_CELLS)
        ends = np.searchsorted(self.bounds[levels], edges, side="right")
        sums = np.concatenate([[0], np.cumsum(self.sizes[levels[: ends[-1]]])])[ends]
        self.far[number, :, 0] = self.sign * edges
        self.far[number, :, 1] = np.diff(sums, prepend=0)
        self.far[number][self.far[number, :, 1] == 0] = 0


def _external_book(path: Path, recording: Recording) -> dict[str, np.ndarray]:
    """Frames and far cells of both sides, final level counts; :class:`CorruptData` when it crosses or empties."""
    cell = max(1, int(recording.quotes[0, 0]) * CELL_PPM // PPM)
    bids, asks = _Side(recording.bids, -1, cell), _Side(recording.asks, 1, cell)
    counts = (0, 0)
    for number, line in enumerate(recording.update_line.tolist()):
        bid, bid_count = bids.apply(number)
        ask, ask_count = asks.apply(number)
        if not 0 < bid < ask:
            raise corrupt(path, line, f"the rebuilt book has best bid {bid} and best ask {ask}")
        counts = (bid_count, ask_count)
    return {
        "bids": bids.frames,
        "asks": asks.frames,
        "far_bids": bids.far,
        "far_asks": asks.far,
        "final_levels": np.array(counts, np.int64),
    }


def _decode(path: Path, price_decimals: int, size_decimals: int) -> dict[str, np.ndarray]:
    """All arrays of a feed from its recording; ``meta`` holds the symbol (as bytes) and the start."""
    recording = decode_recording(path, price_decimals, size_decimals)
    return {
        **_external_book(path, recording),
        "quote_time": recording.quote_time,
        "quotes": recording.quotes,
        "trade_time": recording.trade_time,
        "trades": recording.trades,
        "frame_time": recording.update_time,
        "symbol": np.array(recording.symbol),
        "start": np.array(recording.start, np.int64),
    }


def _read_cache(file: Path) -> dict[str, np.ndarray] | None:
    """Cached arrays; None when there are none or the copy is damaged (it is then made again)."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    with np.load(io.BytesIO(data[32:]), allow_pickle=False) as stored:
        return {name: stored[name] for name in (*_ARRAYS, "symbol", "start")}


def _write_cache(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """SHA-256 and .npz archive; written beside, then renamed, so that a reader never sees half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    archive = io.BytesIO()
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    partial = file.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(hashlib.sha256(archive.getvalue()).digest() + archive.getvalue())
    os.replace(partial, file)


def load_feed(path: Path, *, price_decimals: int, size_decimals: int, cache: Path | None = None) -> Feed:
    """The feed of a recording in ticks of 10^-price_decimals and lots of 10^-size_decimals (each 0 .. 9).

    Raises :class:`CorruptData` naming the line that is wrong, OSError when the file cannot be read.
    """
    check_range("price_decimals", price_decimals, 0, 9)
    check_range("size_decimals", size_decimals, 0, 9)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    file = cache / f"{path.stem}-{digest[:16]}-{price_decimals}-{size_decimals}-v{_FORMAT}.cache" if cache else None
    arrays = _read_cache(file) if file else None
    if arrays is None:
        arrays = _decode(path, price_decimals, size_decimals)
        if file:
            _write_cache(file, arrays)
    if not len(arrays["quote_time"]) == len(arrays["quotes"]) > 0:
        raise CorruptData(f"{path.name} has no quotes", field="quotes", value=0, limit=1)
    for name in _ARRAYS:
        arrays[name].setflags(write=False)
    values = {name: arrays[name] for name in _ARRAYS}
    return Feed(symbol=str(arrays["symbol"]), digest=digest, start=int(arrays["start"]), **values)
