"""``bench ack``: from submitting a command to its acknowledgement: durable (synchronous=FULL) and applied.

Commands arrive one by one from another thread, at a pace below the journal's, at an engine whose clock plays recorded
flow; no timer delays a commit.
"""

from __future__ import annotations

import tempfile
import threading
import time
from typing import Any

import numpy as np

from app.commands.bench import result
from app.paths import open_paths
from app.runtime.warmup import warm_up
from app.venue.facade import Engine
from app.venue.ingress import Command
from app.venue.session import open_session
from engine.sequencer.inputs import CancelOrder, PlaceOrder
from engine.units import Lots, MarketId, OrderId, Ticks

COMMANDS, QUICK_COMMANDS = 4000, 300
PAUSE = 0.004
TIMEOUT = 10.0


def measure(*, quick: bool) -> dict[str, Any]:
    """Alternately place and cancel a resting order; p50 is the value."""
    warm_up(lambda stage, fraction: None)
    count = QUICK_COMMANDS if quick else COMMANDS
    with tempfile.TemporaryDirectory(prefix="proofline-ack-") as folder:
        engine = Engine(open_session(open_paths(folder)))
        engine.start()
        try:
            times = _drive(engine, count)
        finally:
            engine.stop()
    p50, p90, p99 = np.percentile(np.array(times) * 1e6, (50, 90, 99)).tolist()
    details = {"p50": p50, "p90": p90, "p99": p99, "max": max(times) * 1e6, "commands": count}
    parameters = {
        "synchronous": "FULL",
        "pause_seconds": PAUSE,
        "clock": "1x recorded flow, one proof at a time beside it",
    }
    return result("ack", p50, "microseconds", parameters, details)


def _drive(engine: Engine, count: int) -> list[float]:
    loop, account = engine.session.loop, engine.account_id
    times: list[float] = []
    order_id = 0
    for number in range(count):
        placing = number % 2 == 0
        bid = loop.venue.core.books[0].best_bid or 1000
        if placing:
            command = Command(
                input=PlaceOrder(
                    account=account,
                    market=MarketId(1),
                    side="buy",
                    type="limit",
                    lots=Lots(1),
                    price=Ticks(bid * 95 // 100),
                    client_id=str(number),
                )
            )
        else:
            command = Command(input=CancelOrder(account=account, order_id=OrderId(order_id)))
        done = threading.Event()
        seen: list[Any] = []

        def acknowledge(sequence: int, events: list[Any], done: threading.Event = done, seen: list[Any] = seen) -> None:
            seen.append((time.perf_counter(), events))
            done.set()

        command.acknowledge = acknowledge
        command.submitted = time.perf_counter()
        loop.ingress.submit(command)
        if not done.wait(TIMEOUT):
            raise TimeoutError(f"command {number} was not acknowledged within {TIMEOUT} s")
        times.append(seen[0][0] - command.submitted)
        order_id = next((event.order_id for event in seen[0][1] if hasattr(event, "order_id")), order_id)
        time.sleep(PAUSE)
    return times
