"""``bench matching``: operations a second of the sequencer's own matching kernel on a committed-seed mix.

Beside it, the stream that other engines can replay (engine/book/stream.py), once through the kernel in blocks and once
through ``OrderBook.place`` and ``cancel``, one call an operation with its result read; ``--stream FILE`` writes it.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from typing import Any, NamedTuple

import numpy as np

from app.commands.bench import result
from engine.book.book import SIDES, OrderBook
from engine.book.layout import (
    F_LOTS,
    F_MAKER,
    F_PRICE,
    F_TAKER,
    FLAG_IOC,
    FLAG_MARKET,
    MAX_LOTS,
    P_ACCOUNT,
    P_FLAGS,
    P_ID,
    P_KIND,
    P_LIMIT,
    P_LOTS,
    P_PRICE,
    P_SIDE,
    R_FILL_COUNT,
    R_FILL_FIRST,
    ROW,
)
from engine.book.stream import IOC, MARKET, Stream, Sums, build
from engine.book.workload import BLOCK, run_matching_benchmark
from engine.errors import ProtocolError
from engine.units import AccountId, OrderId

OPERATIONS, QUICK_OPERATIONS = 3_000_000, 300_000
STREAM_OPERATIONS, QUICK_STREAM_OPERATIONS = 300_000, 30_000
SEED = 20240808
ROUNDS = 5
BLOCK_ROUNDS, CALL_ROUNDS = 11, 5  # fresh books a way of replaying the stream


class Replay(NamedTuple):
    """One fresh book over a stream: wall and CPU seconds of the timed rows, what came out, orders left resting."""

    seconds: float
    cpu_seconds: float
    sums: Sums
    resting: int


def operation_rows(stream: Stream) -> np.ndarray:
    """The stream as flat operation rows (layout.P_*)."""
    kind, order_id, account, side, lots, price, order_type, _ = stream.rows.T
    rows = np.zeros((len(stream.rows), ROW), np.int64)
    rows[:, P_LIMIT] = MAX_LOTS
    rows[:, P_FLAGS] = np.array([0, FLAG_IOC, FLAG_MARKET])[order_type]
    for field, column in (
        (P_KIND, kind), (P_ID, order_id), (P_ACCOUNT, account), (P_SIDE, side), (P_LOTS, lots), (P_PRICE, price),
    ):  # fmt: skip
        rows[:, field] = column
    return rows.reshape(-1)


def replay_blocks(stream: Stream) -> Replay:
    """Through ``OrderBook.run``; only its calls are timed, not the sums over their fills."""
    rows, results, book = operation_rows(stream), np.zeros(BLOCK * ROW, np.int64), OrderBook()
    count, at, seconds, cpu_seconds = len(stream.rows), 0, 0.0, 0.0
    found = np.zeros(4, np.uint64)
    while at < count:
        end = min(at + BLOCK, count if at >= stream.warm_up else stream.warm_up)
        block, done = rows[at * ROW : end * ROW], 0
        while done < end - at:
            first, cpu_started, started = done, thread_time(), perf_counter()
            done = book.run(block, results, first, end - at)
            elapsed, cpu_elapsed = perf_counter() - started, thread_time() - cpu_started
            if at >= stream.warm_up and done > first:
                seconds, cpu_seconds = seconds + elapsed, cpu_seconds + cpu_elapsed
                last = results[(done - 1) * ROW : done * ROW]
                found += _fill_sums(book.fills[: (last[R_FILL_FIRST] + last[R_FILL_COUNT]) * ROW])
        at = end
    return Replay(seconds, cpu_seconds, Sums(*found.tolist()), book.count)


def _fill_sums(fills: np.ndarray) -> np.ndarray:
    """The four of :class:`Sums` over flat fill rows, modulo 2^64."""
    row = fills.reshape(-1, ROW).astype(np.uint64).T
    check = (row[F_MAKER] * np.uint64(31) + row[F_TAKER] * np.uint64(17) + row[F_PRICE]) * row[F_LOTS]
    return np.array([row.shape[1], row[F_LOTS].sum(), (row[F_LOTS] * row[F_PRICE]).sum(), check.sum()], np.uint64)


def replay_calls(stream: Stream) -> Replay:
    """Through ``OrderBook.place`` and ``cancel``; the loop and the sums over the fills of each result are timed too."""
    rows, book = stream.rows.tolist(), OrderBook()
    _call_all(book, rows[: stream.warm_up])
    timed = rows[stream.warm_up :]
    cpu_started, started = thread_time(), perf_counter()
    sums = _call_all(book, timed)
    return Replay(perf_counter() - started, thread_time() - cpu_started, sums, book.count)


def _call_all(book: OrderBook, rows: list[list[int]]) -> Sums:
    """One Python call a row."""
    place, cancel = book.place, book.cancel
    fills = lots = notional = check = 0
    for kind, order_id, account, side, size, price, order_type, _ in rows:
        if kind:
            cancel(OrderId(order_id))
            continue
        placed = place(
            OrderId(order_id),
            AccountId(account),
            SIDES[side],
            size,
            price,
            market=order_type == MARKET,
            ioc=order_type == IOC,
        )
        for fill in placed.fills:
            fills += 1
            lots += fill.lots
            notional += fill.price * fill.lots
            check += (31 * fill.maker_order + 17 * order_id + fill.price) * fill.lots
    return Sums.of(fills, lots, notional, check)


def compare(stream: Stream, block_rounds: int, call_rounds: int) -> dict[str, Any]:
    """Both ways over the stream: best and median operations a second, by the clock and by processor time."""
    ways = {"blocks": (replay_blocks, block_rounds), "calls": (replay_calls, call_rounds)}
    operations = len(stream.rows) - stream.warm_up
    report: dict[str, Any] = {"operations": operations, **stream.sums._asdict()}
    for name, (replay, rounds) in ways.items():
        replays = [replay(stream) for _ in range(1 + rounds)][1:]
        if any(done.sums != stream.sums for done in replays):
            raise ProtocolError(f"the {name} gave other fills than the stream was made with", field=name)
        for clock, times in (
            ("", [done.seconds for done in replays]),
            ("cpu_", [done.cpu_seconds for done in replays]),
        ):
            report[f"{name}_{clock}best"] = operations / min(times)
            report[f"{name}_{clock}median"] = operations / median(times)
        report["resting"] = replays[0].resting
    return report


def measure(*, quick: bool, stream: str | None = None) -> dict[str, Any]:
    """The median of five rounds, after one that is not counted; ``stream``: where to write the common stream."""
    common = build(QUICK_STREAM_OPERATIONS if quick else STREAM_OPERATIONS)
    if stream is not None:
        common.save(Path(stream))
    operations = QUICK_OPERATIONS if quick else OPERATIONS
    rounds = [run_matching_benchmark(operations, SEED) for _ in range(1 + (1 if quick else ROUNDS))][1:]
    rounds.sort(key=lambda found: found["value"])
    middle = rounds[len(rounds) // 2]
    details = {key: value for key, value in middle.items() if key not in ("value", "parameters")}
    details["rounds"] = [found["value"] for found in rounds]
    details["stream"] = compare(common, *((1, 1) if quick else (BLOCK_ROUNDS, CALL_ROUNDS)))
    return result("matching", middle["value"], "operations/s", middle["parameters"], details)
