"""``bench venue``: whole inputs through ``Venue.apply``, one thread: admission, margin, match, events, batches.

The flow (:mod:`app.benches.venue_flow`) is made beforehand; between blocks of it, untimed, its events are digested and
L1 takes the batches. Equal digests mean that two builds did the same.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from app.benches.venue_flow import Driven, FlowMaker, mixed_amounts
from app.commands.bench import result
from engine.sequencer.batch import root_bytes
from engine.sequencer.events import AnyEvent
from engine.sequencer.inputs import Input, PlaceOrder, encode_input

ACCOUNTS = 1_000
INPUTS, QUICK_INPUTS = 40_000, 4_000
WARM_UP = 2_000  # inputs that fill the books first, not timed
ROUNDS, QUICK_ROUNDS = 5, 1
BLOCK = 500


class Round(NamedTuple):
    """A fresh venue over the flow: nanoseconds an input, what was told, and hex digests of events and leaves.

    ``cpu_seconds``: of all blocks that are timed, the clock's own calls included.
    """

    nanoseconds: np.ndarray
    cpu_seconds: float
    told: Counter[str]
    filling: int
    events: str
    root: str

    @property
    def rate(self) -> float:
        """Inputs a second."""
        return len(self.nanoseconds) / (float(self.nanoseconds.sum()) / 1e9)

    @property
    def cpu_rate(self) -> float:
        """Inputs a second of processor time: what other work on the machine does not change."""
        return len(self.nanoseconds) / self.cpu_seconds


def measure(*, quick: bool) -> dict[str, Any]:
    """The round with the median rate."""
    count, rounds = (QUICK_INPUTS, QUICK_ROUNDS) if quick else (INPUTS, ROUNDS)
    flow = FlowMaker(ACCOUNTS, BLOCK).make(WARM_UP + count)
    played = sorted((play(flow, WARM_UP) for _ in range(rounds)), key=lambda found: found.rate)
    middle = played[len(played) // 2]
    if len({(found.events, found.root) for found in played}) != 1:
        raise AssertionError("two rounds over one flow told different events")
    orders = sum(isinstance(value, PlaceOrder) for value in flow[WARM_UP:])
    p50, p99 = np.percentile(middle.nanoseconds / 1e3, (50, 99)).tolist()
    details = {
        "p50_microseconds": p50,
        "p99_microseconds": p99,
        "mean_microseconds": float(middle.nanoseconds.mean()) / 1e3,
        "rounds": [found.rate for found in played],
        "cpu_rounds": sorted(found.cpu_rate for found in played),
        "processor": processor(),
        "orders_that_fill": middle.filling / orders,
        "told": dict(sorted(middle.told.items())),
        "flow": flow_digest(flow),
        "events": middle.events,
        "root": middle.root,
    }
    parameters = {"accounts": ACCOUNTS, "inputs": count, "orders": orders, "cancels": count - orders, "threads": 1}
    return result("venue", middle.rate, "inputs/s", parameters, details)


def play(flow: list[Input], warm_up: int, accounts: int = ACCOUNTS) -> Round:
    """Apply the flow to a fresh venue; the first ``warm_up`` inputs (a multiple of ``BLOCK``) are not timed."""
    driven = Driven(mixed_amounts(accounts))
    times: list[int] = []
    told: Counter[str] = Counter()
    digest, filling, cpu_seconds = hashlib.sha256(), 0, 0.0
    encode = msgspec.msgpack.Encoder().encode
    for at in range(0, len(flow), BLOCK):
        started = time.thread_time()
        spent, events = _block(driven, flow[at : at + BLOCK])
        if at >= warm_up:
            cpu_seconds += time.thread_time() - started
            times += spent
            for kinds in ([str(event.__struct_config__.tag) for event in told_now] for told_now in events):
                told.update(kinds)
                filling += "Fill" in kinds
        digest.update(encode(events))
        driven.post()
    root = root_bytes(driven.venue.live_root()).hex()
    return Round(np.array(times, np.int64), cpu_seconds, told, filling, digest.hexdigest(), root)


def _block(driven: Driven, inputs: list[Input]) -> tuple[list[int], list[list[AnyEvent]]]:
    """Nanoseconds and events of each input."""
    apply, clock, sequence = driven.venue.apply, time.perf_counter_ns, driven.sequence
    spent: list[int] = []
    events: list[list[AnyEvent]] = []
    for value in inputs:
        sequence += 1
        started = clock()
        told = apply(sequence, value)
        spent.append(clock() - started)
        events.append(told)
    driven.sequence = sequence
    return spent, events


def flow_digest(flow: list[Input]) -> str:
    """Hex SHA-256 over the inputs' canonical bytes."""
    return hashlib.sha256(b"".join(map(encode_input, flow))).hexdigest()


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
